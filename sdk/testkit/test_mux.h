/* test_mux.h - a small session layer for tests, with all that sessions can do. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_MUX_H
#define TEST_MUX_H

#include <stdlib.h>

#include "../engine/engine.h"

/*
 * A frame is type (1 byte), stream id (4), length (2), payload. A client opens odd streams, a
 * server even ones. SYN carries the GOST_STREAM_* flags and what the stream opens with, CREDIT and
 * RST a number of 4 bytes, HEADS the status and flags of a head, REQUEST a name, a zero and a
 * payload, REPLY a byte (0: yes) and a payload; the id of these two is the request's. A DATAGRAM of
 * stream 0 is the session's.
 */
enum mux_type {
    MUX_SYN = 1,
    MUX_DATA,
    MUX_FIN,
    MUX_RST,
    MUX_CREDIT,
    MUX_PING,
    MUX_PONG,
    MUX_GOAWAY,
    MUX_HEADS,
    MUX_STOP, /* instead of RST, when the user resets with the code MUX_STOP_CODE */
    MUX_REQUEST,
    MUX_REPLY,
    MUX_DATAGRAM
};

#define MUX_STOP_CODE 99

enum { MUX_HEAD = 7, MUX_PAYLOAD = 4096 };

struct mux_conf {
    uint32_t window;       /* what a stream may have under way; 0: no flow control */
    uint64_t keepalive_ns; /* 0: none */
    int mute;              /* answers no PING */
    int refuse;            /* open() gives GOST_FULL */
};

struct mux {
    uint32_t next_id, next_oneway;
    int awaits_pong;
};

struct mux_stream {
    uint64_t may_send, owed;
    uint32_t may_receive;
    int fin_sent;
};

/* Totals of all instances, for the tests. */
static int mux_streams_open, mux_refused, mux_resets, mux_idle;
static size_t mux_credited;
static int mux_quic; /* ids are those of QUIC: 0, 4, ... and 2, 6, ... of a client */
static uint64_t mux_code; /* by which the layer above ended the last session that ended */
static int mux_held; /* encode sends no data, as if a window of the whole session were used up */

static void mux_frame(struct gost_io *io, uint8_t type, uint64_t id, const void *p, size_t n)
{
    uint8_t h[MUX_HEAD];

    h[0] = type;
    gost_put16(gost_put32(h + 1, (uint32_t)id), (uint16_t)n);
    gost_send(io, h, sizeof h);
    gost_send(io, p, n);
}

static void mux_number(struct gost_io *io, uint8_t type, uint64_t id, uint32_t v)
{
    uint8_t b[4];

    gost_put32(b, v);
    mux_frame(io, type, id, b, sizeof b);
}

static int mux_attach(const struct mux_conf *c, struct gost_io *s)
{
    struct mux_stream *t = calloc(1, sizeof *t);

    if (!t)
        return GOST_ENOMEM;
    t->may_send = c->window ? c->window : UINT64_MAX;
    t->may_receive = c->window;
    gost_set_data(s, t);
    gost_stream_set_credit(s, t->may_send);
    mux_streams_open++;
    return GOST_OK;
}

static int mux_handshake(void *state, const void *conf, struct gost_io *io)
{
    const struct mux_conf *c = conf;
    struct mux *m = state;

    m->next_id = gost_flow(io)->role == GOST_CLIENT ? 1 : 2;
    if (mux_quic)
        m->next_oneway = --m->next_id + 2;
    if (c->keepalive_ns)
        gost_set_deadline(io, gost_now() + c->keepalive_ns);
    return GOST_OK;
}

static int mux_syn(const struct mux_conf *c, struct gost_io *io, uint32_t id, size_t n)
{
    uint8_t arg[MUX_PAYLOAD];
    uint32_t flags = 0;
    struct gost_io *s;

    if (n < 4 || n > sizeof arg)
        return gost_fail(io, GOST_EPROTO, "a SYN of %zu bytes", n);
    memcpy(arg, gost_take(io, n), n);
    flags = gost_get32(arg);
    if (gost_stream_port(io, id))
        return gost_fail(io, GOST_EPROTO, "stream %u is opened twice", (unsigned)id);
    s = gost_stream_new(io, id, flags);
    if (!s) {
        mux_refused++;
        mux_number(io, MUX_RST, id, 7);
        return GOST_OK;
    }
    if (n > 4)
        (void)gost_stream_set_arg(s, gost_bytes(arg + 4, n - 4));
    return mux_attach(c, s);
}

