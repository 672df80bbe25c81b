/* tunnel_handler.c - the server: clients register with BIND, visitors come with CONNECT. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "tunnel.h"
#include "tunnel_entry.h"

/* Phases, and tags of what is asked for in them. */
enum phase { REQUEST, AUTH, POLICY, INGRESS, VISIT, RELAYING, NAMING, SESSION, SERVING };

/* Of a client: the stream it may not open. */
enum { STRAY = 1 };

static int on_request(struct tunnel_server *s, struct gost_io *io)
{
    struct gost_relay_message m;
    int r = gost_relay_request(io, AUTH, &m);

    if (r != GOST_OK)
        return r;
    s->command = m.code & 0x0f;
    s->visit.udp = gost_relay_to_network(&m) == GOST_NET_UDP;
    s->visit.source = m.addr;
    s->visit.target = m.second;
    memcpy(s->visit.id.b, m.id, sizeof m.id);
    s->phase = AUTH;
    return GOST_AGAIN;
}

/* ---- CONNECT ---- */

static int connect_command(struct tunnel_server *s, struct gost_io *io)
{
    struct gost_act_ask a;

    s->phase = POLICY;
    gost_act_init(&a, sizeof a, GOST_ACT_ASK, POLICY, 0);
    a.policy = GOST_POLICY_BYPASS;
    a.network = s->visit.udp ? GOST_NET_UDP : GOST_NET_TCP;
    a.addr = s->visit.target;
    return gost_asked(gost_act(io, &a.head));
}

static int visit(struct tunnel_server *s, struct gost_io *io)
{
    s->phase = VISIT;
    return tunnel_visit(&s->visit, io, VISIT);
}

/* `to` is where the target's name leads. */
static int on_ingress(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                      struct gost_io *io, const struct tunnel_id *to)
{
    if (!tunnel_id_none(&cf->entry_id) && tunnel_id_same(&s->visit.id, &cf->entry_id)) {
        if (tunnel_id_none(to))
            return gost_relay_refuse(io, GOST_RELAY_NET_UNREACHABLE, GOST_ENOROUTE,
                                     "no rule of the ingress has this host");
        if (to->b[TUNNEL_FLAGS] & TUNNEL_PRIVATE)
            return gost_relay_refuse(io, GOST_RELAY_HOST_UNREACHABLE, GOST_EDENIED,
                                     "the tunnel is private");
        s->visit.id = *to;
    } else if (!cf->direct && !tunnel_id_same(&s->visit.id, to)) {
        return gost_relay_refuse(
            io, GOST_RELAY_HOST_UNREACHABLE, GOST_EDENIED,
            tunnel_id_none(to)
                ? "no rule of the ingress has this host; tunnel.direct=true needs none"
                : "the ingress leads this host to another tunnel");
    }
    return visit(s, io);
}

static int ask_ingress(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                       struct gost_io *io)
{
    struct tunnel_id to;
    int r;

    s->phase = INGRESS;
    r = tunnel_ask_ingress(cf, io, INGRESS, &s->visit.target, &to);
    return r == GOST_OK ? on_ingress(s, cf, io, &to) : r;
}

static int on_policy(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                     struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_verdict *v = ev->result;

    if (ev->status || v->verdict)
        return gost_relay_refuse(io, GOST_RELAY_FORBIDDEN, GOST_EDENIED,
                                 "the service's bypass forbids this target");
    return ask_ingress(s, cf, io);
}

static int on_visit(struct tunnel_server *s, struct gost_io *io, const struct gost_event *ev)
{
    int r = tunnel_visited(&s->visit, io, ev);

    if (r == GOST_AGAIN)
        return r;
    if (r != GOST_OK)
        return gost_relay_refuse(io, GOST_RELAY_UNAVAILABLE, r,
                                 r == GOST_ENOROUTE ? "no client of this tunnel is here"
                                                    : ev->text);
    gost_relay_respond(io, GOST_RELAY_OK, NULL);
    s->phase = RELAYING;
    return gost_asked(gost_relay(io, TUNNEL_CLIENT, TUNNEL_FAR, 0));
}

/* ---- BIND ---- */

static int is_unspecified(const struct gost_addr *a)
{
    static const uint8_t zero[16];

    return a->family == GOST_AF_NONE ||
           (gost_addr_is_ip(a) && memcmp(a->ip, zero, a->family == GOST_AF_IP4 ? 4 : 16) == 0);
}

/* The answer names the host that leads here; then the connection becomes a session, whose streams
 * we open. */
static int answer(struct tunnel_server *s, struct gost_io *io, int keep_host)
{
    uint8_t buf[GOST_RELAY_REQUEST_MAX], *p = buf + GOST_RELAY_HEAD;
    struct gost_addr host = s->visit.target;
    struct tunnel_id client;
    char name[TUNNEL_NAME];

    memset(&client, 0, sizeof client);
    tunnel_uuid_random(client.b);
    client.b[TUNNEL_FLAGS] = s->visit.udp ? TUNNEL_UDP : 0;
    client.b[TUNNEL_WEIGHT] = s->visit.id.b[TUNNEL_WEIGHT];
    if (!keep_host) {
        if (tunnel_name(name, &s->visit.id) != GOST_OK)
            return gost_relay_refuse(
                io, GOST_RELAY_INTERNAL, GOST_EUNSUPPORTED,
                "no name for the tunnel: OpenSSL has no MD5 here; give its host a rule");
        (void)gost_addr_set_host(&host, name, strlen(name), host.port);
    }
    p = gost_relay_put_id(gost_relay_put_addr(p, &host), client.b);
    gost_send(io, buf, gost_relay_finish(buf, GOST_RELAY_OK, p));
    s->phase = SESSION;
    return gost_relay_session(io, SESSION, GOST_CLIENT, TUNNEL_MUX);
}

