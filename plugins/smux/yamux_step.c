/* yamux_step.c - the session's own steps: frames in, frames out, keep-alive. */
/* SPDX-License-Identifier: MIT */
#include "yamux.h"

enum { FRAME_MAX = 32768 };                    /* payload of a frame we send: streams take turns */
static const uint64_t answer_ns = 10 * GOST_S; /* time for the answer to a ping */

/* The peer is told, as other implementations do. */
#define BROKEN(io, ...) \
    (yamux_frame(io, YAMUX_GOAWAY, 0, 0, YAMUX_PROTOCOL), gost_fail(io, GOST_EPROTO, __VA_ARGS__))

/* ---- in ---- */

static struct gost_io *stream_of(struct gost_io *io, uint32_t id, struct yamux_stream **ret_stream)
{
    struct gost_io *port = gost_stream_port(io, id);

    *ret_stream = port ? gost_data(port) : NULL;
    return port;
}

static int on_syn(struct yamux_state *s, const struct smux_conf *c, struct gost_io *io,
                  const struct yamux_head *h)
{
    uint64_t to = YAMUX_FIRST_WINDOW;
    struct gost_io *port;

    if ((h->id & 1) == (s->next_id & 1))
        return BROKEN(io, "the peer opened stream %u, whose number is ours to give",
                      (unsigned)h->id);
    if (gost_stream_port(io, h->id))
        return BROKEN(io, "the peer opened stream %u twice", (unsigned)h->id);
    port = gost_stream_new(io, h->id, 0);
    if (!port) {
        yamux_frame(io, YAMUX_WINDOW, YAMUX_RST, h->id, 0);
        return GOST_OK;
    }
    if (yamux_attach(c, port, to) != GOST_OK)
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    yamux_frame(io, YAMUX_WINDOW, YAMUX_ACK, h->id, yamux_more(c));
    return GOST_OK;
}

/* The end of what the peer sends, or of both directions. */
static void on_end(struct gost_io *io, uint32_t id, uint32_t flags)
{
    struct yamux_stream *t;
    struct gost_io *port = stream_of(io, id, &t);

    if (!t)
        return;
    if (flags & YAMUX_RST) {
        t->fin_got = t->fin_sent = 1;
        gost_stream_reset(port, 0);
    } else if ((flags & YAMUX_FIN) && !t->fin_got) {
        t->fin_got = 1;
        gost_shut(port);
    }
}

static int on_window(struct gost_io *io, const struct yamux_head *h)
{
    struct yamux_stream *t;
    struct gost_io *port = stream_of(io, h->id, &t);

    if (t && h->length) {
        t->to = t->to + h->length <= UINT32_MAX ? t->to + h->length : UINT32_MAX;
        gost_stream_set_credit(port, t->to);
    }
    on_end(io, h->id, h->flags);
    return GOST_OK;
}

static int on_data(struct yamux_state *s, struct gost_io *io, const struct yamux_head *h)
{
    struct yamux_stream *t;

    (void)stream_of(io, h->id, &t);
    if (!t && h->length && gost_tx_room(io)) /* nobody reads it any more */
        yamux_frame(io, YAMUX_WINDOW, YAMUX_RST, h->id, 0);
    if (t && !t->fin_got && h->length > t->from)
        return BROKEN(io, "the peer sends more than the window of stream %u", (unsigned)h->id);
    if (t && !t->fin_got)
        t->from -= h->length;
    s->filling = h->id;
    s->left = h->length;
    s->fin = h->flags & (YAMUX_FIN | YAMUX_RST);
    if (!s->left)
        on_end(io, h->id, s->fin);
    return GOST_OK;
}

/* Payload as it comes; what nobody reads is passed over. */
static void deliver(struct yamux_state *s, struct gost_io *io)
{
    struct yamux_stream *t;
    struct gost_io *port = stream_of(io, s->filling, &t);
    int read = t && !t->fin_got;
    size_t n = smux_deliver(io, read ? port : NULL, &s->left);

    s->unread += n;
    if (read)
        t->unread += n;
    if (!s->left)
        on_end(io, s->filling, s->fin);
}

static int on_ping(struct yamux_state *s, struct gost_io *io, const struct yamux_head *h)
{
    if ((h->flags & YAMUX_SYN) && gost_tx_room(io))
        yamux_frame(io, YAMUX_PING, YAMUX_ACK, 0, h->length);
    if ((h->flags & YAMUX_ACK) && h->length == s->ping_id) {
        s->pong_by = 0;
        gost_session_alive(io);
    }
    return GOST_OK;
}

