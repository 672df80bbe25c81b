/* ohttp_layer.c - one connection: a head each way, then bytes as they are. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ohttp.h"

/* A client's head waits so long for the first data that it leaves with. GOST waits forever; then a
 * server that speaks first is never heard. */
#define ALONE_NS (100 * GOST_MS)

static int no_memory(struct gost_io *io)
{
    return gost_fail(io, GOST_ENOMEM, "out of memory");
}

/* ---- our head ---- */

static const char *host_of(const struct ohttp_conf *c, struct gost_io *io, char *buf, size_t size)
{
    if (c->host && c->host[0])
        return c->host;
    gost_addr_format(&gost_target(io)->addr, buf, size);
    return buf;
}

static int send_head(struct ohttp_state *s, const struct ohttp_conf *c, struct gost_io *io)
{
    struct gost_http1_out out = {.size = ohttp_head_size(c)};
    char buf[GOST_ADDR_TEXT];

    out.p = malloc(out.size);
    if (!out.p)
        return no_memory(io);
    if (s->client)
        ohttp_put_request(&out, c, host_of(c, io, buf, sizeof buf));
    else
        ohttp_put_answer(&out, c, s->accept, gost_unix_time());
    gost_send(io, out.p, out.n);
    free(out.p);
    s->sent = 1;
    return GOST_OK;
}

/* Both heads are through: what follows is nobody's business. */
static void look_if_done(struct ohttp_state *s, struct gost_io *io)
{
    if (s->sent && s->got)
        gost_identity(io);
}

/* ---- the peer's head ---- */

/* The queued bytes with a whole head. GOST_OK; GOST_AGAIN. */
static int whole_head(struct ohttp_state *s, struct gost_io *io, struct gost_bytes *ret_in)
{
    size_t n = gost_rx_len(io) < GOST_HTTP1_HEAD_MAX ? gost_rx_len(io) : GOST_HTTP1_HEAD_MAX;
    struct gost_bytes in = gost_bytes(n ? gost_peek(io, n) : NULL, n);

    if (n > 0 && gost_http1_find_end(in, &s->scanned)) {
        *ret_in = in;
        return GOST_OK;
    }
    if (n == GOST_HTTP1_HEAD_MAX)
        return gost_fail(io, GOST_EPROTO, "the peer's HTTP head does not end within %d bytes",
                         GOST_HTTP1_HEAD_MAX);
    gost_want(io, n + 1);
    return GOST_AGAIN;
}

static int refuse(struct gost_io *io, const char *why)
{
    uint8_t buf[256];
    struct gost_http1_out out = {.p = buf, .size = sizeof buf};

    ohttp_put_refusal(&out, gost_unix_time());
    gost_send(io, out.p, out.n);
    return gost_fail(io, GOST_EPROTO, "the client's request is not one for this stream: %s", why);
}

static int read_request(struct ohttp_state *s, const struct ohttp_conf *c, struct gost_io *io)
{
    struct gost_http1_head head;
    struct gost_bytes in;
    const char *why;
    int r = whole_head(s, io, &in);

    if (r != GOST_OK)
        return r;
    if (gost_http1_parse_request(&head, in, &why) != GOST_OK)
        return refuse(io, why);
    if (!ohttp_is_request(&head))
        return refuse(io, "it is no GET with \"Upgrade: websocket\"");
    ohttp_accept(s->accept, gost_http1_get(&head, "Sec-Websocket-Key"));
    gost_consume(io, head.length);
    s->got = 1;
    /* as GOST: with data behind the request the answer waits for our first data */
    r = gost_rx_len(io) > 0 ? GOST_OK : send_head(s, c, io);
    look_if_done(s, io);
    return r;
}

static int read_answer(struct ohttp_state *s, struct gost_io *io)
{
    struct gost_http1_head head;
    struct gost_bytes in;
    const char *why;
    int r = whole_head(s, io, &in);

    if (r != GOST_OK)
        return r;
    if (gost_http1_parse_response(&head, in, &why) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the server's answer is not HTTP: %s", why);
    if (head.status != 101)
        return gost_fail(io, GOST_EPEER,
                         "the server answered \"%u %.*s\" instead of 101: is there an ohttp "
                         "listener at the other end?",
                         (unsigned)head.status, (int)(head.reason.n < 60 ? head.reason.n : 60),
                         (const char *)head.reason.p);
    gost_consume(io, head.length);
    s->got = 1;
    look_if_done(s, io);
    return GOST_OK;
}

/* ---- the step ---- */

static int ohttp_open(void *state, const void *conf, struct gost_io *io)
{
    struct ohttp_state *s = state;

    s->client = gost_flow(io)->role == GOST_CLIENT;
    if (s->client)
        gost_set_deadline(io, gost_now() + ALONE_NS);
    return GOST_OK;
}

static int ohttp_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct ohttp_state *s = state;

    if (s->client)
        return GOST_OK;
    gost_phase(io, "the HTTP request that hides the stream");
    return read_request(s, conf, io);
}

static int ohttp_decode(void *state, const void *conf, struct gost_io *io)
{
    struct ohttp_state *s = state;
    struct gost_io *app = gost_app(io);
    size_t room;
    int r;

    if (!s->got && gost_rx_len(io) == 0)
        return GOST_AGAIN; /* the end without an answer is an end */
    if (!s->got && (r = read_answer(s, io)) != GOST_OK)
        return r;
    while (gost_rx_len(io) > 0) {
        room = gost_tx_room(app);
        if (room == 0)
            return GOST_FULL;
        if (gost_move(app, io, room) == 0)
            return no_memory(io);
    }
    return GOST_AGAIN;
}

static int ohttp_encode(void *state, const void *conf, struct gost_io *io)
{
    struct ohttp_state *s = state;
    struct gost_io *app = gost_app(io);
    size_t room;
    int r;

    while (gost_rx_len(app) > 0) {
        room = gost_tx_room(io);
        if (room == 0)
            return GOST_FULL;
        if (!s->sent && (r = send_head(s, conf, io)) != GOST_OK)
            return r;
        if (gost_move(io, app, room) == 0)
            return no_memory(io);
    }
    look_if_done(s, io);
    return GOST_AGAIN;
}

static int ohttp_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct ohttp_state *s = state;

    return s->sent ? GOST_AGAIN : send_head(s, conf, io);
}

const struct gost_layer_ops ohttp_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .open = ohttp_open,
    .handshake = ohttp_handshake,
    .decode = ohttp_decode,
    .encode = ohttp_encode,
    .on_deadline = ohttp_on_deadline,
};
