/* stack.c - a stack of layers: running them, unlinking identities, and the bottom's calls. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define ROUNDS   64            /* layer calls per wake-up */
#define UNSENT_MAX (1u << 20)    /* of answers to a session's peer that reads none */
#define FLUSH_NS (60 * GOST_S) /* how long its peer may take none of what is still queued */

static struct ge_layer *next_layer(struct ge_layer *l)
{
    return l->app ? l->app->above : NULL;
}

static void level_init(struct ge_level *lv, struct ge_stack *s, uint32_t type)
{
    lv->stack = s;
    lv->type = type;
    lv->hi.lv = lv->lo.lv = lv;
    lv->hi.side = GE_HI;
    lv->lo.side = GE_LO;
}

static void level_clear(struct ge_level *lv)
{
    struct ge_worker *w = lv->stack->w;

    ge_queue_clear(w, &lv->up);
    ge_queue_clear(w, &lv->down);
    free(lv->view_hi);
    free(lv->view_lo);
    free(lv->head_hi);
    free(lv->head_lo);
    lv->view_hi = lv->view_lo = NULL;
    lv->head_hi = lv->head_lo = NULL;
}

void ge_stack_init(struct ge_stack *s, struct ge_flow *flow, uint32_t type)
{
    s->w = flow->worker;
    s->flow = ge_flow_ref(flow);
    level_init(&s->bottom, s, type);
    s->top = &s->bottom;
    s->w->usage.stacks++;
}

struct ge_stack *ge_stack_new(struct ge_flow *flow, uint32_t type, const struct ge_bottom_ops *ops,
                              void *ctx)
{
    struct ge_stack *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    ge_stack_init(s, flow, type);
    s->ops = ops;
    s->ctx = ctx;
    s->want = GE_WANT_READ;
    ge_stack_ready(s);
    return s;
}

void *ge_stack_ctx(struct ge_stack *s)
{
    return s->ctx;
}

const struct ge_bottom_ops *ge_stack_bottom_ops(const struct ge_stack *s)
{
    return s->ops;
}

struct ge_flow *ge_stack_flow(struct ge_stack *s)
{
    return s->flow;
}

void ge_stack_set_flow(struct ge_stack *s, struct ge_flow *flow)
{
    struct ge_layer *l;

    for (l = s->bottom.above; l; l = next_layer(l)) { /* what they fail of is told to the new one */
        ge_flow_ref(flow);
        ge_flow_unref(l->inst.flow);
        l->inst.flow = flow;
    }
    ge_flow_ref(flow);
    ge_flow_unref(s->flow);
    s->flow = flow;
}

uint32_t ge_stack_top_type(const struct ge_stack *s)
{
    const struct ge_layer *l = s->top->above;

    return l ? GE_OP(l->inst.comp->ops, struct gost_layer_ops, above) : s->top->type;
}

int ge_stack_identity(const struct ge_stack *s)
{
    return s->top == &s->bottom && !s->top->above && s->bottom.up.bytes == 0 &&
           s->bottom.down.bytes == 0;
}

const char *ge_stack_layer_name(const struct ge_stack *s)
{
    struct ge_layer *l;

    for (l = s->bottom.above; l; l = next_layer(l))
        if (!l->ready)
            return l->inst.comp->name;
    return "";
}

static const struct gost_layer_ops *layer_ops(const struct ge_layer *l)
{
    return l->inst.comp->ops;
}

static void layer_free(struct ge_layer *l)
{
    struct ge_level *app = l->app;

    if (l->session)
        ge_session_free(l->session);
    ge_inst_fini(&l->inst, l->opened ? GE_OP(layer_ops(l), struct gost_layer_ops, destroy) : NULL);
    if (app) {
        level_clear(app);
        free(app);
    }
    free(l);
}

static int call(struct ge_layer *l, int (*fn)(void *state, const void *conf, struct gost_io *io),
                const char *what);

/* Packets have no end of their own: a session's peer would wait for its idle time. */
static void say_goodbye(struct ge_stack *s)
{
    struct ge_layer *l = s->top->below;
    int (*shut)(void *state, const void *conf, struct gost_io *io);

    if (!l || !l->session || !l->ready || l->shut_done || s->status || s->abort)
        return;
    l->shut_done = 1;
    shut = GE_OP(((const struct gost_layer_ops *)l->inst.comp->ops), struct gost_layer_ops, shut);
    if (shut)
        (void)call(l, shut, "shut");
}

