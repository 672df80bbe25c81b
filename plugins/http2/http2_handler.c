/* http2_handler.c - one request of a client: login, CONNECT or forwarding. */
/* SPDX-License-Identifier: MIT */
#include "http2.h"

/* An answer without a body; the configured fields are not for those who may not come in. */
int http2_reply(struct gost_io *io, const struct http2_conf *conf, uint32_t status, int with_fields)
{
    return gost_exchange_refuse(io, status, conf->challenge, with_fields ? conf->fields.v : NULL,
                                with_fields ? conf->fields.n : 0);
}

static int dial(struct http2_state *s, struct gost_io *io)
{
    int r;

    s->phase = HTTP2_DIAL;
    gost_phase(io, "the target");
    r = gost_dial(io, HTTP2_TAG_DIAL, HTTP2_UPSTREAM, GOST_NET_TCP, &s->target);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int got_request(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io)
{
    int r = gost_exchange_request(io, &s->head);

    if (r != GOST_OK)
        return r;
    s->is_connect = gost_bytes_eq(s->head.method, gost_bytes_str("CONNECT"));
    if (http2_target(&s->head, &s->target) == GOST_OK) {
        s->phase = HTTP2_AUTH;
        return gost_exchange_login(io, HTTP2_TAG_AUTH, &s->head);
    }
    (void)http2_reply(io, conf, 400, 0);
    return gost_fail(io, GOST_EPROTO, "a request that no proxy can serve: %.*s",
                     (int)(s->head.method.n < 20 ? s->head.method.n : 20),
                     (const char *)s->head.method.p);
}

static int authorized(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    return ev->status == GOST_OK ? dial(s, io) : http2_refused(s, conf, io);
}

/* The upstream of anything but CONNECT speaks HTTP/1. */
int http2_put_codec_on(struct http2_state *s, struct gost_io *io)
{
    int r;

    s->phase = HTTP2_CODEC;
    r = gost_upgrade(io, HTTP2_TAG_CODEC, HTTP2_UPSTREAM, GOST_CLIENT, "http2.upstream");
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int relay(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io)
{
    int r;

    s->phase = HTTP2_RELAY;
    r = gost_relay(io, HTTP2_CLIENT, HTTP2_UPSTREAM, conf->read_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int dialed(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                  const struct gost_event *ev)
{
    struct gost_head h = {
        .size = sizeof h, .status = 200, .fields = conf->fields.v, .n_fields = conf->fields.n};
    int r;

    if (ev->status != GOST_OK) {
        (void)http2_reply(io, conf, http2_status_of(ev->status), ev->status != GOST_EDENIED);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not reached");
    }
    if (!s->is_connect)
        return http2_put_codec_on(s, io);
    r = gost_head_send(io, &h);
    return r == GOST_OK ? relay(s, conf, io) : gost_fail(io, r, "the client has gone");
}

/* The upstream is ready for a request. */
static int forward(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                   const struct gost_event *ev)
{
    int r;

    if (ev->status != GOST_OK) {
        (void)http2_reply(io, conf, 503, 1);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no HTTP/1 upstream");
    }
    r = http2_forward(s, conf, io);
    return r == GOST_OK ? relay(s, conf, io) : r;
}

static int result(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                  const struct gost_event *ev)
{
    switch (ev->tag) {
    case HTTP2_TAG_AUTH:
        return authorized(s, conf, io, ev);
    case HTTP2_TAG_DIAL:
        return dialed(s, conf, io, ev);
    case HTTP2_TAG_CODEC:
        return forward(s, conf, io, ev);
    default:
        return http2_decoy_result(s, conf, io, ev);
    }
}

int http2_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct http2_state *s = state;

    switch (ev->type) {
    case GOST_EV_RESULT:
        return result(s, conf, io, ev);
    case GOST_EV_CANCEL:
    case GOST_EV_CLOSED:
        return gost_exchange_closed(io, ev);
    default:
        return s->phase == HTTP2_REQUEST ? got_request(s, conf, io) : GOST_AGAIN;
    }
}
