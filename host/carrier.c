/* carrier.c - the pool of multiplexed sessions to nodes: one pool per worker. */
/* SPDX-License-Identifier: MIT */
#include "carrier.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "log.h"

enum { WORKERS_MAX = 256 };

struct gh_carrier {
    struct gh_carrier *next, **prev;
    struct gh_worker *worker;
    struct gh_service *service; /* counted: its generation has the nodes */
    const struct gh_node *node[GH_ROUTE_NODES];
    unsigned n;
    struct ge_flow *ge;
    struct ge_stack *session;   /* NULL: being dialed */
    struct gh_carrier_wait *waiting;
    struct ge_timer timer;
    uint64_t idle_since;        /* 0: it has streams */
    bool evicted;
};

/* Each is touched by its worker only. */
static struct gh_carrier *pools[WORKERS_MAX];

static bool is_of(const struct gh_carrier *c, const struct gh_path *path, unsigned n)
{
    return !c->evicted && c->n == n && memcmp(c->node, path->node, n * sizeof c->node[0]) == 0;
}

/* ---- waiting ---- */

void gh_carrier_unwait(struct gh_carrier_wait *wait)
{
    if (wait->prev == NULL)
        return;
    *wait->prev = wait->next;
    if (wait->next != NULL)
        wait->next->prev = wait->prev;
    wait->prev = NULL;
}

static void add_wait(struct gh_carrier *c, struct gh_carrier_wait *wait)
{
    wait->next = c->waiting;
    wait->prev = &c->waiting;
    if (wait->next != NULL)
        wait->next->prev = &wait->next;
    c->waiting = wait;
}

/* Those who wait may wait for another carrier afterwards, but never for this one. */
static void wake_all(struct gh_carrier *c)
{
    struct gh_carrier_wait *wait;

    while ((wait = c->waiting) != NULL) {
        gh_carrier_unwait(wait);
        wait->go(wait->arg);
    }
}

/* ---- life ---- */

struct gh_carrier *gh_carrier_begin(struct gh_worker *w, struct gh_service *service,
                                    const struct gh_path *path, unsigned n)
{
    struct gh_carrier **pool = &pools[gh_worker_index(w)];
    struct gh_carrier *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->ge = ge_flow_new(gh_worker_engine(w));
    if (c->ge == NULL) {
        free(c);
        return NULL;
    }
    c->worker = w;
    c->service = gh_service_ref(service);
    c->n = n;
    memcpy(c->node, path->node, n * sizeof c->node[0]);
    c->next = *pool;
    c->prev = pool;
    if (c->next != NULL)
        c->next->prev = &c->next;
    *pool = c;
    return c;
}

static void carrier_free(struct gh_carrier *c)
{
    c->evicted = true;
    wake_all(c);
    ge_timer_stop(gh_worker_engine(c->worker), &c->timer);
    *c->prev = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->session != NULL)
        ge_stack_free(c->session, 0);
    ge_flow_unref(c->ge);
    gh_service_unref(c->service);
    free(c);
}

void gh_carrier_failed(struct gh_carrier *c)
{
    carrier_free(c);
}

static void look(struct ge_timer *t)
{
    struct gh_carrier *c = (struct gh_carrier *)((char *)t - offsetof(struct gh_carrier, timer));
    struct ge_worker *engine = gh_worker_engine(c->worker);
    uint64_t now = ge_now(engine);

    if (ge_session_streams(c->session) != 0)
        c->idle_since = 0;
    else if (c->idle_since == 0)
        c->idle_since = now;
    if (ge_session_streams(c->session) == 0 &&
        (c->evicted || ge_session_draining(c->session) ||
         now - c->idle_since > GH_CARRIER_IDLE_S * GOST_S)) {
        carrier_free(c);
        return;
    }
    ge_timer_start(engine, t, now + GH_SESSION_LOOK_S * GOST_S);
}

void gh_carrier_ready(struct gh_carrier *c, struct ge_stack *session)
{
    struct ge_worker *engine = gh_worker_engine(c->worker);

    c->session = session;
    ge_stack_set_flow(session, c->ge);
    c->timer.fire = look;
    ge_timer_start(engine, &c->timer, ge_now(engine) + GH_SESSION_LOOK_S * GOST_S);
    wake_all(c);
}

void gh_carrier_evict(struct gh_worker *w, const struct gh_carrier *gone)
{
    struct gh_carrier *c = pools[gh_worker_index(w)];

    while (c != NULL && c != gone)
        c = c->next;
    if (c == NULL || c->evicted)
        return;
    c->evicted = true;
    gh_log(GOST_LOG_DEBUG, "the session to %s is used no more", c->node[c->n - 1]->label);
}

/* ---- use ---- */

enum gh_carrier_state gh_carrier_find(struct gh_worker *w, const struct gh_path *path, unsigned n,
                                      struct gh_carrier **ret_carrier,
                                      struct gh_carrier_wait *wait)
{
    struct gh_carrier *c = pools[gh_worker_index(w)], *dialing = NULL;

    for (; c != NULL; c = c->next) {
        if (!is_of(c, path, n))
            continue;
        if (c->session == NULL) {
            dialing = c;
        } else if (ge_session_draining(c->session)) {
            c->evicted = true;
        } else {
            *ret_carrier = c;
            return GH_CARRIER_READY;
        }
    }
    if (dialing == NULL)
        return GH_CARRIER_NONE;
    add_wait(dialing, wait);
    return GH_CARRIER_DIALING;
}

int gh_carrier_open(struct gh_carrier *c, struct ge_flow *flow, struct ge_stack **ret_stream)
{
    int r = ge_session_open(c->session, flow, 0, ret_stream);

    if (r != GOST_OK)
        c->evicted = true; /* full or ended: the next one who asks dials another */
    return r;
}

void gh_carriers_end(struct gh_worker *w)
{
    while (pools[gh_worker_index(w)] != NULL)
        carrier_free(pools[gh_worker_index(w)]);
}
