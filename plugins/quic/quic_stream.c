/* quic_stream.c - streams: between the host's queues, our unacknowledged bytes and ngtcp2. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "quic.h"

/* ---- life ---- */

static struct quic_stream *stream_new(struct quic_state *s, int64_t id, struct gost_io *port)
{
    struct quic_stream *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->id = id;
    t->port = port;
    t->next = s->streams;
    if (t->next)
        t->next->prev = &t->next;
    s->streams = t;
    t->prev = &s->streams;
    if (port)
        gost_set_data(port, t);
    return t;
}

static void unqueue(struct quic_state *s, struct quic_stream *t)
{
    if (!t->qprev)
        return;
    *t->qprev = t->qnext;
    if (t->qnext)
        t->qnext->qprev = t->qprev;
    else
        s->queue_last = t->qprev;
    t->qprev = NULL;
}

static void enqueue(struct quic_state *s, struct quic_stream *t)
{
    if (t->qprev || t->gone || t->shut)
        return;
    if (!s->queue)
        s->queue_last = &s->queue;
    t->qnext = NULL;
    t->qprev = s->queue_last;
    *s->queue_last = t;
    s->queue_last = &t->qnext;
}

static void drop_blocks(struct quic_stream *t)
{
    struct quic_block *b;

    while ((b = t->first)) {
        t->first = b->next;
        free(b);
    }
    t->last = NULL;
}

static void stream_free(struct quic_state *s, struct quic_stream *t)
{
    unqueue(s, t);
    drop_blocks(t);
    *t->prev = t->next;
    if (t->next)
        t->next->prev = t->prev;
    free(t);
}

void quic_streams_free(struct quic_state *s)
{
    while (s->streams)
        stream_free(s, s->streams);
}

/* ---- sending ---- */

/* Take over from the host what it has for this stream, a block at most. */
static int pull(struct quic_stream *t, struct gost_io *port)
{
    struct gost_bytes v = gost_rx(port);

    while (v.n > 0 && t->filled - t->sent < QUIC_BLOCK) {
        struct quic_block *b = t->last;
        size_t n;

        if (!b || b->n == QUIC_BLOCK) {
            b = malloc(sizeof *b);
            if (!b)
                return GOST_ENOMEM;
            b->next = NULL;
            b->n = 0;
            if (t->last)
                t->last->next = b;
            else
                t->first = b;
            t->last = b;
        }
        n = v.n < QUIC_BLOCK - b->n ? v.n : QUIC_BLOCK - b->n;
        memcpy(b->data + b->n, v.p, n);
        b->n += (uint32_t)n;
        t->filled += n;
        gost_consume(port, n);
        v = gost_rx(port);
    }
    if (gost_rx_eof(port))
        t->fin = 1;
    return GOST_OK;
}

static int has_work(const struct quic_stream *t)
{
    return t->filled > t->sent || (t->fin && !t->fin_sent);
}

/* The unsent bytes from t->sent on. */
static void views(const struct quic_stream *t, ngtcp2_vec v[2], size_t *ret_n)
{
    uint64_t skip = t->sent - t->acked + t->head;
    struct quic_block *b = t->first;
    size_t n = 0;

    for (; b && n < 2; b = b->next) {
        if (skip >= b->n) {
            skip -= b->n;
            continue;
        }
        v[n].base = b->data + skip;
        v[n].len = b->n - (size_t)skip;
        skip = 0;
        n++;
    }
    *ret_n = n;
}

struct quic_stream *quic_stream_pick(struct quic_state *s, ngtcp2_vec v[2], size_t *ret_n,
                                     int *ret_fin)
{
    struct quic_stream *t = s->queue;
    struct gost_io *port;
    size_t i, n = 0;

    while (!t && (port = gost_stream_next(s->wire))) {
        t = gost_data(port);
        if (!t || t->shut || t->gone) { /* nobody takes it any more */
            gost_consume(port, gost_rx_len(port));
            t = NULL;
            continue;
        }
        if (pull(t, port) != GOST_OK)
            return NULL;
        if (has_work(t))
            enqueue(s, t);
        t = s->queue;
    }
    if (!t)
        return NULL;
    views(t, v, ret_n);
    for (i = 0; i < *ret_n; i++)
        n += v[i].len;
    *ret_fin = t->fin && t->sent + n == t->filled;
    return t;
}

