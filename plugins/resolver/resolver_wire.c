/* resolver_wire.c - DNS messages: a question for addresses, and what is read of its reply. */
/* SPDX-License-Identifier: MIT */
#include "resolver.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1, NAME_MAX_BYTES = 255 };
enum { FLAG_QR = 0x8000, FLAG_TC = 0x0200, FLAG_RD = 0x0100 };

/* ---- queries ---- */

/* The labels of a name. Bytes written, or 0. */
static size_t put_name(uint8_t *buf, size_t size, struct gost_bytes name)
{
    size_t at = 0, i = 0, n;

    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (!name.n || name.n + 2 > NAME_MAX_BYTES || name.n + 2 > size)
        return 0;
    while (i < name.n) {
        const uint8_t *dot = memchr(name.p + i, '.', name.n - i);

        n = dot ? (size_t)(dot - name.p) - i : name.n - i;
        if (n == 0 || n > 63)
            return 0;
        buf[at++] = (uint8_t)n;
        memcpy(buf + at, name.p + i, n);
        at += n;
        i += n + 1;
    }
    if (name.p[name.n - 1] == '.')
        return 0;
    buf[at++] = 0;
    return at;
}

/* OPT with a client subnet as GOST writes it: no size, IPv4 /24, IPv6 /128. */
static uint8_t *put_subnet(uint8_t *p, const struct gost_addr *subnet)
{
    unsigned n = subnet->family == GOST_AF_IP4 ? 3 : 16;

    *p++ = 0;
    p = gost_put16(p, TYPE_OPT);
    p = gost_put16(p, 0);
    p = gost_put32(p, 0);
    p = gost_put16(p, (uint16_t)(8 + n));
    p = gost_put16(p, 8); /* client subnet */
    p = gost_put16(p, (uint16_t)(4 + n));
    p = gost_put16(p, subnet->family == GOST_AF_IP4 ? 1 : 2);
    *p++ = (uint8_t)(8 * n);
    *p++ = 0;
    memcpy(p, subnet->ip, n);
    return p + n;
}

size_t resolver_query_put(uint8_t buf[RESOLVER_QUERY_MAX], const struct resolver_question *q)
{
    uint8_t *p = gost_put16(buf, q->id);
    size_t n;

    p = gost_put16(p, FLAG_RD);
    p = gost_put16(p, 1);
    p = gost_put16(p, 0);
    p = gost_put16(p, 0);
    p = gost_put16(p, q->subnet != NULL);
    n = put_name(p, RESOLVER_QUERY_MAX - HEADER - 40, q->name);
    if (!n)
        return 0;
    p = gost_put16(p + n, q->family == 6 ? TYPE_AAAA : TYPE_A);
    p = gost_put16(p, CLASS_IN);
    if (q->subnet)
        p = put_subnet(p, q->subnet);
    return (size_t)(p - buf);
}

/* ---- replies ---- */

/* Passes over a name; pointers are not followed. The place behind it, or 0. */
static size_t skip_name(struct gost_bytes m, size_t at)
{
    while (at < m.n) {
        uint8_t n = m.p[at];

        if (n == 0)
            return at + 1;
        if ((n & 0xc0) == 0xc0)
            return at + 2 <= m.n ? at + 2 : 0;
        if (n & 0xc0)
            return 0;
        at += 1u + n;
    }
    return 0;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Whether the question at `at` is ours; *ret_end is the place behind it. */
static int is_ours(struct gost_bytes m, const struct resolver_question *q, size_t *ret_end)
{
    uint8_t ours[RESOLVER_QUERY_MAX];
    size_t n = resolver_query_put(ours, q), i;

    n = n ? skip_name(gost_bytes(ours, n), HEADER) + 4 : 0;
    if (n == 0 || m.n < n)
        return 0;
    for (i = HEADER; i < n; i++)
        if (lower(m.p[i]) != lower(ours[i]))
            return 0;
    *ret_end = n;
    return 1;
}

static void take_address(struct resolver_reply *r, struct gost_bytes data)
{
    if (r->n < GOST_ADDRS_MAX)
        gost_addr_set_ip(&r->addr[r->n++], data.p, data.n, 0);
}

int resolver_reply_parse(struct resolver_reply *ret_reply, struct gost_bytes message,
                         const struct resolver_question *q)
{
    struct resolver_reply r;
    unsigned flags, answers, i;
    size_t at;

    if (message.n < HEADER || gost_get16(message.p) != q->id)
        return GOST_AGAIN;
    flags = gost_get16(message.p + 2);
    answers = gost_get16(message.p + 6);
    if (!(flags & FLAG_QR) || gost_get16(message.p + 4) != 1 || !is_ours(message, q, &at))
        return GOST_AGAIN;
    memset(&r, 0, sizeof r);
    r.rcode = flags & 15;
    r.truncated = (flags & FLAG_TC) != 0;
    for (i = 0; i < answers; i++) {
        unsigned type, size;
        uint32_t ttl;

        at = skip_name(message, at);
        if (!at || at + 10 > message.n)
            break;
        type = gost_get16(message.p + at);
        ttl = gost_get32(message.p + at + 4);
        size = gost_get16(message.p + at + 8);
        at += 10;
        if (size > message.n - at)
            break;
        if (i == 0 || ttl < r.ttl)
            r.ttl = ttl;
        if ((type == TYPE_A && size == 4 && q->family == 4) ||
            (type == TYPE_AAAA && size == 16 && q->family == 6))
            take_address(&r, gost_bytes(message.p + at, size));
        at += size;
    }
    if (i < answers && !r.truncated)
        return GOST_EPROTO;
    *ret_reply = r;
    return GOST_OK;
}
