/* conf_errors.h - what a configuration pass found wrong, all of it, with places. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_ERRORS_H
#define GH_CONF_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "conf_tree.h"

enum gh_severity { GH_WARNING, GH_ERROR };

struct gh_conf_error {
    enum gh_severity severity;
    char *position; /* "" when there is none */
    char *message;  /* names the value and the remedy; no secrets */
};

/* A list of findings. Zero-initialised is empty. Not thread safe. */
struct gh_conf_errors {
    struct gh_conf_error *items;
    size_t count;
    size_t room;
    size_t errors;  /* how many of them are GH_ERROR */
    size_t dropped; /* findings beyond the limit of 200, counted only */
    bool no_memory; /* something could not even be recorded; counts as an error */
};

/* Adds a finding at the place of `at` (may be NULL). */
void gh_errors_at(struct gh_conf_errors *errs, enum gh_severity severity, const struct gh_value *at,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Adds a finding at a place given as text ("" or NULL: none). */
void gh_errors_add(struct gh_conf_errors *errs, enum gh_severity severity, const char *position,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Moves all findings of `from` to the end of `to`; `from` is empty afterwards. */
void gh_errors_move(struct gh_conf_errors *to, struct gh_conf_errors *from);

/* Whether anything was worse than a warning. */
bool gh_errors_failed(const struct gh_conf_errors *errs);

/* Prints one line per finding: "error: gost.yml:3:5: ...". */
void gh_errors_print(const struct gh_conf_errors *errs, FILE *to);

void gh_errors_free(struct gh_conf_errors *errs);

/* Finds the closest of several names to a misspelt one: call gh_suggest_offer() for each candidate,
 * then read `best`, NULL if none is close enough. */
struct gh_suggest {
    const char *wanted;
    const char *best; /* *borrowed* from the candidates */
    unsigned distance;
};

void gh_suggest_start(struct gh_suggest *s, const char *wanted);
void gh_suggest_offer(struct gh_suggest *s, const char *candidate);

/* " (did you mean "x"?)" or "". Returns `buf`. */
const char *gh_suggest_text(const struct gh_suggest *s, char *buf, size_t size);

#endif
