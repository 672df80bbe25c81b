/* h3_session.c - the layer h3: opening, news of the streams below, the end. */
/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "h3.h"

#define PATIENCE_RATE 100u /* what a peer may annoy us with in each second */

/* End the session: the peer is told the code. Returns the error. */
int h3_die(struct h3 *h, uint64_t code, const char *fmt, ...)
{
    char why[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (!h->dead)
        gost_wire_end(h->wire, code);
    h->dead = 1;
    return gost_fail(h->wire, GOST_EPROTO, "the peer broke the rules of HTTP/3: %s", why);
}

/* 0: the peer has worn our patience out, and the session ends. */
int h3_bear(struct h3 *h, uint32_t cost, const char *what)
{
    uint64_t now = gost_now(), more = (now - h->patience_at) * PATIENCE_RATE / GOST_S;

    if (more > 0) {
        h->patience = h->patience + more < H3_PATIENCE ? h->patience + more : H3_PATIENCE;
        h->patience_at = now;
    }
    if (h->patience >= cost) {
        h->patience -= cost;
        return 1;
    }
    (void)h3_die(h, H3_EXCESSIVE_LOAD, "it floods us with %s", what);
    return 0;
}

/* ---- opening ---- */

int h3_begin(struct h3 *h, const struct h3_conf *conf, struct gost_io *io)
{
    const nghttp3_mem *mem = nghttp3_mem_default();

    h->wire = io;
    h->conf = conf;
    h->client = gost_flow(io)->role == GOST_CLIENT;
    h->patience = H3_PATIENCE;
    h->patience_at = gost_now();
    if (nghttp3_qpack_encoder_new(&h->encoder, 0, mem) ||
        nghttp3_qpack_decoder_new(&h->decoder, 0, 0, mem))
        return gost_fail(io, GOST_ENOMEM, "out of memory for an HTTP/3 session");
    return GOST_OK;
}

static int h3_open(void *state, const void *conf, struct gost_io *io)
{
    return h3_begin(state, conf, io);
}

static int h3_decode(void *state, const void *conf, struct gost_io *io);

static int h3_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct h3 *h = state;
    int r = GOST_OK;

    h->wire = io;
    if (!h->control)
        r = h3_control_open(h);
    if (r == GOST_OK && h->client && h->conf->extended_connect) {
        gost_phase(io, "the server's SETTINGS");
        r = h3_decode(state, conf, io);
        if (r >= 0 && !h->got_settings)
            return GOST_AGAIN;
    }
    if (r < 0)
        return r;
    gost_phase(io, "HTTP/3 frames");
    return GOST_OK;
}

/* ---- reading ---- */

/* The peer opened a stream. */
static int meet(struct h3 *h, struct gost_io *wire)
{
    uint64_t id = gost_stream_id(wire);
    struct h3_stream *st;

    if (!(id & 2) && h->client) {
        gost_wire_reset(wire, H3_STREAM_CREATION_ERROR);
        return h3_die(h, H3_STREAM_CREATION_ERROR, "a server opened a stream of both ways");
    }
    st = h3_stream_new(h, wire, id & 2 ? H3_UNKNOWN : H3_REQUEST);
    if (!st) {
        gost_wire_reset(wire, H3_INTERNAL_ERROR);
        return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    }
    if (st->kind == H3_REQUEST && id >= h->next_id)
        h->next_id = id + 4;
    return GOST_OK;
}

static int news(struct h3 *h, struct gost_io *wire)
{
    struct h3_stream *st = gost_data(wire);
    int r;

    if (!st) {
        r = meet(h, wire);
        if (r != GOST_OK)
            return r;
        st = gost_data(wire);
    }
    if (st->kind != H3_REQUEST)
        return h3_control_read(h, st);
    if (st->waits && gost_tx_room(wire) > 0) {
        st->waits = 0;
        if (st->s)
            gost_stream_set_credit(st->s, UINT64_MAX);
    }
    return h3_recv(h, st);
}

static int h3_decode(void *state, const void *conf, struct gost_io *io)
{
    struct h3 *h = state;
    struct gost_io *wire;
    int r = GOST_OK;

    h->wire = io;
    while (r >= 0 && !h->dead && (wire = gost_wire_next(io)))
        r = news(h, wire);
    if (r >= 0 && !h->dead)
        r = h3_recv_datagrams(h);
    return r < 0 ? r : GOST_AGAIN;
}

static int h3_encode(void *state, const void *conf, struct gost_io *io)
{
    struct h3 *h = state;
    struct gost_io *s;
    int r = GOST_OK;

    h->wire = io;
    while (r >= 0 && !h->dead && (s = gost_stream_next(io)))
        r = h3_send(h, gost_data(s));
    return r < 0 ? r : GOST_AGAIN;
}

/* All streams are through: the last word. */
static int h3_shut(void *state, const void *conf, struct gost_io *io)
{
    struct h3 *h = state;

    h->wire = io;
    h->dead = 1;
    gost_wire_end(io, H3_NO_ERROR);
    return GOST_OK;
}

void h3_end(struct h3 *h)
{
    nghttp3_qpack_encoder_del(h->encoder);
    nghttp3_qpack_decoder_del(h->decoder);
    gost_block_free(&h->block);
    while (h->streams)
        h3_stream_free(h->streams);
}

static void h3_destroy(void *state)
{
    h3_end(state);
}

const struct gost_layer_ops h3_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_SESSION,
    .above = GOST_EXCHANGE,
    .open = h3_open,
    .handshake = h3_handshake,
    .decode = h3_decode,
    .encode = h3_encode,
    .shut = h3_shut,
    .destroy = h3_destroy,
    .session = &h3_session_ops,
};
