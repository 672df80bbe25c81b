/* conf_load.h - from command line, files and environment to one validated configuration. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_LOAD_H
#define GH_CONF_LOAD_H

#include "cli.h"
#include "conf_errors.h"
#include "conf_tree.h"
#include "conf_types.h"

/* One loaded configuration: immutable, counted, readable from every thread. */
struct gh_conf;

/* A document brought by the fetch hook; freed with free(). */
struct gh_fetched {
    char *data;
    size_t len;
    char *content_type; /* without parameters; NULL: unknown */
};

/* What loading asks of its caller. Every member may be NULL. */
struct gh_conf_hooks {
    void *ctx;

    /* Whether an installed plugin has this component. GOST's own names are known without it. */
    gh_known_fn *known;

    /* Gets an http or https URL: 0, or negative with a text for the user in `why`. Without it such
     * a -C is refused by name. */
    int (*fetch)(void *ctx, const char *url, struct gh_fetched *ret, char *why, size_t why_size);

    /* Directory of drop-in files that is read when nothing was asked for and GOST's own search
     * found nothing. */
    const char *default_confdir;

    /* Environment look-up; NULL: getenv(). Tests replace it. */
    const char *(*getenv)(void *ctx, const char *name);
};

/* Builds the configuration that the command line, the files, conf.d and the environment describe.
 *
 *   1. --confdir DIR: its *.yml, *.yaml and *.json in the order of their names
 *   2. each -C in order        3. what -L and -F describe
 *   4. with no service, no API address, no -C and no --confdir: the first of
 *      {/etc/gost,$HOME/.gost,.}/gost.{json,yaml,yml}; if there is none, and no -F either, the
 *      default conf.d directory; if that has no file either, an error
 *   5. GOST_LOGGER_LEVEL, GOST_API, GOST_METRICS, GOST_PROFILING
 *   6. -D, -DD, -api, -metrics
 *
 * Lists are joined; of log, tls, api, metrics and profiling the last one wins whole. Then
 * everything is validated: duplicate and missing names, references (not with -O, which prints what
 * was read). Reads everything anew at each call, so a reload is just another call; standard input
 * can only be read once.
 *
 * 0: `*ret` is a new reference. -1: `errs` says why, all of it, and `*ret` is untouched. Warnings
 * are added to `errs` in both cases. [main] */
int gh_conf_load(const struct gh_cli *cli, const struct gh_conf_hooks *hooks, struct gh_conf **ret,
                 struct gh_conf_errors *errs);

/* Wraps a tree that is already normalised (the Web API's next configuration). Takes `root` over.
 * NULL: no memory. */
struct gh_conf *gh_conf_new(struct gh_value *root);

struct gh_conf *gh_conf_ref(struct gh_conf *conf);
void gh_conf_unref(struct gh_conf *conf);

/* The tree: a map with services, chains, hops, authers ... of the specification; keys spelled as
 * documented, values of the documented types, durations as int nanoseconds. *Borrowed* as long as
 * the reference is held. */
const struct gh_value *gh_conf_root(const struct gh_conf *conf);

/* The objects of one section ("services"), NULL when there are none. *Borrowed*. */
const struct gh_value *gh_conf_section(const struct gh_conf *conf, const char *section);

#endif