void ge_stack_free(struct ge_stack *s, int abort)
{
    struct ge_layer *l;

    if (s->freed)
        return;
    s->freed = 1;
    s->abort = s->abort || abort;
    if (s->task) { /* taken from under it: it has to see that the port is gone */
        ge_task_ready(s->task);
        (void)ge_task_take(s->task, s->port);
    }
    if (s->bottom.type == GOST_DATAGRAM)
        say_goodbye(s);
    while ((l = s->top->below)) { /* from the top: a session's closed() still sees its wire */
        s->top = l->wire;
        s->top->above = NULL;
        layer_free(l);
    }
    ge_timer_stop(s->w, &s->linger);
    if (s->ops && s->ops->close)
        s->ops->close(s, s->ctx, s->abort);
    if (s->peer) {
        struct ge_stack *p = s->peer;

        s->peer = p->peer = NULL;
        if (!p->bottom.up.end) {
            p->bottom.up.end = 1;
            p->bottom.up.status = s->abort ? GOST_ECLOSED : 0;
            ge_up_produced(&p->bottom);
        }
    }
    if (s->session)
        ge_stream_close(s, s->abort);
    level_clear(&s->bottom);
    ge_stack_unready(s);
    s->w->usage.stacks--;
    ge_flow_unref(s->flow);
    if (!s->running)
        free(s);
}

/* ---- what changed at a level, and who has to know ---- */

static int has_input(const struct ge_queue *q, const struct gost_io *io)
{
    if (q->packets || q->heads)
        return 1;
    return (q->bytes > 0 && q->bytes >= io->want) || q->end;
}

void ge_up_produced(struct ge_level *lv)
{
    struct ge_stack *s = lv->stack;

    if (lv->above) {
        if (has_input(&lv->up, &lv->hi)) {
            lv->above->dec = 1;
            ge_stack_ready(s);
        }
    } else if (s->task) {
        if (has_input(&lv->up, &lv->hi) || ge_pumping_from(s->task, s->port))
            ge_task_port_event(s->task, s->port, s);
    } else if (s->owned) {
        if (has_input(&lv->up, &lv->hi))
            ge_stream_news(s);
    } else if (s->lingering) {
        ge_stack_ready(s);
    }
}

void ge_up_consumed(struct ge_level *lv)
{
    struct ge_stack *s = lv->stack;

    if (lv->below) {
        if (lv->below->dec_full && lv->up.bytes <= s->w->low) {
            lv->below->dec = 1;
            ge_stack_ready(s);
        }
    } else {
        if (s->session) { /* tell_bottom() looks what it is owed */
            ge_stack_ready(s);
        } else if (s->rx_paused && lv->up.bytes <= s->w->low) {
            s->rx_paused = 0;
            s->want |= GE_WANT_READ;
            ge_stack_ready(s);
        }
    }
}

/* The reader needs more than is queued: whoever stopped because so much is queued goes on, or it
 * would wait for ever for the rest of a message that is larger than the low mark. */
void ge_up_wanted(struct ge_level *lv)
{
    struct ge_stack *s = lv->stack;

    if (lv->up.bytes >= lv->hi.want || lv->up.bytes >= s->w->high)
        return;
    if (lv->below && lv->below->dec_full) {
        lv->below->dec = 1;
        ge_stack_ready(s);
    } else if (!lv->below && !s->session && s->rx_paused) {
        s->rx_paused = 0;
        s->want |= GE_WANT_READ;
        ge_stack_ready(s);
    }
}

void ge_down_produced(struct ge_level *lv)
{
    struct ge_stack *s = lv->stack;

    if (lv->below) {
        if (has_input(&lv->down, &lv->lo)) {
            lv->below->enc = 1;
            ge_stack_ready(s);
        }
        return;
    }
    s->want |= GE_WANT_WRITE;
    ge_stack_ready(s);
}

void ge_down_consumed(struct ge_level *lv)
{
    struct ge_stack *s = lv->stack;

    if (lv->down.bytes > s->w->low)
        return;
    if (lv->above) {
        if (lv->above->enc_full || lv->above->dec_full) {
            lv->above->enc = 1;
            lv->above->dec |= lv->above->dec_full;
            ge_stack_ready(s);
        }
    } else if (s->task && (lv->hi.full || s->task->pumps)) {
        ge_task_port_event(s->task, s->port, s);
    } else if (s->owned && lv->hi.full) {
        lv->hi.full = 0;
        ge_stream_news(s);
    }
}

