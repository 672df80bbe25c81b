/* smux_step.c - the session's own steps: frames in, frames out, keep-alive. */
/* SPDX-License-Identifier: MIT */
#include "smux.h"

/* ---- in ---- */

/* A stream may hold what its window allows: the peer assumes the first one until it is told. */
static uint64_t most_unread(const struct smux_state *s)
{
    return s->stream_buffer > SMUX_FIRST_WINDOW ? s->stream_buffer : SMUX_FIRST_WINDOW;
}

static int on_syn(struct smux_state *s, struct gost_io *io, uint32_t id)
{
    int ours = (id & 1) == (s->next_id & 1);
    struct gost_io *port;

    if (ours || id == 0)
        return gost_fail(io, GOST_EPROTO, "the peer opened stream %u, whose number is %s",
                         (unsigned)id, id ? "ours to give" : "none");
    if (gost_stream_port(io, id))
        return GOST_OK; /* as GOST: it is open already */
    port = gost_stream_new(io, id, 0);
    if (!port) {
        smux_frame(s, io, SMUX_FIN, id, 0);
        return GOST_OK;
    }
    return smux_attach(s, port) == GOST_OK ? GOST_OK : gost_fail(io, GOST_ENOMEM, "out of memory");
}

/* It ends both directions. What our user still sends goes nowhere. */
static void on_fin(struct gost_io *io, uint32_t id)
{
    struct gost_io *port = gost_stream_port(io, id);
    struct smux_stream *t = port ? gost_data(port) : NULL;

    if (!t || t->fin_got)
        return;
    t->fin_got = 1;
    gost_stream_set_credit(port, UINT64_MAX);
    gost_shut(port);
}

static int on_upd(const struct smux_state *s, struct gost_io *io, uint32_t id, const uint8_t *body)
{
    struct gost_io *port = gost_stream_port(io, id);
    struct smux_stream *t = port ? gost_data(port) : NULL;
    uint32_t consumed, size;

    if (!t || t->fin_got || s->version != 2)
        return GOST_OK;
    smux_upd_get(body, &consumed, &size);
    if (!smux_window_update(&t->to, consumed, size))
        return gost_fail(io, GOST_EPROTO, "the peer consumed more of stream %u than was sent",
                         (unsigned)id);
    gost_stream_set_credit(port, smux_window_room(&t->to));
    return GOST_OK;
}

/* Payload as it comes; what nobody reads is passed over. */
static int deliver(struct smux_state *s, struct gost_io *io)
{
    struct gost_io *port = gost_stream_port(io, s->filling);
    struct smux_stream *t = port ? gost_data(port) : NULL;
    int read = t && !t->fin_got;
    size_t n = gost_rx_len(io);

    n = n < s->left ? n : s->left;
    if (read && s->version == 2 && t->unread + n > most_unread(s))
        return gost_fail(io, GOST_EPROTO, "the peer sends more than the window of stream %u",
                         (unsigned)s->filling);
    n = smux_deliver(io, read ? port : NULL, &s->left);
    s->unread += n;
    if (read)
        t->unread += n;
    return GOST_OK;
}

static int on_frame(struct smux_state *s, struct gost_io *io, const struct smux_head *h,
                    const uint8_t *body)
{
    switch (h->cmd) {
    case SMUX_SYN:
        return on_syn(s, io, h->id);
    case SMUX_FIN:
        on_fin(io, h->id);
        return GOST_OK;
    case SMUX_PSH:
        s->filling = h->id;
        s->left = h->length;
        return GOST_OK;
    case SMUX_UPD:
        return on_upd(s, io, h->id, body);
    default:
        return GOST_OK;
    }
}

/* One frame's head, and what belongs to it but for a payload. */
static int next_frame(struct smux_state *s, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, SMUX_HEAD);
    uint8_t body[SMUX_UPD_BODY];
    struct smux_head h;
    const char *wrong;

    if (!p)
        return GOST_AGAIN;
    smux_head_get(p, &h);
    wrong = smux_head_wrong(&h, s->version);
    if (wrong)
        return gost_fail(io, GOST_EPROTO,
                         "a frame (%02x %02x, %u bytes) %s: the peer is no smux of version %u; "
                         "mux.type and mux.version must be the same on both sides",
                         h.version, h.cmd, h.length, wrong, (unsigned)s->version);
    if (h.cmd == SMUX_UPD) {
        p = gost_peek(io, SMUX_HEAD + SMUX_UPD_BODY);
        if (!p)
            return GOST_AGAIN;
        memcpy(body, p + SMUX_HEAD, sizeof body);
        gost_consume(io, SMUX_UPD_BODY);
    }
    gost_consume(io, SMUX_HEAD);
    return on_frame(s, io, &h, body);
}

