/* pump.c - moving bytes and packets between the ports of a task: PUMP and RELAY. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define BULKY   (256u * 1024) /* a direction that moved this much splices if it can */
#define HOLD_NS (10 * GOST_S) /* how long an end is held back for a stack without half-close */

static struct ge_pump *pump_add(struct ge_task *t, uint32_t from, uint32_t to, uint64_t n,
                                uint32_t tag)
{
    struct ge_pump *p = calloc(1, sizeof *p), **at;

    if (!p)
        return NULL;
    p->from = (uint8_t)from;
    p->to = (uint8_t)to;
    p->left = n;
    p->tag = tag;
    for (at = &t->pumps; *at; at = &(*at)->next)
        ;
    *at = p;
    return p;
}

void ge_pumps_free(struct ge_task *t)
{
    struct ge_pump *p;

    while ((p = t->pumps)) {
        t->pumps = p->next;
        if (p->spliced && t->port[p->from].stack)
            t->port[p->from].stack->spliced = 0;
        free(p);
    }
}

static void idle_fired(struct ge_timer *timer)
{
    struct ge_task *t = (struct ge_task *)((char *)timer - offsetof(struct ge_task, idle));

    t->idle_due = 1;
    ge_task_ready(t);
}

static void arm_idle(struct ge_task *t)
{
    struct ge_pump *p;
    uint64_t at = t->idle_ns ? t->activity + t->idle_ns : UINT64_MAX;

    for (p = t->pumps; p; p = p->next)
        if (p->held && t->activity + HOLD_NS < at)
            at = t->activity + HOLD_NS;
    t->idle.fire = idle_fired;
    if (at != UINT64_MAX && !(t->idle.prev && t->idle.at <= at))
        ge_timer_start(t->inst.w, &t->idle, at);
}

int ge_pump_start(struct ge_task *t, const struct gost_action *a)
{
    const struct gost_act_relay *r = (const struct gost_act_relay *)a;
    const struct gost_act_pump *m = (const struct gost_act_pump *)a;
    uint32_t from = a->port, to = a->kind == GOST_ACT_RELAY ? r->to : m->to;
    struct ge_stack *x, *y;
    struct ge_pump *p, *q;

    if (to >= GOST_PORTS || from == to || !(x = t->port[from].stack) || !(y = t->port[to].stack) ||
        (x->top->type == GOST_DATAGRAM) != (y->top->type == GOST_DATAGRAM))
        return GOST_EINTERNAL;
    t->activity = ge_now(t->inst.w);
    if (a->kind == GOST_ACT_PUMP) {
        if (!pump_add(t, from, to, m->n, a->tag))
            return GOST_ENOMEM;
    } else {
        p = pump_add(t, from, to, UINT64_MAX, a->tag);
        q = pump_add(t, to, from, UINT64_MAX, a->tag);
        if (!p || !q)
            return GOST_ENOMEM;
        p->relay = q->relay = 1;
        t->relaying = 1;
        t->relay_return = (r->flags & GOST_RELAY_RETURN) != 0;
        t->relay_tag = a->tag;
        t->idle_ns = r->idle_ns;
        arm_idle(t);
    }
    ge_task_ready(t);
    return GOST_OK;
}

int ge_pumping_from(const struct ge_task *t, uint32_t port)
{
    const struct ge_pump *p;

    for (p = t->pumps; p; p = p->next)
        if (p->from == port && !p->done)
            return 1;
    return 0;
}

static void account(struct ge_task *t, struct ge_pump *p, uint64_t n)
{
    p->moved += n;
    if (p->left != UINT64_MAX)
        p->left -= n;
    if (p->from == 0)
        t->inst.flow->rx += n;
    if (p->to == 0)
        t->inst.flow->tx += n;
}

/* A packet goes whole while any room is left. */
static uint64_t move_packets(struct ge_level *from, struct ge_level *to, uint64_t room)
{
    struct ge_pkt *k;
    uint64_t n = 0;

    while (n < room && to->down.packets < GE_PACKETS_MAX && (k = ge_queue_get_packet(&from->up))) {
        n += k->len ? k->len : 1;
        k->next = NULL;
        k->local = NULL; /* an address of the other socket */
        if (!to->down.ptail)
            to->down.ptail = &to->down.phead;
        *to->down.ptail = k;
        to->down.ptail = &k->next;
        to->down.packets++;
        to->down.bytes += k->len;
    }
    return n;
}

static uint64_t move_bytes(struct ge_worker *w, struct ge_pump *p, struct ge_level *from,
                           struct ge_level *to, uint64_t room)
{
    uint64_t n = to->down.bytes < w->high ? w->high - to->down.bytes : 0;
    size_t moved;

