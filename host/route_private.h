/* route_private.h - what the route*.c files share: a route and its steps. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ROUTE_PRIVATE_H
#define GH_ROUTE_PRIVATE_H

#include "carrier.h"
#include "route.h"

/*
 * One attempt goes through these states; a failure in any of them ends the attempt, and a deadline
 * of its own runs over all of them. What is under way is in exactly one of lookup, dial, stack
 * (layers in their handshake), agent.task (a connector) and wait (a session that somebody else
 * dials).
 */
struct gh_route {
    struct gh_route **slot;
    struct gh_route_spec spec;
    struct ge_worker *engine;
    struct gh_path path;
    unsigned at; /* the node on whose connection we are */
    unsigned attempt;
    struct ge_flow *ge; /* the record of this attempt's connection */
    struct ge_timer timer;
    struct gh_lookup *lookup;
    struct gh_naming *naming;
    unsigned naming_at;         /* the node whose name is asked for */
    struct gost_addr *resolved; /* of each node; NULL: none has hosts or a resolver. *owned* */
    struct gh_dial *dial;
    struct ge_stack *stack;
    struct gh_agent agent;
    struct gost_addr local, remote;
    bool bound;        /* GE_BIND: the last node listens; the connector's task goes on */
    bool pinned;       /* packets reach one peer: the target or the next node */
    const char *phase; /* literal */
    /* multiplexed sessions */
    struct gh_carrier *own[GH_ROUTE_NODES]; /* by node: we dial it for others too; NULL: none */
    uint64_t used;      /* gh_carrier_id() of the one whose stream we stand on; 0: none */
    uint64_t opened_at; /* when we got that stream */
    bool reused;        /* it was there before us */
    bool renewed;       /* one that died under us was replaced already */
    struct gh_carrier_wait wait;
    struct gh_gather *gather; /* has not reached its node yet; NULL: there is none */
};

/* ---- route.c ---- */

/* The node whose connection it is about; NULL: the target itself, directly. */
const struct gh_node *gh_route_node(const struct gh_route *r);

/* The address of node `i` of the path, by its hosts and resolver. */
const struct gost_addr *gh_route_addr(const struct gh_route *r, unsigned i);

/* End the attempt. The second one says that a node is to blame. What `text` points to may be of the
 * attempt. */
void gh_route_fail(struct gh_route *r, int status, const char *text);
void gh_route_fail_node(struct gh_route *r, const struct gh_node *node, int status,
                        const char *text);

/* What the engine recorded of this attempt, or a text of ours. */
const char *gh_route_recorded(const struct gh_route *r, const char *otherwise);

/* A bound route's connector is over. */
void gh_route_unbound(struct gh_route *r, int status, const char *text);

/* The target is reached: r->stack. */
void gh_route_arrive(struct gh_route *r);

/* Drops what is under way and begins the attempt again, under the same deadline. */
void gh_route_again(struct gh_route *r);

/* Looks again for a session that was waited for; what we dial for others stays ours. */
void gh_route_look_again(struct gh_route *r);

/* Whether a bind is for packets of all peers together: an association does it. */
bool gh_route_bind_associates(const struct gh_route *r);

/* ---- route_node.c ---- */

/* Goes on with the dialer's layers of the node at r->at, on r->stack. */
void gh_route_enter(struct gh_route *r);

/* A gathering layer has reached its node: r->stack is the stream. */
void gh_route_gathered(struct gh_route *r);

/* Finds a session of a node to use instead of dialing. True: it is used, or waited for. */
bool gh_route_reuse(struct gh_route *r);

#endif
