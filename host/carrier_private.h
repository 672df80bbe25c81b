/* carrier_private.h - what the carrier*.c files share. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CARRIER_PRIVATE_H
#define GH_CARRIER_PRIVATE_H

#include "carrier.h"

struct gh_carrier {
    struct gh_carrier *next, **prev;
    uint64_t id;
    struct gh_worker *worker;
    struct gh_service *service; /* counted: its generation has the nodes */
    const struct gh_node *node[GH_ROUTE_NODES];
    unsigned n;
    enum { CARRIER_DIALING, CARRIER_READY, CARRIER_CHECKING, CARRIER_DRAINING } state;
    bool unwanted; /* being dialed when the configuration changed */
    struct ge_flow *ge;
    struct ge_stack *session; /* NULL: being dialed */
    struct gh_carrier_wait *waiting;
    struct ge_timer timer, impatience;
    uint64_t begun, idle_since; /* ns */
    uint64_t since;             /* ns: it is being dialed, or asked for a sign of life */
    uint64_t asked;             /* ns: of the first stream after it was last heard; 0: none */
    uint64_t opened;            /* ns: of the first stream after one was last served */
    size_t full_at;             /* it had so many streams when it gave no more */
};

struct gh_carrier **gh_carrier_pool(struct gh_worker *w);

/* Gives no more streams from now on. */
void gh_carrier_drain(struct gh_carrier *c, const char *why);

/* Whether two nodes say the same. `last`: the session is to it, its connector does not matter. */
bool gh_carrier_same_node(const struct gh_node *a, const struct gh_node *b, bool last);

#endif
