/* mux_world.h - what test_session.c runs in: an embedder, handlers, and two sessions on a wire. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_MUX_WORLD_H
#define TEST_MUX_WORLD_H

#include "../../sdk/testkit/test_wire.h"
#include "mux.h"

const struct gost_host *gost_host_;

/* ---- one allocation fails: linked with --wrap ---- */

static long alloc_left = -1; /* this many succeed; -1: all */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static int alloc_fails(void)
{
    return alloc_left >= 0 && alloc_left-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return alloc_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

/* ---- a small embedder ---- */

enum { TARGETS = 8 };

static struct ge_stack *targets[TARGETS]; /* by the last character of the dialed name */
static struct mux_conf port_conf = {16384, 0, 0, 0};
static int task_status, tasks_done;

static struct ge_layer_choice f_find_layer(void *ctx, struct ge_task *t, struct gost_bytes name,
                                           uint32_t role)
{
    struct ge_layer_choice c = {&mux_component, &port_conf};

    return c;
}

static void task_done(struct ge_task *t, void *ctx, int status)
{
    task_status = status;
    tasks_done++;
}

static const struct gost_component line;

static struct ge_task *serve(const struct gost_component *c, struct ge_flow *f,
                             struct ge_stack *port0)
{
    struct ge_task_spec spec;
    struct ge_task *t;

    memset(&spec, 0, sizeof spec);
    spec.component = c;
    spec.flow = f;
    spec.done = task_done;
    spec.verb = c->kind == GOST_KIND_CONNECTOR ? GE_BIND : 0;
    t = ge_task_new(&spec, port0);
    if (!t)
        ge_stack_free(port0, 1);
    return t;
}

static void f_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
    const struct gost_act_dial *d = (const struct gost_act_dial *)a;
    struct ge_stack *mine, **far;
    struct ge_flow *f;

    if (a->kind == GOST_ACT_SPAWN) {
        f = ge_flow_new(worker);
        serve(&line, f, ge_task_take(t, a->port));
        ge_flow_unref(f);
        ge_result(t, a->kind, a->tag, 0, NULL, NULL, 0);
        return;
    }
    if (a->kind != GOST_ACT_DIAL) {
        ge_result(t, a->kind, a->tag, GOST_EUNSUPPORTED, "no", NULL, 0);
        return;
    }
    far = &targets[(d->addr.name[d->addr.len - 1] - '0') & (TARGETS - 1)];
    ge_stack_pair(ge_task_flow(t), ge_stack_top_type(ge_task_port(t, 0)), &mine, far);
    if (mine)
        ge_port_open(t, a->port, mine);
    ge_result(t, a->kind, a->tag, mine ? 0 : GOST_ENOMEM, NULL, NULL, 0);
}

/* ---- components ---- */

/* A line protocol: one length byte, a name, then relay to that name. */
static int line_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    int *dialing = state;
    const uint8_t *p;
    struct gost_addr a;

    if (ev->type == GOST_EV_RESULT) {
        if (ev->status)
            return ev->status;
        gost_relay(io, 0, 1, 0);
        return GOST_AGAIN;
    }
    if (ev->type == GOST_EV_CLOSED)
        return ev->status;
    if (ev->type == GOST_EV_EOF && !*dialing)
        return gost_fail(io, GOST_EPROTO, "the line ended early");
    if (*dialing || !(p = gost_peek(io, 1)) || !gost_peek(io, 1u + p[0]))
        return GOST_AGAIN;
    p = gost_take(io, 1u + gost_peek(io, 1)[0]);
    memset(&a, 0, sizeof a);
    a.family = GOST_AF_NAME;
    a.len = p[0];
    memcpy(a.name, p + 1, p[0]);
    *dialing = 1;
    return gost_dial(io, 1, 1, GOST_NET_TCP, &a) ? GOST_EINTERNAL : GOST_AGAIN;
}

static const struct gost_handler_ops line_ops = {sizeof line_ops, 0, line_step, NULL};
static const struct gost_component line = {.kind = GOST_KIND_HANDLER,
                                           .name = "line",
                                           .summary = "t",
                                           .ops = &line_ops,
                                           .state_size = sizeof(int)};

/* Relays its exchange as it is. */
static int pass_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct gost_addr a = {.family = GOST_AF_NAME, .len = 1, .name = "2"};

    if (ev->type == GOST_EV_START)
        return gost_dial(io, 1, 1, GOST_NET_TCP, &a) ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type == GOST_EV_RESULT)
        return gost_relay(io, 0, 1, 0) ? GOST_EINTERNAL : GOST_AGAIN;
    return GOST_AGAIN;
}

