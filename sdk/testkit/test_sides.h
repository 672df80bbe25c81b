/* test_sides.h - for tests: the ends of a session in memory, and what they have been told. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_SIDES_H
#define TEST_SIDES_H

#include "test_embed.h"

enum { CLIENT = 0, SERVER = 1, ACCEPTED = 600 };

struct side {
    struct ge_flow *flow;
    struct ge_stack *session; /* NULL: it has been freed */
    struct ge_conf *conf;
    struct ge_stack *accepted[ACCEPTED]; /* what its peer opened, in that order */
    int n_accepted, ready, ready_status, ended, end_status, alive;
    size_t sent; /* bytes, over the wire of test_wire.h */
};

static struct ge_worker *worker;

/* The test's, or that of test_wire.h: until all is at rest. */
static inline void run(void);

static inline void pass_time(uint64_t ns)
{
    clock_ns += ns;
    ge_timers_run(worker);
    run();
}

static inline void side_on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct side *s = arg;

    if (s->n_accepted < ACCEPTED)
        s->accepted[s->n_accepted++] = stream;
    else
        ge_stack_free(stream, 1);
}

static inline void side_on_end(struct ge_stack *session, void *arg, int status)
{
    struct side *s = arg;

    s->ended++;
    s->end_status = status;
}

static inline void side_on_change(struct ge_stack *session, void *arg, unsigned what)
{
    ((struct side *)arg)->alive += (what & GE_SESSION_ALIVE) != 0;
}

static inline void side_on_ready(struct ge_stack *session, void *arg, int status)
{
    struct side *s = arg;

    s->ready++;
    s->ready_status = status;
}

/* From now on it is written down what the session tells. */
static inline void side_watch(struct side *s)
{
    ge_stack_on_ready(s->session, side_on_ready, s);
    ge_session_on_stream(s->session, side_on_stream, s);
    ge_session_on_end(s->session, side_on_end, s);
    ge_session_on_change(s->session, side_on_change, s);
}

/* A stream that this side opens; NULL: it may not. */
static inline struct ge_stack *side_stream(struct side *s, uint32_t flags)
{
    struct ge_stack *stream = NULL;

    if (s->session && ge_session_open(s->session, s->flow, flags, &stream) != GOST_OK)
        return NULL;
    return stream;
}

/* What it still has, the session last. The flow and the options stay. */
static inline void side_free(struct side *s)
{
    int i;

    for (i = 0; i < s->n_accepted; i++)
        if (s->accepted[i])
            ge_stack_free(s->accepted[i], 0);
    s->n_accepted = 0;
    if (s->session)
        ge_stack_free(s->session, 0);
}

#endif
