/* bridge_world.h - two workers without sockets, and handlers that talk over bridges. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_BRIDGE_WORLD_H
#define TEST_BRIDGE_WORLD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../../host/action.h"
#include "../../host/bridge.h"
#include "../../host/endpoint.h"
#include "../../host/join.h"
#include "../../host/pin.h"
#include "../../host/plugin.h"
#include "../../host/shared_table.h"
#include "../../sdk/testkit/test_tap.h"
#include "mux.h"

enum { WORKERS = 2, PATIENCE = 20000 /* looks, 1 ms apart; no test passes by waiting */ };

/* ---- running something on a worker and waiting for it ---- */

struct job {
    void (*fn)(void *arg);
    int (*look)(void *arg);
    void *arg;
    int result;
    sem_t done;
};

static void run_job(struct gh_worker *w, void *arg)
{
    struct job *j = arg;

    if (j->fn)
        j->fn(j->arg);
    else
        j->result = j->look(j->arg);
    sem_post(&j->done);
}

static int run_on(unsigned worker, struct job *j)
{
    sem_init(&j->done, 0, 0);
    gh_worker_post(gh_worker_get(worker), run_job, j);
    while (sem_wait(&j->done) != 0)
        ;
    sem_destroy(&j->done);
    return j->result;
}

static void on(unsigned worker, void (*fn)(void *arg), void *arg)
{
    struct job j = {.fn = fn, .arg = arg};

    (void)run_on(worker, &j);
}

/* Looks until it is so. What the handlers of that worker wrote before may be read afterwards. */
static int until(unsigned worker, int (*look)(void *arg), void *arg)
{
    for (int i = 0; i < PATIENCE; i++) {
        struct job j = {.look = look, .arg = arg};

        if (run_on(worker, &j))
            return 1;
        usleep(1000);
    }
    return 0;
}

static inline int is_set(void *arg)
{
    return *(int *)arg;
}

/* ---- the control side ---- */

static struct mux_conf port_conf = {16384, 0, 0, 0};

static void w_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static struct ge_layer_choice w_find_layer(void *ctx, struct ge_task *t, struct gost_bytes name,
                                           uint32_t role)
{
    struct ge_layer_choice c = {&mux_component, &port_conf};

    return c;
}

static const struct gost_host more = {.endpoint_add = gh_endpoint_add,
                                      .endpoint_remove = gh_endpoint_remove,
                                      .table_get = gh_host_table_get,
                                      .table_put = gh_host_table_put,
                                      .worker_data = gh_plugin_worker_data};

static const struct ge_embed embed = {.log = w_log,
                                      .act = gh_action_perform,
                                      .cancel = gh_action_cancel,
                                      .bound = gh_action_bound,
                                      .accepted = gh_action_accepted,
                                      .find_layer = w_find_layer,
                                      .more = &more};

static struct gh_service service = {.refs = 1,
                                    .name = "test",
                                    .handler_type = "test",
                                    .addr_text = "",
                                    .listener = {.type = "tcp", .bottom = GOST_STREAM}};

static void world_start(void)
{
    struct gh_net_conf conf = {
        .workers = WORKERS, .embed = &embed, .begin = gh_plugins_begin, .end = gh_plugins_end};

    ge_set_log_level(GOST_LOG_FATAL);
    gh_pin_init();
    if (gh_net_start(&conf) != GOST_OK) {
        printf("Bail out! the workers do not start\n");
        _exit(1);
    }
}

static void end_flows(void *arg)
{
    gh_flows_end(gh_worker_current(), false);
}

static void world_stop(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        on(i, end_flows, NULL);
    gh_net_stop();
    gh_tables_free();
}

/* ---- what a worker has ---- */

static int is_empty(void *arg)
{
    struct ge_usage *u = arg;

    ge_worker_usage(gh_worker_engine(gh_worker_current()), u);
    return !u->stacks && !u->tasks && !u->flows && !u->chunks;
}

