/* tunnel_entry.c - an entry point: the first byte tells TLS, HTTP or another server apart. */
/* SPDX-License-Identifier: MIT */
#include "tunnel_entry.h"

static int relay(struct tunnel_entry *e, struct gost_io *io)
{
    e->phase = TUNNEL_ENTRY_RELAYING;
    gost_set_deadline(io, 0);
    return gost_asked(gost_relay(io, TUNNEL_CLIENT, TUNNEL_FAR, 0));
}

/* ---- a request of another server: its visitor, sent on to us ---- */

static int on_redirect(struct tunnel_entry *e, struct gost_io *io)
{
    struct gost_relay_message m;
    size_t n;
    int r = gost_relay_peek_request(io, &m, &n);

    if (r != GOST_OK)
        return r;
    gost_consume(io, n);
    memcpy(e->visit.id.b, m.id, sizeof m.id);
    if (tunnel_id_none(&e->visit.id))
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EPROTO,
                                 "the request names no tunnel");
    e->visit.udp = gost_relay_to_network(&m) == GOST_NET_UDP;
    e->visit.source = m.addr;
    e->visit.target = m.second;
    e->phase = TUNNEL_ENTRY_VISIT;
    return tunnel_visit(&e->visit, io, TUNNEL_ENTRY_VISIT);
}

/* ---- where a host leads ---- */

static int led(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io,
               const struct tunnel_id *to)
{
    int closed = tunnel_id_none(to) || (to->b[TUNNEL_FLAGS] & TUNNEL_PRIVATE);

    if (e->kind == TUNNEL_ENTRY_HTTP)
        return tunnel_http_led(e, cf, io, closed ? NULL : to);
    if (closed)
        return gost_fail(io, GOST_ENOROUTE,
                         "no rule of the ingress lets the public reach this "
                         "host");
    e->visit.id = *to;
    e->visit.target = e->asked;
    e->phase = TUNNEL_ENTRY_VISIT;
    return tunnel_visit(&e->visit, io, TUNNEL_ENTRY_VISIT);
}

int tunnel_entry_lead(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io)
{
    struct tunnel_id to;
    int r;

    e->phase = TUNNEL_ENTRY_INGRESS;
    e->visit.source = *gost_flow(io)->source;
    r = tunnel_ask_ingress(cf, io, TUNNEL_ENTRY_INGRESS, &e->asked, &to);
    return r == GOST_OK ? led(e, cf, io, &to) : r;
}

static int on_sniffed(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_sniffed *s = ev->result;

    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the hello is refused");
    if (!gost_bytes_eq(s->protocol, gost_bytes_str("tls")) || !s->host.n ||
        gost_addr_parse(&e->asked, (const char *)s->host.p, s->host.n, 443) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the client's TLS names no server");
    return tunnel_entry_lead(e, cf, io);
}

/* ---- steps ---- */

static int on_visit(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io,
                    const struct gost_event *ev)
{
    int r = tunnel_visited(&e->visit, io, ev);

    if (r == GOST_AGAIN)
        return r;
    if (e->kind == TUNNEL_ENTRY_HTTP)
        return tunnel_http_visited(e, cf, io, r, ev->text);
    if (e->kind == TUNNEL_ENTRY_REDIRECT)
        gost_relay_respond(io, r == GOST_OK ? GOST_RELAY_OK : GOST_RELAY_UNAVAILABLE, NULL);
    if (r != GOST_OK)
        return gost_fail(io, r, "%s", ev->text ? ev->text : "no client of this tunnel is here");
    return relay(e, io);
}

static int on_first(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, 1);

    if (!p)
        return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
    e->kind = *p == 1 ? TUNNEL_ENTRY_REDIRECT : *p == 0x16 ? TUNNEL_ENTRY_SNIFF : TUNNEL_ENTRY_HTTP;
    e->phase = e->kind;
    if (e->kind == TUNNEL_ENTRY_REDIRECT)
        return on_redirect(e, io);
    if (e->kind == TUNNEL_ENTRY_SNIFF)
        return gost_asked(gost_inspect(io, TUNNEL_ENTRY_SNIFF, TUNNEL_CLIENT, "sniff"));
    gost_set_deadline(io, 0);
    return tunnel_http_intake(e, cf, io);
}

static int on_result(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                     struct gost_io *io, const struct gost_event *ev)
{
    struct tunnel_id to;

    switch (ev->tag) {
    case TUNNEL_ENTRY_SNIFF:
        return on_sniffed(e, cf, io, ev);
    case TUNNEL_ENTRY_INGRESS:
        tunnel_ingress_result(ev, &to);
        return led(e, cf, io, &to);
    case TUNNEL_ENTRY_VISIT:
        return on_visit(e, cf, io, ev);
    default:
        return tunnel_http_step(e, cf, io, ev);
    }
}

int tunnel_entry_step(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START) {
        e->phase = TUNNEL_ENTRY_FIRST;
        gost_phase(io, "the first byte");
        if (cf->entry_timeout)
            gost_set_deadline(io, gost_now() + cf->entry_timeout);
    }
    if (ev->type == GOST_EV_RESULT)
        return on_result(e, cf, io, ev);
    if (e->kind == TUNNEL_ENTRY_HTTP)
        return tunnel_http_step(e, cf, io, ev);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not say what it wants in time");
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
    if (e->phase == TUNNEL_ENTRY_REDIRECT)
        return on_redirect(e, io);
    return e->phase == TUNNEL_ENTRY_FIRST ? on_first(e, cf, io) : GOST_AGAIN;
}
