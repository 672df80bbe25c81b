/* tunnel_connector.c - the client: visiting a tunnel, and being one. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "tunnel.h"

#define PEER "tunnel server"

enum phase { ASK, ANSWER, CODEC };

/* Without tunnel.id all connectors of a process share one. */
static void own_id(struct tunnel_id *ret_id)
{
    static const char table[] = "tunnel.self";
    struct gost_bytes key = gost_bytes_str("id");
    uint8_t fresh[16];

    memset(ret_id, 0, sizeof *ret_id);
    if (gost_table_get(table, key, ret_id->b, 16) == GOST_OK)
        return;
    tunnel_uuid_random(fresh);
    (void)gost_table_put(table, key, fresh, sizeof fresh, 0, 1);
    (void)gost_table_get(table, key, ret_id->b, 16);
}

static int ask(const struct tunnel_client_conf *cf, struct gost_io *io, uint8_t code,
               const struct gost_addr *source)
{
    uint8_t buf[GOST_RELAY_REQUEST_MAX], *p = buf + GOST_RELAY_HEAD;
    const struct gost_target *t = gost_target(io);
    struct tunnel_id id = cf->id;

    if (tunnel_id_none(&id))
        own_id(&id);
    id.b[TUNNEL_WEIGHT] = (uint8_t)cf->weight;
    if (t->network == GOST_NET_UDP) {
        code |= GOST_RELAY_UDP_FLAG;
        p = gost_relay_put_network(p, GOST_RELAY_UDP);
    }
    if (cf->user.n)
        p = gost_relay_put_auth(p, cf->user, cf->password);
    p = gost_relay_put_addr(p, source);
    p = gost_relay_put_addr(p, &t->addr);
    p = gost_relay_put_id(p, id.b);
    gost_send(io, buf, gost_relay_finish(buf, code, p));
    gost_wipe(buf, sizeof buf);
    gost_phase(io, "the answer of the " PEER);
    return GOST_AGAIN;
}

/* ---- visiting ---- */

/* The client, or our own end of the connection to the server. */
static const struct gost_addr *visitor(struct gost_io *io)
{
    const struct gost_flow *f = gost_flow(io);

    return gost_addr_is_ip(f->source) ? f->source : f->local;
}

static int connect_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    const struct tunnel_client_conf *cf = conf;
    struct tunnel_client *c = state;
    struct gost_relay_message m;
    int r = gost_relay_common(io, ev, cf->timeout, PEER);

    if (r != GOST_OK)
        return r;
    switch (c->phase) {
    case ASK:
        c->phase = ANSWER;
        return ask(cf, io, GOST_RELAY_CONNECT, visitor(io));
    case ANSWER:
        r = gost_relay_answer(io, PEER, &m);
        if (r != GOST_OK)
            return r;
        gost_set_deadline(io, 0);
        if (gost_target(io)->network != GOST_NET_UDP)
            return GOST_OK;
        c->phase = CODEC;
        return gost_asked(gost_upgrade(io, CODEC, 0, GOST_CLIENT, "tunnel.udp"));
    default:
        if (ev->type != GOST_EV_RESULT)
            return GOST_AGAIN;
        return ev->status ? gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed")
                          : GOST_OK;
    }
}

/* ---- being one ---- */

static int bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct gost_relay_binding how = {PEER, TUNNEL_MUX, NULL};
    const struct tunnel_client_conf *cf = conf;
    struct tunnel_client *c = state;
    int r = gost_relay_common(io, ev, cf->timeout, PEER);

    if (r != GOST_OK)
        return r;
    if (ev->type == GOST_EV_START)
        return ask(cf, io, GOST_RELAY_BIND, gost_flow(io)->local);
    if (gost_target(io)->network == GOST_NET_UDP)
        how.codec = "tunnel.udp";
    return gost_relay_bind_step(&c->binder, &how, io, ev);
}

const struct gost_connector_ops tunnel_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP,
    .connect = connect_step,
    .bind = bind_step,
    .flags = GOST_CONNECTOR_BIND_PACKETS,
};
