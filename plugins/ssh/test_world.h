/* test_world.h - two ends of a session in memory; the clock and the wire are in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_TEST_WORLD_H
#define SSH_TEST_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/engine/engine.h"
#include "ssh.h"

extern const struct gost_plugin gost_plugin_v1;

#define KEYS "plugins/ssh/keys/"

static inline const char *top_dir(void)
{
    const char *top = getenv("TOP_SRCDIR");

    return top ? top : ".";
}

static uint64_t clock_ns = 1000 * GOST_S;
static uint8_t chance;

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
    struct ge_stack *stack;
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

/* "key=value key=value". NULL: refused, conf_error says why. layer: 0 ssh, 1 sshd. */
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

static inline void sides_open(struct side *client, struct side *server, int layer,
                              const char *client_words, const char *server_words)
{
    memset(client, 0, sizeof *client);
    memset(server, 0, sizeof *server);
    client->flow = ge_flow_new(worker);
    server->flow = ge_flow_new(worker);
    ge_stack_pair(client->flow, GOST_STREAM, &client->stack, &server->stack);
    ge_stack_set_flow(server->stack, server->flow);
    side_push(server, &gost_plugin_v1.components[layer], layer, GOST_SERVER, server_words);
    side_push(client, &gost_plugin_v1.components[layer], layer, GOST_CLIENT, client_words);
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

static inline const char *error_of(const struct side *s)
{
    return s->flow->error ? s->flow->error : "";
}

static inline struct ge_stack *open_stream(struct side *s, const char *arg, size_t n)
{
    struct ge_stack *stream = NULL;

    if (ge_session_open_arg(s->stack, s->flow, 0, gost_bytes(arg, n), &stream) != GOST_OK)
        return NULL;
    run();
    return stream;
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

/* ---- a session behind its handshake, whose packets are in the open ---- */

static inline int bare_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;

    s->phase = SSH_PH_OPEN;
    s->keyed = 1;
    if (s->conf->keepalive) {
        s->ping_at = gost_now() + s->conf->interval_ns;
        gost_set_deadline(io, s->ping_at);
    }
    return GOST_OK;
}

static struct gost_layer_ops bare_ops;
static struct gost_component bare_component;

static inline const struct gost_component *bare(void)
{
    bare_ops = ssh_layer_ops;
    bare_ops.handshake = bare_handshake;
    bare_component = gost_plugin_v1.components[1];
    bare_component.ops = &bare_ops;
    return &bare_component;
}

/* One session of sshd; *ret_wire is what its peer holds. Its version is taken away. */
static inline void bare_open(struct side *s, uint32_t role, const char *words,
                             struct ge_stack **ret_wire)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    ge_stack_pair(s->flow, GOST_STREAM, &s->stack, ret_wire);
    side_push(s, bare(), 1, role, words);
    run();
    gost_consume(ge_stack_io(*ret_wire), strlen(SSH_VERSION) + 2);
}

/* A packet in the open. */
static inline void put_packet(struct ge_stack *wire, const struct ssh_out *m)
{
    size_t pad = 8 - (5 + m->n) % 8;
    uint8_t head[5], zero[16] = {0};

    pad += pad < 4 ? 8 : 0;
    gost_put32(head, (uint32_t)(1 + m->n + pad));
    head[4] = (uint8_t)pad;
    gost_send(ge_stack_io(wire), head, sizeof head);
    gost_send(ge_stack_io(wire), m->p, m->n);
    gost_send(ge_stack_io(wire), zero, pad);
    run();
}

/* The next message; empty: none. The view lives until the next call on the wire. */
static inline struct gost_bytes take_packet(struct ge_stack *wire)
{
    struct gost_io *io = ge_stack_io(wire);
    const uint8_t *p = gost_peek(io, 5);
    size_t n = p ? gost_get32(p) : 0;

    p = p ? gost_take(io, 4 + n) : NULL;
    return p ? gost_bytes(p + 5, n - 1 - p[4]) : gost_bytes(NULL, 0);
}

#endif
