/* wt_session.c - the layer wt: opening, news of the streams below, the end. */
/* SPDX-License-Identifier: MIT */
#include "wt.h"

static int wt_open(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;

    w->conf = conf;
    return h3_begin(&w->h, &w->conf->h3, io);
}

static int wt_decode(void *state, const void *conf, struct gost_io *io);

/* A client: the server's SETTINGS, then its answer to CONNECT. */
static int wt_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;
    int r = GOST_OK;

    w->h.wire = io;
    if (!w->h.control)
        r = h3_control_open(&w->h);
    if (r == GOST_OK && w->h.client) {
        gost_phase(io, w->connect ? "the answer to WebTransport" : "the server's SETTINGS");
        r = wt_decode(state, conf, io);
        if (r >= 0 && !w->h.got_settings)
            return GOST_AGAIN;
        if (r >= 0 && (!w->h.peer.webtransport || !w->h.peer.connect_protocol))
            return gost_fail(
                io, GOST_EPEER,
                "the server has no WebTransport: is the listener wt at the other end?");
        if (r >= 0 && !w->connect)
            r = wt_connect_open(w);
        if (r >= 0 && !w->established)
            return GOST_AGAIN;
    }
    if (r < 0)
        return r;
    gost_phase(io, "streams of WebTransport");
    return GOST_OK;
}

/* ---- reading ---- */

static int news(struct wt *w, struct gost_io *wire)
{
    struct h3_stream *st = gost_data(wire);
    uint64_t id = gost_stream_id(wire);

    if (!st) {
        st = h3_stream_new(&w->h, wire, id & 2 ? H3_UNKNOWN : H3_REQUEST);
        if (!st) {
            gost_wire_reset(wire, H3_INTERNAL_ERROR);
            return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
        }
        if (st->kind == H3_REQUEST && id >= w->h.next_id)
            w->h.next_id = id + 4;
    }
    if (st->kind == H3_TUNNEL)
        return wt_stream_recv(w, st);
    if (st->kind != H3_REQUEST)
        return h3_control_read(&w->h, st);
    if (st == w->connect || st->left || st->skip || st->got_head)
        return wt_connect_read(w, st);
    return wt_stream_begin(w, st);
}

static int wt_decode(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;
    struct gost_packet p;
    struct gost_io *wire;
    int r = GOST_OK;

    w->h.wire = io;
    while (r >= 0 && !w->h.dead && (wire = gost_wire_next(io)))
        r = news(w, wire);
    while (r >= 0 && !w->h.dead && gost_packet_recv(io, &p) == GOST_OK)
        ; /* datagrams of the session: nobody here has a use for them */
    return r < 0 ? r : GOST_AGAIN;
}

static int wt_encode(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;
    struct gost_io *s;
    int r = GOST_OK;

    w->h.wire = io;
    while (r >= 0 && !w->h.dead && (s = gost_stream_next(io)))
        r = wt_stream_send(w, gost_data(s));
    return r < 0 ? r : GOST_AGAIN;
}

/* All streams are through: the last word. */
static int wt_shut(void *state, const void *conf, struct gost_io *io)
{
    struct wt *w = state;

    w->h.wire = io;
    w->h.dead = 1;
    wt_connect_close(w);
    gost_wire_end(io, H3_NO_ERROR);
    return GOST_OK;
}

static void wt_destroy(void *state)
{
    struct wt *w = state;

    h3_end(&w->h);
}

const struct gost_layer_ops wt_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_SESSION,
    .above = GOST_SESSION,
    .open = wt_open,
    .handshake = wt_handshake,
    .decode = wt_decode,
    .encode = wt_encode,
    .shut = wt_shut,
    .destroy = wt_destroy,
    .session = &wt_session_ops,
};
