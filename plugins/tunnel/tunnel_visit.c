/* tunnel_visit.c - where a host leads, and the way to a client of that tunnel. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/host.h>

#include "tunnel.h"

/* ---- ids and keys ---- */

/* Flows of all workers and generations of one service have the same, also its entry points. */
int tunnel_node(struct gost_io *io, uint8_t ret_uuid[16])
{
    static const char table[] = "tunnel.node";
    struct gost_bytes service = gost_bytes_str(gost_flow(io)->service);
    uint8_t fresh[16];
    int r;

    if (!service.n)
        service = gost_bytes_str("-");
    if (gost_table_get(table, service, ret_uuid, 16) == GOST_OK)
        return GOST_OK;
    tunnel_uuid_random(fresh);
    r = gost_table_put(table, service, fresh, sizeof fresh, 0, 1);
    if (r != GOST_OK && r != GOST_EINUSE)
        return gost_fail(io, r, "no id for this service");
    r = gost_table_get(table, service, ret_uuid, 16);
    return r == GOST_OK ? r : gost_fail(io, GOST_EINTERNAL, "the id of this service is gone");
}

#define KEY_MAX (2 * TUNNEL_UUID_TEXT + 8)

/* The name among endpoints: of this service, this network, this tunnel. */
static int key_of(struct gost_io *io, const struct tunnel_id *id, int udp, char key[KEY_MAX])
{
    char node[TUNNEL_UUID_TEXT], tunnel[TUNNEL_UUID_TEXT];
    uint8_t uuid[16];
    int r = tunnel_node(io, uuid);

    if (r != GOST_OK)
        return r;
    tunnel_uuid_text(node, uuid);
    tunnel_uuid_text(tunnel, id->b);
    snprintf(key, KEY_MAX, "%s %s %s", node, udp ? "udp" : "tcp", tunnel);
    return GOST_OK;
}

int tunnel_offer(struct gost_io *io, const struct tunnel_id *id, int udp)
{
    uint8_t weight = id->b[TUNNEL_WEIGHT];
    char key[KEY_MAX];
    int r = key_of(io, id, udp, key);

    if (r != GOST_OK)
        return r;
    r = gost_endpoint_add(io, "tunnel", gost_bytes_str(key),
                          weight == 255 ? GOST_ENDPOINT_EXCLUSIVE : weight);
    return r == GOST_OK ? r : gost_fail(io, r, "visitors cannot be told of this client");
}

/* ---- the ingress ---- */

/* An entry point of a list may have its own: its argument says "ingress=name" on a line. */
static struct gost_bytes ingress_name(const struct tunnel_server_conf *cf, struct gost_io *io)
{
    static const char word[] = "\ningress=";
    struct gost_bytes arg = gost_arg(io);
    const uint8_t *at = arg.n ? memmem(arg.p, arg.n, word, sizeof word - 1) : NULL, *end;

    if (!at)
        return gost_bytes_str(cf->ingress ? cf->ingress : "");
    at += sizeof word - 1;
    end = memchr(at, '\n', (size_t)(arg.p + arg.n - at));
    return gost_bytes(at, (size_t)((end ? end : arg.p + arg.n) - at));
}

int tunnel_has_ingress(const struct tunnel_server_conf *cf, struct gost_io *io)
{
    return cf->rules || ingress_name(cf, io).n;
}

static void parse(struct gost_bytes endpoint, struct tunnel_id *ret_id)
{
    if (tunnel_id_parse(ret_id, endpoint) != GOST_OK)
        memset(ret_id, 0, sizeof *ret_id);
}

int tunnel_ask_ingress(const struct tunnel_server_conf *cf, struct gost_io *io, uint32_t tag,
                       const struct gost_addr *host, struct tunnel_id *ret_id)
{
    struct gost_bytes name = ingress_name(cf, io);
    char text[GOST_ADDR_TEXT];
    struct gost_act_ask a;

    if (name.n) {
        gost_phase(io, "the ingress");
        gost_act_init(&a, sizeof a, GOST_ACT_ASK, tag, 0);
        a.policy = GOST_POLICY_INGRESS;
        a.addr = *host;
        a.text = name;
        return gost_asked(gost_act(io, &a.head));
    }
    memset(ret_id, 0, sizeof *ret_id);
    if (cf->rules)
        parse(
            tunnel_rules_find(cf->rules, gost_bytes(text, gost_addr_host(host, text, sizeof text))),
            ret_id);
    return GOST_OK;
}

void tunnel_ingress_result(const struct gost_event *ev, struct tunnel_id *ret_id)
{
    const struct gost_result_verdict *v = ev->result;

    parse(!ev->status && v ? v->value : gost_bytes(NULL, 0), ret_id);
}

/* ---- visiting ---- */

int tunnel_visit(struct tunnel_visit *v, struct gost_io *io, uint32_t tag)
{
    char key[KEY_MAX];
    int r = key_of(io, &v->id, v->second ? !v->udp : v->udp, key);

    gost_phase(io, "a client of the tunnel");
    return r == GOST_OK
               ? gost_asked(gost_dial_endpoint(io, tag, TUNNEL_FAR, "tunnel", gost_bytes_str(key)))
               : r;
}

/* A lonely client serves both networks, as in GOST. */
int tunnel_visited(struct tunnel_visit *v, struct gost_io *io, const struct gost_event *ev)
{
    uint8_t buf[GOST_RELAY_REQUEST_MAX], *p = buf + GOST_RELAY_HEAD;

    if (ev->status == GOST_ENOROUTE && !v->second) {
        v->second = 1;
        return tunnel_visit(v, io, ev->tag);
    }
    if (ev->status)
        return ev->status;
    p = gost_relay_put_addr(p, &v->source);
    p = gost_relay_put_addr(p, &v->target);
    gost_send(gost_port(io, TUNNEL_FAR), buf, gost_relay_finish(buf, GOST_RELAY_OK, p));
    return GOST_OK;
}
