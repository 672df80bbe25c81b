/* test_engine.c - the engine in memory: queues, layers, tasks, pump, timers. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../sdk/testkit/test_embed.h"
#include "../../sdk/testkit/test_tap.h"

const struct gost_host *gost_host_;

/* ---- a small embedder ---- */

static struct gost_addr dialed;
static struct ge_stack *target_side;
static int done_status, done_calls;

static void f_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
    const struct gost_act_dial *d = (const struct gost_act_dial *)a;
    struct ge_stack *mine;

    if (a->kind != GOST_ACT_DIAL) {
        ge_result(t, a->kind, a->tag, GOST_EUNSUPPORTED, "no", NULL, 0);
        return;
    }
    dialed = d->addr;
    ge_stack_pair(ge_task_flow(t), GOST_STREAM, &mine, &target_side);
    ge_port_open(t, a->port, mine);
    ge_result(t, a->kind, a->tag, 0, NULL, NULL, 0);
}

/* ---- components under test ---- */

/* A line protocol: one length byte, a name, then relay to that name. */
static int line_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    int *dialing = state;
    const uint8_t *p;
    struct gost_addr a;

    if (ev->type == GOST_EV_RESULT) {
        if (ev->status)
            return ev->status;
        gost_send(io, "ok", 2);
        gost_relay(io, 0, 1, 0);
        return GOST_AGAIN;
    }
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
    gost_dial(io, 1, 1, GOST_NET_TCP, &a);
    return GOST_AGAIN;
}

static const struct gost_handler_ops line_ops = {sizeof line_ops, 0, line_step, NULL};
static const struct gost_component line = {
    GOST_KIND_HANDLER, 0, "line", NULL, "t", &line_ops, NULL, 0, sizeof(int), NULL, NULL};

/* Four bytes, or their end. */
static int cut_off;

static int four_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    if (gost_take(io, 4))
        return GOST_OK;
    if (!gost_rx_eof(io))
        return GOST_AGAIN;
    cut_off = (int)gost_rx_len(io);
    return gost_fail(io, GOST_ECLOSED, "cut off");
}

static const struct gost_handler_ops four_ops = {sizeof four_ops, 0, four_step, NULL};
static const struct gost_component four = {
    GOST_KIND_HANDLER, 0, "four", NULL, "t", &four_ops, NULL, 0, 0, NULL, NULL};

/* Inverts every byte, both ways; a handshake of one byte each way. */
static int inv_handshake(void *state, const void *conf, struct gost_io *io)
{
    int *sent = state;

    if (!*sent)
        gost_send(io, "H", 1);
    *sent = 1;
    return gost_take(io, 1) ? GOST_OK : GOST_AGAIN;
}

