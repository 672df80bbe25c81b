/* test_flow.h - runs a handler or connector on the engine with ends in memory. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_FLOW_H
#define TEST_FLOW_H

#include "../engine/engine.h"
#include "test_capture.h"

#define ENDS 8

/* The far side of one port: a client or an upstream. */
struct end {
    struct ge_stack *stack; /* NULL: closed by us */
    struct gost_addr addr;  /* what was dialed */
    uint32_t flags;
    uint8_t *got;           /* what we sent there */
    size_t n;
    int fin, reset, reading;
};

static struct {
    struct ge_worker *worker;
    struct ge_flow *flow;
    struct ge_task *task;
    struct end end[ENDS]; /* 0: the client, others in order of dialing */
    int n_ends;
    uint64_t now;
    int ended, status;
    char error[256];
    /* how actions are answered */
    int dial_status;
    const char *user, *secret, *file;
    struct ge_stack *packets; /* far side of an ASSOCIATE */
    struct ge_stack *taken;   /* port 0 of a connector that is done */
} t;

extern const struct gost_plugin gost_plugin_v1;

static const struct gost_component *component(const char *name, uint32_t kind)
{
    uint32_t i;

    *gost_plugin_v1.host = ge_host_table();
    for (i = 0; i < gost_plugin_v1.n_components; i++)
        if (gost_plugin_v1.components[i].kind == kind &&
            strcmp(gost_plugin_v1.components[i].name, name) == 0)
            return &gost_plugin_v1.components[i];
    return NULL;
}

static uint64_t flow_now(void *ctx)
{
    return t.now;
}

static void flow_random(void *ctx, void *p, size_t n)
{
    memset(p, 7, n);
}

static void flow_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static void flow_wake(void *ctx)
{
}

static void flow_cancel(void *ctx, struct ge_task *task)
{
}

static void end_want(struct ge_stack *s, void *ctx, unsigned what)
{
    struct end *e = ctx;
    struct iovec iov[8];
    int i, n;

    while (!e->reading && (n = ge_tx_iov(s, iov, 8)) > 0) {
        for (i = 0; i < n; i++) {
            e->got = realloc(e->got, e->n + iov[i].iov_len + 1);
            memcpy(e->got + e->n, iov[i].iov_base, iov[i].iov_len);
            e->n += iov[i].iov_len;
            e->got[e->n] = 0;
            ge_tx_consume(s, iov[i].iov_len);
        }
    }
    if (!e->fin && ge_tx_shut(s)) {
        e->fin = 1;
        ge_tx_shut_done(s);
    }
}

static void end_close(struct ge_stack *s, void *ctx, int abort)
{
    struct end *e = ctx;

    e->stack = NULL;
    e->fin = 1;
    e->reset |= abort;
}

static const struct ge_bottom_ops end_ops = {end_want, end_close};

static struct end *end_new(void)
{
    struct end *e = &t.end[t.n_ends++];

    memset(e, 0, sizeof *e);
    e->stack = ge_stack_new(t.flow, GOST_STREAM, &end_ops, e);
    return e;
}

static void flow_dial(struct ge_task *task, const struct gost_act_dial *a)
{
    struct gost_result_dial res;
    struct end *e;

    if (t.dial_status) {
        ge_result(task, a->head.kind, a->head.tag, t.dial_status, "refused", NULL, 0);
        return;
    }
    memset(&res, 0, sizeof res);
    res.size = sizeof res;
    e = end_new();
    e->addr = a->addr;
    e->flags = a->flags;
    ge_port_open(task, a->head.port, e->stack);
    ge_result(task, a->head.kind, a->head.tag, 0, NULL, &res, sizeof res);
}

static void flow_auth(struct ge_task *task, const struct gost_act_auth *a)
{
    int good = !t.user || (gost_bytes_eq(a->user, gost_bytes_str(t.user)) &&
                           gost_bytes_eq(a->secret, gost_bytes_str(t.secret)));

    ge_result(task, a->head.kind, a->head.tag, good ? 0 : GOST_EAUTH, NULL, NULL, 0);
}

static void flow_associate(struct ge_task *task, const struct gost_action *a)
{
    struct gost_result_dial res;
    struct ge_stack *near;

    memset(&res, 0, sizeof res);
    res.size = sizeof res;
    ge_stack_pair(t.flow, GOST_DATAGRAM, &near, &t.packets);
    ge_port_open(task, a->port, near);
    ge_result(task, a->kind, a->tag, 0, NULL, &res, sizeof res);
}

static struct ge_layer_choice flow_layer(void *ctx, struct ge_task *task, struct gost_bytes name,
                                         uint32_t role)
{
    struct ge_layer_choice choice = {NULL, NULL};
    char text[64];

    snprintf(text, sizeof text, "%.*s", (int)name.n, (const char *)name.p);
    choice.component = component(text, GOST_KIND_LAYER);
    return choice;
}

