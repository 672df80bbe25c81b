/* conf_load_internal.h - reading and joining configuration sources. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_LOAD_INTERNAL_H
#define GH_CONF_LOAD_INTERNAL_H

#include "conf_load.h"
#include "conf_schema.h"

/* One load in progress. */
struct gh_loader {
    const struct gh_cli *cli;
    const struct gh_conf_hooks *hooks;
    struct gh_conf_errors *errs;
    struct gh_value *root; /* what was joined so far */
};

/* Joins `from` to the root: lists one after the other, objects replace. Takes `from` over; NULL is
 * a source that failed. */
void gh_merge(struct gh_loader *l, struct gh_value *from);

/* Sets section.key to a text, making the section. */
void gh_merge_set(struct gh_loader *l, const char *section, const char *key, const char *text,
                  const char *source);

/* Reads one value of -C; `number` counts from 1. */
void gh_read_source(struct gh_loader *l, const char *source, size_t number);

/* Reads one file by its extension. */
void gh_read_file(struct gh_loader *l, const char *path);

/* Reads the configuration files of a directory in the order of their names; how many there are.
 * A directory that is not there is an error if `required`. */
size_t gh_read_dir(struct gh_loader *l, const char *dir, bool required);

/* How many configuration files a directory has. */
size_t gh_count_dir(const char *dir);

/* Looks for gost.{json,yaml,yml} in GOST's places and reads the first. False: none is there. */
bool gh_read_default(struct gh_loader *l);

/* Environment look-up; NULL: not set, or empty. */
const char *gh_loader_env(const struct gh_loader *l, const char *name);

#endif