static int inv_copy(struct gost_io *to, struct gost_io *from)
{
    struct gost_bytes b;

    while ((b = gost_rx(from)).n) {
        uint8_t *p;
        size_t i, n = b.n < 1000 ? b.n : 1000;

        if (!gost_tx_room(to))
            return GOST_FULL;
        p = gost_reserve(to, n);
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

static const struct gost_layer_ops inv_ops = {sizeof inv_ops, GOST_STREAM, GOST_STREAM, 0,    NULL,
                                              inv_handshake,  inv_decode,  inv_encode,  NULL, NULL,
                                              NULL,           NULL,        NULL,        NULL};
static const struct gost_component inv = {
    GOST_KIND_LAYER, 0, "inv", NULL, "t", &inv_ops, NULL, 0, sizeof(int), NULL, NULL};

/* Handshake only: identity afterwards. */
static const struct gost_layer_ops id_ops = {sizeof id_ops, GOST_STREAM, GOST_STREAM, 0,    NULL,
                                             inv_handshake, NULL,        NULL,        NULL, NULL,
                                             NULL,          NULL,        NULL,        NULL};
static const struct gost_component ident = {
    GOST_KIND_LAYER, 0, "id", NULL, "t", &id_ops, NULL, 0, sizeof(int), NULL, NULL};

/* ---- helpers ---- */

static void done(struct ge_task *t, void *ctx, int status)
{
    done_status = status;
    done_calls++;
}

static void run(struct ge_worker *w)
{
    int i;

    for (i = 0; i < 10000 && ge_run(w, 100); i++)
        ;
}

static size_t get(struct ge_stack *s, char *buf, size_t n)
{
    struct gost_bytes b;
    size_t have = 0;

    while (have < n && (b = gost_rx(top(s))).n) {
        size_t k = b.n < n - have ? b.n : n - have;

        memcpy(buf + have, b.p, k);
        gost_consume(top(s), k);
        have += k;
    }
    return have;
}

static void test_relay(struct ge_worker *w, const struct gost_component *layer, const char *name)
{
    struct ge_flow *f = ge_flow_new(w);
    struct ge_stack *client, *server;
    struct ge_task_spec spec;
    char buf[64];

    done_calls = 0;
    ge_stack_pair(f, GOST_STREAM, &client, &server);
    if (layer) {
        struct ge_layer_spec ls = {.component = layer, .role = GOST_SERVER};

        ge_stack_push(server, &ls);
        ls.role = GOST_CLIENT;
        ge_stack_push(client, &ls);
    }
    memset(&spec, 0, sizeof spec);
    spec.component = &line;
    spec.flow = f;
    spec.done = done;
    ge_task_new(&spec, server);
    run(w);
    gost_send(top(client), "\3", 1);
    run(w);
    gost_send(top(client), "abcEARLY", 8);
    run(w);
    ok(dialed.len == 3 && !memcmp(dialed.name, "abc", 3), name);
    ok(get(client, buf, sizeof buf) == 2 && !memcmp(buf, "ok", 2), "the client is answered");
    ok(get(target_side, buf, sizeof buf) == 5 && !memcmp(buf, "EARLY", 5),
       "early bytes reach the target");
    gost_shut(top(client));
    run(w);
    ok(gost_rx_eof(top(target_side)), "half-close reaches the target");
    gost_send(top(target_side), "late", 4);
    run(w);
    ok(get(client, buf, sizeof buf) == 4 && !memcmp(buf, "late", 4),
       "the other direction still works");
    ok(done_calls == 0, "the flow is not over");
    gost_shut(top(target_side));
    run(w);
    ok(done_calls == 1 && done_status == 0, "the flow ends when both ended");
    ok(gost_rx_eof(top(client)), "the client sees the end");
    ge_stack_free(client, 0);
    ge_stack_free(target_side, 0);
    ge_flow_unref(f);
    clock_ns += 20 * GOST_S;
    ge_timers_run(w);
    run(w);
}

static void test_bulk(struct ge_worker *w, const struct gost_component *layer, const char *name)
{
    struct ge_flow *f = ge_flow_new(w);
    struct ge_stack *client, *server;
    struct ge_task_spec spec;
    struct ge_layer_spec ls = {.component = layer, .role = GOST_SERVER};
    size_t sent = 0, got = 0, i, bad = 0, peak = 0;
    struct ge_usage u;
    struct gost_bytes b;

    done_calls = 0;
    ge_stack_pair(f, GOST_STREAM, &client, &server);
    if (layer) {
        ge_stack_push(server, &ls);
        ls.role = GOST_CLIENT;
        ge_stack_push(client, &ls);
    }
    memset(&spec, 0, sizeof spec);
    spec.component = &line;
    spec.flow = f;
    spec.done = done;
    ge_task_new(&spec, server);
    run(w);
    gost_send(top(client), "\1x", 2);
    run(w);
    while (got < 3000000) {
        uint8_t piece[777];
        size_t n;

        while (sent < 3000000 && gost_tx_room(top(client)) > 0) {
            n = sizeof piece < 3000000 - sent ? sizeof piece : 3000000 - sent;
            for (i = 0; i < n; i++)
                piece[i] = (uint8_t)((sent + i) * 31 >> 3);
            gost_send(top(client), piece, n);
            sent += n;
        }
        run(w);
        ge_worker_usage(w, &u);
        peak = u.chunk_bytes > peak ? u.chunk_bytes : peak;
        if (!(b = gost_rx(top(target_side))).n)
            break;
        for (i = 0; i < b.n; i++)
            bad += b.p[i] != (uint8_t)((got + i) * 31 >> 3);
        got += b.n;
        gost_consume(top(target_side), b.n);
    }
    ok(got == 3000000 && bad == 0, name);
    ok(peak < 2000000, "a slow reader bounds memory");
    gost_abort(top(client), 0);
    ge_stack_free(client, 1);
    run(w);
    ok(done_calls == 1 && done_status < 0, "a reset client ends the flow with an error");
    ge_stack_free(target_side, 0);
    ge_flow_unref(f);
    run(w);
}

static unsigned fired[4];
static uint64_t fired_at[4];
static struct ge_timer wheel[4];

/* gost_rx_eof() says so when the rest of a message will never come. */
static void test_cut_off(struct ge_worker *w)
{
    struct ge_flow *f = ge_flow_new(w);
    struct ge_task_spec spec = {.component = &four, .flow = f, .done = done};
    struct ge_stack *client, *server;

    done_calls = cut_off = 0;
    ge_stack_pair(f, GOST_STREAM, &client, &server);
    ge_task_new(&spec, server);
    run(w);
    gost_send(top(client), "12", 2);
    run(w);
    ok(done_calls == 0, "half a message is waited for");
    gost_shut(top(client));
    run(w);
    ok(done_calls == 1 && done_status == GOST_ECLOSED && cut_off == 2,
       "a message that is cut off ends the wait");
    ge_stack_free(client, 0);
    ge_flow_unref(f);
    run(w);
}

/* Much is queued, so nobody reads on; what is left is more than the low mark, and not enough. */
static void test_large_message(struct ge_worker *w, const struct gost_component *layer,
                               const char *name)
{
    static uint8_t bytes[80001]; /* the layer's handshake takes one */
    struct ge_layer_spec spec = {.component = layer, .role = GOST_SERVER};
    struct ge_flow *f = ge_flow_new(w);
    struct ge_stack *client, *server;

    ge_stack_pair(f, GOST_STREAM, &client, &server);
    if (layer)
        ge_stack_push(server, &spec);
    run(w);
    gost_send(top(client), bytes, layer ? 80001 : 80000);
    run(w);
    if (gost_peek(top(server), 40000))
        gost_consume(top(server), 40000);
    run(w);
    (void)gost_peek(top(server), 40000);
    run(w);
    ok(gost_rx_len(top(server)) == 40000 && gost_peek(top(server), 40000), name);
    ge_stack_free(client, 0);
    ge_stack_free(server, 0);
    ge_flow_unref(f);
    run(w);
}

static void fire(struct ge_timer *t)
{
    unsigned i = (unsigned)(t - wheel);

    fired[i]++;
    fired_at[i] = clock_ns;
}

static void test_timers(struct ge_worker *w)
{
    struct ge_timer *t = wheel;
    uint64_t base = clock_ns / GOST_S * GOST_S, ms[4] = {50, 5001, 700002, 36000003};
    unsigned i, late = 0, rounds = 0;

    for (i = 0; i < 4; i++) {
        t[i].fire = fire;
        ge_timer_start(w, &t[i], base + ms[i] * GOST_MS);
    }
    while (ge_timers_next(w) != UINT64_MAX && rounds++ < 10000) {
        uint64_t next = ge_timers_next(w);

        clock_ns = next > clock_ns ? next : clock_ns + 1;
        ge_timers_run(w);
    }
    for (i = 0; i < 4; i++)
        late += fired[i] != 1 || fired_at[i] < base + ms[i] * GOST_MS ||
                fired_at[i] > base + (ms[i] + 30) * GOST_MS;
    ok(late == 0, "timers from 50 ms to 10 hours fire once, on time");
    ok(rounds < 400, "and without ticking in between");
    base = clock_ns;
    fired[0] = fired[1] = 0;
    ge_timer_start_fine(w, &t[0], base + 3 * GOST_MS + 1);
    ge_timer_start(w, &t[1], base + 3 * GOST_MS + 1);
    clock_ns = base + 5 * GOST_MS;
    ge_timers_run(w);
    ok(fired[0] == 1 && fired[1] == 0 && ge_timers_next(w) % (10 * GOST_MS) == 0,
       "a fine timer fires at its millisecond, an ordinary one at the next ten");
    clock_ns = base + 20 * GOST_MS;
    ge_timers_run(w);
    ge_timer_start(w, &t[0], clock_ns + GOST_S);
    ge_timer_stop(w, &t[0]);
    ok(ge_timers_next(w) == UINT64_MAX, "a stopped timer leaves nothing");
}

int main(void)
{
    struct ge_embed e = embedder();
    struct ge_worker *w;

    e.act = f_act;
    w = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_relay(w, NULL, "plain: the handler dials");
    test_relay(w, &inv, "a transforming layer: the handler dials");
    test_relay(w, &ident, "an identity layer: the handler dials");
    test_bulk(w, NULL, "3 MB plain");
    test_bulk(w, &inv, "3 MB through a layer");
    test_bulk(w, &ident, "3 MB behind an identity layer");
    clock_ns += 20 * GOST_S;
    ge_timers_run(w);
    run(w);
    test_cut_off(w);
    test_large_message(w, NULL, "the rest of a large message comes");
    test_large_message(w, &inv, "also through a layer");
    test_timers(w);
    ok(nothing_left(w), "nothing is left");
    ge_worker_free(w);
    return test_end();
}
