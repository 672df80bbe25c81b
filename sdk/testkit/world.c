/* world.c - the fake outside: ends that bytes go through, clock, chance, and the user above. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define SPIN_ROUNDS \
    5000 /* rounds without a byte moved after which nobody is doing anything useful */
#define OUT_MAX (1u << 22)

void kit_break(struct kit_world *w, const char *fmt, ...)
{
    va_list ap;

    if (w->outcome->why[0])
        return;
    va_start(ap, fmt);
    vsnprintf(w->outcome->why, sizeof w->outcome->why, fmt, ap);
    va_end(ap);
}

/* FNV-1a. */
void kit_trace(struct kit_world *w, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (; n; n--, b++)
        w->outcome->trace = (w->outcome->trace ^ *b) * 1099511628211ull;
}

/* ---- what the engine asks of its embedder ---- */

static uint64_t world_now(void *ctx)
{
    return ((struct kit_world *)ctx)->now;
}

static uint64_t world_unix(void *ctx)
{
    return ((struct kit_world *)ctx)->unix_ns;
}

static void world_random(void *ctx, void *p, size_t n)
{
    struct kit_world *w = ctx;
    uint8_t *b = p;

    for (; n; n--, b++) {
        if (w->random_at < w->script->n_random) {
            *b = w->script->random[w->random_at++];
            continue;
        }
        w->chance = w->chance * 6364136223846793005ull + 1442695040888963407ull;
        *b = (uint8_t)(w->chance >> 56);
    }
}

static void world_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    (void)ctx;
}

static void world_wake(void *ctx)
{
    ((struct kit_world *)ctx)->woken = 1;
}

/* ---- ends ---- */

static void end_want(struct ge_stack *s, void *ctx, unsigned what)
{
    (void)s; /* the world looks at every end in every round */
}

static void end_close(struct ge_stack *s, void *ctx, int abort)
{
    struct kit_end *e = ctx;

    e->stack = NULL;
    e->aborted = abort;
}

static const struct ge_bottom_ops end_ops = {end_want, end_close};

/* Exchanges have heads among their bytes: a user of its own speaks at the far end. */
static void far_new(struct kit_world *w, struct kit_end *e)
{
    struct ge_stack *far;

    ge_stack_pair(w->flow, GOST_EXCHANGE, &e->stack, &far);
    e->far = e->stack ? calloc(1, sizeof *e->far) : NULL;
    if (!e->far)
        abort();
    kit_user_start(w, e->far, e, far);
    e->far->of_session = 1;
}

struct kit_end *kit_end_new(struct kit_world *w, uint32_t type)
{
    struct kit_end *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->world = w;
    e->datagram = type == GOST_DATAGRAM;
    if (type == GOST_EXCHANGE)
        far_new(w, e);
    else
        e->stack = ge_stack_new(w->flow, type, &end_ops, e);
    if (!e->stack) {
        free(e);
        return NULL;
    }
    e->next = w->ends;
    w->ends = e;
    return e;
}

void kit_end_put(struct kit_world *w, struct kit_end *e, const void *p, size_t n)
{
    if (e->n_out + n > OUT_MAX) {
        kit_break(w, "sent more than %u bytes on one port", OUT_MAX);
        return;
    }
    if (e->n_out + n > e->room) {
        size_t room = (e->n_out + n) * 2;
        uint8_t *out = realloc(e->out, room);

        if (!out)
            abort();
        e->out = out;
        e->room = room;
    }
    if (n)
        memcpy(e->out + e->n_out, p, n);
    e->n_out += n;
    kit_trace(w, p, n);
}