    if (n > p->left)
        n = p->left;
    if (n > room)
        n = room;
    if (p->relay && from->type == GOST_EXCHANGE && to->type == GOST_EXCHANGE) {
        if (ge_queue_move_exchange(w, &to->down, &from->up, n, &moved) > moved)
            ge_down_produced(to); /* heads */
        return moved;
    }
    return n ? ge_queue_move(w, &to->down, &from->up, n) : 0;
}

/* Nothing of what a relay between exchanges has to move is left, or of what this pump moves. */
static int is_dry(const struct ge_pump *p, const struct ge_level *from, const struct ge_level *to)
{
    int heads = p->relay && from->type == GOST_EXCHANGE && to->type == GOST_EXCHANGE;

    return from->up.bytes == 0 && from->up.packets == 0 && !(heads && from->up.heads);
}

/* The direction whose limits hold for a pump; -1: none. */
static int limit_of(const struct ge_task *t, const struct ge_pump *p)
{
    int direction = p->from == 0 ? GE_FROM_CLIENT : GE_TO_CLIENT;

    if (p->from != 0 && p->to != 0)
        return -1;
    return ge_limited(t->inst.flow, direction) ? direction : -1;
}

static int is_empty(const struct ge_level *from)
{
    return from->up.bytes == 0 && from->up.packets == 0;
}

static void try_splice(struct ge_task *t, struct ge_pump *p, struct ge_stack *from,
                       struct ge_stack *to)
{
    struct ge_worker *w = t->inst.w;

    if (limit_of(t, p) >= 0 || !w->embed.splice || !from->ops || !to->ops || from->bottom.above ||
        to->bottom.above || from->bottom.up.bytes || from->bottom.up.end || to->bottom.down.bytes ||
        from->top->type != GOST_STREAM || p->moved - p->spliced_at < BULKY)
        return;
    p->spliced_at = p->moved;
    from->spliced = 1;
    if (w->embed.splice(w->ctx, from, to, p->moved, p->left))
        p->spliced = 1;
    else
        from->spliced = 0;
}

static void finish_pump(struct ge_task *t, struct ge_pump *p, int status, const char *text)
{
    struct gost_result_pump res;

    p->done = 1;
    memset(&res, 0, sizeof res);
    res.size = sizeof res;
    res.eof = p->left > 0;
    res.moved = p->moved;
    ge_result(t, GOST_ACT_PUMP, p->tag, status, text, &res, sizeof res);
}

/* The source of a relayed direction ended: pass it on, or hold it where there is no half-close. */
static void pass_end(struct ge_task *t, struct ge_pump *p, struct ge_stack *from,
                     struct ge_stack *to)
{
    struct ge_pump *q;
    int other_done = 1;

    for (q = t->pumps; q; q = q->next) {
        if (q == p || !q->relay)
            continue;
        if (from->no_half_close) /* it ended both directions: nobody would read the other */
            q->done = 1;
        other_done &= q->done;
    }
    p->done = 1;
    /* An opener that ends may wait for its answer. One that is answered to the end waits for just
     * that, and what it still sends is rarely missed. */
    if (to->no_half_close && p->to != 0 && !other_done) {
        p->held = 1;
        arm_idle(t);
    } else {
        ge_level_end_down(to->top);
    }
    for (q = t->pumps; q; q = q->next) { /* both ended: nothing is held any longer */
        if (q == p || !q->held || !t->port[q->to].stack)
            continue;
        q->held = 0;
        ge_level_end_down(t->port[q->to].stack->top);
    }
}

static void limit_over(struct ge_timer *timer)
{
    ge_task_ready((struct ge_task *)((char *)timer - offsetof(struct ge_task, limit)));
}

/* What the limits let pass now. 0: the task is woken when that changes. */
static uint64_t limit_room(struct ge_task *t, const struct ge_pump *p, const struct ge_level *from)
{
    int direction = limit_of(t, p);
    uint64_t room, at = 0;

    if (direction < 0 || is_empty(from))
        return UINT64_MAX;
    room = ge_limits_room(t->inst.flow, direction, ge_now(t->inst.w), &at);
    if (room == 0 && !(t->limit.prev && t->limit.at <= at)) {
        t->limit.fire = limit_over;
        ge_timer_start(t->inst.w, &t->limit, at);
    }
    return room;
}

