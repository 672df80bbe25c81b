/* endpoint_private.h - between the registry of endpoints with its owners, and the visitors. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ENDPOINT_PRIVATE_H
#define GH_ENDPOINT_PRIVATE_H

#include "bridge.h"
#include "endpoint.h"

/* Names an offer for other workers. */
struct gh_endpoint_ref {
    uint64_t id;
    struct gh_worker *worker;
    bool direct;    /* a session: a visitor gets a stream of it */
    char name[256]; /* "kind/key" */
};

/* One of the offers with this name by weight, but none that was tried. [worker] */
bool gh_endpoint_choose(const char *name, const uint64_t *tried, unsigned n_tried,
                        struct gh_endpoint_ref *ret_ref);

/* A visitor of the same worker: a stream of the session. [the owner's worker] */
int gh_endpoint_open(const struct gh_endpoint_ref *ref, struct ge_flow *flow,
                     struct ge_stack **ret_stream);

/* A visitor over a bridge. Owns `end`. GOST_OK, or why not. [the owner's worker] */
int gh_endpoint_arrive(const struct gh_endpoint_ref *ref, struct gh_bridge_end *end,
                       const struct gost_addr *source);

#endif