void quic_stream_sent(struct quic_state *s, struct quic_stream *t, size_t n, int fin)
{
    t->sent += n;
    if (fin && t->sent == t->filled)
        t->fin_sent = 1;
    if (!has_work(t))
        unqueue(s, t);
}

/* The peer's window of this stream is used up: quic_on_stream_window() brings it back. */
void quic_stream_blocked(struct quic_state *s, struct quic_stream *t)
{
    unqueue(s, t);
    if (t->port)
        gost_stream_set_credit(t->port, 0);
}

void quic_stream_cut(struct quic_state *s, struct quic_stream *t)
{
    t->shut = 1;
    t->filled = t->sent;
    unqueue(s, t);
}

/* ---- what ngtcp2 tells ---- */

static int is_theirs(const struct quic_state *s, int64_t id)
{
    return (id & 1) != (s->role == GOST_SERVER);
}

int quic_on_stream_open(ngtcp2_conn *conn, int64_t id, void *user)
{
    struct quic_state *s = user;
    uint32_t flags = id & 2 ? GOST_STREAM_ONEWAY : 0;
    struct gost_io *port = id & 2 && !gost_session_used(s->wire)
                               ? NULL
                               : gost_stream_new(s->wire, (uint64_t)id, flags);
    struct quic_stream *t = stream_new(s, id, port);

    if (!t) {
        if (port)
            gost_stream_reset(port, 0);
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    ngtcp2_conn_set_stream_user_data(conn, id, t);
    t->shut = (id & 2) != 0;
    if (port)
        return 0;
    t->shut = t->stopped = 1; /* nobody takes one-way streams; or there is no room */
    if (!(id & 2))
        (void)quic_shutdown_write(conn, id, 0);
    (void)quic_shutdown_read(conn, id, 0);
    return 0;
}

/* The window of the connection is for all streams: if it were opened only as bytes are consumed, a
 * few users who do not read would stop the others. Each stream has a window of its own for that. So
 * room is given at once, until there is too much unread. */
static void arrived(struct quic_state *s, size_t n)
{
    s->unread += n;
    if (s->unread <= QUIC_UNREAD)
        ngtcp2_conn_extend_max_offset(s->conn, n);
    else
        s->held += n;
}

static void consumed(struct quic_state *s, size_t n)
{
    uint64_t owed = n < s->held ? n : s->held;

    s->unread -= n < s->unread ? n : s->unread;
    s->held -= owed;
    if (owed)
        ngtcp2_conn_extend_max_offset(s->conn, owed);
}

int quic_on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset,
                        const uint8_t *data, size_t n, void *user, void *stream)
{
    struct quic_state *s = user;
    struct quic_stream *t = stream;

    if (flags & NGTCP2_STREAM_DATA_FLAG_FIN && t)
        t->got_fin = 1;
    if (!t || !t->port || t->stopped) {
        (void)ngtcp2_conn_extend_max_stream_offset(conn, id, n);
        ngtcp2_conn_extend_max_offset(conn, n);
        return 0;
    }
    if (n && gost_send(t->port, data, n) != GOST_OK) {
        ngtcp2_conn_extend_max_offset(conn, n);
        return 0;
    }
    arrived(s, n);
    if (t->got_fin)
        gost_shut(t->port);
    gost_session_alive(s->wire);
    return 0;
}

int quic_on_stream_acked(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t n, void *user,
                         void *stream)
{
    struct quic_stream *t = stream;
    uint64_t more;

    if (!t || offset + n <= t->acked)
        return 0;
    more = offset + n - t->acked + t->head;
    t->acked = offset + n;
    while (t->first && more >= t->first->n && (t->first->next || t->acked == t->filled)) {
        struct quic_block *b = t->first;

        more -= b->n;
        t->first = b->next;
        if (!t->first)
            t->last = NULL;
        free(b);
    }
    t->head = (uint32_t)more;
    return 0;
}

int quic_on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code, void *user,
                         void *stream)
{
    struct quic_state *s = user;
    struct quic_stream *t = stream;

    if (is_theirs(s, id) && id & 2)
        ngtcp2_conn_extend_max_streams_uni(conn, 1);
    else if (is_theirs(s, id))
        ngtcp2_conn_extend_max_streams_bidi(conn, 1);
    if (!t)
        return 0;
    t->gone = 1;
    unqueue(s, t);
    drop_blocks(t);
    if (!t->port)
        stream_free(s, t);
    return 0;
}

