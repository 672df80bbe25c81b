/* http1_client.c - URLs and whole answers of web servers, as pure functions over bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http1_client.h"

/* ---- URLs ---- */

static int starts(struct gost_bytes b, const char *prefix)
{
    size_t n = strlen(prefix), i;

    if (b.n < n)
        return 0;
    for (i = 0; i < n; i++) {
        uint8_t c = b.p[i];

        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != prefix[i])
            return 0;
    }
    return 1;
}

static struct gost_bytes rest(struct gost_bytes b, size_t n)
{
    return gost_bytes(b.p + n, b.n - n);
}

static size_t span(struct gost_bytes b, const char *stops)
{
    size_t i = 0;

    while (i < b.n && !strchr(stops, b.p[i]))
        i++;
    return i;
}

/* A request is text of one line: nothing of a URL may end it. */
static int is_clean(struct gost_bytes b)
{
    size_t i;

    for (i = 0; i < b.n; i++)
        if (b.p[i] <= ' ' || b.p[i] == 0x7f)
            return 0;
    return 1;
}

int gost_url_parse_rest(struct gost_url *ret_url, struct gost_bytes text, int tls)
{
    struct gost_url u;
    struct gost_bytes t = text;
    const uint8_t *at;
    size_t n;

    memset(&u, 0, sizeof u);
    u.tls = tls;
    if (!is_clean(t))
        return GOST_EPROTO;
    u.authority = gost_bytes(t.p, span(t, "/?#"));
    u.target = rest(t, u.authority.n);
    u.target.n = span(u.target, "#");
    at = u.authority.n ? memchr(u.authority.p, '@', u.authority.n) : NULL;
    if (at) {
        u.user = gost_bytes(u.authority.p, (size_t)(at - u.authority.p));
        u.authority = rest(u.authority, u.user.n + 1);
        n = span(u.user, ":");
        u.secret = n < u.user.n ? rest(u.user, n + 1) : gost_bytes(u.user.p, 0);
        u.user.n = n;
    }
    if (!u.authority.n ||
        gost_addr_parse(&u.addr, (const char *)u.authority.p, u.authority.n, u.tls ? 443 : 80) !=
            GOST_OK ||
        u.addr.family == GOST_AF_NONE)
        return GOST_EPROTO;
    *ret_url = u;
    return GOST_OK;
}

int gost_url_parse(struct gost_url *ret_url, struct gost_bytes text)
{
    int tls = starts(text, "https://");

    if (!tls && !starts(text, "http://"))
        return GOST_EPROTO;
    return gost_url_parse_rest(ret_url, rest(text, tls ? 8 : 7), tls);
}

void gost_url_put(struct gost_http1_out *out, const char *method, const struct gost_url *url)
{
    gost_http1_put_str(out, method);
    gost_http1_put_str(out, url->target.n && url->target.p[0] == '/' ? " " : " /");
    gost_http1_put(out, url->target);
    gost_http1_put_str(out, " HTTP/1.1\r\nHost: ");
    gost_http1_put(out, url->authority);
    gost_http1_put_str(out, "\r\n");
}

/* ---- answers ---- */

static int keep(struct gost_answer *a, struct gost_bytes b)
{
    size_t room = a->room ? a->room : 4096;
    uint8_t *more;

    if (b.n > (a->max ? a->max : GOST_ANSWER_MAX) - a->n)
        return GOST_ETOOBIG;
    while (room < a->n + b.n)
        room *= 2;
    if (room != a->room) {
        more = realloc(a->data, room);
        if (!more)
            return GOST_ENOMEM;
        a->data = more;
        a->room = room;
    }
    if (b.n)
        memcpy(a->data + a->n, b.p, b.n);
    a->n += b.n;
    return GOST_OK;
}

static int is_redirect(uint32_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int read_head(struct gost_answer *a, struct gost_bytes in, size_t *ret_used,
                     const char **ret_why)
{
    struct gost_http1_head head;
    struct gost_bytes location;
    int r = gost_http1_parse_response(&head, in, ret_why);

    if (r != GOST_OK)
        return r;
    *ret_used = head.length;
    if (head.status < 200) /* another head follows */
        return head.status == 101 ? GOST_EPROTO : GOST_OK;
    a->has_head = 1;
    a->status = head.status;
    location = gost_http1_get(&head, "location");
    if (is_redirect(head.status) && location.p) {
        if (location.n >= sizeof a->location)
            return GOST_ETOOBIG;
        memcpy(a->location, location.p, location.n);
        a->redirect = 1;
    }
    return gost_http1_response_body(&a->body, &head, gost_bytes_str("GET"), ret_why);
}

static int read_body(struct gost_answer *a, struct gost_bytes in, size_t *ret_used)
{
    uint64_t opaque;
    int n, r;

    while (in.n && !gost_http1_body_done(&a->body)) {
        opaque = gost_http1_body_opaque(&a->body);
        if (opaque) {
            struct gost_bytes b = gost_bytes(in.p, opaque < in.n ? (size_t)opaque : in.n);

            r = keep(a, b);
            if (r != GOST_OK)
                return r;
            gost_http1_body_pass(&a->body, b.n);
            in = rest(in, b.n);
            *ret_used += b.n;
            continue;
        }
        n = gost_http1_body_feed(&a->body, in);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        in = rest(in, (size_t)n);
        *ret_used += (size_t)n;
    }
    return gost_http1_body_done(&a->body) ? GOST_OK : GOST_AGAIN;
}

int gost_answer_feed(struct gost_answer *a, struct gost_bytes in, size_t *ret_used,
                     const char **ret_why)
{
    size_t used;
    int r;

    *ret_used = 0;
    *ret_why = "the answer is no HTTP/1";
    while (!a->has_head) {
        used = 0;
        r = read_head(a, in, &used, ret_why);
        if (r != GOST_OK)
            return r;
        *ret_used += used;
        in = rest(in, used);
    }
    if (a->redirect)
        return GOST_OK; /* what it says besides is of no use */
    *ret_why = "the body of the answer is malformed or too long";
    return read_body(a, in, ret_used);
}

int gost_answer_end(struct gost_answer *a)
{
    return a->has_head ? gost_http1_body_end(&a->body) : GOST_ECLOSED;
}

void gost_answer_free(struct gost_answer *a)
{
    if (a->data)
        gost_wipe(a->data, a->n);
    free(a->data);
    memset(a, 0, sizeof *a);
}
