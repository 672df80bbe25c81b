/* relay_handler.c - the server: request, authentication, CONNECT, UDP, forward mode. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

enum phase {
    REQUEST,
    AUTH,
    SELECT,
    DIAL,
    RESPONSE,
    UDP_CODEC,
    ASSOCIATE,
    TUN_CODEC,
    SNIFF,
    BIND,
    RELAYING
};

enum { CLIENT = 0, TARGET = 1 };

static int on_request(struct relay_server *s, struct gost_io *io)
{
    struct gost_relay_message m;
    int r = gost_relay_request(io, AUTH, &m);

    if (r != GOST_OK)
        return r;
    s->command = m.code & 0x0f;
    s->network = (uint16_t)gost_relay_to_network(&m);
    s->target = m.addr;
    s->has_addr = m.n_addr > 0;
    s->phase = AUTH;
    return GOST_AGAIN;
}

static int dial(struct relay_server *s, struct gost_io *io, const struct gost_result_node *node)
{
    struct gost_act_dial a;

    s->phase = DIAL;
    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, DIAL, TARGET);
    a.network = node && node->network ? node->network : s->network;
    a.addr = node ? node->addr : s->target;
    if (node)
        a.node = node->node;
    gost_phase(io, "the connection to the target");
    return gost_asked(gost_act(io, &a.head));
}

static int unix_target(struct relay_server *s)
{
    char path[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(&s->target, path, sizeof path);

    return gost_addr_set_path(&s->target, path, n);
}

static int connect_command(struct relay_server *s, struct gost_io *io)
{
    if (!s->has_addr || (s->target.family == GOST_AF_NONE && s->target.port == 0))
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EPROTO,
                                 "the request names no target");
    if (s->network == GOST_NET_UNIX && unix_target(s) != GOST_OK)
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EPROTO, "malformed socket path");
    return dial(s, io, NULL);
}

static int bind_streams(struct relay_server *s, struct gost_io *io)
{
    if (s->network == GOST_NET_UNIX && unix_target(s) != GOST_OK)
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EPROTO, "malformed socket path");
    return relay_bind_start(io, s->network, &s->target);
}

static int bind_command(struct relay_server *s, const struct relay_server_conf *cf,
                        struct gost_io *io)
{
    if (!cf->bind)
        return gost_relay_refuse(io, GOST_RELAY_FORBIDDEN, GOST_EDENIED,
                                 "BIND is off; bind=true allows it");
    if (s->network == GOST_NET_TCP || s->network == GOST_NET_UNIX) {
        s->phase = BIND;
        return bind_streams(s, io);
    }
    if (s->network != GOST_NET_UDP)
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EUNSUPPORTED,
                                 "BIND of this network");
    s->phase = ASSOCIATE;
    if (s->target.port)
        return gost_asked(gost_bind(io, ASSOCIATE, TARGET, GOST_NET_UDP, &s->target, 0));
    return gost_asked(gost_associate(io, ASSOCIATE, TARGET));
}

/* The service has no forwarder: do what the request says. */
static int command(struct relay_server *s, const struct relay_server_conf *cf, struct gost_io *io)
{
    switch (s->command) {
    case 0:
    case GOST_RELAY_CONNECT:
        return connect_command(s, io);
    case GOST_RELAY_BIND:
        return bind_command(s, cf, io);
    default:
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EUNSUPPORTED,
                                 "unknown relay command");
    }
}

/* The target is there: answer now, or with its first bytes; then datagrams get their framing. */
static int connected(struct relay_server *s, const struct relay_server_conf *cf, struct gost_io *io)
{
    if (s->phase == DIAL) {
        s->phase = RESPONSE;
        if (!cf->nodelay)
            return gost_asked(gost_upgrade(io, RESPONSE, CLIENT, GOST_SERVER, "relay.response"));
        gost_relay_respond(io, GOST_RELAY_OK, NULL);
    }
    if (s->phase == RESPONSE && s->network == GOST_NET_UDP) {
        s->phase = UDP_CODEC;
        return gost_asked(gost_upgrade(io, UDP_CODEC, CLIENT, GOST_SERVER, "relay.udp"));
    }
    if (s->phase == RESPONSE && cf->sniffing) {
        s->phase = SNIFF;
        return gost_asked(gost_inspect(io, SNIFF, CLIENT, "sniff"));
    }
    s->phase = RELAYING;
    return gost_asked(gost_relay(io, CLIENT, TARGET, 0));
}

static int failed(struct relay_server *s, const struct relay_server_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    switch (s->phase) {
    case AUTH:
        return gost_relay_refuse(io, GOST_RELAY_UNAUTHORIZED, ev->status,
                                 "wrong user name or password");
    case SELECT:
        if (ev->status == GOST_EUNSUPPORTED)
            return command(s, cf, io);
        return gost_relay_refuse(io, GOST_RELAY_UNAVAILABLE, ev->status, ev->text);
    case DIAL:
        if (ev->status == GOST_EDENIED)
            return gost_relay_refuse(io, GOST_RELAY_FORBIDDEN, ev->status, ev->text);
        return gost_relay_refuse(
            io, s->forward ? GOST_RELAY_HOST_UNREACHABLE : GOST_RELAY_NET_UNREACHABLE, ev->status,
            ev->text);
    case ASSOCIATE: /* GOST says nothing here */
    default:
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    }
}

static int on_result(struct relay_server *s, const struct relay_server_conf *cf, struct gost_io *io,
                     const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;

    if (s->phase == BIND)
        return relay_bind_result(&s->target, io, ev);
    if (ev->status)
        return failed(s, cf, io, ev);
    switch (s->phase) {
    case AUTH:
        gost_set_deadline(io, 0);
        s->phase = SELECT;
        return gost_asked(gost_select(io, SELECT));
    case SELECT:
        s->forward = 1;
        return dial(s, io, ev->result);
    case ASSOCIATE:
        gost_relay_respond(io, GOST_RELAY_OK, &res->local);
        s->phase = TUN_CODEC;
        return gost_asked(gost_upgrade(io, TUN_CODEC, CLIENT, GOST_SERVER, "relay.tun"));
    default:
        return connected(s, cf, io);
    }
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct relay_server *s = state;
    const struct relay_server_conf *cf = conf;

    if (ev->type == GOST_EV_START && cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its request in time");
    if (ev->type == GOST_EV_RESULT)
        return on_result(s, cf, io, ev);
    if (ev->type == GOST_EV_CLOSED && s->phase == BIND && ev->port != CLIENT)
        return GOST_AGAIN; /* a visitor that is on its way to its own flow */
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
    return s->phase == REQUEST ? on_request(s, io) : GOST_AGAIN;
}

const struct gost_handler_ops relay_handler_ops = {sizeof relay_handler_ops, GOST_STREAM, step,
                                                   NULL};
