/* ws_step.c - one WebSocket connection: opening, handshake, pings, end. */
/* SPDX-License-Identifier: MIT */
#include "ws.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Zero: no limit of its own. */
static uint64_t handshake_limit(const struct ws_state *s, const struct ws_conf *c)
{
    return s->client ? c->handshake_timeout : earlier(c->handshake_timeout, c->read_header_timeout);
}

static int ws_open(void *state, const void *conf, struct gost_io *io)
{
    struct ws_state *s = state;
    const struct ws_conf *c = conf;

    s->client = gost_flow(io)->role == GOST_CLIENT;
    if (handshake_limit(s, c))
        gost_set_deadline(io, gost_now() + handshake_limit(s, c));
    gost_phase(io, "the WebSocket handshake");
    if (s->client)
        ws_client_ask(s, c, io);
    return GOST_OK;
}

static int ws_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct ws_state *s = state;
    const struct ws_conf *c = conf;
    int r = s->client ? ws_client_handshake(s, c, io) : ws_server_handshake(s, c, io);

    if (r != GOST_OK)
        return r;
    s->ready = 1;
    s->alive_at = gost_now();
    gost_phase(io, "WebSocket frames");
    gost_set_deadline(io, s->client && c->ping ? s->alive_at + c->ping_interval : 0);
    return GOST_OK;
}

/* A peer that says nothing for two intervals is gone. While the reader above is slow, what the peer
 * says stays unread: then nothing is known. */
static int keep_alive(struct ws_state *s, const struct ws_conf *c, struct gost_io *io)
{
    uint64_t now = gost_now();

    if (s->closed || s->failed)
        return GOST_AGAIN;
    if (s->waiting)
        s->alive_at = now;
    if (now - s->alive_at >= 2 * c->ping_interval)
        return gost_fail(io, GOST_ETIMEDOUT,
                         "the server answered no WebSocket ping for %llu ms (keepalive, ttl)",
                         (unsigned long long)(2 * c->ping_interval / GOST_MS));
    if (gost_tx_room(io) > 0)
        ws_send_control(s, io, WS_PING, gost_bytes(NULL, 0));
    gost_set_deadline(io, now + c->ping_interval);
    return GOST_AGAIN;
}

static int ws_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct ws_state *s = state;
    const struct ws_conf *c = conf;

    if (s->ready)
        return keep_alive(s, c, io);
    return gost_fail(io, GOST_ETIMEDOUT,
                     "the WebSocket handshake took longer than its limit (%llu ms)",
                     (unsigned long long)(handshake_limit(s, c) / GOST_MS));
}

static void ws_destroy(void *state)
{
    ws_inflate_end(state);
}

/* The end of a direction is passed down as it is: GOST sends no Close frame either, and its peers
 * go on in the other direction. */
const struct gost_layer_ops ws_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .open = ws_open,
    .handshake = ws_handshake,
    .decode = ws_decode,
    .encode = ws_encode,
    .on_deadline = ws_on_deadline,
    .destroy = ws_destroy,
};
