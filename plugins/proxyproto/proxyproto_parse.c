/* proxyproto_parse.c - reading a PROXY header (haproxy's proxy-protocol.txt, sections 2.1 and
 * 2.2). */
/* SPDX-License-Identifier: MIT */
#include "proxyproto.h"

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

/* The next word of a v1 line. */
static struct gost_bytes word(struct gost_bytes *line)
{
    struct gost_bytes w = {line->p, 0};

    while (w.n < line->n && line->p[w.n] != ' ')
        w.n++;
    line->p += w.n + (w.n < line->n);
    line->n -= w.n + (w.n < line->n);
    return w;
}

static int parse_port(struct gost_bytes t, uint16_t *ret_port)
{
    unsigned v = 0;
    size_t i;

    if (!t.n || t.n > 5)
        return GOST_EPROTO;
    for (i = 0; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9')
            return GOST_EPROTO;
        v = v * 10 + (unsigned)(t.p[i] - '0');
    }
    if (v > 65535)
        return GOST_EPROTO;
    *ret_port = (uint16_t)v;
    return GOST_OK;
}

static int parse_address(struct gost_addr *a, struct gost_bytes host, struct gost_bytes port,
                         uint8_t family)
{
    uint16_t p;

    if (parse_port(port, &p) != GOST_OK || !host.n ||
        gost_addr_set_host(a, (const char *)host.p, host.n, p) != GOST_OK || a->family != family)
        return GOST_EPROTO;
    return GOST_OK;
}

static int parse_v1(struct gost_bytes in, int end, struct proxyproto_header *h)
{
    const uint8_t *nl = memchr(in.p, '\n', in.n < PROXYPROTO_V1_MAX ? in.n : PROXYPROTO_V1_MAX);
    struct gost_bytes line, kind, src, dst, sport, dport;
    uint8_t family;

    if (!nl)
        return in.n >= PROXYPROTO_V1_MAX || end ? GOST_EPROTO : PROXYPROTO_MORE;
    if (nl < in.p + 7 || nl[-1] != '\r')
        return GOST_EPROTO;
    line = gost_bytes(in.p + 6, (size_t)(nl - in.p) - 7);
    kind = word(&line);
    if (gost_bytes_eq(kind, gost_bytes("UNKNOWN", 7)))
        return (int)(nl - in.p) + 1;
    family = gost_bytes_eq(kind, gost_bytes("TCP4", 4))   ? GOST_AF_IP4
             : gost_bytes_eq(kind, gost_bytes("TCP6", 4)) ? GOST_AF_IP6
                                                          : GOST_AF_NONE;
    src = word(&line);
    dst = word(&line);
    sport = word(&line);
    dport = word(&line);
    if (family == GOST_AF_NONE || line.n ||
        parse_address(&h->source, src, sport, family) != GOST_OK ||
        parse_address(&h->destination, dst, dport, family) != GOST_OK)
        return GOST_EPROTO;
    h->has_addresses = 1;
    return (int)(nl - in.p) + 1;
}

static int parse_v2(struct gost_bytes in, int end, struct proxyproto_header *h)
{
    size_t len, n;

    if (in.n < 16)
        return end ? GOST_EPROTO : PROXYPROTO_MORE;
    len = gost_get16(in.p + 14);
    if ((in.p[12] & 0xf0) != 0x20 || (in.p[12] & 0x0f) > 1 || 16 + len > PROXYPROTO_V2_MAX)
        return GOST_EPROTO;
    if (in.n < 16 + len)
        return end ? GOST_EPROTO : PROXYPROTO_MORE;
    if ((in.p[12] & 0x0f) == 0) /* LOCAL: a health check of the proxy itself */
        return (int)(16 + len);
    n = in.p[13] >> 4 == 1 ? 4 : in.p[13] >> 4 == 2 ? 16 : 0;
    if (!n)
        return (int)(16 + len); /* UNSPEC, UNIX: nothing we could use */
    if (len < 2 * n + 4)
        return GOST_EPROTO;
    gost_addr_set_ip(&h->source, in.p + 16, n, gost_get16(in.p + 16 + 2 * n));
    gost_addr_set_ip(&h->destination, in.p + 16 + n, n, gost_get16(in.p + 18 + 2 * n));
    h->has_addresses = 1;
    return (int)(16 + len);
}

int proxyproto_parse(struct gost_bytes in, int end, struct proxyproto_header *ret_header)
{
    size_t k;

    memset(ret_header, 0, sizeof *ret_header);
    if (!in.n)
        return end ? 0 : PROXYPROTO_MORE;
    k = in.n < 6 ? in.n : 6;
    if (memcmp(in.p, "PROXY ", k) == 0)
        return in.n < 6 ? (end ? 0 : PROXYPROTO_MORE) : parse_v1(in, end, ret_header);
    k = in.n < 12 ? in.n : 12;
    if (memcmp(in.p, signature, k) == 0)
        return in.n < 12 ? (end ? 0 : PROXYPROTO_MORE) : parse_v2(in, end, ret_header);
    return 0;
}
