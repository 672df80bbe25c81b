/* bridge.c - a pair of stacks inside the process, one end on each of two workers. */
/* SPDX-License-Identifier: MIT */
#include "bridge.h"

#include <pthread.h>
#include <stdlib.h>

enum { WORKERS_MAX = 256 };

#define PACKETS 256u /* between the two stacks, per direction */
#define HIGH    65536u
#define LOW     16384u

/* What is on its way to one end. Guarded by the bridge's lock. */
struct lane {
    struct ge_parcel *head, **tail;
    size_t bytes, packets;
    int status;    /* with `over`: 0 a clean end, else why it broke off */
    uint64_t code; /* of the reset */
    bool over;     /* nothing comes behind what is queued */
    bool gone;     /* its writer's stack is no more: nobody reads what the other way brings */
    bool full;     /* its writer waits for room */
    bool posted;   /* a message to the reader's worker is under way */
};

/* Touched by its own worker only. */
struct gh_bridge_end {
    struct bridge *bridge;
    struct gh_worker *worker;
    struct gh_bridge_end *next, **prev; /* of its worker; prev NULL: in no list */
    struct ge_stack *stack;             /* NULL: not attached, or let go of */
    bool sent_end, told_end;
};

struct bridge {
    pthread_mutex_t lock;
    struct gh_bridge_end end[2];
    struct lane to[2]; /* to[i] is read by end[i] */
    unsigned refs;     /* ends and messages */
    uint32_t type;
};

static struct gh_bridge_end *lists[WORKERS_MAX];

static unsigned index_of(const struct gh_bridge_end *e)
{
    return e == &e->bridge->end[1];
}

static struct lane *inward(const struct gh_bridge_end *e)
{
    return &e->bridge->to[index_of(e)];
}

static struct lane *outward(const struct gh_bridge_end *e)
{
    return &e->bridge->to[!index_of(e)];
}

static struct gh_bridge_end *other(const struct gh_bridge_end *e)
{
    return &e->bridge->end[!index_of(e)];
}

/* ---- life ---- */

static void lane_clear(struct lane *l)
{
    struct ge_parcel *p;

    while ((p = l->head) != NULL) {
        l->head = *ge_parcel_next(p);
        ge_parcel_free(p);
    }
    l->tail = &l->head;
    l->bytes = l->packets = 0;
}