/* Takes what was sent. Returns how many bytes or packets. */
static size_t drain(struct kit_world *w, struct kit_end *e)
{
    struct gost_packet packet;
    struct iovec iov[4];
    size_t total = 0, most = w->how.drain ? w->how.drain : SIZE_MAX;
    int n, i;

    if (!e->stack || e->far)
        return 0;
    if (e->datagram) {
        while (total < most && ge_tx_packet(e->stack, &packet) == GOST_OK) {
            kit_end_put(w, e, packet.data.p, packet.data.n);
            ge_tx_packet_drop(e->stack);
            total++;
        }
        return total;
    }
    while (total < most && e->stack && (n = ge_tx_iov(e->stack, iov, 4)) > 0) {
        size_t step = 0;

        for (i = 0; i < n && total < most; i++) {
            size_t take = iov[i].iov_len < most - total ? iov[i].iov_len : most - total;

            kit_end_put(w, e, iov[i].iov_base, take);
            total += take;
            step += take;
        }
        ge_tx_consume(e->stack, step);
    }
    if (e->stack && !e->shut && ge_tx_shut(e->stack)) {
        e->shut = 1;
        ge_tx_shut_done(e->stack);
        total++;
    }
    return total;
}

void kit_feed(struct kit_world *w, struct kit_end *e, const uint8_t *p, size_t n)
{
    struct gost_packet packet;
    struct gost_bytes room;
    int tries;

    w->outcome->feeds++;
    w->outcome->bytes += n;
    if (e->far) {
        e->far->down = p;
        e->far->n_down = n;
        kit_settle(w);
        return;
    }
    if (e->datagram && e->stack) {
        memset(&packet, 0, sizeof packet);
        packet.size = sizeof packet;
        packet.data = gost_bytes(p, n);
        packet.addr = w->script->source.family ? &w->script->source : NULL;
        (void)ge_rx_packet(e->stack, &packet);
        kit_settle(w);
        return;
    }
    for (tries = 0; n && e->stack && tries < 1000; tries++) {
        size_t now;

        room = ge_rx_reserve(e->stack);
        now = n < room.n ? n : room.n;
        if (now) {
            memset((uint8_t *)room.p, w->how.tail, room.n);
            memcpy((uint8_t *)room.p, p, now);
            p += now;
            n -= now;
        }
        if (room.n)
            ge_rx_commit(e->stack, now);
        kit_settle(w);
    }
}

void kit_end_input(struct kit_world *w, struct kit_end *e, int status)
{
    if (e->far) {
        e->far->down_end = 1;
        e->far->down_reset = status != 0;
    } else if (e->stack) {
        ge_rx_end(e->stack, status);
    }
    e->told_end = 1;
    kit_settle(w);
}

/* ---- memory that nobody may look at any more ---- */

static void scribble_queue(const struct kit_world *w, struct ge_queue *q)
{
    struct ge_seg *g;

    for (g = q->head; g; g = g->next) {
        if (g->chunk->refs == 1 && g->off)
            memset(g->chunk->data, w->how.old, g->off);
    }
}

static void scribble(struct kit_world *w)
{
    struct kit_end *e;
    unsigned i;

    for (i = 0; i < w->worker->n_pool; i++)
        memset(w->worker->pool[i]->data, w->how.old, w->worker->pool[i]->cap);
    for (e = w->ends; e; e = e->next) {
        struct ge_level *lv = e->stack && !e->far ? &e->stack->bottom : NULL;

        while (lv) {
            scribble_queue(w, &lv->up);
            scribble_queue(w, &lv->down);
            lv = lv->above ? lv->above->app : NULL;
        }
    }
}

/* ---- running ---- */

/* Everything that wants to happen now. Returns whether something did. */
static size_t one_round(struct kit_world *w, size_t *ret_drained)
{
    size_t moved = 0, drained = 0;
    struct kit_end *e;

    w->woken = 0;
    moved += ge_run(w->worker, 1) != 0;
    scribble(w);
    if (w->taken) {
        kit_user_start(w, &w->users[0], &w->users[0].own, w->taken);
        w->taken = NULL;
        moved++;
    }
    moved += (size_t)kit_answer_all(w);
    for (e = w->ends; e; e = e->next)
        drained += drain(w, e);
    *ret_drained = drained;
    if (ge_timers_next(w->worker) <= w->now) {
        ge_timers_run(w->worker);
        moved++;
    }
    return moved + drained + w->woken;
}