static int on_name(struct tunnel_server *s, struct gost_io *io, const struct tunnel_id *to)
{
    return answer(s, io, tunnel_id_none(to) || tunnel_id_same(to, &s->visit.id));
}

static int bind_command(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                        struct gost_io *io)
{
    struct tunnel_id to;
    int r;

    if (is_unspecified(&s->visit.target) || !tunnel_has_ingress(cf, io))
        return answer(s, io, 0);
    s->phase = NAMING;
    r = tunnel_ask_ingress(cf, io, NAMING, &s->visit.target, &to);
    return r == GOST_OK ? on_name(s, io, &to) : r;
}

static int next_stray(struct gost_io *io)
{
    return gost_asked(gost_accept(io, STRAY, STRAY, TUNNEL_CLIENT));
}

static int serve(struct tunnel_server *s, struct gost_io *io)
{
    char text[TUNNEL_UUID_TEXT];
    int r = tunnel_offer(io, &s->visit.id, s->visit.udp);

    if (r != GOST_OK)
        return r;
    s->phase = SERVING;
    gost_phase(io, "visitors of the tunnel");
    tunnel_uuid_text(text, s->visit.id.b);
    gost_log(io, GOST_LOG_INFO, "a client of the tunnel %s is here, for %s, weight %u", text,
             s->visit.udp ? "udp" : "tcp", s->visit.id.b[TUNNEL_WEIGHT]);
    return next_stray(io);
}

/* ---- steps ---- */

static int command(struct tunnel_server *s, const struct tunnel_server_conf *cf, struct gost_io *io)
{
    gost_set_deadline(io, 0);
    if (tunnel_id_none(&s->visit.id))
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EPROTO,
                                 "the request names no tunnel");
    switch (s->command) {
    case GOST_RELAY_CONNECT:
        return connect_command(s, io);
    case GOST_RELAY_BIND:
        return bind_command(s, cf, io);
    default:
        return gost_relay_refuse(io, GOST_RELAY_BAD_REQUEST, GOST_EUNSUPPORTED, "unknown command");
    }
}

static int on_result(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                     struct gost_io *io, const struct gost_event *ev)
{
    struct tunnel_id to;

    switch (s->phase) {
    case AUTH:
        return ev->status ? gost_relay_refuse(io, GOST_RELAY_UNAUTHORIZED, ev->status,
                                              "wrong user name or password")
                          : command(s, cf, io);
    case POLICY:
        return on_policy(s, cf, io, ev);
    case INGRESS:
        tunnel_ingress_result(ev, &to);
        return on_ingress(s, cf, io, &to);
    case NAMING:
        tunnel_ingress_result(ev, &to);
        return on_name(s, io, &to);
    case VISIT:
        return on_visit(s, io, ev);
    case SESSION:
        return ev->status ? gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no session")
                          : serve(s, io);
    case SERVING:
        if (ev->status)
            return GOST_AGAIN; /* the end of port 0 is told besides */
        gost_abort(gost_port(io, STRAY), 0);
        return next_stray(io);
    default:
        return GOST_AGAIN;
    }
}

static int on_closed(const struct tunnel_server *s, struct gost_io *io, const struct gost_event *ev)
{
    if (s->phase == SERVING && ev->port != TUNNEL_CLIENT)
        return GOST_AGAIN;
    if (s->phase == SERVING && (ev->status == 0 || ev->status == GOST_ECLOSED))
        return GOST_OK;
    return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
}

static int server_step(struct tunnel_server *s, const struct tunnel_server_conf *cf,
                       struct gost_io *io, const struct gost_event *ev)
{
    switch (ev->type) {
    case GOST_EV_START:
        if (cf->timeout)
            gost_set_deadline(io, gost_now() + cf->timeout);
        break;
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its request in time");
    case GOST_EV_RESULT:
        return on_result(s, cf, io, ev);
    case GOST_EV_CLOSED:
        return on_closed(s, io, ev);
    case GOST_EV_CANCEL: /* no more visitors; it ends with the last one */
        if (s->phase == SERVING)
            gost_shut(io);
        return GOST_AGAIN;
    default:
        break;
    }
    return s->phase == REQUEST ? on_request(s, io) : GOST_AGAIN;
}

/* What arrives at an entry point has an argument. */
static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    union tunnel_flow *f = state;

    return gost_arg(io).n ? tunnel_entry_step(&f->entry, conf, io, ev)
                          : server_step(&f->server, conf, io, ev);
}

const struct gost_handler_ops tunnel_handler_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = step};