static void mux_asked(struct gost_io *io, uint32_t id, size_t n)
{
    const uint8_t *p = n ? gost_take(io, n) : NULL, *zero = p ? memchr(p, 0, n) : NULL;
    size_t name = zero ? (size_t)(zero - p) : n;

    (void)gost_session_request(io, id, gost_bytes(p, name),
                               zero ? gost_bytes(zero + 1, n - name - 1) : gost_bytes(NULL, 0));
}

static int mux_answered(struct gost_io *io, uint32_t id, size_t n)
{
    const uint8_t *p = n ? gost_take(io, n) : NULL;

    if (!p)
        return gost_fail(io, GOST_EPROTO, "a REPLY without an answer");
    gost_session_reply(io, id, p[0] ? GOST_EPEER : 0, gost_bytes(p + 1, n - 1));
    return GOST_OK;
}

static int mux_data(const struct mux_conf *c, struct gost_io *io, struct gost_io *s, size_t n)
{
    struct mux_stream *t = s ? gost_data(s) : NULL;

    if (!s) { /* it is gone here: the peer will hear so */
        gost_consume(io, n);
        return GOST_OK;
    }
    if (c->window && n > t->may_receive)
        return gost_fail(io, GOST_EPROTO, "the peer sends more than its credit");
    t->may_receive -= c->window ? (uint32_t)n : 0;
    if (gost_move(s, io, n) < n) /* the user has reset it */
        gost_consume(io, n);
    return GOST_OK;
}

static int mux_heads(struct gost_io *io, struct gost_io *s, size_t n)
{
    const uint8_t *p = n == 8 ? gost_take(io, 8) : NULL;
    struct gost_head h = {.size = sizeof h};

    if (!p)
        return gost_fail(io, GOST_EPROTO, "a head of %zu bytes", n);
    h.status = gost_get32(p);
    h.flags = gost_get32(p + 4);
    if (s)
        (void)gost_head_send(s, &h);
    return GOST_OK;
}

/* One frame whose n bytes of payload are queued behind its head. */
static int mux_handle(struct mux *m, const struct mux_conf *c, struct gost_io *io, uint8_t type,
                      uint32_t id, size_t n)
{
    struct gost_io *s = gost_stream_port(io, id);
    struct mux_stream *t = s ? gost_data(s) : NULL;
    uint32_t v;

    if (type == MUX_DATA)
        return mux_data(c, io, s, n);
    if (type == MUX_HEADS)
        return mux_heads(io, s, n);
    if (type == MUX_SYN)
        return mux_syn(c, io, id, n);
    if (type == MUX_REPLY)
        return mux_answered(io, id, n);
    if (type == MUX_REQUEST) {
        mux_asked(io, id, n);
        return GOST_OK;
    }
    if (type == MUX_DATAGRAM) {
        if (!id || s)
            (void)gost_session_datagram(io, mux_quic ? NULL : s,
                                        gost_bytes(gost_take(io, n), n));
        else
            gost_consume(io, n);
        return GOST_OK;
    }
    v = n == 4 ? gost_get32(gost_take(io, 4)) : 0;
    switch (type) {
    case MUX_FIN:
        if (s)
            gost_shut(s);
        return GOST_OK;
    case MUX_RST:
        mux_resets++;
        if (s)
            gost_stream_reset(s, v);
        return GOST_OK;
    case MUX_STOP:
        if (s)
            gost_stream_stop(s, v);
        return GOST_OK;
    case MUX_CREDIT:
        if (t)
            gost_stream_set_credit(s, t->may_send += v);
        return GOST_OK;
    case MUX_PING:
        if (!c->mute)
            mux_frame(io, MUX_PONG, 0, NULL, 0);
        return GOST_OK;
    case MUX_PONG:
        m->awaits_pong = 0;
        gost_session_alive(io);
        return GOST_OK;
    case MUX_GOAWAY:
        gost_session_goaway(io);
        return GOST_OK;
    default:
        return gost_fail(io, GOST_EPROTO, "frame type %u is unknown", (unsigned)type);
    }
}

