/* test_embed.h - for tests: an embedder in memory; clock and chance are the test's. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_EMBED_H
#define TEST_EMBED_H

#include <stdio.h>
#include <string.h>

#include "../engine/engine.h"

static uint64_t clock_ns = 1000 * GOST_S; /* what gost_now() gives, and gost_unix_time() */
static uint8_t chance;      /* all bytes of gost_random(): others each time, the same in each run */
static char last_log[4096]; /* lines of the log since the test emptied it */

static inline uint64_t embed_now(void *ctx)
{
    return clock_ns;
}

static inline void embed_random(void *ctx, void *p, size_t n)
{
    memset(p, ++chance, n);
}

static inline void embed_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    size_t n = strlen(last_log);

    snprintf(last_log + n, sizeof last_log - n, "%s\n", text);
}

static inline void embed_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static inline void embed_cancel(void *ctx, struct ge_task *task)
{
}

static inline void embed_wake(void *ctx)
{
}

/* The test sets what it has of its own: act, find_layer, ... */
static inline struct ge_embed embedder(void)
{
    struct ge_embed e = {.now = embed_now,
                         .unix_time = embed_now,
                         .random = embed_random,
                         .log = embed_log,
                         .act = embed_act,
                         .cancel = embed_cancel,
                         .wake = embed_wake};

    return e;
}

/* Until it comes to rest. */
static inline void run_worker(struct ge_worker *w)
{
    while (ge_run(w, 64))
        ;
}

/* 1: nothing is left; else it is said what. */
static inline int nothing_left(struct ge_worker *w)
{
    struct ge_usage u;

    ge_worker_usage(w, &u);
    if (!u.stacks && !u.tasks && !u.flows && !u.chunks && !u.timers)
        return 1;
    printf("# left: %zu stacks, %zu tasks, %zu flows, %zu chunks, %zu timers\n", u.stacks, u.tasks,
           u.flows, u.chunks, u.timers);
    return 0;
}

/* ---- a stack that the test holds ---- */

static inline struct gost_io *top(struct ge_stack *s)
{
    return ge_stack_io(s);
}

/* All that has arrived: is it `want`? It is taken. */
static inline int got(struct ge_stack *s, const char *want)
{
    size_t left = strlen(want);
    struct gost_bytes b;
    int same = 1;

    while (s && (b = gost_rx(top(s))).n) {
        same = same && b.n <= left && memcmp(b.p, want, b.n) == 0;
        if (!same)
            printf("# got: %.*s\n", (int)b.n, (const char *)b.p);
        want += same ? b.n : 0;
        left -= same ? b.n : 0;
        gost_consume(top(s), b.n);
    }
    return same && left == 0;
}

#endif
