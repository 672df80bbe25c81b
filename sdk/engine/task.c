/* task.c - handler and connector instances: events, steps, ends. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define STEPS 64 /* per wake-up */

typedef int step_fn(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);

static step_fn *step_of(const struct ge_task *t)
{
    const void *ops = t->inst.comp->ops;

    switch (t->inst.comp->kind) {
    case GOST_KIND_HANDLER:
        return GE_OP(ops, struct gost_handler_ops, step);
    case GOST_KIND_CONNECTOR:
        return t->spec.verb == GE_ASSOCIATE ? GE_OP(ops, struct gost_connector_ops, associate)
               : t->spec.verb == GE_BIND    ? GE_OP(ops, struct gost_connector_ops, bind)
                                            : GE_OP(ops, struct gost_connector_ops, connect);
    case GOST_KIND_SOURCE:
        return GE_OP(ops, struct gost_source_ops, step);
    case GOST_KIND_REMOTE:
        return GE_OP(ops, struct gost_remote_ops, step);
    default:
        return NULL;
    }
}

static void (*destroy_of(const struct ge_task *t))(void *state)
{
    const void *ops = t->inst.comp->ops;

    switch (t->inst.comp->kind) {
    case GOST_KIND_HANDLER:
        return GE_OP(ops, struct gost_handler_ops, destroy);
    case GOST_KIND_CONNECTOR:
        return GE_OP(ops, struct gost_connector_ops, destroy);
    case GOST_KIND_SOURCE:
        return GE_OP(ops, struct gost_source_ops, destroy);
    case GOST_KIND_REMOTE:
        return GE_OP(ops, struct gost_remote_ops, destroy);
    default:
        return NULL;
    }
}

struct ge_task *ge_task_new(const struct ge_task_spec *spec, struct ge_stack *port0)
{
    struct ge_task *t = calloc(1, sizeof *t);
    struct ge_worker *w = spec->flow->worker;

    if (!t)
        return NULL;
    t->spec = *spec;
    t->acts_tail = &t->acts;
    t->results_tail = &t->results;
    t->inst.is_task = 1;
    if (ge_inst_init(&t->inst, w, spec->component, spec->conf, spec->flow, spec->target, spec->arg,
                     spec->node) != GOST_OK) {
        ge_inst_fini(&t->inst, NULL);
        free(t);
        return NULL;
    }
    w->usage.tasks++;
    if (port0)
        (void)ge_port_open(t, 0, port0);
    ge_task_ready(t);
    return t;
}

void *ge_task_ctx(struct ge_task *t)
{
    return t->spec.ctx;
}

struct ge_flow *ge_task_flow(struct ge_task *t)
{
    return t->inst.flow;
}

const struct ge_task_spec *ge_task_spec(const struct ge_task *t)
{
    return &t->spec;
}

struct ge_stack *ge_task_port(struct ge_task *t, uint32_t port)
{
    return port < GOST_PORTS ? t->port[port].stack : NULL;
}

struct ge_stack *ge_task_take(struct ge_task *t, uint32_t port)
{
    struct ge_stack *s = ge_task_port(t, port);

    if (s) {
        s->task = NULL;
        s->on_ready = NULL;
        memset(&t->port[port], 0, sizeof t->port[port]);
    }
    return s;
}

uint32_t ge_task_result_port(const struct ge_task *t)
{
    return t->result_port;
}

int ge_port_open(struct ge_task *t, uint32_t port, struct ge_stack *s)
{
    struct ge_port *p;

    if (port >= GOST_PORTS || t->ended)
        return GOST_EINTERNAL;
    p = &t->port[port];
    if (p->stack) { /* the component dials anew on a port it has finished with */
        struct ge_stack *old = ge_task_take(t, port);

        ge_stack_linger(old);
    }
    memset(p, 0, sizeof *p);
    p->stack = s;
    s->task = t;
    s->port = port;
    s->on_ready = NULL;
    if (s->flow != t->inst.flow)
        ge_stack_set_flow(s, t->inst.flow);
    p->readable =
        s->top->up.bytes > 0 || s->top->up.packets > 0 || s->top->up.heads || s->top->up.end;
    if (p->readable && t->started)
        ge_task_ready(t);
    return GOST_OK;
}

void ge_task_port_event(struct ge_task *t, uint32_t port, struct ge_stack *s)
{
    if (s->top->up.bytes || s->top->up.packets || s->top->up.heads || s->top->up.end)
        t->port[port].readable = 1;
    ge_task_ready(t);
}

uint64_t ge_task_last_activity(const struct ge_task *t)
{
    return t->activity;
}

void ge_task_event_cancel(struct ge_task *t)
{
    t->cancel_due = 1;
    ge_task_ready(t);
}

/* ---- what connectors tell of a bind ---- */

void ge_task_note(struct gost_io *io, uint32_t port, const struct gost_addr *addr)
{
    struct ge_inst *in = ge_io_inst(io);
    struct ge_note *n, **at;

    if (!in || !in->is_task || in->comp->kind != GOST_KIND_CONNECTOR)
        return;
    n = calloc(1, sizeof *n);
    if (!n) {
        ge_flow_fail(in->flow, GOST_ENOMEM, in->comp->name, "out of memory");
        in->failed = GOST_ENOMEM;
        return;
    }
    n->port = port;
    n->addr = *addr;
    for (at = &((struct ge_task *)in)->notes; *at; at = &(*at)->next)
        ;
    *at = n;
}

