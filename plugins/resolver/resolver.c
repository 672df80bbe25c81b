/* resolver.c - remote policy: one question to one name server. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "resolver.h"

enum { WIRE = 1, TAG_DIAL = 1, TAG_TLS = 2, SENDS = 3, NEGATIVE_TTL_S = 60 };

struct resolver_conf {
    const char *addr, *client_ip;
    uint32_t prefer, only;
    uint64_t timeout;
    /* derived */
    struct resolver_server server;
    struct gost_addr subnet;
    uint32_t pinned; /* 4, 6; 0: either */
};

struct resolver_state {
    struct resolver_question q;
    uint32_t scheme;   /* udp becomes tcp after a truncated reply */
    unsigned sent;     /* datagrams of this question */
    int may_try_other; /* the other family, when this one has nothing */
    uint64_t began;
    struct gost_answer http;
};

/* ---- asking ---- */

static int dial(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io)
{
    gost_random(&s->q.id, sizeof s->q.id);
    s->sent = 0;
    s->began = gost_now();
    gost_answer_free(&s->http);
    s->http.max = 65535;
    gost_phase(io, "the name server");
    (void)gost_dial(io, TAG_DIAL, WIRE, s->scheme == RESOLVER_UDP ? GOST_NET_UDP : GOST_NET_TCP,
                    &cf->server.addr);
    return GOST_AGAIN;
}

static int start_tls(const struct resolver_state *s, const struct resolver_conf *cf,
                     struct gost_io *io)
{
    const struct gost_addr *named = s->scheme == RESOLVER_HTTPS ? &cf->server.addr : NULL;

    return gost_asked(gost_start_tls(io, TAG_TLS, WIRE, named));
}

static void put_http(const struct resolver_conf *cf, struct gost_io *wire, size_t n)
{
    uint8_t buf[1200];
    char length[24];
    struct gost_http1_out out = {buf, 0, sizeof buf, 0};

    snprintf(length, sizeof length, "%zu", n);
    gost_http1_put_str(&out, "POST ");
    gost_http1_put_str(&out, cf->server.path);
    gost_http1_put_str(&out, " HTTP/1.1\r\nHost: ");
    gost_http1_put_str(&out, cf->server.authority);
    gost_http1_put_str(&out, "\r\nContent-Length: ");
    gost_http1_put_str(&out, length);
    gost_http1_put_str(&out, "\r\nContent-Type: application/dns-message\r\n"
                             "Accept: application/dns-message\r\n\r\n");
    (void)gost_send(wire, out.p, out.n);
}

static int ask(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io)
{
    uint8_t buf[2 + RESOLVER_QUERY_MAX];
    struct gost_io *wire = gost_port(io, WIRE);
    size_t n = resolver_query_put(buf + 2, &s->q);

    if (!n)
        return gost_fail(io, GOST_ERESOLVE, "\"%.*s\" is no name that can be asked for",
                         (int)(s->q.name.n < 80 ? s->q.name.n : 80), (const char *)s->q.name.p);
    if (!wire)
        return gost_fail(io, GOST_ECLOSED, "the connection is gone");
    gost_put16(buf, (uint16_t)n);
    if (s->scheme == RESOLVER_UDP) {
        (void)gost_packet_put(wire, gost_bytes(buf + 2, n), NULL);
        if (++s->sent < SENDS) /* datagrams get lost: ask again within the time there is */
            gost_set_deadline(io, s->began + s->sent * (cf->timeout / SENDS));
    } else if (s->scheme == RESOLVER_HTTPS) {
        put_http(cf, wire, n);
        (void)gost_send(wire, buf + 2, n);
    } else {
        (void)gost_send(wire, buf, n + 2);
    }
    gost_phase(io, "its reply");
    return GOST_AGAIN;
}

static int opened(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "it cannot be reached");
    if (ev->tag == TAG_DIAL && s->scheme >= RESOLVER_TLS)
        return start_tls(s, cf, io);
    return ask(s, cf, io);
}

/* ---- replies ---- */

static int report(const struct resolver_reply *r, struct gost_io *io)
{
    struct gost_a_addrs a;

    memset(&a, 0, sizeof a);
    a.size = (uint32_t)sizeof a;
    a.n = r->n;
    memcpy(a.addr, r->addr, r->n * sizeof r->addr[0]);
    a.ttl_ns = (r->ttl ? r->ttl : NEGATIVE_TTL_S) * GOST_S;
    gost_answer(io, &a);
    return GOST_OK;
}

/* One message. GOST_AGAIN: it is not the reply. */
static int take_message(struct resolver_state *s, const struct resolver_conf *cf,
                        struct gost_io *io, struct gost_bytes message)
{
    struct resolver_reply r;
    int status = resolver_reply_parse(&r, message, &s->q);

    if (status == GOST_AGAIN)
        return status;
    if (status != GOST_OK)
        return gost_fail(io, status, "its reply is malformed");
    gost_set_deadline(io, 0);
    if (r.truncated && r.n == 0 && s->scheme == RESOLVER_UDP) {
        s->scheme = RESOLVER_TCP;
        return dial(s, cf, io);
    }
    if (r.rcode == 3)
        return gost_fail(io, GOST_ERESOLVE, "the name does not exist");
    if (r.rcode != 0)
        return gost_fail(io, GOST_ERESOLVE, "it refused with code %u", r.rcode);
    if (r.n == 0 && s->may_try_other) {
        s->may_try_other = 0;
        s->q.family = s->q.family == 4 ? 6 : 4;
        s->scheme = cf->server.scheme;
        return dial(s, cf, io);
    }
    return report(&r, io);
}

static int read_packets(struct resolver_state *s, const struct resolver_conf *cf,
                        struct gost_io *io, struct gost_io *wire)
{
    struct gost_packet p;
    int r = GOST_AGAIN;