static int mux_decode(void *state, const void *conf, struct gost_io *io)
{
    const struct mux_conf *c = conf;
    const uint8_t *h;
    int r;

    while ((h = gost_peek(io, MUX_HEAD))) {
        uint8_t type = h[0];
        uint32_t id = gost_get32(h + 1);
        size_t n = gost_get16(h + 5);
        struct gost_io *s = type == MUX_DATA && !c->window ? gost_stream_port(io, id) : NULL;

        if (s && !gost_tx_room(s))
            return GOST_FULL; /* no credit to stop this stream alone: all wait */
        if (!gost_peek(io, MUX_HEAD + n))
            return GOST_AGAIN;
        gost_consume(io, MUX_HEAD);
        if ((r = mux_handle(state, c, io, type, id, n)) != GOST_OK)
            return r;
    }
    return GOST_AGAIN;
}

static void mux_encode_heads(struct gost_io *io, struct gost_io *s)
{
    struct gost_head h;
    uint8_t b[8];

    while (gost_io_type(s) == GOST_EXCHANGE && gost_head_recv(s, &h) == GOST_OK) {
        gost_put32(gost_put32(b, h.status), h.flags);
        mux_frame(io, MUX_HEADS, gost_stream_id(s), b, sizeof b);
    }
}

static int mux_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_io *s;

    for (;;) {
        struct mux_stream *t;
        struct gost_bytes b;
        size_t n;

        if (!gost_tx_room(io))
            return GOST_FULL;
        if (!(s = gost_stream_next(io)))
            return GOST_AGAIN;
        t = gost_data(s);
        if (mux_held)
            continue;
        mux_idle += gost_rx(s).n && !t->may_send;
        mux_encode_heads(io, s);
        while ((b = gost_rx(s)).n && t->may_send && gost_tx_room(io)) {
            n = b.n < MUX_PAYLOAD ? b.n : MUX_PAYLOAD;
            n = n < t->may_send ? n : (size_t)t->may_send;
            mux_frame(io, MUX_DATA, gost_stream_id(s), b.p, n);
            gost_consume(s, n);
            if (t->may_send != UINT64_MAX)
                t->may_send -= n;
        }
        mux_encode_heads(io, s);
        if (gost_rx_eof(s) && !t->fin_sent) {
            t->fin_sent = 1;
            mux_frame(io, MUX_FIN, gost_stream_id(s), NULL, 0);
        }
    }
}

static int mux_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    const struct mux_conf *c = conf;
    struct mux *m = state;

    if (m->awaits_pong)
        return gost_fail(io, GOST_ETIMEDOUT, "no PONG in time");
    m->awaits_pong = 1;
    mux_frame(io, MUX_PING, 0, NULL, 0);
    gost_set_deadline(io, gost_now() + c->keepalive_ns);
    return GOST_OK;
}

static int mux_shut(void *state, const void *conf, struct gost_io *io)
{
    mux_code = gost_session_code(io);
    gost_shut(io);
    return GOST_OK;
}

/* ---- session ---- */

static int mux_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    uint32_t flags, uint64_t *ret_id)
{
    const struct mux_conf *c = conf;
    struct mux *m = state;
    uint32_t *next = mux_quic && (flags & GOST_STREAM_ONEWAY) ? &m->next_oneway : &m->next_id;
    uint32_t id = *next;
    uint8_t b[MUX_PAYLOAD];
    struct gost_bytes arg;
    int r;

    if (c->refuse || gost_stream_arg(s).n > sizeof b - 4)
        return GOST_FULL;
    if ((r = mux_attach(c, s)) != GOST_OK)
        return r;
    *next += mux_quic ? 4 : 2;
    arg = gost_stream_arg(s);
    gost_put32(b, flags);
    if (arg.n)
        memcpy(b + 4, arg.p, arg.n);
    mux_frame(io, MUX_SYN, id, b, 4 + arg.n);
    *ret_id = id;
    return GOST_OK;
}

