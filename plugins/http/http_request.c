/* http_request.c - what a proxy request asks for, and heads as they are passed on. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

/* "scheme" before "://" of an absolute URL; .n 0 when it is none. */
static struct gost_bytes url_scheme(struct gost_bytes url)
{
    size_t i;

    for (i = 0; i + 2 < url.n; i++) {
        if (url.p[i] == ':')
            return gost_bytes(url.p, memcmp(url.p + i, "://", 3) == 0 ? i : 0);
        if (url.p[i] == '/' || url.p[i] == '?')
            break;
    }
    return gost_bytes(url.p, 0);
}

/* Split what follows "://" into authority and path. */
static void split_authority(struct gost_bytes rest, struct http_target *t)
{
    size_t i = 0;

    while (i < rest.n && rest.p[i] != '/' && rest.p[i] != '?' && rest.p[i] != '#')
        i++;
    t->authority = gost_bytes(rest.p, i);
    t->path = gost_bytes(rest.p + i, rest.n - i);
}

static int set_addr(struct http_target *t, uint16_t port)
{
    size_t i;

    for (i = 0; i < t->authority.n; i++) /* Host may hold blanks, a target may not */
        if (t->authority.p[i] <= ' ' || t->authority.p[i] == 0x7f)
            return GOST_EPROTO;
    /* Credentials before the host have no meaning here and hide the host from readers. */
    if (t->authority.n == 0 || memchr(t->authority.p, '@', t->authority.n))
        return GOST_EPROTO;
    if (gost_addr_parse(&t->addr, (const char *)t->authority.p, t->authority.n, port) != GOST_OK)
        return GOST_EPROTO;
    return t->addr.family == GOST_AF_NONE || t->addr.port == 0 ? GOST_EPROTO : GOST_OK;
}

/* A name hidden in Gost-Target replaces the host of a CONNECT. */
static void reveal_target(struct http_target *t, const struct gost_http1_head *head)
{
    static const char *const names[] = {"gost-target", "x-gost-target"};
    char name[256];
    struct gost_bytes v;
    struct gost_addr addr;
    size_t i, n;

    for (i = 0; i < 2; i++) {
        v = gost_http1_get(head, names[i]);
        if (v.n == 0 || gost_http1_target_decode(name, sizeof name, &n, v) != GOST_OK)
            continue;
        if (gost_addr_parse(&addr, name, n, 80) == GOST_OK && addr.family != GOST_AF_NONE &&
            addr.port != 0)
            t->addr = addr;
        return;
    }
}

/*
 * GOST_OK; GOST_EPROTO: a request no proxy can serve (400); GOST_EUNSUPPORTED: the origin form, as
 * if we were the server (503).
 */
int http_target_parse(struct http_target *ret_target, const struct gost_http1_head *head)
{
    struct http_target t;
    struct gost_bytes scheme;
    int r;

    memset(&t, 0, sizeof t);
    if (gost_http1_is(head->method, "CONNECT")) {
        t.authority = head->target.n ? head->target : gost_http1_get(head, "host");
        r = set_addr(&t, 80);
        if (r == GOST_OK)
            reveal_target(&t, head);
    } else {
        scheme = url_scheme(head->target);
        if (scheme.n == 0)
            return gost_http1_get(head, "host").n ? GOST_EUNSUPPORTED : GOST_EPROTO;
        if (!gost_http1_is(scheme, "http"))
            return GOST_EPROTO;
        split_authority(gost_bytes(scheme.p + scheme.n + 3, head->target.n - scheme.n - 3), &t);
        r = set_addr(&t, 80);
    }
    if (r == GOST_OK)
        *ret_target = t;
    return r;
}

/* The host named by the request target alone, without its port; empty in origin form. */
struct gost_bytes http_request_host(const struct gost_http1_head *head)
{
    struct http_target t;
    struct gost_bytes host = gost_bytes(NULL, 0), scheme;
    size_t i;

    if (gost_http1_is(head->method, "CONNECT")) {
        host = head->target;
    } else {
        scheme = url_scheme(head->target);
        if (scheme.n == 0)
            return host;
        split_authority(gost_bytes(scheme.p + scheme.n + 3, head->target.n - scheme.n - 3), &t);
        host = t.authority;
    }
    if (host.n && host.p[0] == '[') {
        for (i = 1; i < host.n && host.p[i] != ']'; i++)
            ;
        return gost_bytes(host.p + 1, i - 1);
    }
    for (i = 0; i < host.n && host.p[i] != ':'; i++)
        ;
    host.n = i;
    return host;
}

static int is_any(struct gost_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (gost_http1_is(name, *names))
            return 1;
    return 0;
}

static void put_target(struct gost_http1_out *out, const struct gost_http1_head *head,
                       const struct http_target *target)
{
    if (gost_http1_is(head->method, "CONNECT")) {
        gost_http1_put(out, target->authority);
        return;
    }
    if (target->path.n == 0 || target->path.p[0] != '/')
        gost_http1_put_str(
            out, target->path.n == 0 && gost_http1_is(head->method, "OPTIONS") ? "*" : "/");
    gost_http1_put(out, target->path);
}

/* The request in origin form. Fields keep their order; Host and User-Agent lead. */
void http_put_request(struct gost_http1_out *out, const struct gost_http1_head *head,
                      const struct http_target *target, uint32_t flags)
{
    static const char *const drop[] = {"host",        "user-agent",    "proxy-authorization",
                                       "gost-target", "x-gost-target", "gost-record",
                                       NULL};
    struct gost_bytes agent = gost_http1_get(head, "user-agent");
    uint32_t i;

    gost_http1_put(out, head->method);
    gost_http1_put_str(out, " ");
    put_target(out, head, target);
    gost_http1_put_str(out, " HTTP/1.1\r\n");
    gost_http1_put_field(out, gost_bytes_str("Host"), target->authority);
    gost_http1_put_field(out, gost_bytes_str("User-Agent"),
                         agent.p ? agent : gost_bytes_str("Go-http-client/1.1"));
    for (i = 0; i < head->n_fields; i++)
        if (!is_any(head->field[i].name, drop) && !gost_http1_hop_by_hop(head, i))
            gost_http1_put_field(out, head->field[i].name, head->field[i].value);
    gost_http1_put_connection(out, head, flags);
    gost_http1_put_str(out, "\r\n");
}
