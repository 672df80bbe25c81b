/* session_watch.c - what the embedder asks of a session and wants to be told. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

void ge_session_on_stream(struct ge_stack *session,
                          void (*accept)(struct ge_stack *session, void *arg,
                                         struct ge_stack *stream),
                          void *arg)
{
    struct ge_session *x = ge_session_of(session);

    if (!x)
        return;
    x->accept = accept;
    x->accept_arg = arg;
    ge_session_wake(x);
}

void ge_session_on_end(struct ge_stack *session,
                       void (*end)(struct ge_stack *session, void *arg, int status), void *arg)
{
    struct ge_session *x = ge_session_of(session);

    if (!x)
        return;
    x->end = end;
    x->end_arg = arg;
    ge_session_wake(x);
}

void ge_session_on_change(struct ge_stack *session,
                          void (*change)(struct ge_stack *session, void *arg, unsigned what),
                          void *arg)
{
    struct ge_session *x = ge_session_of(session);

    if (!x)
        return;
    x->change = change;
    x->change_arg = arg;
    x->news = 0;
}

uint64_t ge_session_heard(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return x ? x->heard : 0;
}

uint64_t ge_session_served(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return x ? x->served : 0;
}

int ge_session_refused(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return x && x->refused && x->refused >= x->heard;
}

void ge_rx_refused(struct ge_stack *stack)
{
    struct ge_session *x = ge_session_of(stack);

    if (x)
        x->refused = ge_now(x->layer->inst.w);
}

uint64_t ge_session_stuck(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);
    uint64_t now = x ? ge_now(x->layer->inst.w) : 0, since = now;

    if (x && x->layer->dec_full && x->read_at < since)
        since = x->read_at;
    if (x && x->layer->enc_full && x->wrote_at < since)
        since = x->wrote_at;
    return now - since;
}

uint64_t ge_session_bytes(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return x ? x->bytes : 0;
}

void ge_session_drain(struct ge_stack *session)
{
    struct ge_session *x = ge_session_of(session);

    if (!x)
        return;
    ge_level_end_down(x->layer->app);
    ge_session_wake(x);
}

void ge_session_limit(struct ge_stack *session, size_t streams)
{
    struct ge_session *x = ge_session_of(session);

    if (x)
        x->limit = streams;
}

size_t ge_session_streams(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return x ? x->n_streams : 0;
}

int ge_session_draining(const struct ge_stack *session)
{
    const struct ge_session *x = ge_session_of(session);

    return !x || x->peer_goaway || x->layer->app->down.end || session->status != 0;
}
