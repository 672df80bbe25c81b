/* test_world.h - smux and yamux sessions in memory: wire, clock and streams are in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef SMUX_TEST_WORLD_H
#define SMUX_TEST_WORLD_H

#include "../../sdk/testkit/test_session.h"
#include "smux.h"

static const char *world_layer = "smux";
static uint8_t wire[1 << 20]; /* for the test, to drain into */

/* Which component of the plugin the layer is. */
static inline int component(void)
{
    const struct gost_component *c = gost_plugin_v1.components;
    int i = 0;

    while (c[i].kind != GOST_KIND_LAYER || strcmp(c[i].name, world_layer) != 0)
        i++;
    return i;
}

static void on_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void on_close(struct ge_stack *s, void *ctx, int aborted)
{
    ((struct side *)ctx)->session = NULL;
}

static const struct ge_bottom_ops bottom = {on_want, on_close};

/* A session on a wire that the test carries. */
static inline void side_open(struct side *s, uint32_t role, const char *words)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    s->session = ge_stack_new(s->flow, GOST_STREAM, &bottom, s);
    side_push(s, &gost_plugin_v1.components[component()], component(), role, words);
    run();
}

/* ---- the wire ---- */

/* What comes from the peer, in pieces of so many bytes. Returns what was taken. */
static inline size_t feed(struct side *s, const void *p, size_t n, size_t piece)
{
    const uint8_t *from = p;
    size_t fed = 0;

    while (fed < n && s->session) {
        struct gost_bytes room = ge_rx_reserve(s->session);
        size_t k = n - fed < piece ? n - fed : piece;

        if (!room.n)
            break;
        k = k < room.n ? k : room.n;
        memcpy((uint8_t *)room.p, from + fed, k);
        ge_rx_commit(s->session, k);
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
    while (s->session && n < size && ge_tx_iov(s->session, &iov, 1) == 1) {
        k = iov.iov_len < size - n ? iov.iov_len : size - n;
        memcpy((uint8_t *)p + n, iov.iov_base, k);
        ge_tx_consume(s->session, k);
        n += k;
        run();
    }
    return n;
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
        (void)ge_session_open(c.session, c.flow, 0, &open[i]);
        say(open[i], block + i, sizeof block - (size_t)i);
        say_end(open[i]);
    }
    for (i = 0; i < 20; i++) {
        size_t all = 0;

        do {
            carry(&c, &s, piece);
            n = i < s.n_accepted ? hear(s.accepted[i], got + all, sizeof got - all) : 0;
            all += n;
        } while (n);
        good += all == sizeof block - (size_t)i && memcmp(got, block + i, all) == 0 &&
                heard_end(s.accepted[i]);
        if (i < s.n_accepted)
            say_end(s.accepted[i]);
        carry(&c, &s, piece);
        ge_stack_free(open[i], 0);
    }
    carry(&c, &s, piece);
    good = good == 20 && s.n_accepted == 20 && !c.flow->status && !s.flow->status;
    side_close(&c);
    side_close(&s);
    return good;
}

#endif
