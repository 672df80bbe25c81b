/* session.c - layers whose top is many streams: each stream is a stack with the session below. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define STREAMS_MAX 4096u /* per session: a stranger must not grow it without end */
#define BUCKETS_MIN 16u

/* ---- lists ---- */

static void link_init(struct ge_link *head)
{
    head->next = head->prev = head;
}

static void link_add(struct ge_link *head, struct ge_link *l)
{
    if (l->next)
        return;
    l->next = head;
    l->prev = head->prev;
    head->prev->next = l;
    head->prev = l;
}

static void link_del(struct ge_link *l)
{
    if (!l->next)
        return;
    l->next->prev = l->prev;
    l->prev->next = l->next;
    l->next = l->prev = NULL;
}

static struct ge_link *link_first(const struct ge_link *head)
{
    return head->next != head ? head->next : NULL;
}

#define STREAM_AT(l, field) ((struct ge_stream *)((char *)(l)-offsetof(struct ge_stream, field)))

static struct ge_stream *stream_of(struct ge_stack *s)
{
    return (struct ge_stream *)s;
}

/* ---- streams by id ---- */

static struct ge_stream **bucket_of(const struct ge_session *x, uint64_t id)
{
    return &x->buckets[(size_t)(id * 0x9e3779b97f4a7c15ull >> 32) & (x->n_buckets - 1)];
}

static void index_add(struct ge_session *x, struct ge_stream *st)
{
    struct ge_stream **at = bucket_of(x, st->id);

    st->hnext = *at;
    *at = st;
}

/* Without memory the old table stays: slower, not wrong. */
static void index_grow(struct ge_session *x)
{
    size_t n = x->n_buckets * 4;
    struct ge_stream **buckets;
    struct ge_link *l;

    if (x->n_streams <= x->n_buckets * 2 || !(buckets = calloc(n, sizeof *buckets)))
        return;
    free(x->buckets);
    x->buckets = buckets;
    x->n_buckets = n;
    for (l = x->streams.next; l != &x->streams; l = l->next)
        if (STREAM_AT(l, all)->known)
            index_add(x, STREAM_AT(l, all));
}

static void index_del(struct ge_session *x, struct ge_stream *st)
{
    struct ge_stream **at;

    for (at = bucket_of(x, st->id); *at; at = &(*at)->hnext) {
        if (*at == st) {
            *at = st->hnext;
            return;
        }
    }
}

static void become_known(struct ge_session *x, struct ge_stream *st, uint64_t id)
{
    st->id = id;
    st->known = 1;
    index_add(x, st);
    index_grow(x);
}

/* ---- calling the layer ---- */

const struct gost_session_ops *ge_session_ops(const struct ge_session *x)
{
    const struct gost_layer_ops *ops = x->layer->inst.comp->ops;

    return GE_OP(ops, struct gost_layer_ops, session);
}

#define OP(x, field) GE_OP(ge_session_ops(x), struct gost_session_ops, field)

void ge_session_enter(struct ge_session *x, const char *phase)
{
    struct ge_worker *w = x->layer->inst.w;

    ge_current = w;
    ge_running(x->layer->inst.comp->name, x->layer->inst.comp->kind, phase);
    w->in_step++;
}

/* 0: the session goes on. */
int ge_session_leave(struct ge_session *x, int r)
{
    struct ge_worker *w = x->layer->inst.w;
    const char *what = ge_running_phase;

    if (--w->in_step == 0)
        ge_limbo_release(w);
    ge_running_end();
    if (x->layer->inst.failed)
        r = x->layer->inst.failed;
    if (r >= 0)
        return 0;
    ge_flow_fail(x->layer->inst.flow, r, x->layer->inst.comp->name, "%s failed without saying why",
                 what);
    ge_stack_fail(x->layer->stack, r);
    return r;
}

