/* relay_connector.c - the client: CONNECT for streams and datagrams, associations. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

enum phase { ASK, LAZY, ANSWER, CODEC };

static size_t request(const struct relay_client_conf *cf, struct gost_io *io, uint8_t *buf)
{
    const struct gost_target *t = gost_target(io);
    struct relay_message m;

    memset(&m, 0, sizeof m);
    m.code = RELAY_CONNECT;
    m.network = RELAY_TCP;
    if (t->network == GOST_NET_UDP) {
        m.code |= RELAY_UDP_FLAG;
        m.network = RELAY_UDP;
    } else if (t->network == GOST_NET_UNIX) {
        m.network = RELAY_UNIX;
    } else if (t->network == GOST_NET_SERIAL) {
        m.network = RELAY_SERIAL;
    }
    m.has_auth = cf->user.n > 0;
    m.user = cf->user;
    m.password = cf->password;
    m.has_addr = 1;
    m.addr = t->addr;
    return relay_put_request(buf, &m, 0);
}

static int lazy(struct relay_client *c, struct gost_io *io, const uint8_t *buf, size_t n)
{
    c->phase = LAZY;
    return gost_asked(
        gost_upgrade_arg(io, LAZY, 0, GOST_CLIENT, "relay.request", gost_bytes(buf, n)));
}

int relay_take(struct gost_io *io, struct relay_message *ret_message)
{
    const uint8_t *p = gost_peek(io, RELAY_HEAD);
    struct relay_message m;
    int n;

    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    n = relay_head(p);
    if (n < 0)
        return GOST_EPROTO;
    if (RELAY_HEAD + (size_t)n > GOST_PEEK_MAX)
        return GOST_ETOOBIG;
    p = gost_peek(io, RELAY_HEAD + (size_t)n);
    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    memset(&m, 0, sizeof m);
    m.code = p[1];
    if (relay_features(&m, gost_bytes(p + RELAY_HEAD, (size_t)n)) != GOST_OK)
        return GOST_EPROTO;
    m.user = m.password = gost_bytes(NULL, 0);
    gost_consume(io, RELAY_HEAD + (size_t)n);
    *ret_message = m;
    return GOST_OK;
}

int relay_answer(struct gost_io *io, struct relay_message *ret_message)
{
    const uint8_t *first = gost_rx(io).p;
    uint8_t byte = first ? *first : 0;
    int r = relay_take(io, ret_message);

    if (r == GOST_AGAIN)
        return r;
    if (r == GOST_ECLOSED)
        return gost_fail(io, r, "the relay closed the connection before its answer");
    if (r != GOST_OK)
        return gost_fail(
            io, r, "the node's answer is none of the relay protocol (first byte 0x%02x)", byte);
    if (ret_message->code != RELAY_OK)
        return gost_fail(io, relay_error_of(ret_message->code), "the relay answers %u: %s",
                         ret_message->code, relay_status_text(ret_message->code));
    return GOST_OK;
}

static int common(const struct relay_client_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START && cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the relay did not answer in time");
    if (ev->type == GOST_EV_RESULT && ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the relay broke");
    return GOST_OK;
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
    uint8_t buf[RELAY_REQUEST_MAX];
    struct relay_message m;
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
        r = relay_answer(io, &m);
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
    uint8_t buf[RELAY_REQUEST_MAX];
    struct relay_message m;
    int r = common(cf, io, ev);

    if (r != GOST_OK)
        return r;
    if (c->phase == ASK) {
        memset(&m, 0, sizeof m);
        m.code = RELAY_BIND | RELAY_UDP_FLAG;
        m.network = RELAY_UDP;
        m.has_auth = cf->user.n > 0;
        m.user = cf->user;
        m.password = cf->password;
        m.has_addr = 1;
        m.addr = gost_target(io)->addr; /* a port to listen at there; none: any */
        gost_send(io, buf, relay_put_request(buf, &m, 1));
        gost_wipe(buf, sizeof buf);
        gost_phase(io, "the relay's answer");
        c->phase = ANSWER;
        return GOST_AGAIN;
    }
    if (c->phase == ANSWER) {
        r = relay_answer(io, &m);
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
