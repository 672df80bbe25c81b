/* test_wire.h - for tests: two sides of a session, and the wire between them in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include "test_sides.h"
#include "test_tap.h"

static struct side side[2];
static size_t wire_step = 65536; /* at most so many bytes at once */
static int wire_cut;             /* nothing passes */
static int wire_played;          /* nor here: the test is one of the sides */
static size_t peak;              /* bytes that the worker held at most since the test zeroed it */

static inline void wire_close(struct ge_stack *s, void *ctx, int abort_it)
{
    struct side *me = ctx, *other = &side[me == &side[0]];

    me->session = NULL;
    if (other->session)
        ge_rx_end(other->session, abort_it ? GOST_ECLOSED : 0);
}

static const struct ge_bottom_ops wire_ops = {NULL, wire_close};

/* A stack at one end of the wire. NULL: no memory. */
static inline struct ge_stack *wire_end(struct side *s)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    if (s->flow)
        s->session = ge_stack_new(s->flow, GOST_STREAM, &wire_ops, s);
    return s->session;
}

/* One piece over the wire. 1: something moved. */
static inline int carry(struct side *from, struct side *to)
{
    struct gost_bytes room;
    struct iovec v;
    size_t n;

    if (!from->session || !to->session || wire_cut || wire_played)
        return 0;
    if (ge_tx_iov(from->session, &v, 1) == 1) {
        if (!ge_rx_wanted(to->session) || !(room = ge_rx_reserve(to->session)).n)
            return 0;
        n = v.iov_len < room.n ? v.iov_len : room.n;
        n = n < wire_step ? n : wire_step;
        memcpy((void *)(uintptr_t)room.p, v.iov_base, n);
        ge_rx_commit(to->session, n);
        ge_tx_consume(from->session, n);
        from->sent += n;
        return 1;
    }
    if (!ge_tx_shut(from->session))
        return 0;
    ge_tx_shut_done(from->session);
    ge_rx_end(to->session, 0);
    return 1;
}

static inline void run(void)
{
    struct ge_usage u;
    int i, more;

    for (i = 0; i < 3000000; i++) {
        more = ge_run(worker, 50);
        ge_worker_usage(worker, &u);
        peak = u.chunk_bytes > peak ? u.chunk_bytes : peak;
        more |= carry(&side[CLIENT], &side[SERVER]);
        more |= carry(&side[SERVER], &side[CLIENT]);
        if (!more)
            return;
    }
    ok(0, "it comes to rest");
}

/* The test's own stream, which may be none; run() is the caller's. */
static inline void say(struct ge_stack *s, const char *text)
{
    if (s)
        gost_send(top(s), text, strlen(text));
}

#endif
