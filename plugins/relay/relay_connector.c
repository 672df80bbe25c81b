/* relay_connector.c - the client: CONNECT for streams and datagrams, associations. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

enum phase { ASK, LAZY, ANSWER, CODEC };

static size_t request(const struct relay_client_conf *cf, struct gost_io *io, uint8_t *buf)
{
    const struct gost_target *t = gost_target(io);
    struct gost_relay_message m;

    memset(&m, 0, sizeof m);
    m.code = GOST_RELAY_CONNECT;
    m.network = GOST_RELAY_TCP;
    if (t->network == GOST_NET_UDP) {
        m.code |= GOST_RELAY_UDP_FLAG;
        m.network = GOST_RELAY_UDP;
    } else if (t->network == GOST_NET_UNIX) {
        m.network = GOST_RELAY_UNIX;
    } else if (t->network == GOST_NET_SERIAL) {
        m.network = GOST_RELAY_SERIAL;
    }
    m.has_auth = cf->user.n > 0;
    m.user = cf->user;
    m.password = cf->password;
    m.n_addr = 1;
    m.addr = t->addr;
    return relay_put_request(buf, &m, 0);
}

static int lazy(struct relay_client *c, struct gost_io *io, const uint8_t *buf, size_t n)
{
    c->phase = LAZY;
    return gost_asked(
        gost_upgrade_arg(io, LAZY, 0, GOST_CLIENT, "relay.request", gost_bytes(buf, n)));
}

static int common(const struct relay_client_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    if (ev->type == GOST_EV_RESULT && ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    return gost_relay_common(io, ev, cf->timeout, "relay");
}

/* The stream is the target's: datagrams get their framing first. */
static int finish(struct relay_client *c, struct gost_io *io, const char *codec)
{
    gost_set_deadline(io, 0);
    if (!codec)
        return GOST_OK;
    c->phase = CODEC;
    return gost_asked(gost_upgrade(io, CODEC, 0, GOST_CLIENT, codec));
}

static int connect_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct relay_client *c = state;
    const struct relay_client_conf *cf = conf;
    const char *codec = gost_target(io)->network == GOST_NET_UDP ? "relay.udp" : NULL;
    uint8_t buf[GOST_RELAY_REQUEST_MAX];
    struct gost_relay_message m;
    int r = common(cf, io, ev);
    size_t n;

    if (r != GOST_OK)
        return r;
    switch (c->phase) {
    case ASK:
        n = request(cf, io, buf);
        if (!cf->nodelay) {
            r = lazy(c, io, buf, n);
            gost_wipe(buf, n);
            return r;
        }
        gost_send(io, buf, n);
        gost_wipe(buf, n);
        gost_phase(io, "the relay's answer");
        c->phase = ANSWER;
        return GOST_AGAIN;
    case LAZY:
        return ev->type == GOST_EV_RESULT ? finish(c, io, codec) : GOST_AGAIN;
    case ANSWER:
        r = gost_relay_answer(io, "relay", &m);
        return r == GOST_OK ? finish(c, io, codec) : r;
    default:
        return ev->type == GOST_EV_RESULT ? GOST_OK : GOST_AGAIN;
    }
}

static int associate_step(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    struct relay_client *c = state;
    const struct relay_client_conf *cf = conf;
    uint8_t buf[GOST_RELAY_REQUEST_MAX];
    struct gost_relay_message m;
    int r = common(cf, io, ev);

    if (r != GOST_OK)
        return r;
    if (c->phase == ASK) {
        memset(&m, 0, sizeof m);
        m.code = GOST_RELAY_BIND | GOST_RELAY_UDP_FLAG;
        m.network = GOST_RELAY_UDP;
        m.has_auth = cf->user.n > 0;
        m.user = cf->user;
        m.password = cf->password;
        m.n_addr = 1;
        m.addr = gost_target(io)->addr; /* a port to listen at there; none: any */
        gost_send(io, buf, relay_put_request(buf, &m, 1));
        gost_wipe(buf, sizeof buf);
        gost_phase(io, "the relay's answer");
        c->phase = ANSWER;
        return GOST_AGAIN;
    }
    if (c->phase == ANSWER) {
        r = gost_relay_answer(io, "relay", &m);
        if (r == GOST_OK)
            gost_bound(io, &m.addr);
        return r == GOST_OK ? finish(c, io, "relay.tun") : r;
    }
    return ev->type == GOST_EV_RESULT ? GOST_OK : GOST_AGAIN;
}

const struct gost_connector_ops relay_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks =
        1u << GOST_NET_TCP | 1u << GOST_NET_UDP | 1u << GOST_NET_UNIX | 1u << GOST_NET_SERIAL,
    .connect = connect_step,
    .associate = associate_step,
    .bind = relay_bind_step,
};
