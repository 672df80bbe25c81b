/* test_world.h - smux and yamux sessions in memory: wire, clock and streams are in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef SMUX_TEST_WORLD_H
#define SMUX_TEST_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/engine/engine.h"
#include "smux.h"

extern const struct gost_plugin gost_plugin_v1;

static uint64_t clock_ns = 1000 * GOST_S;

static uint64_t embed_now(void *ctx)
{
    return clock_ns;
}

static void embed_random(void *ctx, void *p, size_t n)
{
    memset(p, 4, n);
}

static void embed_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static void embed_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static void embed_wake(void *ctx)
{
}

static const struct ge_embed embed = {.now = embed_now,
                                      .unix_time = embed_now,
                                      .random = embed_random,
                                      .log = embed_log,
                                      .act = embed_act,
                                      .wake = embed_wake};
static struct ge_worker *worker;

static uint8_t wire[1 << 20]; /* for the test, to drain into */

/* ---- one session ---- */

enum { STREAMS = 64 };

struct side {
    struct ge_stack *stack; /* NULL: the engine freed it */
    struct ge_flow *flow;
    struct ge_conf *conf;
    struct ge_stack *stream[STREAMS]; /* those the peer opened, in their order */
    unsigned n;
    int ended, end_status;
};

static char conf_error[512];

static void conf_report(void *arg, const char *text)
{
    snprintf(conf_error, sizeof conf_error, "%s", text);
}

static const char *world_layer = "smux";

static inline const struct gost_component *component(void)
{
    const struct gost_component *c = gost_plugin_v1.components;

    while (c->kind != GOST_KIND_LAYER || strcmp(c->name, world_layer) != 0)
        c++;
    return c;
}

/* "key=value key=value". NULL: refused, conf_error says why. */
static inline struct ge_conf *make_conf(uint32_t role, const char *words)
{
    static char text[512];
    struct ge_conf *conf = NULL;
    struct ge_kv kv[16];
    char *next = text, *word;
    uint32_t n = 0;

    memset(kv, 0, sizeof kv);
    snprintf(text, sizeof text, "%s", words);
    while ((word = strsep(&next, " ")) && *word) {
        kv[n].key = strsep(&word, "=");
        kv[n].text = word;
        kv[n++].place = "test";
    }
    conf_error[0] = 0;
    (void)ge_conf_new(&conf, component(), role, "test", kv, n, conf_report, NULL);
    return conf;
}

static void on_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void on_close(struct ge_stack *s, void *ctx, int aborted)
{
    ((struct side *)ctx)->stack = NULL;
}

static const struct ge_bottom_ops bottom = {on_want, on_close};

static void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct side *s = arg;

    if (s->n == STREAMS)
        ge_stack_free(stream, 1);
    else
        s->stream[s->n++] = stream;
}

static void on_end(struct ge_stack *session, void *arg, int status)
{
    struct side *s = arg;

    s->ended = 1;
    s->end_status = status;
}

static inline void run(void)
{
    while (ge_run(worker, 64))
        ;
}

static inline void side_push(struct side *s, uint32_t role, const char *words)
{
    struct ge_layer_spec spec;

    s->conf = make_conf(role, words);
    memset(&spec, 0, sizeof spec);
    spec.component = component();
    spec.conf = ge_conf_data(s->conf);
    spec.role = role;
    spec.target.size = sizeof spec.target;
    if (!s->conf || ge_stack_push(s->stack, &spec) != GOST_OK)
        abort();
    ge_session_on_stream(s->stack, on_stream, s);
    ge_session_on_end(s->stack, on_end, s);
}

/* A session on a wire that the test carries. */
static inline void side_open(struct side *s, uint32_t role, const char *words)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    s->stack = ge_stack_new(s->flow, GOST_STREAM, &bottom, s);
    side_push(s, role, words);
    run();
}

static inline void side_close(struct side *s)
{
    unsigned i;

    for (i = 0; i < s->n; i++)
        if (s->stream[i])
            ge_stack_free(s->stream[i], 0);
    if (s->stack)
        ge_stack_free(s->stack, 0);
    run();
    ge_flow_unref(s->flow);
    ge_conf_free(s->conf);
}

/* ---- the wire ---- */

