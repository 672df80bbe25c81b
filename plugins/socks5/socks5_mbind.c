/* socks5_mbind.c - MUX BIND, the server: connections to a bound port as streams. */
/* SPDX-License-Identifier: MIT */
#include "relay_message.h"
#include "socks5_server.h"

/* Roles are reversed: the server opens the streams. */
int socks5_become_session(struct gost_io *io, uint32_t tag, uint32_t role)
{
    return gost_relay_session(io, tag, role, "1"); /* the version unless mux.version says another */
}

int socks5_mbind_next(struct socks5_server *s, struct gost_io *io)
{
    s->phase = SOCKS5_SERVER_VISITOR;
    gost_phase(io, "a connection to the bound port");
    return gost_asked(gost_accept(io, s->phase, SOCKS5_OUT, SOCKS5_REMOTE));
}

int socks5_mbind_visitor(struct socks5_server *s, struct gost_io *io, const struct gost_addr *peer)
{
    s->bound = *peer;
    s->phase = SOCKS5_SERVER_STREAM;
    return gost_asked(gost_stream_open(io, s->phase, SOCKS5_STREAM, SOCKS5_CLIENT, 0));
}

/* Who came is what the stream begins with, unless the client is of GOST's version 2. */
int socks5_mbind_stream(struct socks5_server *s, const struct socks5_handler_conf *cf,
                        struct gost_io *io)
{
    uint8_t buf[SOCKS5_REQUEST_MAX];

    if (!cf->comp)
        gost_send(gost_port(io, SOCKS5_STREAM), buf, socks5_put_request(buf, SOCKS5_OK, &s->bound));
    s->phase = SOCKS5_SERVER_CHILD;
    return gost_asked(gost_spawn(io, s->phase, SOCKS5_OUT, SOCKS5_STREAM, "socks5.visitor"));
}

int socks5_mbind_failed(struct socks5_server *s, struct gost_io *io, const struct gost_event *ev)
{
    if (s->phase == SOCKS5_SERVER_VISITOR || ev->status == GOST_ECLOSED)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the bind ended");
    if (gost_port(io, SOCKS5_OUT)) /* no room for it: this one is lost, not the others */
        gost_abort(gost_port(io, SOCKS5_OUT), 0);
    return socks5_mbind_next(s, io);
}

const struct gost_handler_ops socks5_visitor_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = gost_visitor_step};
