/* http_udp.c - UDP over HTTP: the handler's side. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

#define UDP_CODEC_READY     1u
#define UDP_ASSOCIATE_READY 2u

/* The reply comes before the association exists, as gost does it. */
int http_udp_start(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    int r;

    if (!conf->udp) {
        http_reply(io, conf, 1, 403, HTTP_REPLY_EMPTY | HTTP_REPLY_HEADERS);
        return gost_fail(io, GOST_EDENIED, "the client asks for UDP, which is off: set udp=true");
    }
    http_reply(io, conf, 1, 200, HTTP_REPLY_EMPTY | HTTP_REPLY_HEADERS);
    gost_consume(io, s->x.head_n);
    gost_set_deadline(io, 0);
    s->phase = HTTP_UDP;
    gost_phase(io, "the UDP association");
    r = gost_associate(io, HTTP_TAG_ASSOCIATE, HTTP_UPSTREAM);
    if (r == GOST_OK)
        r = gost_upgrade(io, HTTP_TAG_CODEC, HTTP_CLIENT, GOST_SERVER, "http.udp");
    return r;
}

int http_udp_result(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                    const struct gost_event *ev)
{
    int r;

    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no UDP association");
    s->udp_ready |= ev->tag == HTTP_TAG_CODEC ? UDP_CODEC_READY : UDP_ASSOCIATE_READY;
    if (s->udp_ready != (UDP_CODEC_READY | UDP_ASSOCIATE_READY))
        return GOST_AGAIN;
    s->phase = HTTP_TUNNEL;
    r = gost_relay(io, HTTP_CLIENT, HTTP_UPSTREAM, conf->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}
