/* chain.h - chains and groups of chains: from a request to the nodes it goes through. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CHAIN_H
#define GH_CHAIN_H

#include "hop.h"

enum { GH_ROUTE_NODES = 16 };

/* Immutable. */
struct gh_chain {
    const char *name;
    struct gh_hop **hops; /* *borrowed* from the generation */
    unsigned n_hops;
};

/* The chains a service may take: one, or a group; none: direct. */
struct gh_chain_group {
    struct gh_chain **chains; /* *borrowed* from the generation; the array is owned */
    struct gh_choice *choices; /* one each */
    unsigned n;
    struct gh_selector selector;
};

/* Finds hops by name while chains are built. */
typedef struct gh_hop *gh_hop_finder(void *arg, const char *name);

/* Builds a chain. Inline hops are given to `adopt`, which owns them from then on. NULL: `errs`
 * says why. [main] */
struct gh_chain *gh_chain_build(struct gh_build *b, const struct gh_value *conf,
                                gh_hop_finder *find, bool (*adopt)(void *arg, struct gh_hop *hop),
                                void *arg);
void gh_chain_free(struct gh_chain *chain);

/* The nodes of a route. */
struct gh_path {
    const struct gh_chain *chain; /* NULL: none */
    const struct gh_node *node[GH_ROUTE_NODES];
    unsigned n;
    const char *why_short; /* why the route ends before the last hop; NULL: it does not */
    const char *why_hop;   /* at which hop */
};

/* Asks each hop in turn; the first one without a node ends the route. [any] */
void gh_chain_path(struct gh_chain_group *group, const struct gh_pick *pick,
                   struct gh_path *ret_path);

/* "hop-0/node-0@1.2.3.4:1080 > hop-1/node-0@b:443"; "" for direct. Returns `buf`. */
const char *gh_path_text(const struct gh_path *path, char *buf, size_t size);

#endif