#define CALL(x, field, ...)                                                          \
    (ge_session_enter(x, #field),                                                    \
     ge_session_leave(x, OP(x, field)((x)->layer->inst.state, (x)->layer->inst.conf, \
                                      &(x)->layer->wire->hi, __VA_ARGS__)))
#define CALL0(x, field)           \
    (ge_session_enter(x, #field), \
     ge_session_leave(            \
         x, OP(x, field)((x)->layer->inst.state, (x)->layer->inst.conf, &(x)->layer->wire->hi)))

static void call_closed(struct ge_session *x, struct ge_stream *st)
{
    if (!st->known || !OP(x, closed))
        return;
    ge_session_enter(x, "closed");
    OP(x, closed)
    (x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi, &st->stack.bottom.lo);
    (void)ge_session_leave(x, 0);
}

void ge_session_wake(struct ge_session *x)
{
    x->layer->enc = 1;
    ge_stack_ready(x->layer->stack);
}

/* ---- life ---- */

static void ping_late(struct ge_timer *t)
{
    struct ge_session *x = (struct ge_session *)((char *)t - offsetof(struct ge_session, ping));

    ge_flow_fail(x->layer->inst.flow, GOST_ETIMEDOUT, x->layer->inst.comp->name,
                 "the peer of the session did not answer within %llu ms",
                 (unsigned long long)(x->ping_ns / GOST_MS));
    ge_stack_fail(x->layer->stack, GOST_ETIMEDOUT);
}

struct ge_session *ge_session_new(struct ge_layer *l)
{
    struct ge_session *x = calloc(1, sizeof *x);

    if (!x || !(x->buckets = calloc(BUCKETS_MIN, sizeof *x->buckets))) {
        free(x);
        return NULL;
    }
    x->n_buckets = BUCKETS_MIN;
    x->layer = l;
    x->limit = STREAMS_MAX;
    x->heard = ge_now(l->inst.w);
    x->ping.fire = ping_late;
    link_init(&x->streams);
    link_init(&x->urgent);
    link_init(&x->normal);
    link_init(&x->aside);
    link_init(&x->owed);
    link_init(&x->waiting);
    return x;
}

static void forget(struct ge_session *x, struct ge_stream *st)
{
    link_del(&st->all);
    link_del(&st->queue);
    link_del(&st->owed);
    link_del(&st->waiting);
    if (x->given == st)
        x->given = NULL;
    if (st->known)
        index_del(x, st);
    x->n_streams--;
    if (x->n_streams == 0)
        x->news |= GE_SESSION_EMPTY;
    ge_dgram_end(&st->dgram);
    free(st->arg);
    st->arg = NULL;
    st->stack.session = NULL;
}

/* The layer is going: its streams stay with their users, who learn that it ended. */
void ge_session_free(struct ge_session *x)
{
    int status = x->layer->stack->status ? x->layer->stack->status : GOST_ECLOSED;
    struct ge_link *l;

    ge_timer_stop(x->layer->inst.w, &x->ping);
    while ((l = link_first(&x->streams))) {
        struct ge_stream *st = STREAM_AT(l, all);
        int unreported = st->waiting.next != NULL || st->stack.owned;

        call_closed(x, st);
        forget(x, st);
        ge_flow_fail(st->stack.flow, status, x->layer->inst.comp->name,
                     "the session of the stream ended");
        ge_stack_fail(&st->stack, status);
        if (unreported)
            ge_stack_free(&st->stack, 1);
    }
    ge_dgram_end(&x->dgram);
    ge_requests_free(x);
    free(x->buckets);
    free(x);
}

/* The session's stack failed: all streams fail with it. Calls no plugin code. */
void ge_session_fail(struct ge_session *x, int status)
{
    const struct ge_stack *stack = x->layer->stack;
    const char *why = stack->flow->error;
    struct ge_link *l;

    ge_timer_stop(x->layer->inst.w, &x->ping);
    for (l = x->streams.next; l != &x->streams; l = l->next) {
        struct ge_stack *s = &STREAM_AT(l, all)->stack;

        ge_flow_fail(s->flow, status, x->layer->inst.comp->name, "%s",
                     why ? why : "the session ended");
        ge_dgram_end(&STREAM_AT(l, all)->dgram);
        ge_stack_fail(s, status);
    }
    ge_dgram_end(&x->dgram);
    ge_requests_fail(x, status);
    if (stack->task)
        ge_act_no_streams(stack->task, stack->port, status);
}

static struct ge_stream *stream_make(struct ge_session *x, struct ge_flow *flow, uint32_t flags)
{
    int exchange = (flags & GOST_STREAM_EXCHANGE) || x->layer->app->type == GOST_EXCHANGE;
    struct ge_stream *st;

    if (x->n_streams >= x->limit || !(st = calloc(1, sizeof *st)))
        return NULL;
    ge_stack_init(&st->stack, flow, exchange ? GOST_EXCHANGE : GOST_STREAM);
    st->stack.session = x;
    st->stack.no_half_close = (GE_OP(x->layer->inst.comp->ops, struct gost_layer_ops, flags) &
                               GOST_LAYER_NO_HALF_CLOSE) != 0;
    st->flags = flags;
    st->credit = UINT64_MAX;
    link_add(&x->streams, &st->all);
    x->n_streams++;
    return st;
}

/* What the user took since the layer was told last. An unlinked layer may have put bytes back. */
static uint64_t owed(const struct ge_stream *st)
{
    uint64_t taken = st->delivered - st->stack.bottom.up.bytes;

    return st->delivered >= st->stack.bottom.up.bytes && taken > st->credited ? taken - st->credited
                                                                              : 0;
}

/* The user let go of a stream: reset it unless both directions ended cleanly. */
void ge_stream_close(struct ge_stack *s, int abort)
{
    struct ge_stream *st = stream_of(s);
    struct ge_session *x = s->session;
    uint64_t rest = st->delivered - st->credited;

    link_del(&st->queue);
    link_del(&st->waiting);
    if (st->known && !x->layer->stack->status) {
        st->credited = st->delivered;
        if (rest && OP(x, credit))
            (void)CALL(x, credit, &s->bottom.lo, (size_t)rest);
        if (!st->reset && (abort || !s->bottom.up.end || !s->bottom.down.end_seen) && OP(x, reset))
            (void)CALL(x, reset, &s->bottom.lo, s->code);
    }
    call_closed(x, st);
    forget(x, st);
    if (x->layer->dec_full)
        x->layer->dec = 1;
    ge_session_wake(x);
}

/* ---- before and after the layer encodes ---- */

static int can_send(const struct ge_stream *st)
{
    const struct ge_queue *q = &st->stack.bottom.down;

    if (!st->known || st->stack.freed || st->stopped)
        return 0;
    if (q->heads && q->heads->at <= q->in - q->bytes)
        return 1;
    return (q->bytes > 0 && st->credit > 0) ||
           (q->end && q->bytes == 0 && !q->heads && !q->end_seen);
}

static void requeue(struct ge_session *x, struct ge_stream *st)
{
    link_del(&st->queue);
    if (can_send(st))
        link_add(st->flags & GOST_STREAM_URGENT ? &x->urgent : &x->normal, &st->queue);
}

/* The stream given last: behind the others if it moved, else aside until the next encode. */
static void put_back(struct ge_session *x)
{
    struct ge_stream *st = x->given;
    const struct ge_queue *q;

    if (!st)
        return;
    x->given = NULL;
    q = &st->stack.bottom.down;
    if (q->bytes == st->given_bytes && q->n_heads == st->given_heads && can_send(st))
        link_add(&x->aside, &st->queue);
    else
        requeue(x, st);
}

/* Before the layer encodes: tell it what users consumed, and that the session is to drain. */
void ge_session_run(struct ge_session *x)
{
    struct ge_link *l;

    put_back(x);
    while ((l = link_first(&x->aside)))
        requeue(x, STREAM_AT(l, queue));
    while ((l = link_first(&x->owed))) {
        struct ge_stream *st = STREAM_AT(l, owed);
        uint64_t n = owed(st);

        link_del(l);
        st->credited += n;
        if (n && OP(x, credit) && CALL(x, credit, &st->stack.bottom.lo, (size_t)n) < 0)
            return;
        x->layer->dec |= x->layer->dec_full; /* it may have waited for just this */
    }
    ge_requests_run(x);
    if (!x->layer->app->down.end || x->goaway_sent)
        return;
    x->goaway_sent = 1;
    if (OP(x, goaway))
        (void)CALL0(x, goaway);
}

/* 1: it drains and has no streams left. */
int ge_session_over(const struct ge_session *x)
{
    return x->layer->app->down.end && x->n_streams == 0;
}

/* Report what waits, after ge_stack_on_ready() is told. Each callback may free the session. */
void ge_session_tell(struct ge_stack *stack)
{
    struct ge_session *x = stack->top->below->session;
    void (*end)(struct ge_stack * session, void *arg, int status) = x->end;
    struct ge_link *l;

    while ((l = link_first(&x->waiting))) {
        struct ge_stream *st = STREAM_AT(l, waiting);
        int lost = stack->status || st->reset; /* opened and reset at once: costs nobody a flow */

        if (!lost && !x->accept && stack->task) {
            if (!ge_act_give_stream(stack->task, stack->port, &st->stack))
                break;
            link_del(l);
            continue;
        }
        link_del(l);
        if (lost || !x->accept)
            ge_stack_free(&st->stack, 1);
        else
            x->accept(stack, x->accept_arg, &st->stack);
        if (stack->freed)
            return;
    }
    if (x->asked && x->accept)
        ge_requests_refuse(x);
    if (x->peer_goaway && x->n_streams == 0)
        ge_level_end_down(x->layer->app);
    if (x->n_streams > 0)
        x->news &= (uint8_t)~GE_SESSION_EMPTY;
    if (x->news && x->change && !stack->status) {
        unsigned what = x->news;

        x->news = 0;
        x->change(stack, x->change_arg, what);
        if (stack->freed)
            return;
    }
    if (!end || !(stack->status || (ge_session_over(x) && x->layer->shut_done)))
        return;
    x->end = NULL;
    end(stack, x->end_arg, x->quiet || ge_session_over(x) ? 0 : stack->status);
}

/* ---- what the embedder calls ---- */

struct ge_session *ge_session_of(const struct ge_stack *stack)
{
    const struct ge_layer *l = stack->top->below;

    return l ? l->session : NULL;
}

int ge_session_open(struct ge_stack *session, struct ge_flow *flow, uint32_t flags,
                    struct ge_stack **ret_stream)
{
    return ge_session_open_arg(session, flow, flags, gost_bytes(NULL, 0), ret_stream);
}

/* Ask the layer for a stream with the port st. An error: st is freed. */
static int open_stream(struct ge_session *x, struct ge_stream *st, uint32_t flags)
{
    struct ge_stack *session = x->layer->stack;
    uint64_t id = 0;
    int r;

    ge_session_enter(x, "open");
    r = OP(x, open)(x->layer->inst.state, x->layer->inst.conf, &x->layer->wire->hi,
                    &st->stack.bottom.lo, flags, &id);
    if (r == GOST_OK)
        become_known(x, st, id); /* else the layer never knew it: no reset, no closed */
    if (ge_session_leave(x, 0) < 0)
        r = session->status;
    if (r != GOST_OK) {
        ge_stack_free(&st->stack, 0);
        return r;
    }
    if (flags & GOST_STREAM_ONEWAY)
        ge_level_end_up(&st->stack.bottom, 0);
    ge_session_wake(x);
    return GOST_OK;
}

int ge_session_open_arg(struct ge_stack *session, struct ge_flow *flow, uint32_t flags,
                        struct gost_bytes arg, struct ge_stack **ret_stream)
{
    struct ge_session *x = ge_session_of(session);
    struct ge_stream *st;
    int r;

    if (!x || ge_session_draining(session))
        return GOST_ECLOSED;
    if (!OP(x, open))
        return GOST_EUNSUPPORTED;
    if (!x->layer->ready)
        return GOST_AGAIN;
    if (x->n_streams >= x->limit)
        return GOST_FULL;
    st = stream_make(x, flow, flags);
    if (!st)
        return GOST_ENOMEM;
    r = ge_stream_keep_arg(st, arg);
    if (r != GOST_OK) {
        ge_stack_free(&st->stack, 0);
        return r;
    }
    r = open_stream(x, st, flags);
    if (r == GOST_OK)
        *ret_stream = &st->stack;
    return r;
}

/* The same for the layer on top of x. */
int ge_session_open_used(struct ge_session *x, uint32_t flags, struct ge_stack **ret_stream)
{
    struct ge_stream *st;
    int r;

    if (!OP(x, open) || !x->layer->ready || x->layer->stack->status)
        return GOST_ECLOSED;
    st = stream_make(x, x->layer->inst.flow, flags);
    if (!st)
        return GOST_FULL;
    st->stack.owned = 1;
    r = open_stream(x, st, flags);
    if (r == GOST_OK)
        *ret_stream = &st->stack;
    return r;
}

/* The first stream with news for the layer on top; NULL: none. */
struct ge_stream *ge_session_news(struct ge_session *x)
{
    struct ge_link *l = link_first(&x->waiting);

    if (!l)
        return NULL;
    link_del(l);
    STREAM_AT(l, waiting)->stack.top->hi.want = 0;
    return STREAM_AT(l, waiting);
}

void ge_stream_news(struct ge_stack *s)
{
    if (!s->session)
        return;
    link_add(&s->session->waiting, &stream_of(s)->waiting);
    ge_session_user_wake(s->session);
}

int ge_session_ping(struct ge_stack *session, uint64_t timeout_ns)
{
    struct ge_session *x = ge_session_of(session);

    struct ge_session *asked = x;

    if (!x || session->status)
        return GOST_ECLOSED;
    while (!OP(asked, ping) && asked->layer->wire->below && asked->layer->wire->below->session)
        asked = asked->layer->wire->below->session;
    if (!OP(asked, ping))
        return GOST_EUNSUPPORTED;
    if (!x->layer->ready)
        return GOST_AGAIN;
    if (x->ping.prev)
        return GOST_OK;
    x->ping_ns = timeout_ns;
    ge_timer_start(x->layer->inst.w, &x->ping, ge_now(x->layer->inst.w) + timeout_ns);
    return CALL0(asked, ping);
}

/* ---- what the rest of the engine tells a stream ---- */

/* Something was queued or consumed at a stream's bottom. */
void ge_stream_changed(struct ge_stack *s)
{
    struct ge_stream *st = stream_of(s);
    struct ge_session *x = s->session;
    int wake = 0;

    if (st->stopped && (s->bottom.down.bytes || s->bottom.down.heads)) { /* nobody wants it */
        ge_queue_clear(s->w, &s->bottom.down);
        ge_down_consumed(&s->bottom);
    }

    if (st->known && owed(st) && OP(x, credit)) {
        link_add(&x->owed, &st->owed);
        wake = 1;
    }
    if (can_send(st)) {
        if (x->given != st && !st->queue.next)
            requeue(x, st);
        wake = 1;
    }
    if (s->bottom.lo.full && s->bottom.up.bytes <= s->w->low) {
        s->bottom.lo.full = 0;
        x->layer->dec |= x->layer->dec_full;
        wake = 1;
    }
    if (wake)
        ge_session_wake(x);
}

void ge_stream_delivered(struct ge_stack *s, size_t n)
{
    stream_of(s)->delivered += n;
    s->session->bytes += n;
    s->session->served = ge_now(s->w);
}

void ge_stream_sent(struct ge_stack *s, size_t n)
{
    struct ge_stream *st = stream_of(s);

    s->session->bytes += n;
    if (st->credit != UINT64_MAX)
        st->credit -= n < st->credit ? n : st->credit;
    if (s->lingering)
        ge_stack_ready(s);
}

void ge_stream_end_seen(struct ge_stack *s)
{
    s->bottom.down.end_seen = 1;
    if (s->lingering)
        ge_stack_ready(s);
}

/* ---- what a session layer calls ---- */

struct ge_session *ge_session_of_layer(struct gost_io *io)
{
    struct ge_inst *in = ge_io_inst(io);

    return in && !in->is_task ? ((struct ge_layer *)in)->session : NULL;
}

struct gost_io *ge_stream_new(struct gost_io *io, uint64_t id, uint32_t flags)
{
    struct ge_session *x = ge_session_of_layer(io);
    struct ge_stream *st =
        x && !x->layer->app->down.end ? stream_make(x, x->layer->inst.flow, flags) : NULL;

    if (!st)
        return NULL;
    become_known(x, st, id);
    if (flags & GOST_STREAM_ONEWAY)
        st->stack.bottom.down.end = st->stack.bottom.down.end_seen = 1;
    link_add(&x->waiting, &st->waiting);
    st->stack.owned = ge_session_user(x) != NULL;
    ge_session_user_wake(x);
    ge_session_wake(x);
    return &st->stack.bottom.lo;
}

struct gost_io *ge_stream_next(struct gost_io *io)
{
    struct ge_session *x = ge_session_of_layer(io);
    const struct ge_queue *q;
    struct ge_stream *st;
    struct ge_link *l;

    if (!x)
        return NULL;
    put_back(x);
    while ((l = link_first(&x->urgent)) || (l = link_first(&x->normal))) {
        st = STREAM_AT(l, queue);
        link_del(l);
        if (!can_send(st))
            continue;
        q = &st->stack.bottom.down;
        x->given = st;
        st->given_bytes = q->bytes;
        st->given_heads = q->n_heads;
        if (q->end && q->bytes == 0 && !q->heads)
            ge_stream_end_seen(&st->stack);
        return &st->stack.bottom.lo;
    }
    return NULL;
}

struct gost_io *ge_stream_port(struct gost_io *io, uint64_t id)
{
    struct ge_session *x = ge_session_of_layer(io);
    struct ge_stream *st;

    for (st = x ? *bucket_of(x, id) : NULL; st; st = st->hnext)
        if (st->id == id)
            return &st->stack.bottom.lo;
    return NULL;
}

uint64_t ge_stream_id(struct gost_io *s)
{
    return s->lv->stack->session ? stream_of(s->lv->stack)->id : 0;
}

void ge_stream_set_credit(struct gost_io *s, uint64_t bytes)
{
    if (!s->lv->stack->session)
        return;
    stream_of(s->lv->stack)->credit = bytes;
    ge_stream_changed(s->lv->stack);
}

void ge_stream_reset(struct gost_io *s, uint64_t code)
{
    struct ge_stack *stack = s->lv->stack;
    struct ge_stream *st = stream_of(stack);

    if (!stack->session || st->reset)
        return;
    st->reset = 1;
    stack->code = code;
    stack->bottom.down.end = stack->bottom.down.end_seen = 1; /* the peer wants no more */
    ge_queue_clear(stack->w, &stack->bottom.down);
    ge_flow_fail(stack->flow == stack->session->layer->inst.flow ? NULL : stack->flow, GOST_ECLOSED,
                 stack->session->layer->inst.comp->name, "the peer reset the stream (code %llu)",
                 (unsigned long long)code);
    ge_stack_fail(stack, GOST_ECLOSED);
}

void ge_stream_stop(struct gost_io *s, uint64_t code)
{
    struct ge_stack *stack = s->lv->stack;

    if (!stack->session || stream_of(stack)->reset || stream_of(stack)->stopped)
        return;
    stream_of(stack)->stop_code = code;
    stream_of(stack)->stopped = 1; /* the code is the peer's: a reset of ours must not repeat it */
    ge_stream_end_seen(stack);     /* for the layer this direction is over */
    ge_stream_changed(stack);
    if (stack->owned)
        ge_stream_news(stack);
}

void ge_session_goaway(struct gost_io *io)
{
    struct ge_session *x = ge_session_of_layer(io);

    if (!x)
        return;
    x->peer_goaway = 1;
    ge_session_wake(x);
}

void ge_session_alive(struct gost_io *io)
{
    struct ge_session *x = ge_session_of_layer(io);

    while (x) {
        const struct ge_layer *above = ge_session_user(x);

        x->served = ge_now(x->layer->inst.w);
        if (x->ping.prev) {
            x->news |= GE_SESSION_ALIVE;
            ge_session_wake(x);
        }
        ge_timer_stop(x->layer->inst.w, &x->ping);
        if (above && above->session)
            above->session->heard = x->heard;
        x = above ? above->session : NULL;
    }
}