static void bridge_unref(struct bridge *b)
{
    unsigned left;

    pthread_mutex_lock(&b->lock);
    left = --b->refs;
    pthread_mutex_unlock(&b->lock);
    if (left != 0)
        return;
    lane_clear(&b->to[0]);
    lane_clear(&b->to[1]);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void list_add(struct gh_bridge_end *e)
{
    struct gh_bridge_end **list = &lists[gh_worker_index(e->worker)];

    e->next = *list;
    e->prev = list;
    if (e->next != NULL)
        e->next->prev = &e->next;
    *list = e;
}

static void list_del(struct gh_bridge_end *e)
{
    if (e->prev == NULL)
        return;
    *e->prev = e->next;
    if (e->next != NULL)
        e->next->prev = e->prev;
    e->prev = NULL;
}

/* ---- messages ---- */

static void on_message(struct gh_worker *w, void *arg);

/* With the lock held: the end's worker looks at its lanes soon. */
static void notify(struct gh_bridge_end *e)
{
    struct lane *l = inward(e);

    if (l->posted)
        return;
    l->posted = true;
    e->bridge->refs++;
    gh_worker_post(e->worker, on_message, e);
}

/* ---- sending ---- */

/* How much may be taken. Bytes go in whole queues, which are bounded themselves: to split a chunk
 * would be to copy it. */
static size_t room(const struct gh_bridge_end *e, const struct lane *l)
{
    if (e->bridge->type == GOST_DATAGRAM)
        return l->packets < PACKETS ? PACKETS - l->packets : 0;
    return l->bytes < HIGH ? SIZE_MAX : 0;
}

static void append(struct lane *l, struct ge_parcel *p)
{
    *ge_parcel_next(p) = NULL;
    *l->tail = p;
    l->tail = ge_parcel_next(p);
    l->bytes += ge_parcel_bytes(p);
    l->packets += ge_parcel_packets(p);
}

static bool has_queued(struct ge_stack *s, uint32_t type)
{
    struct gost_packet p = {.size = sizeof p};
    struct iovec v;

    return type == GOST_DATAGRAM ? ge_tx_packet(s, &p) == GOST_OK : ge_tx_iov(s, &v, 1) > 0;
}

/* With the lock held. Without memory nothing asks again: what is queued would stay for ever. */
static void break_off(struct gh_bridge_end *e)
{
    struct lane *l = outward(e);

    l->over = true;
    l->status = GOST_ENOMEM;
    e->sent_end = e->told_end = true;
    ge_rx_end(e->stack, GOST_ENOMEM);
}

/* With the lock held. */
static void send_some(struct gh_bridge_end *e)
{
    struct lane *l = outward(e);
    struct ge_parcel *p;
    bool news = false;

    if (l->over)
        return;
    while ((p = ge_parcel_take(e->stack, inward(e)->gone ? SIZE_MAX : room(e, l))) != NULL) {
        if (inward(e)->gone) { /* nobody will read it */
            ge_parcel_free(p);
            continue;
        }
        append(l, p);
        news = true;
    }
    l->full = room(e, l) == 0;
    if (!l->full && has_queued(e->stack, e->bridge->type)) {
        break_off(e);
        news = true;
    } else if (ge_tx_shut(e->stack)) {
        l->over = news = e->sent_end = true;
        ge_tx_shut_done(e->stack);
    }
    if (news)
        notify(other(e));
}

/* ---- receiving ---- */

/* With the lock held. The next parcel that came for this end, if its stack has room. */
static struct ge_parcel *next_parcel(struct gh_bridge_end *e)
{
    struct lane *l = inward(e);
    struct ge_parcel *p = l->head;

    if (p == NULL || !ge_rx_wanted(e->stack))
        return NULL;
    l->head = *ge_parcel_next(p);
    if (l->head == NULL)
        l->tail = &l->head;
    l->bytes -= ge_parcel_bytes(p);
    l->packets -= ge_parcel_packets(p);
    return p;
}

static void put_back(struct lane *l, struct ge_parcel *p)
{
    *ge_parcel_next(p) = l->head;
    if (l->head == NULL)
        l->tail = ge_parcel_next(p);
    l->head = p;
    l->bytes += ge_parcel_bytes(p);
    l->packets += ge_parcel_packets(p);
}

/* With the lock held: the stack's end, once all before it is delivered. */
static void receive_end(struct gh_bridge_end *e)
{
    const struct lane *l = inward(e);

    if (l->head != NULL)
        return;
    if (l->over && !e->told_end) {
        e->told_end = true;
        if (l->status != 0)
            ge_rx_reset(e->stack, l->status, l->code);
        else
            ge_rx_end(e->stack, 0);
    }
    if (l->gone && !e->sent_end && e->bridge->type != GOST_DATAGRAM) {
        /* what we send from now on is read by nobody */
        e->sent_end = true;
        ge_rx_reset(e->stack, l->status != 0 ? l->status : GOST_ECLOSED, l->code);
    }
}

/* With the lock held. */
static void receive_some(struct gh_bridge_end *e)
{
    struct lane *l = inward(e);
    struct ge_parcel *p;
    int r = GOST_OK;

    while (r == GOST_OK && (p = next_parcel(e)) != NULL) {
        r = ge_parcel_give(e->stack, p);
        if (r != GOST_OK)
            put_back(l, p);
    }
    if (r == GOST_ENOMEM) {
        lane_clear(l);
        l->over = e->told_end = true;
        ge_rx_end(e->stack, GOST_ENOMEM);
    }
    if (l->full && l->bytes <= LOW && l->packets <= PACKETS / 4) {
        l->full = false;
        notify(other(e));
    }
    receive_end(e);
}

/* ---- the stack's bottom ---- */

static void end_want(struct ge_stack *s, void *ctx, unsigned what)
{
    struct gh_bridge_end *e = ctx;

    pthread_mutex_lock(&e->bridge->lock);
    if (what & GE_WANT_READ)
        receive_some(e);
    if (what & GE_WANT_WRITE)
        send_some(e);
    pthread_mutex_unlock(&e->bridge->lock);
}

/* With the lock held: this end is no more. */
static void leave(struct gh_bridge_end *e, int status, uint64_t code)
{
    struct lane *l = outward(e);

    if (!l->over) {
        l->over = true;
        l->status = status;
        l->code = code;
    }
    l->gone = true;
    lane_clear(inward(e));
    notify(other(e));
}

static void end_close(struct ge_stack *s, void *ctx, int abort)
{
    struct gh_bridge_end *e = ctx;
    struct bridge *b = e->bridge;
    bool clean = b->type == GOST_DATAGRAM && !abort;

    pthread_mutex_lock(&b->lock);
    if (abort) /* what was queued is dropped */
        lane_clear(outward(e));
    leave(e, clean ? 0 : GOST_ECLOSED, ge_stack_code(s));
    e->stack = NULL;
    pthread_mutex_unlock(&b->lock);
    list_del(e);
    bridge_unref(b);
}

static const struct ge_bottom_ops ops = {end_want, end_close};

static void on_message(struct gh_worker *w, void *arg)
{
    struct gh_bridge_end *e = arg;
    struct bridge *b = e->bridge;

    pthread_mutex_lock(&b->lock);
    inward(e)->posted = false;
    if (e->stack != NULL) {
        receive_some(e);
        send_some(e);
    }
    pthread_mutex_unlock(&b->lock);
    bridge_unref(b);
}

/* ---- opening ---- */

static struct ge_stack *attach(struct gh_bridge_end *e, struct ge_flow *flow)
{
    struct ge_stack *s = ge_stack_new(flow, e->bridge->type, &ops, e);

    e->stack = s;
    if (s == NULL)
        return NULL;
    ge_stack_resets(s);
    list_add(e);
    return s;
}

bool gh_bridge_open(struct ge_flow *flow, uint32_t type, struct gh_worker *to,
                    struct ge_stack **ret_near, struct gh_bridge_end **ret_far)
{
    struct bridge *b = calloc(1, sizeof *b);

    if (b == NULL)
        return false;
    pthread_mutex_init(&b->lock, NULL);
    b->type = type;
    b->refs = 2;
    for (unsigned i = 0; i < 2; i++) {
        b->end[i].bridge = b;
        b->end[i].worker = i == 0 ? gh_worker_current() : to;
        b->to[i].tail = &b->to[i].head;
    }
    *ret_near = attach(&b->end[0], flow);
    if (*ret_near == NULL) {
        pthread_mutex_destroy(&b->lock);
        free(b);
        return false;
    }
    *ret_far = &b->end[1];
    return true;
}

struct ge_stack *gh_bridge_attach(struct gh_bridge_end *end, struct ge_flow *flow)
{
    struct ge_stack *s = attach(end, flow);

    if (s == NULL)
        gh_bridge_refuse(end, GOST_ENOMEM);
    return s; /* a new stack wants to read: what waits for it is taken then */
}

void gh_bridge_refuse(struct gh_bridge_end *end, int status)
{
    struct bridge *b = end->bridge;

    pthread_mutex_lock(&b->lock);
    leave(end, status, 0);
    pthread_mutex_unlock(&b->lock);
    bridge_unref(b);
}

void gh_bridges_end(struct gh_worker *w)
{
    struct gh_bridge_end *e;

    while ((e = lists[gh_worker_index(w)]) != NULL)
        ge_stack_free(e->stack, 1);
}
