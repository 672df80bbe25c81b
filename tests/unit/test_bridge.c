/* test_bridge.c - bridges between two workers: bytes, packets, back-pressure, ends in any order. */
/* SPDX-License-Identifier: MIT */
#include "bridge_world.h"

enum { BULK = 24 << 20 };

/* ---- one bridge, a handler at each end ---- */

struct pair {
    struct part part[2];
    struct gh_bridge_end *far;
    struct ge_stack *near_stack, *far_stack;
    uint32_t type;
};

static void pair_attach(struct gh_worker *w, void *arg)
{
    struct pair *p = arg;
    struct gh_flow *f = flow_new();
    struct ge_stack *s = gh_bridge_attach(p->far, f->ge);

    play(&talk, f, s, &p->part[1]);
}

static void pair_open(void *arg)
{
    struct pair *p = arg;
    struct gh_flow *f = flow_new();
    struct ge_stack *s = NULL;

    if (!gh_bridge_open(f->ge, GOST_STREAM, gh_worker_get(1), &s, &p->far))
        return;
    gh_worker_post(gh_worker_get(1), pair_attach, p);
    play(&talk, f, s, &p->part[0]);
}

static void test_bulk(void)
{
    static struct pair p = {.part = {{.send = BULK}, {.send = BULK}}};

    on(0, pair_open, &p);
    ok(until(0, has_ended, &p.part[0]) && until(1, has_ended, &p.part[1]),
       "both ways at once come to their end");
    ok(p.part[0].got == BULK && p.part[1].got == BULK && !p.part[0].bad && !p.part[1].bad,
       "every byte arrives, in order");
    ok(p.part[0].worker == 0 && p.part[1].worker == 1, "between two workers");
    ok(nothing_left(), "nothing is left");
}

/* ---- back-pressure ---- */

static void look_chunks(void *arg)
{
    ge_worker_usage(gh_worker_engine(gh_worker_current()), arg);
}

static void test_slow(void)
{
    static struct pair p = {.part = {{.send = BULK}, {.send = 1, .lazy = 1}}};
    struct ge_usage u;
    size_t held = 0, peak = 0;

    on(0, pair_open, &p);
    for (int i = 0; i < 200; i++) {
        held = 0;
        for (unsigned w = 0; w < WORKERS; w++) {
            on(w, look_chunks, &u);
            held += u.chunk_bytes;
        }
        peak = held > peak ? held : peak;
        usleep(500);
    }
    ok(peak < 1 << 20, "a reader that stands still stops its writer");
    printf("# %zu bytes held by both workers at most\n", peak);
    p.part[1].go = 1;
    ok(until(1, has_ended, &p.part[1]) && p.part[1].got == BULK && !p.part[1].bad,
       "and lets it go on later, with every byte");
    ok(nothing_left(), "nothing is left");
}

/* ---- ends ---- */

static void test_half_close(void)
{
    static struct pair p = {.part = {{.send = 0}, {.send = 300000}}};

    on(0, pair_open, &p);
    ok(until(0, has_ended, &p.part[0]) && p.part[0].got == 300000,
       "one that has ended still reads");
    ok(nothing_left() && p.part[1].eof && !p.part[1].closed, "the other saw a clean end");
}

static int has_500(void *arg)
{
    return ((struct part *)arg)->got == 500;
}

static void test_reset(void)
{
    static struct pair p = {.part = {{.send = 500, .abort = 77}, {.send = 0, .lazy = 0}}};

    on(0, pair_open, &p);
    (void)until(1, has_500, &p.part[1]);
    p.part[0].go = 1;
    ok(until(1, has_ended, &p.part[1]) && p.part[1].closed && p.part[1].status == GOST_ECLOSED &&
           p.part[1].code == 77 && !p.part[1].eof,
       "a reset arrives as one, with its code");
    ok(nothing_left(), "nothing is left");
}

static void near_only(void *arg)
{
    struct pair *p = arg;
    struct gh_flow *f = flow_new();

    if (gh_bridge_open(f->ge, GOST_STREAM, gh_worker_get(1), &p->near_stack, &p->far)) {
        gost_send(ge_stack_io(p->near_stack), "early", 5);
        play(&talk, f, p->near_stack, &p->part[0]);
    }
}

static void refuse_far(void *arg)
{
    struct pair *p = arg;

    gh_bridge_refuse(p->far, GOST_EREFUSED);
}

static void test_refused(void)
{
    static struct pair p = {.part = {{.send = BULK}}};

    on(0, near_only, &p);
    on(1, refuse_far, &p);
    ok(until(0, has_ended, &p.part[0]) && p.part[0].status == GOST_EREFUSED,
       "an end that nobody takes says why");
    ok(nothing_left(), "nothing is left");
}

/* A relay whose one side is reset resets the other, after what was received. */
static void relay_far(void *arg)
{
    struct pair *p = arg;
    struct gh_flow *f = flow_new(), *g;
    struct ge_stack *s = gh_bridge_attach(p->far, f->ge), *a, *b;

    ge_stack_pair(f->ge, GOST_STREAM, &a, &b);
    gh_join(gh_worker_current(), f->ge, a, s);
    g = flow_new();
    play(&talk, g, b, &p->part[1]);
    gh_flow_end(f, 0, NULL);
}

