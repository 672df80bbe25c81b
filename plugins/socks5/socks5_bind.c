/* socks5_bind.c - the client's BIND: of many streams (GOST's MUX BIND), or of one (RFC 1928). */
/* SPDX-License-Identifier: MIT */
#include "socks5_client.h"

enum { FIRST = 1, LAST = 6 }; /* ports of streams whose head is awaited */

/* ---- many: a session, whose streams each begin with a reply that names who came ---- */

static int serve_port(struct gost_io *io, uint32_t port)
{
    return gost_asked(gost_accept(io, port, port, SOCKS5_PROXY));
}

static int on_stream(struct gost_io *io, uint32_t port)
{
    struct gost_io *s = gost_port(io, port);
    struct gost_addr peer;
    uint8_t code;
    int r = s ? socks5_take_reply(s, &code, &peer) : GOST_AGAIN;

    if (r == GOST_AGAIN)
        return GOST_AGAIN;
    if (r != GOST_OK || code != SOCKS5_OK)
        gost_abort(s, 0); /* this one is of no use; the next one may be */
    else
        gost_accepted(io, s, &peer);
    return serve_port(io, port);
}

static int on_session(struct socks5_client *c, struct gost_io *io)
{
    uint32_t i;
    int r = GOST_AGAIN;

    c->phase = SOCKS5_CLIENT_STREAMS;
    for (i = FIRST; i <= LAST && r == GOST_AGAIN; i++)
        r = serve_port(io, i);
    return r;
}

/* ---- the replies ---- */

static int on_bound(struct socks5_client *c, const struct socks5_connector_conf *cf,
                    struct gost_io *io)
{
    gost_set_deadline(io, 0);
    gost_bound(io, &c->bound);
    if (cf->bind_plain) {
        c->phase = SOCKS5_CLIENT_SECOND_REPLY;
        return GOST_AGAIN;
    }
    c->phase = SOCKS5_CLIENT_SESSION;
    return socks5_become_session(io, SOCKS5_CLIENT_SESSION, GOST_SERVER);
}

static int on_first(struct socks5_client *c, const struct socks5_connector_conf *cf,
                    struct gost_io *io)
{
    int r = socks5_client_negotiate(c, cf, io);

    if (r == GOST_OK) {
        socks5_client_request(c, io, cf->bind_plain ? SOCKS5_BIND : SOCKS5_MBIND,
                              &gost_target(io)->addr);
        return GOST_AGAIN;
    }
    if (r != GOST_AGAIN || c->phase != SOCKS5_CLIENT_REPLY)
        return r;
    r = socks5_client_reply(c, io);
    return r == GOST_OK ? on_bound(c, cf, io) : r;
}

int socks5_bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct socks5_client *c = state;
    const struct socks5_connector_conf *cf = conf;
    int r = socks5_client_common(c, cf, io, ev);

    if (r != GOST_OK)
        return r;
    switch (c->phase) {
    case SOCKS5_CLIENT_SESSION:
        return ev->type == GOST_EV_RESULT ? on_session(c, io) : GOST_AGAIN;
    case SOCKS5_CLIENT_STREAMS:
        return on_stream(io, ev->type == GOST_EV_RESULT ? ev->tag : ev->port);
    case SOCKS5_CLIENT_SECOND_REPLY:
        r = socks5_client_reply(c, io);
        if (r == GOST_OK)
            gost_accepted(io, io, &c->bound);
        return r;
    default:
        return on_first(c, cf, io);
    }
}