static const struct gost_handler_ops pass_ops = {sizeof pass_ops, GOST_EXCHANGE, pass_step, NULL};
static const struct gost_component pass_on = {
    .kind = GOST_KIND_HANDLER, .name = "pass", .summary = "t", .ops = &pass_ops};

/* Remembers why its port closed. */
static int watch_status;
static uint64_t watch_code;

static int watch_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    if (ev->type != GOST_EV_CLOSED)
        return GOST_AGAIN;
    watch_status = ev->status;
    watch_code = ev->code;
    return ev->status;
}

static const struct gost_handler_ops watch_ops = {sizeof watch_ops, 0, watch_step, NULL};
static const struct gost_component watch = {
    .kind = GOST_KIND_HANDLER, .name = "watch", .summary = "t", .ops = &watch_ops};

/* Makes a session of its client: accepts streams to child flows, and opens one to say hello. */
static int owner_results, owner_accepted, owner_status, owner_no_more;

static int owner_more(struct gost_io *io)
{
    return gost_accept(io, 3, 2, 0);
}

static int owner_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_act_spawn sp = {{sizeof sp, GOST_ACT_SPAWN, 4, 2}, 0, 0, {NULL, 0}, {NULL, 0}};

    if (ev->type == GOST_EV_START)
        return gost_upgrade(io, 1, 0, GOST_CLIENT, "mux") ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type == GOST_EV_CLOSED && ev->port == 0) {
        owner_status = ev->status;
        return ev->status;
    }
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    owner_results |= 1 << ev->tag;
    if (ev->status && ev->tag == 3) {
        owner_no_more = ev->status;
        return GOST_AGAIN;
    }
    if (ev->status)
        return ev->status;
    if (ev->tag == 1) {
        gost_stream_open(io, 2, 1, 0, 0);
        owner_more(io);
    } else if (ev->tag == 2) {
        gost_send(gost_port(io, 1), "hello", 5);
        gost_shut(gost_port(io, 1));
    } else if (ev->tag == 3) {
        owner_accepted++;
        gost_act(io, &sp.head);
    } else if (ev->tag == 4) {
        owner_more(io);
    }
    return GOST_AGAIN;
}

static const struct gost_handler_ops owner_ops = {sizeof owner_ops, 0, owner_step, NULL};
static const struct gost_component owner = {
    .kind = GOST_KIND_HANDLER, .name = "owner", .summary = "t", .ops = &owner_ops};

/* Asked to bind: the streams of its peer are what arrived. */
static struct ge_stack *arrived[8];
static int n_arrived;

static void f_accepted(void *ctx, struct ge_task *t, uint32_t port, const struct gost_addr *peer)
{
    if (n_arrived < 8 && peer->name[0] == 'p')
        arrived[n_arrived++] = ge_task_take(t, port);
}

static struct ge_embed world_embedder(void)
{
    struct ge_embed e = embedder();

    e.act = f_act;
    e.find_layer = f_find_layer;
    e.accepted = f_accepted;
    return e;
}

static int binder_step(void *state, const void *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    struct gost_addr peer = {.family = GOST_AF_NAME, .len = 1, .name = "p"};

    if (ev->type == GOST_EV_START)
        return gost_upgrade(io, 1, 0, GOST_SERVER, "mux") ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type == GOST_EV_CLOSED && ev->port == 0)
        return ev->status;
    if (ev->type == GOST_EV_READABLE && ev->port == 1) { /* each stream starts with a byte for us */
        gost_consume(gost_port(io, 1), 1);
        gost_accepted(io, gost_port(io, 1), &peer);
        return gost_accept(io, 2, 1, 0) ? GOST_EINTERNAL : GOST_AGAIN;
    }
    if (ev->type == GOST_EV_RESULT && ev->tag == 1)
        return gost_accept(io, 2, 1, 0) ? GOST_EINTERNAL : GOST_AGAIN;
    return GOST_AGAIN;
}

static const struct gost_connector_ops binder_ops = {.size = sizeof binder_ops,
                                                     .bind = binder_step};
static const struct gost_component binder = {
    .kind = GOST_KIND_CONNECTOR, .name = "binder", .summary = "t", .ops = &binder_ops};

