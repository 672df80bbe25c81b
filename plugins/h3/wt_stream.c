/* wt_stream.c - streams of a WebTransport session: opening, bytes, ends, what the host asks. */
/* SPDX-License-Identifier: MIT */
#include "wt.h"

/* The type and the session's id stand before the bytes of each stream. */
static size_t put_prefix(const struct wt *w, uint8_t to[16])
{
    size_t n = h3_varint_put(to, WT_STREAM);

    return n + h3_varint_put(to + n, w->session);
}

static void refuse(struct h3_stream *st, uint64_t code)
{
    if (st->wire)
        gost_wire_reset(st->wire, code);
    st->wire = NULL;
    if (st->s)
        gost_stream_reset(st->s, wt_code_get(code));
    else
        h3_stream_free(st);
}

/* A stream of both ways that the peer opened: what is it? GOST_OK or an error. */
int wt_stream_begin(struct wt *w, struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire), k = n < 16 ? n : 16, a, b = 0;
    const uint8_t *p = k ? gost_peek(st->wire, k) : NULL;
    uint64_t type = 0, session = 0;

    a = p ? h3_varint_get(gost_bytes(p, k), &type) : 0;
    if (a && type != WT_STREAM) {
        if (!w->h.client)
            return wt_connect_read(w, st);
        refuse(st, H3_STREAM_CREATION_ERROR);
        return h3_bear(&w->h, 5, "streams that a server must not open") ? GOST_OK : GOST_EPROTO;
    }
    if (a)
        b = h3_varint_get(gost_bytes(p + a, k - a), &session);
    if (!b) {
        if ((gost_wire_state(st->wire, NULL) & GOST_WIRE_RESET) || gost_rx_eof(st->wire))
            refuse(st, H3_REQUEST_INCOMPLETE);
        else
            gost_want(st->wire, n + 1);
        return GOST_OK;
    }
    if (!w->established && !w->h.client) { /* its session is still on the way */
        if (!st->waits && w->n_early++ >= WT_EARLY_MAX)
            refuse(st, WT_REJECTED);
        else
            st->waits = 1;
        return GOST_OK;
    }
    if (session != w->session || w->h.client) {
        refuse(st, WT_GONE);
        return h3_bear(&w->h, 5, "streams of no session") ? GOST_OK : GOST_EPROTO;
    }
    gost_consume(st->wire, a + b);
    st->waits = 0;
    st->kind = H3_TUNNEL;
    st->s = w->h.closing ? NULL : gost_stream_new(w->h.wire, st->id, 0);
    if (!st->s) {
        refuse(st, WT_REJECTED);
        return h3_bear(&w->h, 1, "streams") ? GOST_OK : GOST_EPROTO;
    }
    gost_set_data(st->s, st);
    return wt_stream_recv(w, st);
}

/* ---- bytes ---- */

/* News of a stream: its bytes and its end go up. */
int wt_stream_recv(struct wt *w, struct h3_stream *st)
{
    uint64_t code = 0;
    uint32_t state;
    size_t room, n;

    while (st->s && (n = gost_rx_len(st->wire)) > 0) {
        room = gost_tx_room(st->s);
        if (room == 0 && !(gost_wire_state(st->wire, NULL) & GOST_WIRE_RESET))
            break;
        if (gost_move(st->s, st->wire, room && n > room ? room : n) == 0)
            gost_consume(st->wire, n); /* its user has let go of it */
    }
    state = gost_wire_state(st->wire, &code);
    if (state & GOST_WIRE_RESET) {
        refuse(st, code);
        return GOST_OK;
    }
    if ((state & GOST_WIRE_STOPPED) && !st->we_ended) {
        st->we_ended = 1;
        if (st->s)
            gost_stream_stop(st->s, wt_code_get(code));
        gost_shut(st->wire);
    }
    if (!st->peer_ended && gost_rx_len(st->wire) == 0 && gost_rx_eof(st->wire)) {
        st->peer_ended = 1;
        if (st->s)
            gost_shut(st->s);
    }
    if (st->waits && gost_tx_room(st->wire) > 0) {
        st->waits = 0;
        if (st->s)
            gost_stream_set_credit(st->s, UINT64_MAX);
    }
    return GOST_OK;
}

int wt_stream_send(struct wt *w, struct h3_stream *st)
{
    size_t n, room;

    if (!st->wire || st->we_ended) {
        gost_consume(st->s, gost_rx_len(st->s));
        (void)gost_rx_eof(st->s);
        return GOST_OK;
    }
    while ((n = gost_rx_len(st->s)) > 0) {
        room = gost_tx_room(st->wire);
        if (room == 0) {
            st->waits = 1;
            gost_stream_set_credit(st->s, 0);
            return GOST_OK;
        }
        n = n < room ? n : room;
        if (gost_move(st->wire, st->s, n) != n)
            return GOST_OK;
    }
    if (gost_rx_eof(st->s)) {
        st->we_ended = 1;
        gost_shut(st->wire);
    }
    return GOST_OK;
}

/* ---- what the host asks ---- */

static int op_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                   uint32_t flags, uint64_t *ret_id)
{
    struct wt *w = state;
    struct h3_stream *st;
    struct gost_io *wire;
    uint8_t prefix[16];

    w->h.wire = io;
    if (!w->h.client)
        return GOST_EUNSUPPORTED;
    wire = w->h.dead || w->h.closing ? NULL : gost_wire_open(io, 0);
    if (!wire)
        return GOST_FULL;
    st = h3_stream_new(&w->h, wire, H3_TUNNEL);
    if (!st || gost_send(wire, prefix, put_prefix(w, prefix)) != GOST_OK) {
        if (st)
            h3_stream_free(st);
        gost_wire_reset(wire, H3_INTERNAL_ERROR);
        return GOST_ENOMEM;
    }
    st->s = s;
    gost_set_data(s, st);
    *ret_id = st->id;
    return GOST_OK;
}

/* There is room again for what comes in. */
static int op_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *s, size_t n)
{
    struct wt *w = state;
    struct h3_stream *st = gost_data(s);

    w->h.wire = io;
    return st && st->wire && !w->h.dead ? wt_stream_recv(w, st) : GOST_OK;
}

static int op_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    uint64_t code)
{
    struct wt *w = state;
    struct h3_stream *st = gost_data(s);

    w->h.wire = io;
    if (st && st->wire)
        gost_wire_reset(st->wire, wt_code_put(code));
    if (st)
        st->wire = NULL;
    return GOST_OK;
}

static void op_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    struct wt *w = state;
    struct h3_stream *st = gost_data(s);

    w->h.wire = io;
    if (!st)
        return;
    gost_set_data(s, NULL);
    if (st->wire)
        gost_wire_leave(st->wire);
    h3_stream_free(st);
}

static int op_goaway(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;

    w->h.wire = io;
    w->h.closing = 1;
    return w->h.dead || w->h.client ? GOST_OK : h3_control_goaway(&w->h);
}

const struct gost_session_ops wt_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET,
    .open = op_open,
    .credit = op_credit,
    .reset = op_reset,
    .closed = op_closed,
    .goaway = op_goaway,
};
