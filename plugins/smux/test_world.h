/* test_world.h - smux sessions in memory: the wire, the clock and the streams are in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef SMUX_TEST_WORLD_H
#define SMUX_TEST_WORLD_H

#include "../../sdk/testkit/test_session.h"
#include "smux.h"

static void on_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void on_close(struct ge_stack *s, void *ctx, int aborted)
{
    ((struct side *)ctx)->stack = NULL;
}

static const struct ge_bottom_ops bottom = {on_want, on_close};

/* A session on a wire that the test carries. */
static inline void side_open(struct side *s, uint32_t role, const char *words)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    s->stack = ge_stack_new(s->flow, GOST_STREAM, &bottom, s);
    side_push(s, &gost_plugin_v1.components[0], 0, role, words);
    run();
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

#endif