/* ---- layers ---- */

int ge_stack_push(struct ge_stack *s, const struct ge_layer_spec *spec)
{
    const struct gost_layer_ops *ops = spec->component->ops;
    uint32_t above = GE_OP(ops, struct gost_layer_ops, above);
    struct ge_layer *l = calloc(1, sizeof *l);
    int r = GOST_ENOMEM;

    if (!l)
        return r;
    above = above ? above : GOST_STREAM;
    l->stack = s;
    l->wire = s->top;
    r = ge_inst_init(&l->inst, s->w, spec->component, spec->conf, s->flow, &spec->target, spec->arg,
                     spec->node);
    l->inst.role = (uint8_t)spec->role;
    if (r == GOST_OK && spec->server_name.n) {
        char *name = ge_inst_alloc(&l->inst, spec->server_name.n + 1);

        if (name)
            memcpy(name, spec->server_name.p, spec->server_name.n);
        l->inst.server_name = name;
    }
    if (r == GOST_OK && !(l->app = calloc(1, sizeof *l->app)))
        r = GOST_ENOMEM;
    if (l->app)
        level_init(l->app, s, above);
    if (r == GOST_OK && GE_OP(ops, struct gost_layer_ops, session) &&
        !(l->session = ge_session_new(l)))
        r = GOST_ENOMEM;
    if (r != GOST_OK || s->top->above) {
        layer_free(l);
        return r != GOST_OK ? r : GOST_EINTERNAL;
    }
    s->top->above = l;
    l->app->below = l;
    s->top = l->app;
    if (GE_OP(ops, struct gost_layer_ops, flags) & GOST_LAYER_NO_HALF_CLOSE)
        s->no_half_close = 1;
    l->dec = l->enc = 1;
    ge_stack_ready(s);
    return GOST_OK;
}

void ge_stack_on_ready(struct ge_stack *s, void (*ready)(struct ge_stack *s, void *arg, int status),
                       void *arg)
{
    s->on_ready = ready;
    s->on_ready_arg = arg;
    s->ready_due = 1;
    ge_stack_ready(s);
}

typedef int layer_fn(void *state, const void *conf, struct gost_io *io);

static int call(struct ge_layer *l, layer_fn *fn, const char *what)
{
    struct ge_worker *w = l->inst.w;
    int r;

    l->wire->hi.want = 0;
    if (l->app)
        l->app->lo.want = 0;
    ge_running(l->inst.comp->name, l->inst.comp->kind, what);
    w->in_step++;
    r = fn(l->inst.state, l->inst.conf, &l->wire->hi);
    if (--w->in_step == 0)
        ge_limbo_release(w);
    ge_running_end();
    if (l->inst.failed && r >= 0)
        r = l->inst.failed;
    if (r < 0 && !l->inst.flow->status)
        ge_flow_fail(l->inst.flow, r, l->inst.comp->name, "%s failed without saying why", what);
    return r;
}

void ge_level_end_up(struct ge_level *lv, int status)
{
    if (lv->up.end)
        return;
    lv->up.end = 1;
    lv->up.status = status;
    ge_up_produced(lv);
}

void ge_level_end_down(struct ge_level *lv)
{
    if (lv->down.end)
        return;
    lv->down.end = 1;
    ge_down_produced(lv);
}

static int layer_handshake(struct ge_layer *l)
{
    layer_fn *open = GE_OP(layer_ops(l), struct gost_layer_ops, open);
    layer_fn *fn = GE_OP(layer_ops(l), struct gost_layer_ops, handshake);
    int r;

    if (!l->opened) {
        l->opened = 1;
        if (open && (r = call(l, open, "open")) < 0)
            return r;
    }
    l->dec = l->enc = 0;
    r = fn ? call(l, fn, "handshake") : GOST_OK;
    if (r < 0)
        return r;
    if (r == GOST_OK) {
        l->ready = l->dec = l->enc = 1;
        l->wire->hi.want = 0;
    } else if (l->wire->up.end && l->wire->up.packets == 0 &&
               (l->wire->up.bytes == 0 || l->wire->up.bytes < l->wire->hi.want)) {
        ge_flow_fail(l->inst.flow, l->wire->up.status ? l->wire->up.status : GOST_ECLOSED,
                     l->inst.comp->name, "the peer closed the connection during the %s handshake",
                     l->inst.comp->name);
        return l->wire->up.status ? l->wire->up.status : GOST_ECLOSED;
    }
    return r;
}

