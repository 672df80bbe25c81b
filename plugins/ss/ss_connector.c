/* ss_connector.c - the clients: ss for streams, ssu for datagrams. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "ss.h"

enum phase { START, FRAMES, READY };

/* GOST_OK: an UPGRADE is done, go on. GOST_AGAIN: wait. */
static int common(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the server broke");
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    return GOST_OK;
}

static void arg_init(struct ss_arg *arg, const struct ss_conf *cf)
{
    memset(arg, 0, sizeof *arg);
    arg->keys = cf->made;
}

/* There is no reply in this protocol: connected is whoever could say where to. */
static int stream_connect(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    struct ss_arg arg;

    if (ev->type != GOST_EV_START)
        return common(io, ev);
    arg_init(&arg, conf);
    arg.addr_n = (uint32_t)gost_socks_addr_put(arg.addr, &gost_target(io)->addr);
    return ss_upgrade(io, READY, GOST_CLIENT, "ss.stream", &arg);
}

/* peer: the only target, or NULL when packets say theirs. */
static int packets_start(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io,
                         const struct gost_addr *peer)
{
    static const uint8_t nowhere[] = {3, 0, 0, 0}; /* what GOST writes for an association */
    struct ss_arg arg;

    arg_init(&arg, cf);
    if (peer)
        arg.addr_n = (uint32_t)gost_socks_addr_put(arg.addr, peer);
    if (gost_io_type(io) == GOST_DATAGRAM) {
        s->phase = READY;
        return ss_upgrade(io, READY, GOST_CLIENT, "ss.packet", &arg);
    }
    if (!peer) {
        arg.addr_n = sizeof nowhere;
        memcpy(arg.addr, nowhere, sizeof nowhere);
    }
    s->phase = FRAMES;
    return ss_upgrade(io, FRAMES, GOST_CLIENT, "ss.stream", &arg);
}

static int frames(struct ss_step *s, struct gost_io *io, const struct gost_addr *peer)
{
    uint8_t to[GOST_SOCKS_ADDR_MAX];
    struct gost_bytes arg = gost_bytes(to, peer ? gost_socks_addr_put(to, peer) : 0);

    s->phase = READY;
    return gost_asked(gost_upgrade_arg(io, READY, 0, GOST_CLIENT, "ss.frames", arg));
}

static int packets(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io,
                   const struct gost_event *ev, const struct gost_addr *peer)
{
    int r;

    if (ev->type == GOST_EV_START)
        return packets_start(s, cf, io, peer);
    r = common(io, ev);
    return r == GOST_OK && s->phase == FRAMES ? frames(s, io, peer) : r;
}

static int packets_connect(void *state, const void *conf, struct gost_io *io,
                           const struct gost_event *ev)
{
    return packets(state, conf, io, ev, &gost_target(io)->addr);
}

static int packets_associate(void *state, const void *conf, struct gost_io *io,
                             const struct gost_event *ev)
{
    return packets(state, conf, io, ev, NULL);
}

const struct gost_connector_ops ss_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP,
    .connect = stream_connect,
};

const struct gost_connector_ops ssu_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_UDP,
    .connect = packets_connect,
    .associate = packets_associate,
    .accepts = GOST_STREAM | GOST_DATAGRAM,
};