void kit_settle(struct kit_world *w)
{
    unsigned rounds = 0;
    size_t drained;

    kit_users_wake(w);
    while (one_round(w, &drained)) {
        rounds = drained ? 0 : rounds + 1;
        if (rounds < SPIN_ROUNDS)
            continue;
        kit_break(w, "spins: it goes on and on without anything new to work on");
        return;
    }
}

/* ---- beginning and end ---- */

static void task_done(struct ge_task *t, void *ctx, int status)
{
    struct kit_world *w = ctx;

    w->outcome->ended = 1;
    w->outcome->status = status;
    kit_trace(w, &status, sizeof status);
    if (status == GOST_OK && w->script->kind == GOST_KIND_CONNECTOR)
        w->taken = ge_task_take(t, ge_task_result_port(t));
    w->task = NULL;
}

static void layer_ready(struct ge_stack *s, void *arg, int status)
{
    struct kit_world *w = arg;

    if (status >= 0)
        return;
    w->outcome->ended = 1;
    w->outcome->status = status;
    kit_trace(w, &status, sizeof status);
}

static void report(void *arg, int status, const char *text)
{
    struct kit_world *w = arg;

    if (strncmp(text, "warning: ", 9) != 0)
        kit_break(w, "its options are refused: %s", text);
}

const struct gost_component *kit_component(const struct gost_kit *kit, uint32_t kind,
                                           const char *name, size_t n)
{
    uint32_t i;

    for (i = 0; i < kit->plugin->n_components; i++) {
        if (kit->plugin->components[i].kind == kind && ge_component_is(&kit->watched[i], name, n))
            return &kit->watched[i];
    }
    return NULL;
}

static uint32_t port_type(const struct kit_world *w, const struct gost_component *c)
{
    const struct gost_layer_ops *layer = c->ops;
    uint32_t types = w->script->type;

    if (!types && w->script->kind == GOST_KIND_LAYER)
        types = layer->below;
    else if (!types && w->script->kind == GOST_KIND_HANDLER)
        types = ((const struct gost_handler_ops *)c->ops)->accepts;
    else if (!types && w->script->kind == GOST_KIND_CONNECTOR)
        types = ((const struct gost_connector_ops *)c->ops)->accepts;
    return !types || (types & GOST_STREAM) ? GOST_STREAM
           : types & GOST_DATAGRAM         ? GOST_DATAGRAM
                                           : GOST_EXCHANGE;
}

static int start_layer(struct kit_world *w, const struct gost_component *c, struct ge_stack *s)
{
    struct ge_layer_spec spec;
    int r;

    memset(&spec, 0, sizeof spec);
    spec.component = c;
    spec.conf = ge_conf_data(w->conf);
    spec.role = w->script->role;
    spec.target = w->script->target;
    r = ge_stack_push(s, &spec);
    if (r != GOST_OK) {
        kit_break(w, "the layer cannot be put on a stack: %d", r);
        return r;
    }
    if (ge_stack_top_type(s) & (GOST_SESSION | GOST_EXCHANGE))
        kit_session_start(w, s);
    else
        kit_user_start(w, &w->users[0], &w->users[0].own, s);
    ge_stack_on_ready(s, layer_ready, w);
    return GOST_OK;
}

static int start_task(struct kit_world *w, const struct gost_component *c, struct ge_stack *s)
{
    struct ge_task_spec spec;

    memset(&spec, 0, sizeof spec);
    spec.component = c;
    spec.conf = ge_conf_data(w->conf);
    spec.flow = w->flow;
    spec.ctx = w;
    spec.target = w->script->target.size ? &w->script->target : NULL;
    spec.verb = w->script->verb;
    spec.done = task_done;
    w->task = ge_task_new(&spec, s);
    return w->task ? GOST_OK : GOST_ENOMEM;
}

