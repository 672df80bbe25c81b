/* socks5_handler.c - the server: negotiation, authentication, the request. Commands are in
 * socks5_commands.c. */
/* SPDX-License-Identifier: MIT */
#include "socks5_server.h"

/* All that is queued, up to n bytes, in one piece. */
static struct gost_bytes look(struct gost_io *io, size_t n)
{
    size_t have = gost_rx_len(io);

    n = have < n ? have : n;
    return gost_bytes(n ? gost_peek(io, n) : NULL, n);
}

/* A parser wants more: come back when there is more than now, unless there never will be. */
static int more(struct gost_io *io, const char *what)
{
    if (gost_rx_eof(io))
        return gost_fail(io, GOST_ECLOSED, "the client left in the middle of %s", what);
    gost_want(io, gost_rx_len(io) + 1);
    return GOST_AGAIN;
}

static uint8_t choose(const struct socks5_server *s, const struct socks5_handler_conf *cf,
                      const struct socks5_offer *offer)
{
    uint8_t plain = s->authed ? SOCKS5_NO_AUTH : SOCKS5_USERPASS;
    uint8_t tls = s->authed ? SOCKS5_TLS : SOCKS5_TLS_AUTH;

    if (!cf->notls && socks5_offers(offer, tls))
        return tls;
    return socks5_offers(offer, plain) ? plain : SOCKS5_NONE;
}

static int on_offer(struct socks5_server *s, const struct socks5_handler_conf *cf,
                    struct gost_io *io)
{
    struct socks5_offer offer;
    struct gost_bytes in = look(io, 257);
    int n = socks5_parse_offer(in, &offer);
    uint8_t reply[2] = {5, SOCKS5_NONE};

    if (n == 0)
        return more(io, "its greeting");
    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "not a SOCKS5 greeting (first byte 0x%02x)", in.p[0]);
    gost_consume(io, (size_t)n);
    s->method = reply[1] = choose(s, cf, &offer);
    gost_send(io, reply, sizeof reply);
    if (s->method == SOCKS5_NONE)
        return gost_fail(io, GOST_EAUTH, "the client offers no method that is accepted here%s",
                         s->authed ? "" : ": a user name and password are required");
    if (s->method == SOCKS5_TLS || s->method == SOCKS5_TLS_AUTH) {
        s->phase = SOCKS5_SERVER_TLS;
        gost_phase(io, "the TLS handshake inside socks5");
        return gost_upgrade(io, s->phase, 0, GOST_SERVER, "tls") == GOST_OK ? GOST_AGAIN
                                                                            : GOST_EINTERNAL;
    }
    s->phase = s->method == SOCKS5_USERPASS ? SOCKS5_SERVER_USERPASS : SOCKS5_SERVER_REQUEST;
    return GOST_OK;
}

static int on_userpass(struct socks5_server *s, struct gost_io *io)
{
    struct gost_bytes user, password, in = look(io, 513);
    int n = socks5_parse_userpass(in, &user, &password);

    gost_phase(io, "the user name and password");
    if (n == 0)
        return more(io, "its user name and password");
    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "unknown version 0x%02x of user/password authentication",
                         in.p[0]);
    s->phase = SOCKS5_SERVER_AUTH;
    if (gost_auth(io, s->phase, user, password) != GOST_OK)
        return GOST_EINTERNAL;
    gost_consume(io, (size_t)n);
    return GOST_AGAIN;
}

static int on_auth(struct socks5_server *s, struct gost_io *io, const struct gost_event *ev)
{
    uint8_t reply[2] = {1, ev->status ? 1 : 0};

    gost_send(io, reply, sizeof reply);
    if (ev->status)
        return gost_fail(io, ev->status, "wrong user name or password");
    s->phase = SOCKS5_SERVER_REQUEST;
    return GOST_OK;
}

static int on_request(struct socks5_server *s, const struct socks5_handler_conf *cf,
                      struct gost_io *io)
{
    struct gost_bytes in = look(io, SOCKS5_REQUEST_MAX);
    int n = socks5_parse_request(in, &s->command, &s->target);

    gost_phase(io, "the request");
    if (n == 0)
        return more(io, "its request");
    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "not a SOCKS5 request");
    gost_consume(io, (size_t)n);
    gost_set_deadline(io, 0);
    return socks5_command(s, cf, io);
}

/* Negotiation: runs as far as the input goes. */
static int negotiate(struct socks5_server *s, const struct socks5_handler_conf *cf,
                     struct gost_io *io)
{
    int r = GOST_OK;

    if (s->phase == SOCKS5_SERVER_OFFER)
        r = on_offer(s, cf, io);
    if (r == GOST_OK && s->phase == SOCKS5_SERVER_USERPASS)
        r = on_userpass(s, io);
    if (r == GOST_OK && s->phase == SOCKS5_SERVER_REQUEST)
        r = on_request(s, cf, io);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int on_result(struct socks5_server *s, const struct socks5_handler_conf *cf,
                     struct gost_io *io, const struct gost_event *ev)
{
    int r;

    switch (s->phase) {
    case SOCKS5_SERVER_PROBE: /* is anybody without a name accepted? */
        s->authed = ev->status == 0;
        s->phase = SOCKS5_SERVER_OFFER;
        gost_phase(io, "the greeting");
        return negotiate(s, cf, io);
    case SOCKS5_SERVER_TLS:
        if (ev->status)
            return gost_fail(io, ev->status, "%s",
                             ev->text ? ev->text : "TLS inside socks5 failed");
        s->phase = s->method == SOCKS5_TLS_AUTH ? SOCKS5_SERVER_USERPASS : SOCKS5_SERVER_REQUEST;
        return negotiate(s, cf, io);
    case SOCKS5_SERVER_AUTH:
        r = on_auth(s, io, ev);
        return r == GOST_OK ? negotiate(s, cf, io) : r;
    default:
        return socks5_result(s, cf, io, ev);
    }
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct socks5_server *s = state;
    const struct socks5_handler_conf *cf = conf;

    switch (ev->type) {
    case GOST_EV_START:
        if (cf->read_timeout)
            gost_set_deadline(io, gost_now() + cf->read_timeout);
        return gost_auth(io, s->phase, gost_bytes(NULL, 0), gost_bytes(NULL, 0)) == GOST_OK
                   ? GOST_AGAIN
                   : GOST_EINTERNAL;
    case GOST_EV_RESULT:
        return on_result(s, cf, io, ev);
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its request in time");
    case GOST_EV_CLOSED:
        if (ev->port != 0 && s->phase >= SOCKS5_SERVER_VISITOR)
            return GOST_AGAIN; /* a visitor that is on its way to its own flow */
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "%s",
                         ev->text ? ev->text : "the connection ended");
    case GOST_EV_READABLE:
    case GOST_EV_EOF:
        if (ev->port == 0 && s->phase < SOCKS5_SERVER_COMMAND)
            return negotiate(s, cf, io);
        if (ev->type == GOST_EV_EOF && ev->port == 0 && s->phase == SOCKS5_SERVER_ACCEPT)
            return GOST_OK; /* the client gives up waiting for BIND */
        return GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

const struct gost_handler_ops socks5_handler_ops = {sizeof socks5_handler_ops, GOST_STREAM, step,
                                                    NULL};
