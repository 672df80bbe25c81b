/* grade_table.c - checks of a plugin that need no running: its file and its tables. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "../engine/options.h"
#include "kit_internal.h"

/* ---- the file ---- */

struct exported {
    unsigned others;
    int found;
    char text[300];
};

static void note_export(void *arg, const char *name)
{
    struct exported *x = arg;
    size_t n = strlen(x->text);
    char ours[32];

    snprintf(ours, sizeof ours, "gost_plugin_v%d", GOST_ABI_MAJOR);
    if (strncmp(name, "__odr_asan.", 11) == 0)
        return; /* a sanitizer marks every object so */
    if (strcmp(name, ours) == 0) {
        x->found = 1;
        return;
    }
    x->others++;
    snprintf(x->text + n, sizeof x->text - n, " %s", name);
}

static void grade_exports(struct kit_grade *g, const struct ge_elf *elf)
{
    static const char name[] = "exports gost_plugin_v1 and nothing else";
    struct exported x;
    char why[400];

    memset(&x, 0, sizeof x);
    g->begin(g, name);
    if (ge_elf_exports(elf, note_export, &x) != GOST_OK)
        g->result(g, name, "its table of symbols cannot be read", 0);
    else if (!x.found)
        g->result(g, name, "it does not export gost_plugin_v1: use GOST_PLUGIN()", 0);
    else if (x.others) {
        snprintf(why, sizeof why,
                 "it also exports%s: make them static or build with -fvisibility=hidden", x.text);
        g->result(g, name, why, 0);
    } else {
        g->result(g, name, NULL, 0);
    }
}

void kit_grade_file(struct kit_grade *g, const char *path)
{
    static const char name[] = "is a shared object with a GOST note";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct ge_file file = ge_file_fd(fd);
    char why[400], *note = calloc(1, GE_NOTE_MAX);
    struct ge_elf elf;
    int r;

    g->begin(g, name);
    if (fd < 0 || !note) {
        snprintf(why, sizeof why, "it cannot be read: %s", strerror(errno));
        g->result(g, name, why, 0);
        free(note);
        return;
    }
    r = ge_elf_open(&elf, &file, why, sizeof why);
    if (r == GOST_OK && ge_note_read(&elf, note, why, sizeof why) == GOST_OK)
        g->result(g, name, NULL, 0);
    else
        g->result(g, name, why, 0);
    if (r == GOST_OK)
        grade_exports(g, &elf);
    close(fd);
    free(note);
}

/* ---- the tables ---- */

static int has_text(const char *text)
{
    return text && *text && !strchr(text, '\n');
}

static void grade_summaries(struct kit_grade *g, const struct ge_plugin *p)
{
    static const char name[] = "everything has a summary of one line";
    char why[400] = "";
    uint32_t i;

    g->begin(g, name);
    if (!has_text(p->summary))
        snprintf(why, sizeof why, "the plugin has none");
    if (!has_text(p->license))
        snprintf(why, sizeof why, "the plugin names no licence");
    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];
        const struct gost_opt *o = c->options;

        if (!has_text(c->summary))
            snprintf(why, sizeof why, "%s %s has none", ge_kind_word(c->kind, GOST_SERVER),
                     c->name);
        for (; o && o->type; o++) {
            if (!has_text(o->summary))
                snprintf(why, sizeof why, "the option %s of %s %s has none", o->names,
                         ge_kind_word(c->kind, GOST_SERVER), c->name);
        }
    }
    g->result(g, name, *why ? why : NULL, 0);
}

static void grade_defaults(struct kit_grade *g, const struct ge_plugin *p)
{
    static const char name[] = "defaults parse and lie in their ranges";
    char why[900] = "", text[700];
    uint32_t i;

    g->begin(g, name);
    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];
        const struct gost_opt *o = c->options;

        for (; o && o->type; o++) {
            if (ge_opt_check_default(o, text, sizeof text) != GOST_OK)
                snprintf(why, sizeof why, "the default of %s of %s %s %s", o->names,
                         ge_kind_word(c->kind, GOST_SERVER), c->name, text);
            if (o->max < o->min && o->max != 0)
                snprintf(why, sizeof why, "the range of %s of %s %s ends before it begins",
                         o->names, ge_kind_word(c->kind, GOST_SERVER), c->name);
        }
    }
    g->result(g, name, *why ? why : NULL, 0);
}

/* The first name that two options of one component share. Returns its length, 0 none. */
static size_t shared_name(const struct gost_opt *a, const struct gost_opt *b, const char **ret_name)
{
    const char *p = a->names;

    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (ge_opt_word(b->names, p, n)) {
            *ret_name = p;
            return n;
        }
        p += n;
    }
    return 0;
}

static void grade_names(struct kit_grade *g, const struct ge_plugin *p)
{
    static const char name[] = "no two options of a component share a name";
    char why[400] = "";
    const char *shared = NULL;
    uint32_t i;

    g->begin(g, name);
    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];
        const struct gost_opt *a, *b;

        for (a = c->options; a && a->type; a++) {
            for (b = a + 1; b->type; b++) {
                size_t n = shared_name(a, b, &shared);
                uint32_t roles = (a->flags ^ b->flags) & (GOST_OPT_SERVER | GOST_OPT_CLIENT);

                if (n && roles != (GOST_OPT_SERVER | GOST_OPT_CLIENT))
                    snprintf(why, sizeof why, "%s %s has two options called %.*s",
                             ge_kind_word(c->kind, GOST_SERVER), c->name, (int)n, shared);
            }
        }
    }
    g->result(g, name, *why ? why : NULL, 0);
}

void kit_grade_tables(struct kit_grade *g, const struct ge_plugin *p)
{
    grade_summaries(g, p);
    grade_defaults(g, p);
    grade_names(g, p);
}
