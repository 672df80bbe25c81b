/* h2_stream.c - streams of a session: life, windows, and what the host asks of the session. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "h2.h"

#define PREPAID_MAX (4u << 20)   /* bytes that slow users may hold without slowing the others */
#define LOCAL_IDS   (1ull << 32) /* the host's ids of our streams: apart from those of the peer */

struct h2_stream *h2_stream_new(struct h2 *h, struct gost_io *s)
{
    struct h2_stream *st = calloc(1, sizeof *st);

    if (!st)
        return NULL;
    st->s = s;
    st->next = h->streams;
    st->prev = &h->streams;
    if (st->next)
        st->next->prev = &st->next;
    h->streams = st;
    h->n_streams++;
    return st;
}

void h2_stream_free(struct h2 *h, struct h2_stream *st)
{
    *st->prev = st->next;
    if (st->next)
        st->next->prev = st->prev;
    if (h->turn == st)
        h->turn = NULL;
    h->n_streams--;
    free(st);
}

struct h2_stream *h2_stream_of(struct h2 *h, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h->ng, id);
}

/* What the user sends from now on has nobody to read it. */
static void cut(struct h2 *h, struct h2_stream *st)
{
    st->cut_at = gost_now();
    if (!st->peer_ended)
        gost_shut(st->s);
    st->peer_ended = 1;
    h2_arm(h);
}

/*
 * nghttp2 is through with a stream. Many clients, GOST's among them, end a stream that they have
 * finished with by CANCEL, and servers one that they have answered by NO_ERROR: no failure, what
 * was sent before counts.
 */
void h2_stream_lost(struct h2 *h, struct h2_stream *st, uint32_t code)
{
    int done = code == NGHTTP2_NO_ERROR && st->peer_ended;

    if (st->gone)
        return;
    st->gone = 1; /* also when it ends as it should */
    if (code == NGHTTP2_NO_ERROR && st->peer_ended && st->we_ended)
        return;
    if (done || (!h->client && (code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL)))
        cut(h, st);
    else
        gost_stream_reset(st->s, code);
}

/* ---- windows ---- */

/* How much the peer lets us send on a stream. */
void h2_stream_window(struct h2 *h, struct h2_stream *st)
{
    int32_t n = nghttp2_session_get_stream_remote_window_size(h->ng, st->id);

    if (n >= 0 && !st->gone)
        gost_stream_set_credit(st->s, (uint64_t)n);
}

/* n bytes of a stream nobody reads: the peer gets its windows back. */
void h2_unread(struct h2 *h, int32_t id, size_t n)
{
    (void)nghttp2_session_consume(h->ng, id, n);
}

/* n bytes were handed to a user. One who does not read holds up the others only when much is
 * waiting: until then the session's window is given back at once. */
int h2_received(struct h2 *h, int32_t id, size_t n)
{
    (void)id;
    h->received += n;
    if (h->prepaid + n > PREPAID_MAX)
        return GOST_OK;
    h->prepaid += n;
    return nghttp2_session_consume_connection(h->ng, n) ? GOST_ENOMEM : GOST_OK;
}

static int consumed(struct h2 *h, const struct h2_stream *st, size_t n)
{
    size_t paid = n < h->prepaid ? n : h->prepaid;
    int r = 0;

    h->prepaid -= paid;
    if (n > paid)
        r = nghttp2_session_consume_connection(h->ng, n - paid);
    if (r == 0 && !st->gone)
        r = nghttp2_session_consume_stream(h->ng, st->id, n);
    return r == 0 ? GOST_OK : gost_fail(h->wire, GOST_ENOMEM, "%s", nghttp2_strerror(r));
}

/* ---- what the host asks ---- */

static int op_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                   uint32_t flags, uint64_t *ret_id)
{
    struct h2 *h = state;
    uint32_t max =
        nghttp2_session_get_remote_settings(h->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    struct h2_stream *st;

    h->wire = io;
    if (!h->client)
        return GOST_EUNSUPPORTED;
    if (h->dead_at || h->n_streams >= max || !nghttp2_session_check_request_allowed(h->ng))
        return GOST_FULL;
    st = h2_stream_new(h, s);
    if (!st)
        return GOST_ENOMEM;
    gost_set_data(s, st);
    *ret_id = LOCAL_IDS + h->next_local++;
    return GOST_OK;
}

static int op_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *s, size_t n)
{
    struct h2 *h = state;

    h->wire = io;
    return h->ng ? consumed(h, gost_data(s), n) : GOST_OK;
}

static int op_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    uint64_t code)
{
    struct h2 *h = state;
    struct h2_stream *st = gost_data(s);
    uint32_t c = NGHTTP2_CANCEL;

    h->wire = io;
    if (st->gone || st->id == 0)
        return GOST_OK;
    if (code > 0 && code <= NGHTTP2_HTTP_1_1_REQUIRED)
        c = (uint32_t)code;
    else if (!h->client && st->we_ended)
        c = NGHTTP2_NO_ERROR; /* answered in full: the rest of the request is not needed */
    if (c == NGHTTP2_NO_ERROR && !nghttp2_session_get_stream_local_close(h->ng, st->id))
        return GOST_OK; /* the answer has to go out first */
    if (nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, st->id, c))
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    return GOST_OK;
}

static void op_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    struct h2 *h = state;
    struct h2_stream *st = gost_data(s);

    h->wire = io;
    if (!st)
        return;
    if (st->id)
        (void)nghttp2_session_set_stream_user_data(h->ng, st->id, NULL);
    gost_set_data(s, NULL);
    h2_stream_free(h, st);
    if (h->n_streams > 0)
        return;
    h->idle_since = gost_now();
    if (h->conf->max_idle)
        h2_arm(h);
}

static int op_ping(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    int r;

    h->wire = io;
    if (nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE, NULL))
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    r = h2_flush(h);
    return r < 0 ? r : GOST_OK;
}

/* A server gives notice first: what the client has under way is refused, and may be sent again. */
static int op_goaway(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    int r;

    h->wire = io;
    h->closing = 1;
    if (h->dead_at)
        return GOST_OK;
    r = h->client ? nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0)
                  : nghttp2_submit_shutdown_notice(h->ng);
    return r ? gost_fail(io, GOST_ENOMEM, "%s", nghttp2_strerror(r)) : GOST_OK;
}

const struct gost_session_ops h2_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET,
    .open = op_open,
    .credit = op_credit,
    .reset = op_reset,
    .closed = op_closed,
    .ping = op_ping,
    .goaway = op_goaway,
};