static int mux_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                      size_t n)
{
    const struct mux_conf *c = conf;
    struct mux_stream *t = gost_data(s);

    mux_credited += n;
    t->owed += n;
    if (!c->window || t->owed < c->window / 2)
        return GOST_OK;
    t->may_receive += (uint32_t)t->owed;
    mux_number(io, MUX_CREDIT, gost_stream_id(s), (uint32_t)t->owed);
    t->owed = 0;
    return GOST_OK;
}

static int mux_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                     uint64_t code)
{
    mux_number(io, code == MUX_STOP_CODE ? MUX_STOP : MUX_RST, gost_stream_id(s), (uint32_t)code);
    return GOST_OK;
}

static void mux_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    if (!gost_data(s))
        return;
    free(gost_data(s));
    mux_streams_open--;
}

static int mux_ping(void *state, const void *conf, struct gost_io *io)
{
    mux_frame(io, MUX_PING, 0, NULL, 0);
    return GOST_OK;
}

static int mux_goaway(void *state, const void *conf, struct gost_io *io)
{
    mux_frame(io, MUX_GOAWAY, 0, NULL, 0);
    return GOST_OK;
}

static int mux_request(void *state, const void *conf, struct gost_io *io, struct gost_bytes name,
                       struct gost_bytes payload, uint32_t tag)
{
    uint8_t b[MUX_PAYLOAD] = {0};

    if (name.n + 1 + payload.n > sizeof b)
        return gost_fail(io, GOST_ETOOBIG, "a request of %zu bytes", name.n + payload.n);
    memcpy(b, name.p, name.n);
    if (payload.n)
        memcpy(b + name.n + 1, payload.p, payload.n);
    mux_frame(io, MUX_REQUEST, tag, b, name.n + 1 + payload.n);
    return GOST_OK;
}

static int mux_reply(void *state, const void *conf, struct gost_io *io, uint32_t tag, int status,
                     struct gost_bytes payload)
{
    uint8_t b[MUX_PAYLOAD] = {status != 0};

    if (payload.n)
        memcpy(b + 1, payload.p, payload.n);
    mux_frame(io, MUX_REPLY, tag, b, 1 + payload.n);
    return GOST_OK;
}

static int mux_datagram(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                        struct gost_bytes data)
{
    if (data.n <= MUX_PAYLOAD)
        mux_frame(io, MUX_DATAGRAM, s ? gost_stream_id(s) : 0, data.p, data.n);
    return GOST_OK;
}

static const struct gost_session_ops mux_session = {.size = sizeof mux_session,
                                                    .flags =
                                                        GOST_SESSION_RESET | GOST_SESSION_ONEWAY |
                                                        GOST_SESSION_DATAGRAMS,
                                                    .open = mux_open,
                                                    .credit = mux_credit,
                                                    .reset = mux_reset,
                                                    .closed = mux_closed,
                                                    .ping = mux_ping,
                                                    .goaway = mux_goaway,
                                                    .request = mux_request,
                                                    .datagram = mux_datagram,
                                                    .reply = mux_reply};

static const struct gost_layer_ops mux_layer_ops = {.size = sizeof mux_layer_ops,
                                                    .below = GOST_STREAM,
                                                    .above = GOST_SESSION,
                                                    .handshake = mux_handshake,
                                                    .decode = mux_decode,
                                                    .encode = mux_encode,
                                                    .shut = mux_shut,
                                                    .on_deadline = mux_on_deadline,
                                                    .session = &mux_session};

static const struct gost_component mux_component = {.kind = GOST_KIND_LAYER,
                                                    .name = "mux",
                                                    .summary = "t",
                                                    .ops = &mux_layer_ops,
                                                    .state_size = sizeof(struct mux)};

#endif
