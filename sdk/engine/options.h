/* options.h - inside of the option binder: one value of one option. */
/* SPDX-License-Identifier: MIT */
#ifndef GE_OPTIONS_H
#define GE_OPTIONS_H

#include "engine.h"

/* Memory of one conf object: freed, and wiped, as a whole. */
struct ge_opt_arena {
    struct ge_opt_block *blocks;
};

void *ge_opt_alloc(struct ge_opt_arena *a, size_t n); /* zeroed; NULL: out of memory */
char *ge_opt_copy(struct ge_opt_arena *a, const char *text, size_t n); /* adds the final zero */
void ge_opt_arena_free(struct ge_opt_arena *a);

/*
 * Convert `kv` for option `o` and store it at `field`. GOST_OK, GOST_ENOMEM, or GOST_EPROTO with
 * `why` filled: the end of a sentence that begins with the option's name. A secret is not in it.
 */
int ge_opt_store(struct ge_opt_arena *a, const struct gost_opt *o, const struct ge_kv *kv,
                 void *field, char *why, size_t n);

/* One number, whole text. GOST_OK, GOST_EPROTO, or GOST_ETOOBIG when it does not fit. */
int ge_opt_bool(const char *text, uint32_t *ret);
int ge_opt_int(const char *text, int64_t *ret); /* true and false are 1 and 0 */
int ge_opt_float(const char *text, double *ret);

/* sizeof the field that a type is stored in; 0 for an unknown type. */
size_t ge_opt_width(uint32_t type);
const char *ge_opt_type_name(uint32_t type); /* "duration"; "unknown" */

/* Does the default, when there is one, parse and lie in range? As ge_opt_store(). */
int ge_opt_check_default(const struct gost_opt *o, char *why, size_t n);

/* "from 1 to 65535", "1ms to 1h"; empty when the option has no limits. Returns buf. */
const char *ge_opt_range(const struct gost_opt *o, char *buf, size_t n);

/* The canonical name: `names` up to the first blank. Returns buf. */
const char *ge_opt_name(const struct gost_opt *o, char *buf, size_t n);

/* 1 when `word`, of length n, is one of the blank separated `words`, without regard to case. */
int ge_opt_word(const char *words, const char *word, size_t n);

#endif
