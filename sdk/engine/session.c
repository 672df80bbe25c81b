/* session.c - layers whose top is many streams: each stream is a stack with the session below. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define STREAMS_MAX 4096u /* per session: a stranger must not grow it without end */

static const struct gost_session_ops *session_ops(const struct ge_session *x)
{
    const struct gost_layer_ops *ops = x->layer->inst.comp->ops;

    return GE_OP(ops, struct gost_layer_ops, session);
}

struct ge_session *ge_session_new(struct ge_layer *l)
{
    struct ge_session *x = calloc(1, sizeof *x);

    if (x)
        x->layer = l;
    return x;
}

static void session_wake(struct ge_session *x)
{
    x->layer->enc = 1;
    ge_stack_ready(x->layer->stack);
}

void ge_session_free(struct ge_session *x)
{
    struct ge_stack *s;

    while ((s = x->streams)) {
        x->streams = s->snext;
        s->session = NULL;
        s->snext = NULL;
        if (!s->bottom.up.end) {
            s->bottom.up.end = 1;
            s->bottom.up.status = GOST_ECLOSED;
            ge_up_produced(&s->bottom);
        }
        if (!s->stream_open)
            continue;
    }
    while ((s = x->accepted)) { /* never reported: nobody else holds them */
        x->accepted = s->rnext;
        s->session = NULL;
        ge_stack_free(s, 1);
    }
    free(x);
}

static struct ge_stack *stream_make(struct ge_session *x, struct ge_flow *flow, uint32_t flags)
{
    struct ge_stack *s, **at;

    if (x->n_streams >= STREAMS_MAX || !(s = calloc(1, sizeof *s)))
        return NULL;
    ge_stack_init(s, flow, flags & GOST_STREAM_EXCHANGE ? GOST_EXCHANGE : GOST_STREAM);
    s->session = x;
    s->stream_flags = flags;
    s->credit = UINT64_MAX;
    for (at = &x->streams; *at; at = &(*at)->snext)
        ;
    *at = s;
    x->n_streams++;
    return s;
}

/* The user let go of a stream: reset it unless both directions ended cleanly. */
void ge_stream_close(struct ge_stack *s, int abort)
{
    struct ge_session *x = s->session;
    const struct gost_session_ops *ops = session_ops(x);
    struct ge_stack **at;

    if (x->layer->opened && (abort || !s->bottom.up.end || !s->bottom.down.end_seen) &&
        GE_OP(ops, struct gost_session_ops, reset))
        (void)ops->reset(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi, &s->bottom.lo, 0);
    if (x->layer->opened && GE_OP(ops, struct gost_session_ops, closed))
        ops->closed(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi, &s->bottom.lo);
    for (at = &x->streams; *at && *at != s; at = &(*at)->snext)
        ;
    if (*at)
        *at = s->snext;
    if (x->next == s)
        x->next = s->snext;
    x->n_streams--;
    s->session = NULL;
    session_wake(x);
}

void ge_stream_wants_write(struct ge_stack *s)
{
    session_wake(s->session);
}

/* Before the layer encodes: tell it what users consumed, and report new streams. */
void ge_session_run(struct ge_session *x)
{
    const struct gost_session_ops *ops = session_ops(x);
    struct ge_layer *l = x->layer;
    struct ge_stack *s, *next;

    for (s = x->streams; s; s = next) {
        size_t n = s->consumed;

        next = s->snext;
        if (!n)
            continue;
        s->consumed = 0;
        if (GE_OP(ops, struct gost_session_ops, credit))
            (void)ops->credit(l->inst.state, l->inst.conf, &l->wire->hi, &s->bottom.lo, n);
    }
    while ((s = x->accepted)) {
        x->accepted = s->rnext;
        s->rnext = NULL;
        s->rprev = NULL;
        if (x->accept)
            x->accept(l->stack, x->accept_arg, s);
        else
            ge_stack_free(s, 1);
    }
}

static struct ge_session *session_of(const struct ge_stack *stack)
{
    struct ge_layer *l;

    for (l = stack->bottom.above; l; l = l->app ? l->app->above : NULL)
        if (l->session)
            return l->session;
    return NULL;
}

void ge_session_on_stream(struct ge_stack *session,
                          void (*accept)(struct ge_stack *session, void *arg, struct ge_stack *stream), void *arg)
{
    struct ge_session *x = session_of(session);

    if (x) {
        x->accept = accept;
        x->accept_arg = arg;
        session_wake(x);
    }
}

