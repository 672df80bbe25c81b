/* carrier.h - the pool of multiplexed sessions to nodes: one pool per worker. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CARRIER_H
#define GH_CARRIER_H

#include "flow.h"

/*
 * A carrier is a session to the last of the nodes path[0..n). It is known by exactly these nodes; a
 * reload that changed one of them makes new carriers, and the old ones end with their last stream.
 */
struct gh_carrier;

enum gh_carrier_state {
    GH_CARRIER_NONE,    /* there is none: dial one */
    GH_CARRIER_DIALING, /* somebody else dials it: wait */
    GH_CARRIER_READY
};

/* Waits for a carrier that is being dialed. */
struct gh_carrier_wait {
    struct gh_carrier_wait *next, **prev; /* prev NULL: not waiting */
    void (*go)(void *arg); /* look again: it is ready or it failed */
    void *arg;
};

/* Looks for a carrier. READY: *ret_carrier. DIALING: `wait` is queued. All calls are [worker]. */
enum gh_carrier_state gh_carrier_find(struct gh_worker *w, const struct gh_path *path, unsigned n,
                                      struct gh_carrier **ret_carrier,
                                      struct gh_carrier_wait *wait);
void gh_carrier_unwait(struct gh_carrier_wait *wait);

/* Announces that the caller dials it; NULL: no memory. Ended by gh_carrier_ready() or
 * gh_carrier_failed(). */
struct gh_carrier *gh_carrier_begin(struct gh_worker *w, struct gh_service *service,
                                    const struct gh_path *path, unsigned n);
void gh_carrier_ready(struct gh_carrier *c, struct ge_stack *session); /* owns the session */
void gh_carrier_failed(struct gh_carrier *c);

/* Opens a stream. Engine's result; an ended session is taken out of the pool. */
int gh_carrier_open(struct gh_carrier *c, struct ge_flow *flow, struct ge_stack **ret_stream);

/* Takes a carrier that does not answer out of the pool, if it is still there; its streams go on. */
void gh_carrier_evict(struct gh_worker *w, const struct gh_carrier *c);

/* Ends all carriers of this worker. */
void gh_carriers_end(struct gh_worker *w);

#endif