static int is_identity(const struct ge_layer *l)
{
    const struct gost_layer_ops *ops = layer_ops(l);

    return l->ready && l->app && l->app->type == l->wire->type &&
           (l->identity || (!GE_OP(ops, struct gost_layer_ops, decode) &&
                            !GE_OP(ops, struct gost_layer_ops, encode) && !l->session));
}

/* Take an identity layer out: its two levels become one. */
static void unlink_layer(struct ge_layer *l)
{
    struct ge_level *lo = l->wire, *hi = l->app;
    struct ge_stack *s = l->stack;

    ge_queue_splice_front(&lo->up, &hi->up);     /* already delivered: older */
    ge_queue_splice_front(&hi->down, &lo->down); /* already encoded: goes out first */
    lo->down.head = hi->down.head;
    lo->down.tail = hi->down.tail;
    lo->down.phead = hi->down.phead;
    lo->down.ptail = hi->down.phead ? hi->down.ptail : NULL;
    lo->down.bytes = hi->down.bytes;
    lo->down.packets = hi->down.packets;
    lo->down.end = hi->down.end || lo->down.end;
    memset(&hi->down, 0, sizeof hi->down);
    lo->above = hi->above;
    if (hi->above)
        hi->above->wire = lo;
    lo->hi.data = hi->hi.data;
    lo->hi.want = 0;
    lo->hi.full = hi->hi.full;
    free(lo->view_hi);
    free(lo->head_hi);
    lo->view_hi = hi->view_hi;
    lo->head_hi = hi->head_hi;
    hi->view_hi = NULL;
    hi->head_hi = NULL;
    lo->up.end_seen = hi->up.end_seen;
    if (s->top == hi)
        s->top = lo;
    layer_free(l);
    ge_up_produced(lo);
    ge_up_consumed(lo);
    ge_down_produced(lo);
    if (lo->down.bytes <= s->w->low)
        ge_down_consumed(lo);
}

static int drained(const struct ge_queue *q)
{
    return q->end && q->bytes == 0 && q->packets == 0 && !q->heads;
}

static int layer_decode(struct ge_layer *l)
{
    layer_fn *fn = GE_OP(layer_ops(l), struct gost_layer_ops, decode);
    size_t before = l->wire->up.bytes;
    int r;

    l->dec = 0;
    /* A stream over packets has a window of its own, and must hear what the peer acknowledges. */
    if (l->app && l->app->up.bytes >= l->inst.w->high && l->wire->type != GOST_DATAGRAM) {
        l->dec_full = 1;
        return GOST_FULL;
    }
    l->dec_full = 0;
    if (l->session && (l->wire->up.bytes || l->wire->up.packets))
        l->session->heard = ge_now(l->inst.w);
    r = fn ? call(l, fn, "decode") : GOST_AGAIN;
    if (r < 0)
        return r;
    l->dec_full = r == GOST_FULL;
    if (l->session && l->wire->down.bytes > UNSENT_MAX) {
        ge_flow_fail(l->inst.flow, GOST_ELIMIT, l->inst.comp->name,
                     "the peer reads none of the answers that it asks for");
        return GOST_ELIMIT;
    }
    if (l->session) {
        if (!l->dec_full || l->wire->up.bytes < before)
            l->session->read_at = ge_now(l->inst.w);
        l->enc = 1; /* what came in may let us send again */
        if (drained(&l->wire->up) ||
            (l->wire->up.end && r != GOST_FULL && l->wire->hi.want > l->wire->up.bytes)) {
            l->session->quiet = l->wire->up.status == 0 && l->session->n_streams == 0;
            if (!l->session->quiet)
                ge_flow_fail(l->inst.flow, l->wire->up.status ? l->wire->up.status : GOST_ECLOSED,
                             l->inst.comp->name, "the peer left, and its streams with it");
            return l->wire->up.status ? l->wire->up.status : GOST_ECLOSED;
        }
        return r;
    }
    if (drained(&l->wire->up) && r != GOST_FULL)
        ge_level_end_up(l->app, l->wire->up.status);
    else if (l->wire->up.end && r != GOST_FULL && l->wire->hi.want > l->wire->up.bytes)
        ge_level_end_up(l->app, GOST_ECLOSED); /* cut off in the middle of a message */
    return r;
}

