/* kit_internal.h - between the kit, the grader and gost-plugin-check. */
/* SPDX-License-Identifier: MIT */
#ifndef KIT_INTERNAL_H
#define KIT_INTERNAL_H

#include "world.h"

/* A kit for a plugin that was loaded from a file. */
struct gost_kit *kit_adopt(struct ge_plugin *p, char *why, size_t n);

/* What the grader finds. why NULL: the check passed; skip: it was not made, why says why. */
struct kit_grade {
    void (*begin)(struct kit_grade *g, const char *check);
    void (*result)(struct kit_grade *g, const char *check, const char *why, int skip);
    void *arg;
};

/* grade_table.c: nothing is run. */
void kit_grade_file(struct kit_grade *g, const char *path);
void kit_grade_tables(struct kit_grade *g, const struct ge_plugin *p);

/* Does memory grow pass by pass? (grade_growth.c) */
#define KIT_JUDGED 9u
struct kit_growth {
    size_t last;
    ptrdiff_t more[KIT_JUDGED]; /* in ascending order */
    unsigned passes;
};
int kit_growth_wanted(const struct kit_growth *m); /* 1: another pass */
void kit_growth_pass(struct kit_growth *m);
void kit_growth_tell(struct kit_grade *g, const char *check, const struct kit_growth *m);

/* grade_parts.c: what is no step machine. */
void kit_grade_index(struct kit_grade *g, const struct gost_component *c);
void kit_grade_stack(struct kit_grade *g, const struct gost_component *c);
void kit_grade_transport(struct kit_grade *g, const struct gost_component *c);

/* grade.c: the component is run. */
void kit_grade_life(struct kit_grade *g, struct gost_kit *kit, const struct gost_component *c);
void kit_grade_script(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s);

/* grade_process.c: what the plugin did to the process. */
struct kit_process {
    unsigned threads, descriptors;
    void *handlers[64];
};
void kit_process_look(struct kit_process *p);
void kit_grade_process(struct kit_grade *g, const struct kit_process *before,
                       unsigned more_descriptors, const char *when);
size_t kit_memory_in_use(void); /* 0: this C library does not tell */

/* A script with generated values for required options. NULL: out of memory. */
struct gost_script *kit_script_for(const struct gost_component *c, uint32_t kind, uint32_t role);

#endif
