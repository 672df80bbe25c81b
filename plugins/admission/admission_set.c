/* admission_set.c - addresses and networks as sorted ranges. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "admission.h"

/* Inclusive; IPv4 is kept as IPv4-mapped IPv6. */
struct range {
    uint8_t lo[16], hi[16];
};

struct admission_set {
    struct range *v;
    size_t n, room;
};

struct admission_set *admission_new(void)
{
    return calloc(1, sizeof(struct admission_set));
}

static int is_ip(const struct gost_addr *a)
{
    return a->family == GOST_AF_IP4 || a->family == GOST_AF_IP6;
}

static void widen(uint8_t out[16], const struct gost_addr *a)
{
    if (a->family == GOST_AF_IP6) {
        memcpy(out, a->ip, 16);
        return;
    }
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, a->ip, 4);
}

/* Host bits are masked away. `bits` counts those of the address's own family. */
static int add_range(struct admission_set *s, const struct gost_addr *a, unsigned bits)
{
    struct range *r;
    unsigned i;

    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct range *more = realloc(s->v, room * sizeof *more);

        if (!more)
            return GOST_ENOMEM;
        s->v = more;
        s->room = room;
    }
    r = &s->v[s->n++];
    widen(r->lo, a);
    bits += a->family == GOST_AF_IP4 ? 96 : 0;
    for (i = 0; i < 16; i++) {
        unsigned keep = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;
        uint8_t mask = (uint8_t)(0xff00u >> keep);

        r->lo[i] &= mask;
        r->hi[i] = (uint8_t)(r->lo[i] | (uint8_t)~mask);
    }
    return GOST_OK;
}

static struct gost_bytes trim(struct gost_bytes line)
{
    const uint8_t *hash = line.n ? memchr(line.p, '#', line.n) : NULL;

    if (hash)
        line.n = (size_t)(hash - line.p);
    while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        line = gost_bytes(line.p + 1, line.n - 1);
    while (line.n && strchr(" \t\r", line.p[line.n - 1]))
        line.n--;
    return line;
}

/* The digits behind a slash; -1: there is none or something else. */
static int read_bits(struct gost_bytes line, size_t *ret_host)
{
    const uint8_t *slash = memchr(line.p, '/', line.n), *p;
    int bits = 0;

    *ret_host = slash ? (size_t)(slash - line.p) : line.n;
    if (!slash || slash + 1 == line.p + line.n)
        return -1;
    for (p = slash + 1; p < line.p + line.n; p++) {
        if (*p < '0' || *p > '9' || bits > 128)
            return -1;
        bits = bits * 10 + (*p - '0');
    }
    return bits;
}

int admission_add(struct admission_set *s, struct gost_bytes line,
                  int (*resolve)(const char *name, struct gost_addr *ret_addr))
{
    struct gost_addr a;
    size_t host;
    int bits;
    unsigned full;

    line = trim(line);
    if (!line.n)
        return GOST_OK;
    bits = read_bits(line, &host);
    if (gost_addr_set_host(&a, (const char *)line.p, host, 0) != GOST_OK)
        return GOST_EPROTO;
    full = a.family == GOST_AF_IP4 ? 32 : 128;
    if (is_ip(&a) && host == line.n)
        return add_range(s, &a, full);
    if (host != line.n)
        return is_ip(&a) && bits >= 0 && (unsigned)bits <= full ? add_range(s, &a, (unsigned)bits)
                                                                : GOST_EPROTO;
    if (a.family != GOST_AF_NAME || resolve(a.name, &a) != 0 || !is_ip(&a))
        return GOST_ERESOLVE;
    return add_range(s, &a, a.family == GOST_AF_IP4 ? 32 : 128);
}

static int by_lo(const void *x, const void *y)
{
    return memcmp(((const struct range *)x)->lo, ((const struct range *)y)->lo, 16);
}

void admission_sort(struct admission_set *s)
{
    size_t i, n = 0;

    if (!s->n)
        return;
    qsort(s->v, s->n, sizeof *s->v, by_lo);
    for (i = 1; i < s->n; i++) { /* join what overlaps, so that one comparison decides */
        if (memcmp(s->v[i].lo, s->v[n].hi, 16) > 0)
            s->v[++n] = s->v[i];
        else if (memcmp(s->v[i].hi, s->v[n].hi, 16) > 0)
            memcpy(s->v[n].hi, s->v[i].hi, 16);
    }
    s->n = n + 1;
}

int admission_match(const struct admission_set *s, const struct gost_addr *addr)
{
    uint8_t ip[16];
    size_t lo = 0, hi = s->n, mid;

    if (!is_ip(addr))
        return 0;
    widen(ip, addr);
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (memcmp(s->v[mid].lo, ip, 16) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && memcmp(ip, s->v[lo - 1].hi, 16) <= 0;
}

void admission_free(struct admission_set *s)
{
    if (s)
        free(s->v);
    free(s);
}
