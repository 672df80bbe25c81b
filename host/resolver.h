/* resolver.h - a resolver: its name servers, and a cache on each worker. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_RESOLVER_H
#define GH_RESOLVER_H

#include "policy_private.h"

struct gh_names_cache; /* naming.c */

struct gh_name_server {
    const void *conf;
    struct gh_confset *set;
    const char *place; /* as written; *borrowed* */
    const char *chain; /* *borrowed*; NULL: directly */
    struct gh_service *service;
    uint64_t timeout_ns;
    int64_t ttl; /* ns; 0: what the server says, negative: not kept */
};

struct gh_resolver {
    const struct gost_component *component;
    struct gh_name_server *server;
    unsigned n;
    bool async;                        /* an old answer is better than waiting */
    struct gh_names_cache *cache[256]; /* each is touched by its worker only */
};

/* Reads the name servers of p->object. False: reported. [main] */
bool gh_resolver_new(struct gh_policy *p, struct gh_conf_errors *errs);
bool gh_resolver_bind(struct gh_resolver *r, struct gh_generation *generation,
                      struct gh_conf_errors *errs);
void gh_resolver_free(struct gh_resolver *r);

/* The cache of this worker, made at the first use. NULL: no memory. [worker] */
struct gh_names_cache *gh_resolver_cache(struct gh_policy *p, struct gh_worker *w);

struct gh_names_cache *gh_names_cache_new(struct gh_worker *w);
void gh_names_cache_free(struct gh_names_cache *c); /* nothing is being asked for any more */

#endif