static void tell_notes(struct ge_task *t)
{
    const struct ge_embed *e = &t->inst.w->embed;
    struct ge_note *n;

    while ((n = t->notes)) {
        t->notes = n->next;
        if (!t->ended && n->port == GE_BOUND && e->bound)
            e->bound(t->inst.w->ctx, t, &n->addr);
        else if (!t->ended && n->port != GE_BOUND && e->accepted && ge_task_port(t, n->port))
            e->accepted(t->inst.w->ctx, t, n->port, &n->addr);
        free(n);
    }
}

/* ---- ends ---- */

/* The code by which one side of a relay was reset: it goes on to the other. */
static uint64_t reset_code(const struct ge_task *t)
{
    uint32_t i;

    for (i = 0; i < GOST_PORTS; i++)
        if (t->port[i].stack && t->port[i].stack->status && t->port[i].stack->code)
            return t->port[i].stack->code;
    return 0;
}

/* What broke off must not look complete. */
static void cut(struct ge_stack *s, uint64_t code)
{
    if (s->status || !(s->session || s->resets))
        return;
    s->cut_short = 1;
    if (!s->code)
        s->code = code;
}

static void release(struct ge_task *t, int linger_all, int linger_first)
{
    uint64_t code = linger_all || !t->relaying ? 0 : reset_code(t);
    struct ge_stack *port[GOST_PORTS];
    uint32_t i;
    struct ge_res *r;
    struct ge_stack *s;

    ge_inspect_free(t);
    ge_pumps_free(t);
    ge_act_free_all(t);
    ge_timer_stop(t->inst.w, &t->idle);
    ge_timer_stop(t->inst.w, &t->limit);
    ge_task_unready(t);
    while ((r = t->results)) {
        t->results = r->next;
        free(r);
    }
    tell_notes(t);
    ge_inst_fini(&t->inst, destroy_of(t));
    for (i = 0; i < GOST_PORTS;
         i++) /* first: a session tells its streams, which may be ports too */
        port[i] = ge_task_take(t, i);
    for (i = 0; i < GOST_PORTS; i++) {
        if (!(s = port[i]))
            continue;
        if (!linger_all && t->relaying)
            cut(s, code);
        if (s->abort)
            ge_stack_free(s, 1);
        else if (linger_all || (linger_first && (i == 0 || (s->cut_short && s->resets))))
            ge_stack_linger(s);
        else
            ge_stack_free(s, 0);
    }
    t->inst.w->usage.tasks--;
    free(t);
}

void ge_task_finish(struct ge_task *t, int status)
{
    struct ge_worker *w = t->inst.w;

    t->ended = 1;
    if (t->outstanding && w->embed.cancel)
        w->embed.cancel(w->ctx, t);
    if (status)
        ge_flow_fail(t->inst.flow, status, t->inst.comp->name, "failed without saying why");
    if (t->spec.done)
        t->spec.done(t, t->spec.ctx, status);
    release(t, status == 0, 1);
}

void ge_task_cancel(struct ge_task *t, int status)
{
    struct ge_worker *w = t->inst.w;

    if (t->ended)
        return;
    t->ended = 1;
    if (t->outstanding && w->embed.cancel)
        w->embed.cancel(w->ctx, t);
    if (status)
        ge_flow_fail(t->inst.flow, status, t->inst.comp->name, "ended by the host");
    if (t->stepping) { /* from inside act(): ge_task_run() frees it */
        t->cancelled = 1;
        return;
    }
    release(t, 0, 0);
}

/* ---- steps ---- */

static int queue_ready(const struct ge_level *lv)
{
    if (lv->up.packets || lv->up.heads)
        return 1;
    return lv->up.bytes > 0 && (lv->up.bytes >= lv->hi.want || lv->up.end);
}

/* The next event about port i. 1: filled. */
static int port_event(struct ge_task *t, uint32_t i, struct gost_event *ev)
{
    struct ge_port *p = &t->port[i];
    struct ge_level *lv;
    int pumping;

    if (!p->stack)
        return 0;
    lv = p->stack->top;
    pumping = ge_pumping_from(t, i);
    ev->port = i;
    if (p->readable && !pumping && queue_ready(lv)) {
        p->readable = 0;
        ev->type = GOST_EV_READABLE;
        return 1;
    }
    if (lv->up.end && !pumping && !p->eof_told && !lv->up.status) {
        p->eof_told = 1;
        ev->type = GOST_EV_EOF;
        return 1;
    }
    if (!p->closed_told && (p->stack->status || lv->up.status) && !pumping) {
        p->closed_told = p->eof_told = 1;
        ev->type = GOST_EV_CLOSED;
        ev->status = p->stack->status ? p->stack->status : lv->up.status;
        ev->text = t->inst.flow->error;
        ev->code = p->stack->code;
        return 1;
    }
    if (lv->hi.full && lv->down.bytes <= t->inst.w->low) {
        lv->hi.full = 0;
        ev->type = GOST_EV_WRITABLE;
        return 1;
    }
    return 0;
}