int ge_session_open(struct ge_stack *session, struct ge_flow *flow, uint32_t flags, struct ge_stack **ret_stream)
{
    struct ge_session *x = session_of(session);
    const struct gost_session_ops *ops;
    struct ge_stack *s;
    uint64_t id = 0;
    int r;

    if (!x || session->status || x->draining)
        return GOST_ECLOSED;
    ops = session_ops(x);
    if (!GE_OP(ops, struct gost_session_ops, open))
        return GOST_EUNSUPPORTED;
    s = stream_make(x, flow, flags);
    if (!s)
        return GOST_FULL;
    r = ops->open(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi, &s->bottom.lo, flags, &id);
    if (r != GOST_OK) {
        s->bottom.up.end = s->bottom.down.end_seen = 1; /* the layer never knew it: no reset */
        ge_stack_free(s, 0);
        return r;
    }
    s->stream_id = id;
    s->stream_open = 1;
    session_wake(x);
    *ret_stream = s;
    return GOST_OK;
}

size_t ge_session_streams(const struct ge_stack *session)
{
    const struct ge_session *x = session_of(session);

    return x ? x->n_streams : 0;
}

int ge_session_draining(const struct ge_stack *session)
{
    const struct ge_session *x = session_of(session);

    return !x || x->draining || session->status;
}

/* ---- what a session layer calls ---- */

static struct ge_session *io_session(struct gost_io *io)
{
    struct ge_inst *in = ge_io_inst(io);

    return in && !in->is_task ? ((struct ge_layer *)in)->session : NULL;
}

struct gost_io *ge_stream_new(struct gost_io *io, uint64_t id, uint32_t flags)
{
    struct ge_session *x = io_session(io);
    struct ge_stack *s = x && !x->draining ? stream_make(x, x->layer->inst.flow, flags) : NULL;

    if (!s)
        return NULL;
    s->stream_id = id;
    s->stream_open = 1;
    /* reported before the next encode; chained through rnext, it is on no ready list yet */
    s->rnext = NULL;
    if (!x->accepted) {
        x->accepted = s;
    } else {
        struct ge_stack *a = x->accepted;

        while (a->rnext)
            a = a->rnext;
        a->rnext = s;
    }
    s->rprev = &x->accepted; /* keeps ge_stack_ready() from queueing it meanwhile */
    session_wake(x);
    return &s->bottom.lo;
}

static int can_send(const struct ge_stack *s)
{
    const struct ge_queue *q = &s->bottom.down;

    if (!s->stream_open)
        return 0;
    return q->heads || (q->bytes > 0 && s->credit > 0) || (q->end && q->bytes == 0 && !q->end_seen);
}

struct gost_io *ge_stream_next(struct gost_io *io)
{
    struct ge_session *x = io_session(io);
    struct ge_stack *s, *found = NULL;
    size_t i;

    if (!x)
        return NULL;
    s = x->next ? x->next : x->streams;
    for (i = 0; i < x->n_streams && s; i++) {
        if (can_send(s)) {
            if (s->stream_flags & GOST_STREAM_URGENT) {
                found = s;
                break;
            }
            if (!found)
                found = s;
        }
        s = s->snext ? s->snext : x->streams;
    }
    if (!found)
        return NULL;
    x->next = found->snext;
    if (found->bottom.down.end && found->bottom.down.bytes == 0)
        found->bottom.down.end_seen = 1;
    return &found->bottom.lo;
}

struct gost_io *ge_stream_port(struct gost_io *io, uint64_t id)
{
    struct ge_session *x = io_session(io);
    struct ge_stack *s;

    for (s = x ? x->streams : NULL; s; s = s->snext)
        if (s->stream_open && s->stream_id == id)
            return &s->bottom.lo;
    return NULL;
}

uint64_t ge_stream_id(struct gost_io *s)
{
    return s->lv->stack->stream_id;
}

void ge_stream_set_credit(struct gost_io *s, uint64_t bytes)
{
    s->lv->stack->credit = bytes;
    if (bytes && s->lv->stack->session)
        session_wake(s->lv->stack->session);
}

void ge_stream_reset(struct gost_io *s, uint64_t code)
{
    struct ge_stack *st = s->lv->stack;

    (void)code;
    st->bottom.down.end_seen = 1; /* the peer wants no more */
    ge_queue_clear(st->w, &st->bottom.down);
    if (!st->bottom.up.end) {
        st->bottom.up.end = 1;
        st->bottom.up.status = GOST_ECLOSED;
        ge_up_produced(&st->bottom);
    }
}

void ge_session_goaway(struct gost_io *io)
{
    struct ge_session *x = io_session(io);

    if (x)
        x->draining = 1;
}

void ge_session_alive(struct gost_io *io)
{
    struct ge_session *x = io_session(io);

    if (x)
        x->alive = 1;
}
