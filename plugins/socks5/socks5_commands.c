/* socks5_commands.c - the server's commands: CONNECT, BIND, UDP ASSOCIATE, UDP-TUN. */
/* SPDX-License-Identifier: MIT */
#include "socks5_server.h"

static void reply(struct gost_io *io, uint8_t code, const struct gost_addr *addr)
{
    static const struct gost_addr none;
    uint8_t buf[SOCKS5_REQUEST_MAX];

    gost_send(io, buf, socks5_put_request(buf, code, addr ? addr : &none));
}

static int refuse(struct gost_io *io, uint8_t code, int error, const char *text)
{
    reply(io, code, NULL);
    return gost_fail(io, error, "%s", text ? text : socks5_reply_text(code));
}

/* Our address as the client should use it: the configured public one, else where it reached us. */
static struct gost_addr public_address(const struct socks5_handler_conf *cf, struct gost_io *io,
                                       uint16_t port, int ip_only)
{
    struct gost_addr a = *gost_flow(io)->local;

    if (cf->public_parsed.family != GOST_AF_NONE &&
        (!ip_only || cf->public_parsed.family != GOST_AF_NAME))
        a = cf->public_parsed;
    a.port = port;
    return a;
}

static int start_connect(struct socks5_server *s, struct gost_io *io)
{
    s->phase = SOCKS5_SERVER_DIAL;
    gost_phase(io, "the connection to the target");
    return gost_asked(gost_dial(io, s->phase, SOCKS5_REMOTE, GOST_NET_TCP, &s->target));
}

static int start_bind(struct socks5_server *s, const struct socks5_handler_conf *cf,
                      struct gost_io *io)
{
    if (!cf->bind)
        return refuse(io, SOCKS5_DENIED, GOST_EDENIED, "BIND is off; bind=true allows it");
    s->phase = s->command == SOCKS5_MBIND ? SOCKS5_SERVER_MBIND : SOCKS5_SERVER_BIND;
    return gost_asked(gost_bind(io, s->phase, SOCKS5_REMOTE, GOST_NET_TCP, &s->target, 0));
}

static int start_udp(struct socks5_server *s, const struct socks5_handler_conf *cf,
                     struct gost_io *io)
{
    struct gost_act_bind a;

    if (!cf->udp)
        return refuse(io, SOCKS5_DENIED, GOST_EDENIED, "UDP ASSOCIATE is off; udp=true allows it");
    s->phase = SOCKS5_SERVER_UDP_BIND;
    gost_act_init(&a, sizeof a, GOST_ACT_BIND, SOCKS5_SERVER_UDP_BIND, SOCKS5_REMOTE);
    a.network = GOST_NET_UDP;
    a.flags = GOST_BIND_LOCAL;
    a.addr = *gost_flow(io)->local;
    a.addr.port = 0;
    if (cf->port_min > 0 && cf->port_max >= cf->port_min) {
        a.port_min = (uint16_t)cf->port_min;
        a.port_max = (uint16_t)cf->port_max;
    }
    return gost_asked(gost_act(io, &a.head));
}

static int start_tun(struct socks5_server *s, const struct socks5_handler_conf *cf,
                     struct gost_io *io)
{
    s->phase = SOCKS5_SERVER_TUN_OUT;
    if (s->target.port == 0) {
        if (!cf->udp)
            return refuse(io, SOCKS5_DENIED, GOST_EDENIED, "UDP is off; udp=true allows it");
        return gost_asked(gost_associate(io, s->phase, SOCKS5_REMOTE));
    }
    if (!cf->bind)
        return refuse(io, SOCKS5_DENIED, GOST_EDENIED,
                      "binding UDP ports is off; bind=true allows it");
    return gost_asked(gost_bind(io, s->phase, SOCKS5_REMOTE, GOST_NET_UDP, &s->target, 0));
}

int socks5_command(struct socks5_server *s, const struct socks5_handler_conf *cf,
                   struct gost_io *io)
{
    s->phase = SOCKS5_SERVER_COMMAND;
    switch (s->command) {
    case SOCKS5_CONNECT:
        return start_connect(s, io);
    case SOCKS5_BIND:
    case SOCKS5_MBIND:
        return start_bind(s, cf, io);
    case SOCKS5_UDP:
        return start_udp(s, cf, io);
    case SOCKS5_UDP_TUN:
        return start_tun(s, cf, io);
    default:
        return refuse(io, SOCKS5_UNSUPPORTED, GOST_EUNSUPPORTED, "unknown SOCKS5 command");
    }
}