/* A request of the peer of the session at port i. 1: filled. */
static int request_event(struct ge_task *t, uint32_t i, struct gost_event *ev,
                         struct ge_res **ret_res)
{
    const struct ge_stack *s = t->port[i].stack;
    struct ge_session *x = s ? ge_session_of(s) : NULL;
    struct ge_res *r = x ? ge_request_event(x) : NULL;

    if (!r)
        return 0;
    r->ev.port = i;
    *ev = r->ev;
    *ret_res = r;
    return 1;
}

static int next_event(struct ge_task *t, struct gost_event *ev, struct ge_res **ret_res)
{
    uint32_t i;

    memset(ev, 0, sizeof *ev);
    ev->size = sizeof *ev;
    if (!t->started) {
        t->started = 1;
        ev->type = GOST_EV_START;
        return 1;
    }
    if (t->results) {
        *ret_res = t->results;
        t->results = t->results->next;
        if (!t->results)
            t->results_tail = &t->results;
        *ev = (*ret_res)->ev;
        return 1;
    }
    if (t->relaying && !t->relay_return)
        return 0; /* nothing is of interest to the component any more */
    for (i = 0; i < GOST_PORTS && !t->inspect; i++) {
        if (request_event(t, i, ev, ret_res) || port_event(t, i, ev))
            return 1;
    }
    if (t->inst.deadline_due) {
        t->inst.deadline_due = 0;
        ev->type = GOST_EV_DEADLINE;
        return 1;
    }
    if (t->cancel_due) {
        t->cancel_due = 0;
        ev->type = GOST_EV_CANCEL;
        return 1;
    }
    return 0;
}

static size_t queued(const struct ge_task *t, uint32_t port)
{
    const struct ge_stack *s = t->port[port].stack;

    return s ? s->top->up.bytes + s->top->up.packets + s->top->up.n_heads : 0;
}

static int step(struct ge_task *t, const struct gost_event *ev)
{
    struct ge_worker *w = t->inst.w;
    struct ge_stack *s = t->port[0].stack, *at = t->port[ev->port].stack;
    step_fn *fn = step_of(t);
    size_t before = queued(t, ev->port);
    int r;

    if (!fn || !s)
        return fn ? GOST_ECLOSED : GOST_EUNSUPPORTED;
    if (at && ev->type == GOST_EV_READABLE)
        at->top->hi.want = 0;
    ge_running(t->inst.comp->name, t->inst.comp->kind, t->inst.phase ? t->inst.phase : "step");
    w->in_step++;
    r = fn(t->inst.state, t->inst.conf, &s->top->hi, ev);
    if (--w->in_step == 0)
        ge_limbo_release(w);
    ge_running_end();
    at = t->port[ev->port].stack;
    if (ev->type == GOST_EV_READABLE && at && queued(t, ev->port) && queued(t, ev->port) < before)
        t->port[ev->port].readable = 1; /* it took something: offer the rest */
    if (r >= 0 && t->inst.failed)
        r = t->inst.failed;
    return r;
}

/* A tied port ended: so does the flow. */
static int tied_end(const struct ge_task *t)
{
    uint32_t i;

    for (i = 0; t->tie && i < GOST_PORTS; i++) {
        const struct ge_stack *s = t->port[i].stack;

        if (!(t->tie >> i & 1) || !s)
            continue;
        if (s->status || (s->top->up.end && s->top->up.bytes == 0 && s->top->up.packets == 0))
            return 1;
        if (t->relaying && i == 0 && s->top->up.bytes && !ge_pumping_from(t, 0)) {
            ge_queue_clear(t->inst.w,
                           &s->top->up); /* what a control connection says meanwhile is dropped */
            ge_up_consumed(s->top);
        }
    }
    return 0;
}

void ge_task_run(struct ge_task *t)
{
    struct gost_event ev;
    struct ge_res *res;
    int n, r = GOST_AGAIN;

    t->stepping = 1;
    if (t->inspect)
        ge_inspect_run(t);
    for (n = 0; n < STEPS && !t->ended; n++) {
        res = NULL;
        if (!next_event(t, &ev, &res))
            break;
        r = step(t, &ev);
        free(res);
        if (t->notes)
            tell_notes(t);
        if (r < 0 || (r == GOST_OK && !t->acts))
            break;
        r = GOST_AGAIN;
        ge_act_dispatch(t);
    }
    if (t->pumps && r > GOST_OK && !t->ended)
        ge_pumps_run(t);
    if (r > GOST_OK && t->inst.failed)
        r = t->inst.failed;
    if (r > GOST_OK && (t->relay_over || tied_end(t)))
        r = GOST_OK;
    t->stepping = 0;
    if (t->cancelled)
        release(t, 0, 0);
    else if (r < 0 || r == GOST_OK)
        ge_task_finish(t, r);
    else if (n == STEPS || t->results)
        ge_task_ready(t);
}