/* What comes from the peer, in pieces of so many bytes. Returns what was taken. */
static inline size_t feed(struct side *s, const void *p, size_t n, size_t piece)
{
    const uint8_t *from = p;
    size_t fed = 0;

    while (fed < n && s->stack) {
        struct gost_bytes room = ge_rx_reserve(s->stack);
        size_t k = n - fed < piece ? n - fed : piece;

        if (!room.n)
            break;
        k = k < room.n ? k : room.n;
        memcpy((uint8_t *)room.p, from + fed, k);
        ge_rx_commit(s->stack, k);
        fed += k;
        run();
    }
    return fed;
}

/* Takes what goes to the peer. */
static inline size_t drain(struct side *s, void *p, size_t size)
{
    struct iovec iov;
    size_t n = 0, k;

    run();
    while (s->stack && n < size && ge_tx_iov(s->stack, &iov, 1) == 1) {
        k = iov.iov_len < size - n ? iov.iov_len : size - n;
        memcpy((uint8_t *)p + n, iov.iov_base, k);
        ge_tx_consume(s->stack, k);
        n += k;
        run();
    }
    return n;
}

static inline void later(uint64_t ns)
{
    clock_ns += ns;
    ge_timers_run(worker);
    run();
}

/* ---- the streams' users ---- */

static inline void say(struct ge_stack *stream, const void *p, size_t n)
{
    gost_send(ge_stack_io(stream), p, n);
    run();
}

static inline size_t hear(struct ge_stack *stream, void *p, size_t size)
{
    struct gost_io *io = ge_stack_io(stream);
    struct gost_bytes b;
    size_t n = 0;

    while (n < size && (b = gost_rx(io)).n) {
        size_t k = b.n < size - n ? b.n : size - n;

        memcpy((uint8_t *)p + n, b.p, k);
        gost_consume(io, k);
        n += k;
        run();
    }
    return n;
}

static inline int heard_end(struct ge_stack *stream)
{
    return gost_rx_eof(ge_stack_io(stream));
}

static inline void say_end(struct ge_stack *stream)
{
    gost_shut(ge_stack_io(stream));
    run();
}

static inline const char *error_of(const struct side *s)
{
    return s->flow->error ? s->flow->error : "";
}

/* ---- two of ours ---- */

static inline void carry(struct side *a, struct side *b, size_t piece)
{
    size_t n, m;

    do {
        n = drain(a, wire, 60000);
        feed(b, wire, n, piece);
        m = drain(b, wire, 60000);
        feed(a, wire, m, piece);
    } while (n + m);
}

/* 20 streams between two sessions with these options. 1: all bytes and ends arrived. */
static inline int both(const char *words, size_t piece)
{
    static uint8_t block[100000], got[100000];
    struct ge_stack *open[20];
    struct side c, s;
    int i, good = 0;
    size_t n;

    for (n = 0; n < sizeof block; n++)
        block[n] = (uint8_t)(n * 31 + (n >> 8));
    side_open(&c, GOST_CLIENT, words);
    side_open(&s, GOST_SERVER, words);
    for (i = 0; i < 20; i++) {
        (void)ge_session_open(c.stack, c.flow, 0, &open[i]);
        say(open[i], block + i, sizeof block - (size_t)i);
        say_end(open[i]);
    }
    for (i = 0; i < 20; i++) {
        size_t all = 0;

        do {
            carry(&c, &s, piece);
            n = (unsigned)i < s.n ? hear(s.stream[i], got + all, sizeof got - all) : 0;
            all += n;
        } while (n);
        good += all == sizeof block - (size_t)i && memcmp(got, block + i, all) == 0 &&
                heard_end(s.stream[i]);
        if ((unsigned)i < s.n)
            say_end(s.stream[i]);
        carry(&c, &s, piece);
        ge_stack_free(open[i], 0);
    }
    carry(&c, &s, piece);
    good = good == 20 && s.n == 20 && !c.flow->status && !s.flow->status;
    side_close(&c);
    side_close(&s);
    return good;
}

static inline void world_begin(void)
{
    *gost_plugin_v1.host = ge_host_table();
    worker = ge_worker_new(&embed, NULL);
    if (!worker)
        abort();
}

/* Nothing may be left. */
static inline int world_end(void)
{
    struct ge_usage u;

    run();
    later(20 * GOST_S);
    ge_worker_usage(worker, &u);
    if (u.stacks || u.flows || u.tasks || u.timers)
        return 0;
    ge_worker_free(worker);
    return 1;
}

#endif
