/* conf_url.h - the URL grammar of -L and -F. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_URL_H
#define GH_CONF_URL_H

#include "conf_errors.h"
#include "conf_tree.h"
#include "conf_types.h"

/* What the URLs of one command line need and share. */
struct gh_url_rules {
    gh_known_fn *known; /* may be NULL */
    void *ctx;
    bool compat_gost;
    const char *target_prefix; /* before the names of forward targets; NULL: none */
};

/* Builds the configuration that -L and -F describe: a raw tree with services, chains and the
 * sections that parameters create, already canonical. *Owned*; NULL: `errs` says why. */
struct gh_value *gh_conf_from_urls(const char *const *services, size_t service_count,
                                   const char *const *nodes, size_t node_count,
                                   const struct gh_url_rules *rules, struct gh_conf_errors *errs);

/* The value of -api or -metrics as the section of that name (`metrics` chooses which). *Owned*;
 * NULL only when there is no memory. */
struct gh_value *gh_conf_from_address(const char *text, bool metrics);

/* The text of a URL without its secrets, for messages: *owned*, free() it. NULL: no memory. */
char *gh_url_redacted(const char *url);

#endif