/* 0: fine; negative: the relay is broken. */
static int run_pump(struct ge_task *t, struct ge_pump *p)
{
    struct ge_stack *from = t->port[p->from].stack, *to = t->port[p->to].stack;
    struct ge_level *f, *o;
    uint64_t n, room;
    int dgram;

    if (!from || !to) {
        p->done = 1;
        return 0;
    }
    f = from->top;
    o = to->top;
    dgram = f->type == GOST_DATAGRAM;
    room = limit_room(t, p, f);
    n = dgram ? move_packets(f, o, room) : move_bytes(t->inst.w, p, f, o, room);
    if (n) {
        account(t, p, n);
        if (limit_of(t, p) >= 0)
            ge_limits_charge(t->inst.flow, limit_of(t, p), ge_now(t->inst.w), n);
        t->activity = ge_now(t->inst.w);
        ge_up_consumed(f);
        ge_down_produced(o);
    }
    if (p->left == 0) {
        finish_pump(t, p, 0, NULL);
        return 0;
    }
    if (f->up.end && is_dry(p, f, o)) {
        int status = f->up.status;

        f->up.end_seen = 1;
        if (p->relay && dgram) {
            struct ge_pump *q;

            for (q = t->pumps; q; q = q->next) /* packets have no half-close: both directions end */
                q->done |= q->relay;
        } else if (p->relay && status == 0) {
            pass_end(t, p, from, to);
        } else if (!p->relay) {
            finish_pump(t, p, status, status ? "the connection broke" : NULL);
        }
        if (status) {
            ge_flow_fail(t->inst.flow, status, t->inst.comp->name,
                         "%s reset or lost the connection",
                         p->from == 0 ? "the client" : "the target");
            return p->relay ? status : 0;
        }
        return 0;
    }
    if (to->status && p->relay &&
        o->up.bytes == 0) { /* it is gone, and what it said is delivered */
        ge_flow_fail(t->inst.flow, to->status, t->inst.comp->name,
                     "%s reset or lost the connection", p->to == 0 ? "the client" : "the target");
        return to->status;
    }
    if (!dgram)
        try_splice(t, p, from, to);
    return 0;
}

static void run_idle(struct ge_task *t)
{
    struct ge_pump *p;
    uint64_t now = ge_now(t->inst.w);

    t->idle_due = 0;
    for (p = t->pumps; p; p = p->next) {
        if (!p->held || now < t->activity + HOLD_NS)
            continue;
        p->held = 0;
        if (t->port[p->to].stack)
            ge_level_end_down(t->port[p->to].stack->top);
    }
    if (t->idle_ns && now >= t->activity + t->idle_ns) {
        ge_flow_fail(t->inst.flow, GOST_ETIMEDOUT, t->inst.comp->name, "no data for %llu s",
                     (unsigned long long)(t->idle_ns / GOST_S));
        t->inst.failed = GOST_ETIMEDOUT;
        return;
    }
    arm_idle(t);
}

void ge_pumps_run(struct ge_task *t)
{
    struct ge_pump *p, **at;
    int relay_left = 0, broken = 0;

    if (t->idle_due)
        run_idle(t);
    for (p = t->pumps; p && !broken; p = p->next)
        if (!p->done && !p->spliced)
            broken = run_pump(t, p);
    if (broken) {
        t->inst.failed = broken;
        return;
    }
    for (at = &t->pumps; (p = *at);) {
        if (p->relay) {
            relay_left += !p->done;
            at = &p->next;
        } else if (p->done) {
            *at = p->next;
            free(p);
        } else {
            at = &p->next;
        }
    }
    if (!t->relaying || relay_left)
        return;
    t->relaying = 0;
    ge_pumps_free(t);
    ge_timer_stop(t->inst.w, &t->idle);
    if (t->relay_return)
        ge_result(t, GOST_ACT_RELAY, t->relay_tag, 0, NULL, NULL, 0);
    else
        t->relay_over = 1; /* ge_task_run() finishes it */
}

static struct ge_pump *spliced_pump(struct ge_stack *from, const struct ge_stack *to)
{
    struct ge_task *t = from->task;
    struct ge_pump *p;

    for (p = t ? t->pumps : NULL; p; p = p->next)
        if (p->spliced && t->port[p->from].stack == from && t->port[p->to].stack == to)
            return p;
    return NULL;
}

void ge_pump_progress(struct ge_stack *from, struct ge_stack *to, uint64_t moved)
{
    struct ge_pump *p = spliced_pump(from, to);

    if (!p || !moved)
        return;
    account(from->task, p, moved);
    if (p->from == 0)
        from->task->inst.flow->rx_spliced += moved;
    if (p->to == 0)
        from->task->inst.flow->tx_spliced += moved;
    from->task->activity = ge_now(from->task->inst.w);
}

void ge_pump_resume(struct ge_stack *from, struct ge_stack *to, uint64_t moved, int eof, int status)
{
    struct ge_pump *p = spliced_pump(from, to);

    from->spliced = 0;
    if (!p)
        return;
    ge_pump_progress(from, to, moved);
    p->spliced = 0;
    p->spliced_at = p->moved;
    if (eof || status) {
        ge_rx_end(from, status);
    } else {
        from->want |= GE_WANT_READ;
        ge_stack_ready(from);
    }
    ge_task_ready(from->task);
}
