/* carrier.h - the pool of multiplexed sessions to nodes: one pool per worker. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CARRIER_H
#define GH_CARRIER_H

#include "flow.h"

/*
 * A carrier is a session to the last of the nodes path[0..n). It is used again for every path whose
 * nodes say the same: address, dialer with options and credentials, and for the nodes below the
 * last one their connectors too. So a reload keeps what it did not change. All calls are [worker]
 * unless marked.
 *
 *   dialing   somebody dials it; who else wants it waits
 *   ready     gives streams
 *   checking  it was silent for long and was asked whether it lives; who wants it waits
 *   draining  gives no streams; what it has goes on, the last one ends it
 *
 * A session that ended is taken out at once and those who wait look again.
 */
struct gh_carrier;

enum gh_carrier_state {
    GH_CARRIER_NONE, /* there is none with room: dial one */
    GH_CARRIER_WAIT, /* there is going to be an answer: `wait` is queued */
    GH_CARRIER_READY
};

/* Waits for a carrier that is being dialed or checked. */
struct gh_carrier_wait {
    struct gh_carrier_wait *next, **prev; /* prev NULL: not waiting */
    void (*go)(void *arg);                /* look again: it is ready or it is no more */
    void *arg;
};

/* How a dialer's sessions are used: its options that begin with "carrier.". */
struct gh_carrier_conf {
    int64_t max_streams;                 /* at once; 0: as many as the session allows */
    uint64_t max_age;                    /* ns; 0: no limit */
    uint64_t max_bytes;                  /* 0: no limit */
    uint64_t idle;                       /* ns without streams until it ends; 0: never */
    uint64_t check_after, check_timeout; /* ns */
};
extern const struct gost_component gh_carrier_component; /* has its option table */

/* READY: *ret_carrier. WAIT: `wait` is queued. */
enum gh_carrier_state gh_carrier_find(struct gh_worker *w, const struct gh_path *path, unsigned n,
                                      struct gh_carrier **ret_carrier,
                                      struct gh_carrier_wait *wait);
void gh_carrier_unwait(struct gh_carrier_wait *wait);

/* Announces that the caller dials it; NULL: no memory. Ended by gh_carrier_ready() or
 * gh_carrier_failed(). */
struct gh_carrier *gh_carrier_begin(struct gh_worker *w, struct gh_service *service,
                                    const struct gh_path *path, unsigned n);
void gh_carrier_failed(struct gh_carrier *c);

/* Takes the session over and opens the caller's stream before those who wait get theirs. */
int gh_carrier_ready(struct gh_carrier *c, struct ge_stack *session, struct ge_flow *flow,
                     struct ge_stack **ret_stream);

/* Opens a stream; the engine's result. A carrier that is full stays in the pool, one that ended
 * does not. */
int gh_carrier_open(struct gh_carrier *c, struct ge_flow *flow, struct ge_stack **ret_stream);

/* Names a carrier for as long as the program runs; it may be gone any time. */
uint64_t gh_carrier_id(const struct gh_carrier *c);

/* Whether it still gives streams. */
bool gh_carrier_usable(struct gh_worker *w, uint64_t id);

/* Nothing came of a request on it. If nothing at all came since `since`, it is used no more. */
void gh_carrier_suspect(struct gh_worker *w, uint64_t id, uint64_t since);

/* Drains on all workers what none of the services that run now would use. [main] */
void gh_carriers_reload(void);

/* Ends all carriers of this worker. */
void gh_carriers_end(struct gh_worker *w);

#endif
