/* route.h - getting to a target: directly, or through the nodes of a chain. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ROUTE_H
#define GH_ROUTE_H

#include "flow.h"

/* What a route gives. */
struct gh_arrival {
    int status;             /* 0 or enum gost_error */
    const char *text;       /* why not; *borrowed* */
    struct ge_stack *stack; /* the receiver's */
    struct gost_addr local, remote;
};

struct gh_route_spec {
    struct gh_flow *flow;
    uint32_t verb;    /* enum ge_verb. GE_BIND: below */
    uint32_t network; /* enum gost_network */
    struct gost_addr target;
    const struct gost_addr *asked; /* the target as the client named it; NULL: `target` */
    bool direct;                   /* take no chain */
    const struct gh_path *fixed; /* these nodes and no others; NULL: the service's chain chooses */
    unsigned n_fixed;
    bool exchange;               /* stop at the exchanges below the last node's gathering layer */
    struct gh_chain_group *chains; /* choose from these; NULL: the service's */
    const struct gh_sockopt *opt;  /* of sockets to the target; NULL: the service's */
    uint64_t timeout_ns;           /* per attempt; 0: none */
    unsigned retries;
    void (*done)(void *arg, struct gh_arrival *a); /* once, perhaps inside gh_route_start() */
    void *arg;
    /* GE_BIND: done() with status 0 and no stack says that the last node listens at a->local. The
     * route stays in its slot, then gives what arrives there, until it ends or is cancelled. The
     * streams are the receiver's and outlive it; it gives them their flow. */
    void (*accepted)(void *arg, struct ge_stack *stack, const struct gost_addr *peer);
    void (*ended)(void *arg, int status, const char *text);
};

struct gh_route;

/* Starts. *slot is the route while it is under way and NULL before done() is called. [worker] */
void gh_route_start(struct gh_route **slot, const struct gh_route_spec *spec);

/* Forgets a route that is under way; done() is not called. */
void gh_route_cancel(struct gh_route *r);

/* What a connector of a route tells of its bind or association. */
void gh_route_bound(struct gh_agent *agent, const struct gost_addr *addr);
void gh_route_accepted(struct gh_agent *agent, struct ge_stack *stack,
                       const struct gost_addr *peer);

/* The nodes a flow's request would take now. [worker], or [main] to explain. */
void gh_route_choose(struct gh_service *service, const struct gh_pick *pick,
                     struct gh_path *ret_path);

#endif
