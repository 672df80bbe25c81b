/* test_limit.c - rates: buckets alone, and a relay that obeys them, under a clock of the test. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../sdk/testkit/test_embed.h"
#include "../../sdk/testkit/test_tap.h"

const struct gost_host *gost_host_;

enum { RATE = 100000, BURST = 20000, SIZE = 50000 };

/* ---- buckets ---- */

static struct ge_bucket bucket(uint64_t rate, uint64_t burst)
{
    struct ge_bucket b;

    atomic_init(&b.used, 0);
    atomic_init(&b.rate, rate);
    atomic_init(&b.burst, burst);
    return b;
}

static void test_bucket(void)
{
    struct ge_bucket b = bucket(1000, 500), fast = bucket(UINT64_C(100) << 30, UINT64_C(100) << 30),
                     none = bucket(0, 0);
    uint64_t now = 50 * GOST_S, at = 0;

    ok(ge_bucket_room(&none, now, &at) == UINT64_MAX, "no rate is no limit");
    ok(ge_bucket_room(&b, now, &at) == 500, "it starts full");
    ge_bucket_charge(&b, now, 200);
    ok(ge_bucket_room(&b, now, &at) == 300, "what passed is missing");
    ge_bucket_charge(&b, now, 1300);
    ok(ge_bucket_room(&b, now, &at) == 0 && at > now, "more than the room is a debt");
    ok(ge_bucket_room(&b, now + GOST_S, &at) == 0, "which is paid first");
    ok(ge_bucket_room(&b, now + GOST_S + 100 * GOST_MS, &at) == 100, "then it fills");
    ok(ge_bucket_room(&b, now + 100 * GOST_S, &at) == 500, "to the burst and no further");
    atomic_store(&b.rate, 2000);
    ok(ge_bucket_room(&b, now + GOST_S + 100 * GOST_MS, &at) == 200, "a new rate holds at once");
    ge_bucket_charge(&fast, now, UINT64_C(50) << 30);
    ok(ge_bucket_room(&fast, now, &at) >> 20 == 50 << 10, "a rate of 100 GB/s does not overflow");
}

/* ---- a relay ---- */

static struct ge_stack *target_side;

static void f_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
    struct ge_stack *mine;

    ge_stack_pair(ge_task_flow(t), GOST_STREAM, &mine, &target_side);
    ge_port_open(t, a->port, mine);
    ge_result(t, a->kind, a->tag, 0, NULL, NULL, 0);
}

static int relay_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    static const struct gost_addr anywhere = {.family = GOST_AF_NAME, .len = 1, .name = "x"};

    if (ev->type == GOST_EV_START)
        gost_dial(io, 1, 1, GOST_NET_TCP, &anywhere);
    else if (ev->type == GOST_EV_RESULT)
        gost_relay(io, 0, 1, 0);
    return GOST_AGAIN;
}

static const struct gost_handler_ops ops = {sizeof ops, 0, relay_step, NULL};
static const struct gost_component relay = {
    GOST_KIND_HANDLER, 0, "relay", NULL, "t", &ops, NULL, 0, 0, NULL, NULL};

static void run(struct ge_worker *w)
{
    ge_timers_run(w);
    for (int i = 0; i < 10000 && ge_run(w, 100); i++)
        ;
}

static size_t drain(struct ge_stack *s)
{
    struct gost_io *io = ge_stack_io(s);
    struct gost_bytes b;
    size_t n = 0;

    while ((b = gost_rx(io)).n) {
        n += b.n;
        gost_consume(io, b.n);
    }
    return n;
}

/* Sends SIZE bytes one way. What arrived is never above burst + rate * time; all of it arrives. */
static void test_direction(struct ge_worker *w, int direction, const char *name)
{
    struct ge_bucket limit = bucket(RATE, BURST);
    struct ge_flow *f = ge_flow_new(w);
    struct ge_stack *client, *server;
    struct ge_task_spec spec = {.component = &relay, .flow = f};
    struct ge_task *task;
    uint64_t began = clock_ns;
    size_t got = 0, step = 0;
    int good = 1;
    char *data = calloc(1, SIZE);

    if (!data)
        exit(1);
    f->limit[direction][0] = &limit;
    ge_stack_pair(f, GOST_STREAM, &client, &server);
    task = ge_task_new(&spec, server);
    run(w);
    gost_send(ge_stack_io(direction == GE_FROM_CLIENT ? client : target_side), data, SIZE);
    for (step = 0; step < 1000 && got < SIZE; step++) {
        run(w);
        got += drain(direction == GE_FROM_CLIENT ? target_side : client);
        good = good && got <= BURST + RATE * (clock_ns - began) / GOST_S + 1;
        clock_ns += 10 * GOST_MS;
    }
    ok(good, name);
    ok(got == SIZE && step > 25, "everything arrives, after its time");
    gost_send(ge_stack_io(direction == GE_FROM_CLIENT ? target_side : client), data, SIZE);
    run(w);
    ok(drain(direction == GE_FROM_CLIENT ? client : target_side) == SIZE,
       "the other direction has no limit");
    memset(f->limit, 0, sizeof f->limit);
    ge_task_cancel(task, 0);
    ge_stack_free(client, 0);
    ge_stack_free(target_side, 0);
    run(w);
    ge_flow_unref(f);
    free(data);
}

int main(void)
{
    struct ge_embed e = embedder();
    struct ge_worker *w;

    e.act = f_act;
    w = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_bucket();
    test_direction(w, GE_FROM_CLIENT, "from the client: never more than its rate");
    test_direction(w, GE_TO_CLIENT, "to the client: never more than its rate");
    ok(nothing_left(w), "nothing is left");
    ge_worker_free(w);
    return test_end();
}