int quic_on_stream_reset(ngtcp2_conn *conn, int64_t id, uint64_t final_size, uint64_t code,
                         void *user, void *stream)
{
    struct quic_stream *t = stream;

    if (t && t->port && !t->got_fin)
        gost_stream_reset(t->port, code);
    if (t)
        t->got_fin = 1;
    return 0;
}

int quic_on_stream_stop(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user, void *stream)
{
    struct quic_state *s = user;
    struct quic_stream *t = stream;

    if (!t)
        return 0;
    quic_stream_cut(s, t); /* ngtcp2 answers with a reset of its own */
    if (t->port)
        gost_stream_stop(t->port, code);
    return 0;
}

int quic_on_stream_window(ngtcp2_conn *conn, int64_t id, uint64_t max, void *user, void *stream)
{
    struct quic_state *s = user;
    struct quic_stream *t = stream;

    if (!t || t->shut)
        return 0;
    if (t->port)
        gost_stream_set_credit(t->port, UINT64_MAX);
    if (has_work(t))
        enqueue(s, t);
    return 0;
}

/* ---- what the host asks ---- */

static struct quic_state *state_of(void *state, struct gost_io *io)
{
    struct quic_state *s = state;

    s->wire = io;
    return s;
}

static int session_open(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                        uint32_t flags, uint64_t *ret_id)
{
    struct quic_state *s = state_of(state, io);
    struct quic_stream *t = stream_new(s, -1, port);
    int r;

    if (!t)
        return GOST_ENOMEM;
    if (flags & GOST_STREAM_ONEWAY)
        r = ngtcp2_conn_open_uni_stream(s->conn, &t->id, t);
    else
        r = ngtcp2_conn_open_bidi_stream(s->conn, &t->id, t);
    if (r == 0) {
        t->got_fin = (flags & GOST_STREAM_ONEWAY) != 0;
        *ret_id = (uint64_t)t->id;
        return GOST_OK;
    }
    stream_free(s, t);
    gost_set_data(port, NULL);
    return r == NGTCP2_ERR_STREAM_ID_BLOCKED ? GOST_FULL : GOST_ENOMEM;
}

static int session_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                          size_t n)
{
    struct quic_state *s = state_of(state, io);
    struct quic_stream *t = gost_data(port);

    if (!s->conn || s->over)
        return GOST_OK;
    if (t && !t->gone)
        (void)ngtcp2_conn_extend_max_stream_offset(s->conn, t->id, n);
    consumed(s, n);
    return GOST_OK;
}

static void give_up(struct quic_state *s, struct quic_stream *t, uint64_t code)
{
    if (t->gone || s->over)
        return;
    if (!t->fin && !t->shut) {
        quic_stream_cut(s, t);
        (void)quic_shutdown_write(s->conn, t->id, code);
    }
    if (!t->got_fin && !t->stopped) {
        t->stopped = 1;
        if (!t->fin) /* as GOST: after a clean end of ours the rest is taken and dropped */
            (void)quic_shutdown_read(s->conn, t->id, code);
    }
}

static int session_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                         uint64_t code)
{
    struct quic_state *s = state_of(state, io);
    struct quic_stream *t = gost_data(port);

    if (t)
        give_up(s, t, code);
    return GOST_OK;
}

static void session_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *port)
{
    struct quic_state *s = state_of(state, io);
    struct quic_stream *t = gost_data(port);

    if (!t)
        return;
    give_up(s, t, 0); /* after a reset of the peer's */
    t->port = NULL;
    if (t->gone || s->over)
        stream_free(s, t);
}

static int session_ping(void *state, const void *conf, struct gost_io *io)
{
    struct quic_state *s = state_of(state, io);

    /* ngtcp2 sends a PING when a connection was silent for the keep-alive time. */
    if (s->over)
        return GOST_OK;
    s->pinging = 1;
    ngtcp2_conn_set_keep_alive_timeout(s->conn, 1);
    return GOST_OK;
}

static int session_datagram(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                            struct gost_bytes data)
{
    struct quic_state *s = state_of(state, io);

    return quic_send_datagram(s, data);
}

const struct gost_session_ops quic_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_DATAGRAMS | GOST_SESSION_ONEWAY | GOST_SESSION_RESET,
    .open = session_open,
    .credit = session_credit,
    .reset = session_reset,
    .closed = session_closed,
    .ping = session_ping,
    .datagram = session_datagram,
};