static int nothing_left(void)
{
    struct ge_usage u;

    for (unsigned i = 0; i < WORKERS; i++) {
        if (until(i, is_empty, &u))
            continue;
        printf("# worker %u: %zu stacks, %zu tasks, %zu flows, %zu chunks\n", i, u.stacks, u.tasks,
               u.flows, u.chunks);
        return 0;
    }
    return 1;
}

/* ---- handlers ---- */

/* What one handler is to do, and what became of it. Looked at on its worker. */
struct part {
    size_t send;    /* bytes of the pattern */
    uint64_t abort; /* then reset with this code; 0: end */
    int lazy;       /* read only when `go` is set */
    _Atomic int go;
    size_t got, bad;
    int eof, closed, status;
    uint64_t code;
    unsigned worker; /* where it ran */
    struct gost_addr source;
};

struct talk {
    size_t sent, got;
    int shut;
};

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static void talk_send(struct talk *t, struct part *p, struct gost_io *io)
{
    while (t->sent < p->send && gost_tx_room(io)) {
        size_t n = p->send - t->sent < 1000 ? p->send - t->sent : 1000;
        uint8_t *to = gost_reserve(io, n);

        for (size_t i = 0; to && i < n; i++)
            to[i] = pattern(t->sent + i);
        gost_commit(io, to ? n : 0);
        t->sent += to ? n : 0;
    }
    if (t->sent < p->send || t->shut)
        return;
    t->shut = 1;
    if (!p->abort)
        gost_shut(io);
}

static void talk_read(struct talk *t, struct part *p, struct gost_io *io)
{
    struct gost_bytes b;

    if (!gost_rx_len(io))
        return;
    while ((b = gost_rx(io)).n) {
        for (size_t i = 0; i < b.n; i++)
            p->bad += b.p[i] != pattern(t->got + i);
        t->got += b.n;
        gost_consume(io, b.n);
    }
    p->got = t->got;
}

/* Sends a pattern and checks that it gets one. */
static int talk_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct part *p;
    struct talk *t = state;

    memcpy(&p, gost_arg(io).p, sizeof p);
    if (ev->type == GOST_EV_START) {
        p->worker = gh_worker_index(gh_worker_current());
        p->source = *gost_flow(io)->source;
    }
    if (ev->type == GOST_EV_CLOSED) {
        p->closed = 1;
        p->status = ev->status;
        p->code = ev->code;
        return ev->status;
    }
    talk_send(t, p, io);
    if (!p->lazy || p->go)
        talk_read(t, p, io);
    else
        gost_set_deadline(io, gost_now() + 10 * GOST_MS);
    if (t->shut && p->abort && p->go) {
        gost_abort(io, p->abort);
        return gost_fail(io, GOST_ECANCELLED, "on purpose");
    }
    if (t->shut && p->abort)
        gost_set_deadline(io, gost_now() + 10 * GOST_MS);
    if (gost_rx_eof(io))
        p->eof = 1;
    return p->eof && t->shut && !p->abort ? GOST_OK : GOST_AGAIN;
}

static const struct gost_handler_ops talk_ops = {sizeof talk_ops, 0, talk_step, NULL};
static const struct gost_component talk = {.kind = GOST_KIND_HANDLER,
                                           .name = "talk",
                                           .summary = "t",
                                           .ops = &talk_ops,
                                           .state_size = sizeof(struct talk)};

/* It has heard all it will hear. */
static int has_ended(void *arg)
{
    struct part *p = arg;

    return p->eof || p->closed;
}

/* Runs a handler for a part on a stack of this worker. */
static struct gh_flow *play(const struct gost_component *c, struct gh_flow *f, struct ge_stack *s,
                            struct part *p)
{
    ge_stack_set_flow(s, f->ge);
    return gh_flow_handle(f, s, c, NULL, gost_bytes(&p, sizeof p)) ? f : NULL;
}

static struct gh_flow *flow_new(void)
{
    return gh_flow_new(gh_worker_current(), &service);
}

#endif
