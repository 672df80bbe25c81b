/* flow.h - the host's record of one connection, association or stream of a session. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_FLOW_H
#define GH_FLOW_H

#include "net.h"
#include "service.h"

struct gh_act;
struct gh_errand;
struct gh_gather;

/* What acts: a handler or a connector with its outstanding actions. */
struct gh_agent {
    struct gh_flow *flow;
    struct ge_task *task;
    struct gh_confset *set; /* what its layers are configured from */
    struct gh_act *acts;    /* under way */
    bool listens;           /* it is a service's listener: its binds take the listener's chain */
    struct gh_ear *ears;    /* listening ports */
    const struct gh_path *below;  /* connector: the nodes it stands on */
    const struct gh_sockopt *opt; /* connector: of what it dials itself */
    unsigned n_below;
    struct gh_gather *gather;     /* a gathering client: its exchanges; NULL: it is none */
    struct gh_blob *blobs;         /* what results point to */
    struct gost_a_value *value;    /* what the last ASK of a value gave; NULL: none did. *owned* */
    struct gh_endpoint *endpoints; /* what it offers to visitors */
    struct gost_addr *peers; /* who is at the port, GOST_PORTS of them, if ACCEPT told; NULL */
};

struct gh_flow {
    struct gh_flow *next, **prev; /* of its worker */
    struct ge_flow *ge;
    struct gh_worker *worker;
    struct gh_service *service; /* counted */
    struct gh_flow *parent;     /* of a session's stream or a tied child; NULL: none */
    struct gh_flow *children, *sibling, **sibling_prev;
    struct ge_stack *stack; /* before there is a handler; a session for its whole life */
    struct gh_agent agent;
    struct ge_stack *kept[4]; /* control connections that live as long as the flow */
    unsigned n_kept;
    struct gh_limits_held limits;           /* balances it takes part in */
    struct ge_timer timer;                  /* handshake deadline */
    uint64_t begun;                         /* gost_now() */
    char *upstream_local, *upstream_remote; /* *owned*, for its record; NULL: not known */
    char *target, *route;                   /* *owned*; NULL: nothing was dialed */
    char *reason;                           /* why the last dial failed; NULL */
    uint64_t counted_rx, counted_tx;        /* what the service's counters have of it already */
    bool tied, is_session;
    bool is_bridged;          /* its handler runs on another worker, in a flow of its own */
    struct gh_errand *errand; /* whose flow this is; NULL: a client's */
};

/* A flow of a service, counted in its worker and service; NULL: no memory. [worker] */
struct gh_flow *gh_flow_new(struct gh_worker *w, struct gh_service *service);

/* The same for a stream or port of another flow; it is ended with its parent when `tied`. */
struct gh_flow *gh_flow_child(struct gh_flow *parent, bool tied);

/* Puts the layers of the listener on `stack`, then goes on with the handler. Owns `stack`. */
void gh_flow_start(struct gh_flow *f, struct ge_stack *stack);

/* Runs a handler on a finished stack. False: it cannot, and the flow has ended. Owns `stack`. */
bool gh_flow_handle(struct gh_flow *f, struct ge_stack *stack, const struct gost_component *handler,
                    const void *conf, struct gost_bytes arg);

/* A stream that a gathering layer of the listener made: the layers above it, then the service's
 * handler. Owns `stack`. */
void gh_flow_serve(struct gh_flow *f, struct ge_stack *stack);

/* Ends the flow now, with one line in the log. `status` 0: as it is. Frees `f`. */
void gh_flow_end(struct gh_flow *f, int status, const char *why);

/* Remembers what was dialed and how, for the line at the end. */
void gh_flow_note_target(struct gh_flow *f, const struct gost_addr *target,
                         const struct gh_path *path);
void gh_flow_note_upstream(struct gh_flow *f, const struct gost_addr *local,
                           const struct gost_addr *remote);
void gh_flow_note_failure(struct gh_flow *f, const char *text);

/* Keeps a stack until the flow ends. Of many the oldest is freed: a handler that dials that often
 * uses its dials one after the other. */
void gh_flow_keep(struct gh_flow *f, struct ge_stack *stack);

/* Ends all flows of this worker, or asks them to end. [worker] */
void gh_flows_end(struct gh_worker *w, bool gently);
/* Adds what live flows of this worker moved to the counters of their services. [worker] */
void gh_flows_sample(struct gh_worker *w);
/* Ends one of `share` of this worker's flows, at least one, of those that were silent for
 * GH_IDLE_S, the longest silent first. [worker] */
void gh_flows_shed(struct gh_worker *w, unsigned share);
unsigned gh_flows_count(void); /* of all workers. [any] */

/* What the engine calls: a log line about a flow, a layer for an UPGRADE. */
void gh_flow_log(void *ctx, struct ge_flow *flow, int level, const char *text);
struct ge_layer_choice gh_flow_find_layer(void *ctx, struct ge_task *task, struct gost_bytes name,
                                          uint32_t role);

#endif
