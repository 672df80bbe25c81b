/* socks4.c - SOCKS4 and SOCKS4a: handler and connector. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "socks4.h"

struct server_conf {
    uint64_t timeout;
    uint32_t sniffing;
};

struct client_conf {
    uint64_t timeout;
    struct gost_bytes user;
    uint32_t disable_4a;
};

enum phase { REQUEST, AUTH, DIAL, SNIFF, RELAY };

struct server {
    enum phase phase;
    struct gost_addr target;
};

struct client {
    int asked, resolving;
};

static int reply(struct gost_io *io, uint8_t code, int error, const char *text)
{
    uint8_t buf[8] = {0, code};

    gost_send(io, buf, sizeof buf);
    return error ? gost_fail(io, error, "%s", text) : GOST_OK;
}

static int on_request(struct server *s, struct gost_io *io)
{
    size_t have = gost_rx_len(io) < SOCKS4_REQUEST_MAX ? gost_rx_len(io) : SOCKS4_REQUEST_MAX;
    struct gost_bytes user, in = gost_bytes(have ? gost_peek(io, have) : NULL, have);
    uint8_t command;
    int n = socks4_parse_request(in, &command, &user, &s->target);

    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "not a SOCKS4 request (first byte 0x%02x)", in.p[0]);
    if (n == 0) {
        if (gost_rx_eof(io))
            return gost_fail(io, GOST_ECLOSED, "the client left in the middle of its request");
        gost_want(io, have + 1);
        return GOST_AGAIN;
    }
    if (command != SOCKS4_CONNECT)
        return gost_fail(io, GOST_EUNSUPPORTED, "SOCKS4 BIND is not supported");
    s->phase = AUTH;
    if (gost_auth(io, AUTH, user, gost_bytes(NULL, 0)) != GOST_OK)
        return GOST_EINTERNAL;
    gost_consume(io, (size_t)n);
    return GOST_AGAIN;
}

static int on_result(struct server *s, const struct server_conf *cf, struct gost_io *io,
                     const struct gost_event *ev)
{
    const char *text = ev->text ? ev->text : "refused";

    if (s->phase == AUTH) {
        if (ev->status)
            return reply(io, SOCKS4_AUTH, ev->status, "unknown user id");
        gost_set_deadline(io, 0);
        s->phase = DIAL;
        return gost_asked(gost_dial(io, DIAL, 1, GOST_NET_TCP, &s->target));
    }
    if (s->phase == SNIFF && ev->status)
        return gost_fail(io, ev->status, "%s", text);
    if (ev->status)
        return reply(io, ev->status == GOST_EDENIED ? SOCKS4_REJECTED : SOCKS4_FAILED, ev->status,
                     text);
    if (s->phase == DIAL)
        (void)reply(io, SOCKS4_OK, 0, NULL);
    if (s->phase == DIAL && cf->sniffing) {
        s->phase = SNIFF;
        return gost_asked(gost_inspect(io, SNIFF, 0, "sniff"));
    }
    s->phase = RELAY;
    return gost_asked(gost_relay(io, 0, 1, 0));
}

static int serve(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct server *s = state;
    const struct server_conf *cf = conf;

    if (ev->type == GOST_EV_START && cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its request in time");
    if (ev->type == GOST_EV_RESULT)
        return on_result(s, cf, io, ev);
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
    return s->phase == REQUEST ? on_request(s, io) : GOST_AGAIN;
}

static int ask(struct client *c, const struct client_conf *cf, struct gost_io *io,
               const struct gost_addr *to)
{
    uint8_t buf[SOCKS4_REQUEST_MAX];
    char user[256];
    size_t n;

    memcpy(user, cf->user.n ? cf->user.p : (const uint8_t *)"", cf->user.n);
    user[cf->user.n] = 0;
    n = socks4_put_request(buf, to, user, !cf->disable_4a);
    if (!n)
        return gost_fail(io, GOST_EUNSUPPORTED, "SOCKS4 without 4a reaches IPv4 addresses only");
    gost_send(io, buf, n);
    gost_phase(io, "the socks4 reply");
    c->asked = 1;
    return GOST_AGAIN;
}

static int resolve(struct client *c, struct gost_io *io)
{
    struct gost_act_resolve a;

    gost_act_init(&a, sizeof a, GOST_ACT_RESOLVE, 0, 0);
    a.addr = gost_target(io)->addr;
    c->resolving = 1;
    return gost_asked(gost_act(io, &a.head));
}

static int on_addresses(struct client *c, const struct client_conf *cf, struct gost_io *io,
                        const struct gost_event *ev)
{
    const struct gost_result_addrs *r = ev->result;
    uint32_t i;

    c->resolving = 0;
    for (i = 0; !ev->status && r && i < r->n; i++) {
        struct gost_addr a = r->addrs[i];

        a.port = gost_target(io)->addr.port;
        if (a.family == GOST_AF_IP4)
            return ask(c, cf, io, &a);
    }
    return gost_fail(io, GOST_ERESOLVE, "%s", ev->text ? ev->text : "the name has no IPv4 address");
}

static int on_reply(struct gost_io *io)
{
    const uint8_t *p = gost_take(io, 8);

    if (!p)
        return gost_rx_eof(io)
                   ? gost_fail(io, GOST_ECLOSED, "the proxy closed the connection before its reply")
                   : GOST_AGAIN;
    if (p[0] != 0)
        return gost_fail(io, GOST_EPROTO, "the node does not speak SOCKS4 (first byte 0x%02x)",
                         p[0]);
    if (p[1] == SOCKS4_OK)
        return GOST_OK;
    return gost_fail(io,
                     p[1] == SOCKS4_AUTH       ? GOST_EAUTH
                     : p[1] == SOCKS4_REJECTED ? GOST_EDENIED
                                               : GOST_EPEER,
                     "the proxy refuses (code %u)", p[1]);
}

static int connect_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct client *c = state;
    const struct client_conf *cf = conf;

    if (ev->type == GOST_EV_START) {
        if (cf->timeout)
            gost_set_deadline(io, gost_now() + cf->timeout);
        if (cf->disable_4a && gost_target(io)->addr.family == GOST_AF_NAME)
            return resolve(c, io);
        return ask(c, cf, io, &gost_target(io)->addr);
    }
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the proxy did not answer in time");
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the proxy broke");
    if (ev->type == GOST_EV_RESULT && c->resolving)
        return on_addresses(c, cf, io, ev);
    return c->asked ? on_reply(io) : GOST_AGAIN;
}

static const struct gost_opt server_options[] = {
    GOST_OPT_DURATION(struct server_conf, timeout, "readTimeout", "15s", 0, 86400000,
                      GOST_OPT_SERVER, "Time for the request; 0: no limit"),
    GOST_OPT_BOOL(struct server_conf, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "Ask the bypass about the host that a client's TLS or HTTP names, too"),
    GOST_OPT_LAST,
};

static const struct gost_opt client_options[] = {
    GOST_OPT_SECRET(struct client_conf, user, "auth.username", 255, GOST_OPT_CLIENT, "User id"),
    GOST_OPT_DURATION(struct client_conf, timeout, "timeout", NULL, 0, 86400000, GOST_OPT_CLIENT,
                      "Limit for the reply; 0: that of the router"),
    GOST_OPT_BOOL(struct client_conf, disable_4a, "disable4a", "false", GOST_OPT_CLIENT,
                  "Resolve names here and send IPv4 addresses"),
    GOST_OPT_LAST,
};

static const struct gost_handler_ops handler_ops = {sizeof handler_ops, GOST_STREAM, serve, NULL};
static const struct gost_connector_ops connector_ops = {
    .size = sizeof connector_ops, .networks = 1u << GOST_NET_TCP, .connect = connect_step};

static const struct gost_component components[] = {
    {GOST_KIND_HANDLER, 0, "socks4", "socks4a", "SOCKS4 and SOCKS4a proxy server", &handler_ops,
     server_options, sizeof(struct server_conf), sizeof(struct server), NULL, NULL,
     "inspector:sniff?sniffing"},
    {GOST_KIND_CONNECTOR, 0, "socks4", "socks4a", "SOCKS4a proxy client", &connector_ops,
     client_options, sizeof(struct client_conf), sizeof(struct client), NULL, NULL},
};

GOST_PLUGIN("socks4", "1.0", "MIT", "SOCKS4 and SOCKS4a server and client", components,
            "handler:socks4 handler:socks4a connector:socks4 connector:socks4a");