/* Inverts every byte. */
static int inv_copy(struct gost_io *to, struct gost_io *from)
{
    struct gost_bytes b;
    uint8_t *p;
    size_t i, n;

    while ((b = gost_rx(from)).n) {
        n = b.n < 1000 ? b.n : 1000;
        if (!gost_tx_room(to))
            return GOST_FULL;
        if (!(p = gost_reserve(to, n)))
            return GOST_AGAIN;
        for (i = 0; i < n; i++)
            p[i] = (uint8_t)~b.p[i];
        gost_commit(to, n);
        gost_consume(from, n);
    }
    return GOST_AGAIN;
}

static int inv_decode(void *state, const void *conf, struct gost_io *io)
{
    return inv_copy(gost_app(io), io);
}

static int inv_encode(void *state, const void *conf, struct gost_io *io)
{
    return inv_copy(io, gost_app(io));
}

static const struct gost_layer_ops inv_ops = {.size = sizeof inv_ops,
                                              .below = GOST_STREAM,
                                              .above = GOST_STREAM,
                                              .decode = inv_decode,
                                              .encode = inv_encode};
static const struct gost_component inv = {
    .kind = GOST_KIND_LAYER, .name = "inv", .summary = "t", .ops = &inv_ops};

/* A handshake of one byte each way, identity afterwards. */
static int id_handshake(void *state, const void *conf, struct gost_io *io)
{
    int *sent = state;

    if (!*sent)
        gost_send(io, "H", 1);
    *sent = 1;
    return gost_take(io, 1) ? GOST_OK : GOST_AGAIN;
}

static const struct gost_layer_ops id_ops = {
    .size = sizeof id_ops, .below = GOST_STREAM, .above = GOST_STREAM, .handshake = id_handshake};
static const struct gost_component ident = {.kind = GOST_KIND_LAYER,
                                            .name = "id",
                                            .summary = "t",
                                            .ops = &id_ops,
                                            .state_size = sizeof(int)};

/* ---- two sessions over the wire ---- */

static int side_push(struct side *s, struct ge_layer_spec *spec, const struct mux_conf *c)
{
    int r;

    spec->component = &mux_component;
    spec->conf = c;
    r = ge_stack_push(s->session, spec);
    if (r == GOST_OK)
        side_watch(s);
    return r;
}

static void side_open(struct side *s, uint32_t role, const struct mux_conf *c,
                      const struct gost_component *below)
{
    struct ge_layer_spec spec = {.component = below, .role = role};

    if (!wire_end(s))
        return;
    if ((below && ge_stack_push(s->session, &spec)) || (c && side_push(s, &spec, c)))
        ge_stack_free(s->session, 1);
}

/* c[0] for the client, c[1] for the server; below: a layer under the session, or NULL. step: bytes
 * that the wire carries at a time. */
static void world_open(const struct mux_conf *c, const struct gost_component *below, size_t step)
{
    memset(side, 0, sizeof side);
    memset(targets, 0, sizeof targets);
    wire_step = step;
    peak = 0;
    wire_cut = 0;
    tasks_done = task_status = 0;
    side_open(&side[CLIENT], GOST_CLIENT, &c[0], below);
    side_open(&side[SERVER], GOST_SERVER, &c[1], below);
    run();
}

/* Frees what is left and says whether anything leaked. */
static int world_close(void)
{
    int i;

    for (i = 0; i < 2; i++)
        side_free(&side[i]);
    for (i = 0; i < TARGETS; i++)
        if (targets[i])
            ge_stack_free(targets[i], 0);
    memset(targets, 0, sizeof targets);
    run();
    pass_time(20 * GOST_S);
    pass_time(20 * GOST_S);
    for (i = 0; i < 2; i++)
        ge_flow_unref(side[i].flow);
    if (mux_streams_open)
        printf("# left: %d streams of layers\n", mux_streams_open);
    return nothing_left(worker) && !mux_streams_open;
}

/* ---- the test's own stacks ---- */

static inline struct ge_stack *open_from(int which, uint32_t flags)
{
    return side_stream(&side[which], flags);
}

/* A stack lets the test feed frames of its own making. */
static inline void raw(struct ge_stack *s, uint8_t type, uint32_t id, const void *p, size_t n)
{
    struct gost_bytes room = ge_rx_reserve(s);
    uint8_t *to = (uint8_t *)room.p;

    if (room.n < MUX_HEAD + n)
        return;
    to[0] = type;
    gost_put16(gost_put32(to + 1, id), (uint16_t)n);
    if (n)
        memcpy(to + MUX_HEAD, p, n);
    ge_rx_commit(s, MUX_HEAD + n);
}

#endif