static void test_relay(void)
{
    static struct pair p = {.part = {{.send = 1 << 20}, {.send = 1 << 20}}};

    on(0, near_only, &p);
    on(1, relay_far, &p);
    ok(until(0, has_ended, &p.part[0]) && p.part[0].got == 1 << 20,
       "a relay carries on from a bridge");
    ok(until(1, has_ended, &p.part[1]) && p.part[1].got == (1 << 20) + 5,
       "and to it, with what was sent before anybody was there");
    ok(nothing_left(), "nothing is left");
}

/* ---- both ends freed at about the same time, whatever is under way ---- */

static void keep_near(void *arg)
{
    struct pair *p = arg;
    struct ge_flow *f = ge_flow_new(gh_worker_engine(gh_worker_current()));

    (void)gh_bridge_open(f, p->type, gh_worker_get(1), &p->near_stack, &p->far);
    for (int i = 0; p->type == GOST_STREAM && i < 20; i++)
        gost_send(ge_stack_io(p->near_stack), "0123456789", 10);
    ge_flow_unref(f);
}

static void keep_far(void *arg)
{
    struct pair *p = arg;
    struct ge_flow *f = ge_flow_new(gh_worker_engine(gh_worker_current()));

    p->far_stack = gh_bridge_attach(p->far, f);
    if (p->type == GOST_STREAM)
        gost_send(ge_stack_io(p->far_stack), "abcdefg", 7);
    ge_flow_unref(f);
}

static void free_near(struct gh_worker *w, void *arg)
{
    ge_stack_free(((struct pair *)arg)->near_stack, 0);
}

static void free_far(struct gh_worker *w, void *arg)
{
    ge_stack_free(((struct pair *)arg)->far_stack, 1);
}

static void linger_far(struct gh_worker *w, void *arg)
{
    ge_stack_linger(((struct pair *)arg)->far_stack);
}

static void test_races(void)
{
    static struct pair p[300];

    for (int i = 0; i < 300; i++) {
        p[i].type = i % 5 == 4 ? GOST_DATAGRAM : GOST_STREAM;
        on(0, keep_near, &p[i]);
        on(1, keep_far, &p[i]);
        if (i & 1)
            gh_worker_post(gh_worker_get(0), free_near, &p[i]);
        gh_worker_post(gh_worker_get(1), i & 2 ? free_far : linger_far, &p[i]);
        if (!(i & 1))
            gh_worker_post(gh_worker_get(0), free_near, &p[i]);
    }
    ok(nothing_left(), "ends are let go of in any order");
}

/* ---- packets ---- */

static void put_packets(void *arg)
{
    struct pair *p = arg;
    struct gost_addr a = {.family = GOST_AF_IP4, .ip = {192, 0, 2, 1}};

    for (uint16_t i = 0; i < 200; i++) {
        a.port = i;
        (void)gost_packet_put(ge_stack_io(p->near_stack), gost_bytes(&i, i % 3 ? sizeof i : 0), &a);
    }
}

static int has_packets(void *arg)
{
    struct pair *p = arg;
    struct gost_packet k;

    while (gost_packet_recv(ge_stack_io(p->far_stack), &k) == GOST_OK) {
        size_t want = p->part[1].got % 3 ? 2 : 0;

        p->part[1].bad +=
            !k.addr || k.addr->port != p->part[1].got || k.addr->ip[0] != 192 || k.data.n != want;
        p->part[1].got++;
    }
    return p->part[1].got == 200;
}

static int has_packet_end(void *arg)
{
    struct pair *p = arg;
    struct gost_packet k;

    return gost_packet_recv(ge_stack_io(p->far_stack), &k) == GOST_END;
}

static void free_near_now(void *arg)
{
    free_near(NULL, arg);
}

static void free_far_now(void *arg)
{
    ge_stack_free(((struct pair *)arg)->far_stack, 0);
}

static void test_packets(void)
{
    static struct pair p = {.type = GOST_DATAGRAM};

    on(0, keep_near, &p);
    on(1, keep_far, &p);
    on(0, put_packets, &p);
    ok(until(1, has_packets, &p) && !p.part[1].bad,
       "packets keep their order, addresses and sizes");
    on(0, free_near_now, &p);
    ok(until(1, has_packet_end, &p), "and end");
    on(1, free_far_now, &p);
    ok(nothing_left(), "nothing is left");
}

/* ---- the program ends with bridges in use ---- */

static void test_stop(void)
{
    static struct pair p[8], q[8];

    for (int i = 0; i < 8; i++) {
        p[i].part[0].send = p[i].part[1].send = SIZE_MAX;
        on(0, pair_open, &p[i]);
        on(0, near_only, &q[i]); /* its far end is never taken */
    }
    for (int i = 0; i < 8; i++)
        on(1, refuse_far, &q[i]);
    world_stop();
    ok(1, "workers stop while bridges are in use");
}

int main(void)
{
    world_start();
    test_bulk();
    test_slow();
    test_half_close();
    test_reset();
    test_refused();
    test_relay();
    test_races();
    test_packets();
    test_stop();
    return test_end();
}
