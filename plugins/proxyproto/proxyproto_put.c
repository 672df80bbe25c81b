/* proxyproto_put.c - writing a PROXY header. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "proxyproto.h"

/* IPv4 where it can be said so; "::" means nothing is known and is written as 0.0.0.0. */
static struct gost_addr plain(const struct gost_addr *a)
{
    static const uint8_t zero[16];
    struct gost_addr b = *a;

    gost_addr_unmap(&b);
    if (b.family == GOST_AF_IP6 && memcmp(b.ip, zero, 16) == 0)
        gost_addr_set_ip(&b, zero, 4, a->port);
    return b;
}

static size_t put_v1(char *buf, int tcp, int v4, const struct gost_addr *s,
                     const struct gost_addr *d)
{
    char src[GOST_ADDR_TEXT], dst[GOST_ADDR_TEXT];
    int n;

    if (!tcp)
        return (size_t)snprintf(buf, PROXYPROTO_HEADER_MAX, "PROXY UNKNOWN\r\n");
    gost_addr_host(s, src, sizeof src);
    gost_addr_host(d, dst, sizeof dst);
    n = snprintf(buf, PROXYPROTO_HEADER_MAX, "PROXY TCP%c %.45s %.45s %u %u\r\n", v4 ? '4' : '6',
                 src, dst, s->port, d->port);
    return (size_t)n;
}

static size_t put_v2(uint8_t *buf, int tcp, int v4, const struct gost_addr *s,
                     const struct gost_addr *d)
{
    static const uint8_t head[13] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a,
                                     0x51, 0x55, 0x49, 0x54, 0x0a, 0x21};
    size_t n = v4 ? 4 : 16;
    uint8_t *p;

    memcpy(buf, head, 13);
    buf[13] = (uint8_t)((v4 ? 0x10 : 0x20) | (tcp ? 1 : 2));
    p = gost_put16(buf + 14, (uint16_t)(2 * n + 4));
    memcpy(p, s->ip, n);
    memcpy(p + n, d->ip, n);
    p = gost_put16(p + 2 * n, s->port);
    p = gost_put16(p, d->port);
    return (size_t)(p - buf);
}

/* An IPv6 form of any address. */
static struct gost_addr six(const struct gost_addr *a)
{
    struct gost_addr b = *a;
    uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (a->family == GOST_AF_IP4) {
        memcpy(ip + 12, a->ip, 4);
        gost_addr_set_ip(&b, ip, 16, a->port);
    }
    return b;
}

size_t proxyproto_put(uint8_t buf[PROXYPROTO_HEADER_MAX], int version, uint32_t network,
                      const struct gost_addr *source, const struct gost_addr *destination)
{
    struct gost_addr s, d;
    int v4, tcp = network != GOST_NET_UDP;

    if (!gost_addr_is_ip(source) || !gost_addr_is_ip(destination))
        return 0;
    s = plain(source);
    d = plain(destination);
    v4 = s.family == GOST_AF_IP4;
    if (v4 && d.family != GOST_AF_IP4)
        return 0; /* one header has one family */
    if (!v4)
        d = six(&d);
    if (version == 1)
        return put_v1((char *)buf, tcp, v4, &s, &d);
    return put_v2(buf, tcp, v4, &s, &d);
}