static int layer_encode(struct ge_layer *l)
{
    layer_fn *fn = GE_OP(layer_ops(l), struct gost_layer_ops, encode);
    layer_fn *shut = GE_OP(layer_ops(l), struct gost_layer_ops, shut);
    int r = GOST_AGAIN;

    l->enc = 0;
    if (l->session) /* also without room: what it is owed may let it read again */
        ge_session_run(l->session);
    if (l->wire->down.bytes >= l->inst.w->high) {
        l->enc_full = 1;
        return GOST_FULL;
    }
    l->enc_full = 0;
    if (l->session) /* there is room: the wire took something */
        l->session->wrote_at = ge_now(l->inst.w);
    if (fn && (r = call(l, fn, "encode")) < 0)
        return r;
    l->enc_full = r == GOST_FULL;
    if (drained(&l->app->down) && !l->shut_done && r != GOST_FULL &&
        (!l->session || ge_session_over(l->session))) {
        l->shut_done = 1;
        if (shut)
            return call(l, shut, "shut");
        ge_level_end_down(l->wire);
    }
    return r;
}

static int layer_deadline(struct ge_layer *l)
{
    layer_fn *fn = GE_OP(layer_ops(l), struct gost_layer_ops, on_deadline);

    l->inst.deadline_due = 0;
    return fn ? call(l, fn, "deadline") : GOST_AGAIN;
}

/* A session without streams whose peer left: that is no failure. */
static int ended_quietly(const struct ge_stack *s)
{
    const struct ge_layer *l = s->top->below;

    return l && l->session && l->session->quiet;
}

void ge_stack_fail(struct ge_stack *s, int status)
{
    struct ge_layer *l;

    if (s->status)
        return;
    s->status = status;
    if (!s->owned && !ended_quietly(s))
        ge_flow_fail(s->flow, status, "", "the connection failed");
    for (l = s->bottom.above; l; l = next_layer(l))
        if (l->session)
            ge_session_fail(l->session, status);
    if (s->top->up.end && s->task) /* it has seen the end, not the failure */
        ge_task_ready(s->task);
    ge_level_end_up(s->top, status);
    if (s->on_ready)
        s->ready_due = 1;
    ge_stack_ready(s);
}

/* One pass over the layers. 1: something ran. */
static int run_layers(struct ge_stack *s)
{
    struct ge_layer *l, *next;
    int ran = 0, r;

    for (l = s->bottom.above; l && !s->status && !s->freed; l = next) {
        next = next_layer(l);
        r = GOST_AGAIN;
        if (!l->ready) {
            if (l->inst.deadline_due && l->opened)
                r = layer_deadline(l);
            if (r >= 0 && (l->dec || l->enc)) {
                r = layer_handshake(l);
                ran = 1;
            }
            if (r < 0)
                ge_stack_fail(s, r);
            if (!l->ready)
                return ran;
        }
        if (is_identity(l)) {
            unlink_layer(l);
            ran = 1;
            continue;
        }
        if (l->inst.deadline_due) {
            r = layer_deadline(l);
            ran = 1;
        }
        if (r >= 0 && l->dec) {
            r = layer_decode(l);
            ran |= r != GOST_FULL;
        }
        if (r >= 0 && l->enc) {
            r = layer_encode(l);
            ran |= r != GOST_FULL;
        }
        if (r < 0)
            ge_stack_fail(s, r);
    }
    return ran;
}

static int all_ready(const struct ge_stack *s)
{
    struct ge_layer *l;

    for (l = s->bottom.above; l; l = next_layer(l))
        if (!l->ready)
            return 0;
    return 1;
}

static void tell_ready(struct ge_stack *s)
{
    void (*ready)(struct ge_stack * s, void *arg, int status) = s->on_ready;

    if (!ready || !(s->status || all_ready(s)))
        return;
    s->on_ready = NULL;
    ready(s, s->on_ready_arg, s->status);
}

/* ---- the bottom ---- */