static int on_goaway(struct gost_io *io, const struct yamux_head *h)
{
    if (h->length != YAMUX_NORMAL)
        return gost_fail(io, GOST_EPEER, "the peer ends the session: %s",
                         h->length == YAMUX_PROTOCOL   ? "we broke the protocol"
                         : h->length == YAMUX_INTERNAL ? "an error of its own"
                                                       : "for a reason that is not known");
    gost_session_goaway(io);
    return GOST_OK;
}

static int on_frame(struct yamux_state *s, const struct smux_conf *c, struct gost_io *io,
                    const struct yamux_head *h)
{
    int r = GOST_OK;

    if (h->type == YAMUX_PING)
        return on_ping(s, io, h);
    if (h->type == YAMUX_GOAWAY)
        return on_goaway(io, h);
    if (h->flags & YAMUX_SYN)
        r = on_syn(s, c, io, h);
    if (r != GOST_OK)
        return r;
    return h->type == YAMUX_DATA ? on_data(s, io, h) : on_window(io, h);
}

static void set_deadline(const struct yamux_state *s, struct gost_io *io)
{
    gost_set_deadline(io, s->pong_by && s->pong_by < s->ping_at ? s->pong_by : s->ping_at);
}

static int next_frame(struct yamux_state *s, const struct smux_conf *c, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, YAMUX_HEAD);
    struct yamux_head h;
    const char *wrong;

    if (!p)
        return GOST_AGAIN;
    wrong = yamux_head_get(p, &h);
    if (wrong)
        return BROKEN(
            io,
            "a frame (%02x %02x) %s: the peer is no yamux; mux.type must be the same on both sides",
            p[0], p[1], wrong);
    gost_consume(io, YAMUX_HEAD);
    return on_frame(s, c, io, &h);
}

static int yamux_decode(void *state, const void *conf, struct gost_io *io)
{
    struct yamux_state *s = state;
    int r;

    for (;;) {
        if (s->left)
            deliver(s, io);
        if (s->left)
            return GOST_AGAIN;
        if (s->unread >= YAMUX_UNREAD_MAX)
            return GOST_FULL;
        r = next_frame(s, conf, io);
        if (r != GOST_OK)
            return r;
    }
}

/* ---- out ---- */

static void encode_stream(const void *state, const void *conf, struct gost_io *io,
                          struct gost_io *port)
{
    struct yamux_stream *t = gost_data(port);
    uint32_t id = (uint32_t)gost_stream_id(port);
    size_t n = gost_rx_len(port);

    n = n < FRAME_MAX ? n : FRAME_MAX;
    n = n < t->to ? n : (size_t)t->to;
    if (n) {
        yamux_frame(io, YAMUX_DATA, 0, id, (uint32_t)n);
        gost_move(io, port, n);
        t->to -= n;
    }
    if (gost_rx_eof(port) && !t->fin_sent) {
        t->fin_sent = 1;
        yamux_frame(io, YAMUX_WINDOW, YAMUX_FIN, id, 0);
    }
}

static int yamux_encode(void *state, const void *conf, struct gost_io *io)
{
    return smux_turns(state, conf, io, encode_stream);
}

/* ---- keep-alive ---- */

static int yamux_handshake(void *state, const void *conf, struct gost_io *io)
{
    const struct smux_conf *c = conf;
    struct yamux_state *s = state;

    s->next_id = gost_flow(io)->role == GOST_CLIENT ? 1 : 2;
    if (c->no_keepalive)
        return GOST_OK;
    s->ping_at = gost_now() + c->interval_ns;
    set_deadline(s, io);
    return GOST_OK;
}

static int yamux_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    const struct smux_conf *c = conf;
    struct yamux_state *s = state;
    uint64_t now = gost_now();

    if (s->pong_by && now >= s->pong_by)
        return gost_fail(io, GOST_ETIMEDOUT, "the peer did not answer a ping within %llu s",
                         (unsigned long long)(answer_ns / GOST_S));
    if (now >= s->ping_at) {
        yamux_ping(s, io);
        if (!s->pong_by)
            s->pong_by = now + answer_ns;
        s->ping_at = now + c->interval_ns;
    }
    set_deadline(s, io);
    return GOST_OK;
}

const struct gost_layer_ops yamux_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_SESSION,
    .handshake = yamux_handshake,
    .decode = yamux_decode,
    .encode = yamux_encode,
    .on_deadline = yamux_on_deadline,
    .session = &yamux_session_ops,
};