static void flow_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
    struct gost_result_file res = {sizeof res, 0, gost_bytes_str(t.file)};

    switch (a->kind) {
    case GOST_ACT_DIAL:
        flow_dial(task, (const struct gost_act_dial *)a);
        break;
    case GOST_ACT_ASSOCIATE:
        flow_associate(task, a);
        break;
    case GOST_ACT_AUTH:
        flow_auth(task, (const struct gost_act_auth *)a);
        break;
    case GOST_ACT_FILE:
        ge_result(task, a->kind, a->tag, t.file ? 0 : GOST_EINTERNAL, NULL, &res, sizeof res);
        break;
    default:
        ge_result(task, a->kind, a->tag, GOST_EUNSUPPORTED, "not here", NULL, 0);
    }
}

static void flow_done(struct ge_task *task, void *ctx, int status)
{
    t.ended = 1;
    t.status = status;
    if (status == 0 && ge_task_spec(task)->component->kind == GOST_KIND_CONNECTOR)
        t.taken = ge_task_take(task, 0);
    snprintf(t.error, sizeof t.error, "%s", t.flow->error ? t.flow->error : "");
}

static void flow_run(void)
{
    int n = 0;

    while (ge_run(t.worker, 1000) && n++ < 10000)
        ;
}

/* Let time pass; a deadline that comes is served. */
static inline void flow_pass(uint64_t ns)
{
    t.now += ns;
    ge_timers_run(t.worker);
    flow_run();
}

static void flow_close(void)
{
    int i;

    if (!t.task)
        return;
    if (!t.ended)
        ge_task_cancel(t.task, 0);
    if (t.taken)
        ge_stack_free(t.taken, 1);
    if (t.packets)
        ge_stack_free(t.packets, 1);
    for (i = 0; i < t.n_ends; i++)
        if (t.end[i].stack)
            ge_rx_end(t.end[i].stack, 0);
    flow_run();
    flow_pass(60 * GOST_S);
    for (i = 0; i < t.n_ends; i++) {
        if (t.end[i].stack) /* never was a port */
            ge_stack_free(t.end[i].stack, 1);
        free(t.end[i].got);
    }
    ge_flow_unref(t.flow);
    ge_worker_free(t.worker);
    memset(&t, 0, sizeof t);
}

/* Begin a new flow with a component; ends the one before. */
static void flow_open(const struct gost_component *c, const void *conf,
                      const struct gost_target *target, uint32_t verb)
{
    static const struct ge_embed embed = {
        .now = flow_now, .unix_time = flow_now, .random = flow_random, .log = flow_log,
        .act = flow_act, .cancel = flow_cancel, .wake = flow_wake, .find_layer = flow_layer,
    };
    struct ge_task_spec spec;

    flow_close();
    t.now = GOST_S;
    t.worker = ge_worker_new(&embed, NULL);
    t.flow = ge_flow_new(t.worker);
    memset(&spec, 0, sizeof spec);
    spec.component = c;
    spec.conf = conf;
    spec.flow = t.flow;
    spec.target = target;
    spec.verb = verb;
    spec.done = flow_done;
    t.task = ge_task_new(&spec, end_new()->stack);
    flow_run();
}

/* Bytes from the far side of end i. */
static void feed(int i, const void *p, size_t n)
{
    struct gost_bytes room;
    size_t at = 0, k;

    while (at < n && t.end[i].stack) {
        room = ge_rx_reserve(t.end[i].stack);
        if (room.n == 0) {
            flow_run();
            room = ge_rx_reserve(t.end[i].stack);
            if (room.n == 0)
                break;
        }
        k = n - at < room.n ? n - at : room.n;
        memcpy((void *)room.p, (const uint8_t *)p + at, k);
        ge_rx_commit(t.end[i].stack, k);
        at += k;
    }
    flow_run();
}

static void say(int i, const char *text)
{
    feed(i, text, strlen(text));
}

static inline void say_bytewise(int i, const char *text)
{
    for (; *text; text++)
        feed(i, text, 1);
}

static inline void end_input(int i, int status)
{
    if (t.end[i].stack)
        ge_rx_end(t.end[i].stack, status);
    flow_run();
}

/* Did end i get exactly this since it was last asked? */
static int got(int i, const char *text)
{
    struct end *e = &t.end[i];
    int good = e->n == strlen(text) && (e->n == 0 || memcmp(e->got, text, e->n) == 0);

    if (!good)
        printf("# end %d got %zu bytes: %.*s\n# wanted: %s\n", i, e->n,
               (int)(e->n > 2000 ? 2000 : e->n), e->n ? (const char *)e->got : "", text);
    e->n = 0;
    return good;
}

#endif