static void pair_run(struct ge_stack *s)
{
    struct ge_stack *p = s->peer;
    struct ge_pkt *k;
    size_t n;
    int moved = 0;

    while ((k = ge_queue_get_packet(&s->bottom.down))) {
        struct gost_packet v = {.size = sizeof v};

        ge_pkt_view(k, &v);
        v.local = NULL;
        (void)ge_rx_packet(p, &v);
        free(k);
        ge_down_consumed(&s->bottom);
    }
    n = p->bottom.up.bytes < p->w->high ? p->w->high - p->bottom.up.bytes : 0;
    if (n > 0 && (s->bottom.down.bytes > 0 || s->bottom.down.heads)) {
        moved = ge_queue_move_exchange(s->w, &p->bottom.up, &s->bottom.down, n, &n) > 0;
        ge_down_consumed(&s->bottom);
    }
    p->rx_paused = p->bottom.up.bytes >= p->w->high || s->bottom.down.bytes > 0;
    if (drained(&s->bottom.down) && !s->tx_shut_done) {
        s->tx_shut_done = 1;
        ge_level_end_up(&p->bottom, 0);
    } else if (moved) {
        ge_up_produced(&p->bottom);
    }
}

static void tell_bottom(struct ge_stack *s)
{
    unsigned want = s->want;

    s->want = 0;
    if (s->peer) {
        if (want & GE_WANT_WRITE)
            pair_run(s);
        if ((want & GE_WANT_READ) && s->peer && s->peer->bottom.down.bytes > 0) {
            s->peer->want |= GE_WANT_WRITE;
            ge_stack_ready(s->peer);
        }
        return;
    }
    if (s->session) {
        ge_stream_changed(s);
        return;
    }
    if (s->ops && want && s->ops->want)
        s->ops->want(s, s->ctx, want);
}

static void linger_fired(struct ge_timer *t)
{
    struct ge_stack *s = (struct ge_stack *)((char *)t - offsetof(struct ge_stack, linger));

    int unsent = s->bottom.type == GOST_STREAM && s->bottom.down.bytes > 0;

    /* A session waits for its streams, a plain socket for a slow reader. Layers end earlier: their
     * configuration is freed some time after the flow. */
    if (!s->status && (ge_session_streams(s) > 0 ||
                       (unsent && !s->bottom.above && ge_now(s->w) < s->sent_at + FLUSH_NS)))
        ge_timer_start(s->w, t, ge_now(s->w) + GE_LINGER_NS);
    else
        ge_stack_free(s, unsent); /* cut off is a reset, never an end that looks clean */
}

/* Nobody listens any more: send what is queued, end our direction, wait a little for the peer. */
void ge_stack_linger(struct ge_stack *s)
{
    struct ge_session *x = ge_session_of(s);

    s->task = NULL;
    s->on_ready = NULL;
    s->lingering = 1;
    if (x) {
        x->accept = NULL;
        x->end = NULL;
        x->change = NULL;
    }
    if (s->status) {
        ge_stack_free(s, 0);
        return;
    }
    if (!s->cut_short)
        ge_level_end_down(s->top);
    s->sent_at = ge_now(s->w);
    s->linger.fire = linger_fired;
    ge_timer_start(s->w, &s->linger, ge_now(s->w) + GE_LINGER_NS);
    ge_stack_ready(s);
}

static void run_linger(struct ge_stack *s)
{
    struct ge_queue *q = &s->top->up;

    if (q->bytes || q->packets) {
        ge_queue_clear(s->w, q);
        ge_up_consumed(s->top);
    }
    if (s->session && !s->status && !q->status) { /* its end must be framed, else it is a reset */
        if (s->cut_short && s->top->down.bytes == 0 && s->bottom.down.bytes == 0)
            ge_stack_free(s, 1);
        else if (q->end && s->bottom.down.end_seen)
            ge_stack_free(s, 0);
        return;
    }
    if (s->cut_short && s->top->down.bytes == 0 && s->bottom.down.bytes == 0) {
        ge_stack_free(s, 0);
        return;
    }
    if (s->status || q->status || s->top->type == GOST_DATAGRAM ||
        (!s->ops && !s->session && !s->peer) || /* the other one of a pair is gone */
        (q->end && s->bottom.down.bytes == 0 && (s->tx_shut_done || s->bottom.down.end)))
        ge_stack_free(s, 0);
}

void ge_stack_run(struct ge_stack *s)
{
    int rounds = ROUNDS;

    s->running = 1;
    while (rounds-- > 0 && run_layers(s))
        ;
    if (rounds < 0 && !s->freed)
        ge_stack_ready(s);
    if (!s->freed)
        tell_bottom(s);
    if (!s->freed && s->ready_due)
        tell_ready(s);
    if (!s->freed && ge_session_of(s))
        ge_session_tell(s);
    if (!s->freed && s->lingering)
        run_linger(s);
    s->running = 0;
    if (s->freed)
        free(s);
}
