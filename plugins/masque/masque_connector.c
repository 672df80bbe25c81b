/* masque_connector.c - ask a proxy of HTTP/3 with CONNECT or CONNECT-UDP. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "masque.h"

enum { TAG_CODEC = 1, TAG_DATAGRAMS };

#define PACKETS 1u /* our port of the stream's datagrams */

static int is_udp(struct gost_io *io)
{
    return gost_target(io)->network == GOST_NET_UDP;
}

/* The proxy's own name: what a request is addressed to that has its target in the path. */
static void own_authority(const struct masque_connector_conf *c, struct gost_io *io, char *to,
                          size_t size)
{
    const struct gost_addr *a = gost_flow(io)->remote;

    if (c->host && *c->host)
        snprintf(to, size, "%s", c->host);
    else if (a && a->family != GOST_AF_NONE)
        gost_addr_format(a, to, size);
    else
        snprintf(to, size, "proxy");
}

static int put_udp(struct gost_head *h, struct masque_client *m,
                   const struct masque_connector_conf *c, struct gost_io *io)
{
    if (masque_path_put(m->path, sizeof m->path, &gost_target(io)->addr) == 0)
        return GOST_EPROTO;
    own_authority(c, io, m->authority, sizeof m->authority);
    h->protocol = gost_bytes_str("connect-udp");
    h->scheme = gost_bytes_str("https");
    h->path = gost_bytes_str(m->path);
    return GOST_OK;
}

static int ask(const struct masque_connector_conf *c, struct masque_client *m, struct gost_io *io)
{
    struct gost_exchange_connect q = {0};

    if (is_udp(io)) {
        if (put_udp(&q.head, m, c, io) != GOST_OK)
            return gost_fail(io, GOST_EPROTO, "the CONNECT request could not be sent");
        gost_exchange_put(&q, gost_bytes_str("capsule-protocol"), gost_bytes_str("?1"));
    } else {
        gost_addr_format(&gost_target(io)->addr, m->authority, sizeof m->authority);
    }
    q.head.authority = gost_bytes_str(m->authority);
    gost_exchange_put_login(&q, c->username, c->password);
    return gost_exchange_connect_send(&q, io, "quic-go HTTP/3", c->timeout);
}

static int answer(struct gost_io *io, const struct gost_event *ev)
{
    struct gost_head h;
    int r = gost_exchange_connect_answer(io, ev, &h);

    if (r != GOST_OK)
        return r;
    if (!is_udp(io))
        return gost_asked(gost_upgrade(io, TAG_CODEC, 0, GOST_CLIENT, "masque.tunnel"));
    if (!gost_bytes_eq(gost_head_get(&h, "capsule-protocol"), gost_bytes_str("?1")))
        return gost_fail(io, GOST_EREFUSED,
                         "the proxy did not reach the target: 200 without capsule-protocol");
    return gost_asked(gost_datagrams(io, TAG_DATAGRAMS, PACKETS, 0));
}

static int result(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s",
                         ev->text ? ev->text : "the dialer gives no datagrams: use h3-masque");
    if (ev->tag == TAG_DATAGRAMS)
        return gost_asked(gost_upgrade(io, TAG_CODEC, PACKETS, GOST_CLIENT, "masque.udp"));
    if (is_udp(io))
        gost_result_port(io, PACKETS);
    return GOST_OK;
}

static int masque_connect(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    switch (ev->type) {
    case GOST_EV_START:
        return ask(conf, state, io);
    case GOST_EV_RESULT:
        return result(io, ev);
    default:
        return answer(io, ev);
    }
}

const struct gost_connector_ops masque_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP,
    .connect = masque_connect,
    .accepts = GOST_EXCHANGE,
};