static int smux_decode(void *state, const void *conf, struct gost_io *io)
{
    const struct smux_conf *c = conf;
    struct smux_state *s = state;
    int r;

    s->heard |= gost_rx_len(io) > 0;
    for (;;) {
        if (s->left && (r = deliver(s, io)) != GOST_OK)
            return r;
        if (s->left)
            return GOST_AGAIN;
        s->stopped = s->unread >= c->session_buffer;
        if (s->stopped)
            return GOST_FULL;
        r = next_frame(s, io);
        if (r != GOST_OK)
            return r;
    }
}

/* ---- out ---- */

static void send_payload(const struct smux_state *s, const struct smux_conf *c, struct gost_io *io,
                         struct gost_io *port, struct smux_stream *t)
{
    size_t n = gost_rx_len(port);

    n = n < c->frame_size ? n : (size_t)c->frame_size;
    if (s->version == 2 && n > smux_window_room(&t->to))
        n = smux_window_room(&t->to);
    if (n == 0)
        return;
    smux_frame(s, io, SMUX_PSH, (uint32_t)gost_stream_id(port), n);
    gost_move(io, port, n);
    t->to.sent += (uint32_t)n;
}

static void encode_stream(const void *state, const void *conf, struct gost_io *io,
                          struct gost_io *port)
{
    const struct smux_state *s = state;
    struct smux_stream *t = gost_data(port);

    if (t->fin_got)
        gost_consume(port, gost_rx_len(port));
    else
        send_payload(s, conf, io, port, t);
    if (gost_rx_eof(port) && !t->fin_sent) {
        t->fin_sent = 1;
        smux_frame(s, io, SMUX_FIN, (uint32_t)gost_stream_id(port), 0);
    }
}

static int smux_encode(void *state, const void *conf, struct gost_io *io)
{
    return smux_turns(state, conf, io, encode_stream);
}

/* ---- keep-alive ---- */

static void set_deadline(const struct smux_state *s, struct gost_io *io)
{
    gost_set_deadline(io, s->nop_at < s->check_at ? s->nop_at : s->check_at);
}

/* The argument is "version" or "version window": what holds where the options say nothing. */
static void choose(struct smux_state *s, const struct smux_conf *c, struct gost_bytes arg)
{
    uint64_t window = 0;
    size_t i;

    for (i = 2; i < arg.n && i < 12 && arg.p[i] >= '0' && arg.p[i] <= '9'; i++)
        window = window * 10 + (uint64_t)(arg.p[i] - '0');
    s->version = c->version != 0 ? (uint32_t)c->version : arg.n > 0 && arg.p[0] == '2' ? 2 : 1;
    s->stream_buffer = c->stream_buffer != 0 ? c->stream_buffer
                       : window != 0         ? window
                                             : SMUX_STREAM_BUFFER;
    if (s->stream_buffer > c->session_buffer)
        s->stream_buffer = c->session_buffer;
}

static int smux_handshake(void *state, const void *conf, struct gost_io *io)
{
    const struct smux_conf *c = conf;
    struct smux_state *s = state;

    choose(s, c, gost_arg(io));
    s->next_id = gost_flow(io)->role == GOST_CLIENT ? 3 : 2;
    if (c->no_keepalive)
        return GOST_OK;
    s->nop_at = gost_now() + c->interval_ns;
    s->check_at = gost_now() + c->timeout_ns;
    set_deadline(s, io);
    return GOST_OK;
}

/* Frames of this kind are not answered: each end sends its own. */
static int smux_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    const struct smux_conf *c = conf;
    struct smux_state *s = state;
    uint64_t now = gost_now();

    if (now >= s->check_at) {
        if (!s->heard && !s->stopped)
            return gost_fail(io, GOST_ETIMEDOUT,
                             "nothing came from the peer for %llu s (mux.keepaliveTimeout)",
                             (unsigned long long)(c->timeout_ns / GOST_S));
        s->heard = 0;
        s->check_at = now + c->timeout_ns;
    }
    if (now >= s->nop_at) {
        if (gost_tx_room(io))
            smux_frame(s, io, SMUX_NOP, 0, 0);
        s->nop_at = now + c->interval_ns;
    }
    set_deadline(s, io);
    return GOST_OK;
}

const struct gost_layer_ops smux_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_SESSION,
    .flags = GOST_LAYER_NO_HALF_CLOSE,
    .handshake = smux_handshake,
    .decode = smux_decode,
    .encode = smux_encode,
    .on_deadline = smux_on_deadline,
    .session = &smux_session_ops,
};
