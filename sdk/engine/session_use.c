/* session_use.c - a layer on top of a session: its ports are the streams below. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

/* The session below the layer whose wire io is; NULL: there is none. */
static struct ge_session *session_below(struct gost_io *io)
{
    const struct ge_level *lv = io->lv;

    return io->side == GE_HI && lv->below && lv->above ? lv->below->session : NULL;
}

struct ge_layer *ge_session_user(const struct ge_session *x)
{
    return x->layer->app->above;
}

/* Something is new at a stream of the layer above, or in its packets. */
void ge_session_user_wake(struct ge_session *x)
{
    struct ge_layer *l = ge_session_user(x);

    if (!l)
        return;
    l->dec = 1;
    if (l->session)
        l->session->heard = x->heard;
    ge_stack_ready(l->stack);
}

struct gost_io *ge_wire_open(struct gost_io *io, uint32_t flags)
{
    struct ge_session *x = session_below(io);
    struct ge_stack *s = NULL;

    if (!x || ge_session_open_used(x, flags, &s) != GOST_OK)
        return NULL;
    return &s->top->hi;
}

struct gost_io *ge_wire_next(struct gost_io *io)
{
    struct ge_session *x = session_below(io);
    struct ge_stream *st = x ? ge_session_news(x) : NULL;

    return st ? &st->stack.top->hi : NULL;
}

uint32_t ge_wire_state(struct gost_io *s, uint64_t *ret_code)
{
    const struct ge_stack *stack = s->lv->stack;
    const struct ge_stream *st = (const struct ge_stream *)stack;

    if (!stack->session)
        return GOST_WIRE_RESET;
    if (st->reset && ret_code)
        *ret_code = stack->code;
    else if (st->stopped && ret_code)
        *ret_code = st->stop_code;
    return (st->reset || stack->status ? GOST_WIRE_RESET : 0) |
           (st->stopped ? GOST_WIRE_STOPPED : 0);
}

void ge_wire_leave(struct gost_io *s)
{
    struct ge_stack *stack = s->lv->stack;

    stack->owned = 0;
    ge_stack_linger(stack);
}

void ge_wire_reset(struct gost_io *s, uint64_t code)
{
    struct ge_stack *stack = s->lv->stack;

    stack->owned = 0;
    stack->code = code;
    ge_stack_free(stack, 1);
}

int ge_wire_datagram(struct gost_io *io, struct gost_bytes data)
{
    struct ge_session *x = session_below(io);
    const struct gost_session_ops *ops = x ? ge_session_ops(x) : NULL;
    int r = GOST_EUNSUPPORTED;

    if (!ops || !GE_OP(ops, struct gost_session_ops, datagram))
        return r;
    if (!x->layer->ready || x->layer->stack->status)
        return GOST_ECLOSED;
    ge_session_enter(x, "datagram");
    r = ops->datagram(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi, NULL, data);
    (void)ge_session_leave(x, 0);
    ge_session_wake(x);
    return r;
}

void ge_wire_end(struct gost_io *io, uint64_t code)
{
    struct ge_session *x = session_below(io);

    if (!x || x->layer->shut_done)
        return;
    x->code = code;
    x->layer->shut_done = 1;
    if (GE_OP(((const struct gost_layer_ops *)x->layer->inst.comp->ops), struct gost_layer_ops,
              shut)) {
        const struct gost_layer_ops *ops = x->layer->inst.comp->ops;

        ge_session_enter(x, "shut");
        (void)ge_session_leave(
            x, ops->shut(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi));
    } else {
        ge_level_end_down(x->layer->wire);
    }
}

uint64_t ge_session_code(struct gost_io *io)
{
    const struct ge_session *x = ge_session_of_layer(io);

    return x ? x->code : 0;
}

int ge_session_used(struct gost_io *io)
{
    const struct ge_session *x = ge_session_of_layer(io);

    return x && ge_session_user(x);
}