static int open_component(struct kit_world *w)
{
    const struct gost_script *s = w->script;
    const struct gost_component *c =
        kit_component(w->kit, s->kind, s->component, strlen(s->component));
    struct kit_end *e;

    if (!c) {
        kit_break(w, "the plugin has no %s %s", ge_kind_word(s->kind, 0), s->component);
        return GOST_EPROTO;
    }
    if (ge_conf_new(&w->conf, c, s->role, c->name, (struct ge_kv *)s->kv, s->n_kv, report, w)) {
        kit_break(w, "its options are refused");
        return GOST_EPROTO;
    }
    e = kit_end_new(w, port_type(w, c));
    if (!e)
        return GOST_ENOMEM;
    w->port[0] = e;
    return s->kind == GOST_KIND_LAYER ? start_layer(w, c, e->stack) : start_task(w, c, e->stack);
}

/* A world is one worker. */
static void begin_worker(struct kit_world *w)
{
    const struct gost_plugin *o = w->kit->plugin->object;

    ge_worker_enter(w->worker);
    if (o->size >= offsetof(struct gost_plugin, worker_fini) && o->worker_init &&
        o->worker_init(&w->mine) < 0)
        w->mine = NULL;
}

static void end_worker(struct kit_world *w)
{
    const struct gost_plugin *o = w->kit->plugin->object;

    if (w->mine && o->size >= sizeof *o && o->worker_fini)
        o->worker_fini(w->mine);
    w->mine = NULL;
}

void *kit_worker_data(const struct gost_host *const *self)
{
    return kit_now ? kit_now->mine : NULL;
}

int kit_world_open(struct kit_world *w)
{
    struct ge_embed embed;

    memset(&embed, 0, sizeof embed);
    embed.now = world_now;
    embed.unix_time = world_unix;
    embed.random = world_random;
    embed.log = world_log;
    embed.act = kit_act;
    embed.cancel = kit_cancel;
    embed.find_layer = kit_find_layer;
    embed.wake = world_wake;
    w->now = 1000 * GOST_S;
    w->unix_ns = (w->script->unix_seconds ? w->script->unix_seconds : 1700000000ull) * GOST_S;
    w->chance = 1;
    w->outcome->trace = 14695981039346656037ull;
    w->pending_tail = &w->pending;
    w->echo = w->script->echo;
    kit_now = w;
    w->worker = ge_worker_new(&embed, w);
    w->flow = w->worker ? ge_flow_new(w->worker) : NULL;
    if (!w->flow)
        abort();
    w->flow->service = "test";
    w->flow->network = GOST_NET_TCP;
    w->flow->source = w->script->source;
    begin_worker(w);
    if (open_component(w))
        return GOST_EPROTO;
    kit_settle(w);
    return GOST_OK;
}

static void free_ends(struct kit_world *w)
{
    struct kit_end *e;

    while ((e = w->ends)) {
        w->ends = e->next;
        if (e->stack && !e->far)
            ge_stack_free(e->stack, 1);
        free(e->far);
        free(e->out);
        free(e);
    }
    kit_users_free(w);
}

void kit_world_close(struct kit_world *w)
{
    struct kit_layer_conf *lc;
    struct kit_pending *p;

    if (w->task)
        ge_task_cancel(w->task, GOST_ECANCELLED);
    kit_users_end(w);
    if (w->taken)
        ge_stack_free(w->taken, 1);
    w->task = NULL;
    while (w->worker && w->worker->ready_tasks) /* children: their ports end below */
        ge_task_cancel(w->worker->ready_tasks, GOST_ECANCELLED);
    free_ends(w);
    while (w->worker && ge_run(w->worker, 1000) && w->worker->ready_tasks)
        ge_task_cancel(w->worker->ready_tasks, GOST_ECANCELLED);
    while ((p = w->pending)) {
        w->pending = p->next;
        free(p);
    }
    ge_flow_unref(w->flow);
    if (w->worker)
        end_worker(w);
    ge_worker_free(w->worker);
    ge_conf_free(w->conf);
    while ((lc = w->layers)) {
        w->layers = lc->next;
        ge_conf_free(lc->conf);
        free(lc);
    }
    kit_values_free(w);
    kit_now = NULL;
}
