/* session_dgram.c - datagrams of a session or of one of its streams, as a port of packets. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

/* The bottom of such a port. */
struct ge_dgram {
    struct ge_stack *stack;
    struct ge_session *session; /* NULL: it has ended, or the stream has */
    struct ge_stream *stream;   /* NULL: they belong to the session */
};

static struct ge_dgram **place_of(struct ge_session *x, struct ge_stream *st)
{
    return st ? &st->dgram : &x->dgram;
}

static void dgram_want(struct ge_stack *s, void *ctx, unsigned what)
{
    struct ge_dgram *d = ctx;
    struct ge_session *x;
    struct gost_packet p;

    while (ge_tx_packet(s, &p) == GOST_OK) {
        x = d->session;
        if (x && x->layer->ready && !x->layer->stack->status) {
            ge_session_enter(x, "datagram");
            (void)ge_session_leave(x, ge_session_ops(x)->datagram(
                                          x->layer->inst.state, x->layer->inst.conf,
                                          &x->layer->wire->hi,
                                          d->stream ? &d->stream->stack.bottom.lo : NULL, p.data));
            ge_session_wake(x);
        }
        ge_tx_packet_drop(s);
    }
}

static void dgram_close(struct ge_stack *s, void *ctx, int abort)
{
    struct ge_dgram *d = ctx;

    if (d->session)
        *place_of(d->session, d->stream) = NULL;
    free(d);
}

static const struct ge_bottom_ops dgram_ops = {dgram_want, dgram_close};

/* Its session or stream ends. */
void ge_dgram_end(struct ge_dgram **place)
{
    struct ge_dgram *d = *place;

    if (!d)
        return;
    *place = NULL;
    d->session = NULL;
    d->stream = NULL;
    ge_rx_end(d->stack, 0);
}

static struct ge_stack *open_port(struct ge_task *t, struct ge_session *x, struct ge_stream *st)
{
    struct ge_dgram *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->session = x;
    d->stream = st;
    d->stack = ge_stack_new(t->inst.flow, GOST_DATAGRAM, &dgram_ops, d);
    if (!d->stack) {
        free(d);
        return NULL;
    }
    *place_of(x, st) = d;
    return d->stack;
}

/* 1: the peer takes datagrams. */
static int has_datagrams(struct ge_session *x, struct ge_stream *st)
{
    const struct gost_session_ops *ops = ge_session_ops(x);
    int r;

    if (!GE_OP(ops, struct gost_session_ops, datagram))
        return 0;
    if (!GE_OP(ops, struct gost_session_ops, datagrams))
        return 1;
    ge_session_enter(x, "datagrams");
    r = ops->datagrams(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi,
                       st ? &st->stack.bottom.lo : NULL);
    (void)ge_session_leave(x, 0);
    return r;
}

void ge_act_datagrams(struct ge_task *t, const struct gost_act_datagrams *a)
{
    struct ge_stack *from = ge_task_port(t, a->from), *s;
    struct ge_stream *st = from && from->session ? (struct ge_stream *)from : NULL;
    struct ge_session *x = st ? from->session : from ? ge_session_of(from) : NULL;
    int status = GOST_OK;

    if (!x || a->head.port == a->from || !has_datagrams(x, st))
        status = GOST_EUNSUPPORTED;
    else if (*place_of(x, st))
        status = GOST_EINUSE;
    else if (!(s = open_port(t, x, st)))
        status = GOST_ENOMEM;
    else if (ge_port_open(t, a->head.port, s) != GOST_OK) {
        ge_stack_free(s, 0);
        status = GOST_EINTERNAL;
    }
    ge_result(t, a->head.kind, a->head.tag, status,
              status ? "the port has no datagrams, or they are taken" : NULL, NULL, 0);
}

int ge_session_datagram(struct gost_io *io, struct gost_io *s, struct gost_bytes data)
{
    struct ge_session *x = ge_session_of_layer(io);
    struct gost_packet p = {.size = sizeof p, .data = data};
    struct ge_dgram *d;

    if (!x || (s && s->lv->stack->session != x))
        return GOST_EINTERNAL;
    if (!s && ge_session_user(x)) {
        int r = ge_queue_put_packet(&x->layer->app->up, &p);

        if (r == GOST_OK)
            ge_session_user_wake(x);
        return r;
    }
    d = *place_of(x, s ? (struct ge_stream *)s->lv->stack : NULL);
    return d ? ge_rx_packet(d->stack, &p) : GOST_END;
}
