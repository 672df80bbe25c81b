/* test_session.h - for tests: ends of a session in memory; the clock and the streams are ours. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_SESSION_H
#define TEST_SESSION_H

#include <stdio.h>
#include <stdlib.h>

#include "../engine/engine.h"

extern const struct gost_plugin gost_plugin_v1;

static uint64_t clock_ns = 1000 * GOST_S;
static uint8_t chance; /* different each time, the same in each run */

static uint64_t embed_now(void *ctx)
{
    return clock_ns;
}

static void embed_random(void *ctx, void *p, size_t n)
{
    memset(p, ++chance, n);
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

enum { STREAMS = 64 };

struct side {
    struct ge_stack *stack; /* NULL: the engine freed it */
    struct ge_flow *flow;
    struct ge_conf *conf;
    struct ge_stack *stream[STREAMS]; /* those the peer opened, in their order */
    unsigned n;
    int ready, ready_status, ended, end_status, alive;
};

static char conf_error[512];

static void conf_report(void *arg, const char *text)
{
    snprintf(conf_error, sizeof conf_error, "%s", text);
}

/* "key=value key=value". NULL: refused, conf_error says why. layer: which component. */
static inline struct ge_conf *make_conf(int layer, uint32_t role, const char *words)
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
    (void)ge_conf_new(&conf, &gost_plugin_v1.components[layer], role, "test", kv, n, conf_report,
                      NULL);
    return conf;
}

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

static void on_change(struct ge_stack *session, void *arg, unsigned what)
{
    ((struct side *)arg)->alive += (what & GE_SESSION_ALIVE) != 0;
}

static void on_ready(struct ge_stack *stack, void *arg, int status)
{
    struct side *s = arg;

    s->ready = 1;
    s->ready_status = status;
}

static inline void run(void)
{
    while (ge_run(worker, 64))
        ;
}

/* component: what stands on the stack; its options are those of the layer. */
static inline void side_push(struct side *s, const struct gost_component *component, int layer,
                             uint32_t role, const char *words)
{
    struct ge_layer_spec spec;

    s->conf = make_conf(layer, role, words);
    memset(&spec, 0, sizeof spec);
    spec.component = component;
    spec.conf = s->conf ? ge_conf_data(s->conf) : NULL;
    spec.role = role;
    spec.target.size = sizeof spec.target;
    if (!s->conf || ge_stack_push(s->stack, &spec) != GOST_OK) {
        fprintf(stderr, "%s\n", conf_error);
        abort();
    }
    ge_stack_on_ready(s->stack, on_ready, s);
    ge_session_on_stream(s->stack, on_stream, s);
    ge_session_on_end(s->stack, on_end, s);
    ge_session_on_change(s->stack, on_change, s);
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
    if (s->conf)
        ge_conf_free(s->conf);
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

/* Users that read some streams, answer some and let go of others. */
static inline void side_use(struct side *s, uint8_t how)
{
    char buf[4096];
    unsigned i;

    for (i = 0; i < s->n; i++) {
        if (!s->stream[i])
            continue;
        if ((i + how) % 3 == 0)
            say(s->stream[i], buf, hear(s->stream[i], buf, sizeof buf));
        if ((i + how) % 5 == 1 && heard_end(s->stream[i]))
            say_end(s->stream[i]);
        if ((i + how) % 7 == 2) {
            ge_stack_free(s->stream[i], how & 1);
            s->stream[i] = NULL;
        }
    }
    run();
}

static inline const char *error_of(const struct side *s)
{
    return s->flow->error ? s->flow->error : "";
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