    while (r == GOST_AGAIN && gost_packet_recv(wire, &p) == GOST_OK) {
        r = take_message(s, cf, io, p.data);
        if (r == GOST_AGAIN && s->sent == 0) /* it asks anew, on another connection */
            break;
    }
    return r;
}

static int read_framed(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io,
                       struct gost_io *wire)
{
    const uint8_t *p = gost_peek(wire, 2);
    size_t n;
    int r;

    if (!p)
        return GOST_AGAIN;
    n = gost_get16(p);
    p = gost_peek(wire, 2 + n);
    if (!p)
        return GOST_AGAIN;
    r = take_message(s, cf, io, gost_bytes(p + 2, n));
    gost_consume(wire, 2 + n);
    return r;
}

static int read_http(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io,
                     struct gost_io *wire)
{
    const char *why = NULL;
    int r = gost_answer_read(&s->http, wire, &why);

    if (r == GOST_AGAIN)
        return r;
    if (r != GOST_OK)
        return gost_fail(io, r, "%s", why);
    if (s->http.status != 200)
        return gost_fail(io, GOST_EPEER, "it answered with status %u, not 200", s->http.status);
    return take_message(s, cf, io, gost_bytes(s->http.data, s->http.n));
}

static int readable(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io)
{
    struct gost_io *wire = gost_port(io, WIRE);

    if (!wire)
        return GOST_AGAIN;
    if (gost_io_type(wire) == GOST_DATAGRAM)
        return read_packets(s, cf, io, wire);
    return s->scheme == RESOLVER_HTTPS ? read_http(s, cf, io, wire) : read_framed(s, cf, io, wire);
}

/* ---- the component ---- */

static int start(struct resolver_state *s, const struct resolver_conf *cf, struct gost_io *io)
{
    const struct gost_q_name *q = gost_question(io);

    if (!q)
        return gost_fail(io, GOST_EINTERNAL, "nothing was asked");
    s->q.name = q->name;
    s->q.subnet = cf->subnet.family != GOST_AF_NONE ? &cf->subnet : NULL;
    s->q.family = cf->pinned ? cf->pinned : q->family ? q->family : cf->prefer ? 6 : 4;
    s->may_try_other = !cf->pinned && !q->family;
    s->scheme = cf->server.scheme;
    return dial(s, cf, io);
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct resolver_conf *cf = conf;
    struct resolver_state *s = state;

    switch (ev->type) {
    case GOST_EV_START:
        return start(s, cf, io);
    case GOST_EV_RESULT:
        return opened(s, cf, io, ev);
    case GOST_EV_DEADLINE:
        return s->scheme == RESOLVER_UDP && s->sent ? ask(s, cf, io) : GOST_AGAIN;
    case GOST_EV_READABLE:
        return ev->port == WIRE ? readable(s, cf, io) : GOST_AGAIN;
    case GOST_EV_EOF:
    case GOST_EV_CLOSED:
        return ev->port == WIRE ? gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                                            "the connection ended without a reply")
                                : GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

static void destroy(void *state)
{
    gost_answer_free(&((struct resolver_state *)state)->http);
}

static int prepare(void *conf, struct gost_prepare *p)
{
    static const uint32_t pins[] = {0, 4, 4, 6, 6};
    struct resolver_conf *cf = conf;

    cf->pinned = pins[cf->only];
    if (resolver_server_parse(&cf->server, cf->addr) != GOST_OK) {
        snprintf(p->error, p->error_size,
                 "\"%.100s\" is no name server: write [udp://|tcp://|tls://|https://]host[:port]",
                 cf->addr);
        return GOST_EPROTO;
    }
    if (!cf->client_ip || !*cf->client_ip)
        return GOST_OK;
    if (gost_addr_set_host(&cf->subnet, cf->client_ip, strlen(cf->client_ip), 0) != GOST_OK ||
        !gost_addr_is_ip(&cf->subnet)) {
        snprintf(p->error, p->error_size, "clientIP \"%.60s\" is no IP address", cf->client_ip);
        return GOST_EPROTO;
    }
    gost_addr_unmap(&cf->subnet);
    return GOST_OK;
}

static const struct gost_opt options[] = {
    GOST_OPT_STRING(struct resolver_conf, addr, "addr", NULL, GOST_OPT_REQUIRED | GOST_OPT_CLIENT,
                    "[udp|tcp|tls|dot|https://]host[:port]; port 53, https 443"),
    GOST_OPT_STRING(struct resolver_conf, client_ip, "clientIP", NULL, GOST_OPT_CLIENT,
                    "address told as client subnet"),
    GOST_OPT_ENUM(struct resolver_conf, prefer, "prefer", "ipv4", "ipv4 ipv6", GOST_OPT_CLIENT,
                  "the family that is asked for first"),
    GOST_OPT_ENUM(struct resolver_conf, only, "only", "any", "any ipv4 ip4 ipv6 ip6",
                  GOST_OPT_CLIENT, "the family that is asked for at all"),
    GOST_OPT_DURATION(struct resolver_conf, timeout, "timeout", "5s", 1, 0, GOST_OPT_CLIENT,
                      "time for one question; the host ends it then"),
    GOST_OPT_LAST};

static const struct gost_remote_ops ops = {
    .size = sizeof ops, .policy = GOST_POLICY_RESOLVER, .step = step, .destroy = destroy};

static const struct gost_component components[] = {
    {GOST_KIND_REMOTE, 0, "resolver", NULL, "addresses of names from a name server", &ops, options,
     sizeof(struct resolver_conf), sizeof(struct resolver_state), prepare, NULL},
};

GOST_PLUGIN("resolver", "1.0", "MIT", "addresses of names from name servers", components,
            "remote:resolver");