static int failed(struct socks5_server *s, struct gost_io *io, const struct gost_event *ev)
{
    int dial = s->phase == SOCKS5_SERVER_DIAL;

    if (s->phase == SOCKS5_SERVER_VISITOR || s->phase == SOCKS5_SERVER_STREAM ||
        s->phase == SOCKS5_SERVER_CHILD)
        return socks5_mbind_failed(s, io, ev);
    if (s->phase == SOCKS5_SERVER_TUN_CODEC || s->phase == SOCKS5_SERVER_SESSION ||
        s->phase == SOCKS5_SERVER_ACCEPT || s->phase == SOCKS5_SERVER_SNIFF)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the command failed");
    return refuse(io, dial ? socks5_reply_of(ev->status) : SOCKS5_FAILURE, ev->status, ev->text);
}

static int relay(struct socks5_server *s, struct gost_io *io, uint32_t a, uint32_t b)
{
    s->phase = SOCKS5_SERVER_RELAY;
    return gost_asked(gost_relay(io, a, b, 0));
}

static int udp_codec(struct socks5_server *s, struct gost_io *io)
{
    const struct gost_addr *client = gost_flow(io)->remote; /* only this host's datagrams count */

    s->phase = SOCKS5_SERVER_UDP_CODEC;
    return gost_asked(gost_upgrade_arg(io, s->phase, SOCKS5_REMOTE, GOST_SERVER, "socks5.udp",
                                       gost_bytes(client, sizeof *client)));
}

int socks5_result(struct socks5_server *s, const struct socks5_handler_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;
    struct gost_addr a;

    if (ev->status)
        return failed(s, io, ev);
    switch (s->phase) {
    case SOCKS5_SERVER_DIAL:
        reply(io, SOCKS5_OK, res ? &res->local : NULL);
        if (!cf->sniffing)
            return relay(s, io, SOCKS5_CLIENT, SOCKS5_REMOTE);
        s->phase = SOCKS5_SERVER_SNIFF;
        return gost_asked(gost_inspect(io, s->phase, SOCKS5_CLIENT, "sniff"));
    case SOCKS5_SERVER_BIND:
        a = public_address(cf, io, res->local.port, 0);
        reply(io, SOCKS5_OK, &a);
        s->phase = SOCKS5_SERVER_ACCEPT;
        gost_phase(io, "a connection to the bound port");
        return gost_asked(gost_accept(io, s->phase, SOCKS5_OUT, SOCKS5_REMOTE));
    case SOCKS5_SERVER_ACCEPT:
        reply(io, SOCKS5_OK, &res->remote);
        return relay(s, io, SOCKS5_CLIENT, SOCKS5_OUT);
    case SOCKS5_SERVER_MBIND:
        a = public_address(cf, io, res->local.port, 0);
        reply(io, SOCKS5_OK, &a);
        s->phase = SOCKS5_SERVER_SESSION;
        return socks5_become_session(io, s->phase, GOST_CLIENT);
    case SOCKS5_SERVER_SESSION:
    case SOCKS5_SERVER_CHILD:
        return socks5_mbind_next(s, io);
    case SOCKS5_SERVER_VISITOR:
        return socks5_mbind_visitor(s, io, &res->remote);
    case SOCKS5_SERVER_STREAM:
        return socks5_mbind_stream(s, cf, io);
    case SOCKS5_SERVER_UDP_BIND:
        s->bound = public_address(cf, io, res->local.port, 1);
        return udp_codec(s, io);
    case SOCKS5_SERVER_UDP_CODEC:
        s->phase = SOCKS5_SERVER_UDP_OUT;
        return gost_asked(gost_associate(io, s->phase, SOCKS5_OUT));
    case SOCKS5_SERVER_UDP_OUT:
        reply(io, SOCKS5_OK, &s->bound);
        if (gost_tie(io, 1u << SOCKS5_CLIENT | 1u << SOCKS5_REMOTE | 1u << SOCKS5_OUT) != GOST_OK)
            return GOST_EINTERNAL;
        return relay(s, io, SOCKS5_REMOTE, SOCKS5_OUT);
    case SOCKS5_SERVER_TUN_OUT:
        reply(io, SOCKS5_OK, res ? &res->local : NULL);
        s->phase = SOCKS5_SERVER_TUN_CODEC;
        return gost_asked(gost_upgrade(io, s->phase, SOCKS5_CLIENT, GOST_SERVER, "socks5.tun"));
    case SOCKS5_SERVER_SNIFF:
    case SOCKS5_SERVER_TUN_CODEC:
        return relay(s, io, SOCKS5_CLIENT, SOCKS5_REMOTE);
    default:
        return GOST_AGAIN;
    }
}
