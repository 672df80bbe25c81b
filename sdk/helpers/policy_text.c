/* policy_text.c - lines of policies, networks, sets of addresses. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "policy_text.h"

/* ---- lines ---- */

static int is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct gost_bytes gost_line_trim(struct gost_bytes line)
{
    const uint8_t *hash = line.n ? memchr(line.p, '#', line.n) : NULL;

    if (hash)
        line.n = (size_t)(hash - line.p);
    while (line.n && is_blank(line.p[0]))
        line = gost_bytes(line.p + 1, line.n - 1);
    while (line.n && is_blank(line.p[line.n - 1]))
        line.n--;
    return line;
}

struct gost_bytes gost_line_word(struct gost_bytes *line)
{
    struct gost_bytes w;

    while (line->n && is_blank(line->p[0]))
        *line = gost_bytes(line->p + 1, line->n - 1);
    w = gost_bytes(line->p, 0);
    while (w.n < line->n && !is_blank(line->p[w.n]))
        w.n++;
    *line = gost_bytes(line->p + w.n, line->n - w.n);
    return w;
}

int gost_lines_add(const struct gost_line *lines, uint32_t n,
                   int (*add)(void *to, struct gost_bytes text), void *to, const char *what,
                   char *error, size_t error_size)
{
    uint32_t i, skipped = 0, first = 0;
    int r;

    for (i = 0; i < n; i++) {
        r = add(to, lines[i].text);
        if (r == GOST_EPROTO && skipped++ == 0)
            first = i;
        else if (r != GOST_OK && r != GOST_EPROTO)
            return r;
    }
    if (skipped)
        snprintf(error, error_size, "%u lines %s and are skipped, the first is %s:%u", skipped,
                 what, lines[first].file, lines[first].line);
    return GOST_OK;
}

int gost_texts_add(const struct gost_list *texts, int (*add)(void *to, struct gost_bytes text),
                   void *to, const char *rule, char *error, size_t error_size)
{
    uint32_t i;
    int r;

    for (i = 0; i < texts->n; i++) {
        r = add(to, gost_bytes_str(texts->v[i]));
        if (r == GOST_EPROTO)
            snprintf(error, error_size, "\"%.80s\": %s", texts->v[i], rule);
        if (r != GOST_OK)
            return r;
    }
    return GOST_OK;
}

int gost_bytes_order(struct gost_bytes a, struct gost_bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n ? memcmp(a.p, b.p, n) : 0;

    return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* ---- addresses ---- */

void gost_ip_widen(uint8_t out[16], const struct gost_addr *addr)
{
    if (addr->family == GOST_AF_IP6) {
        memcpy(out, addr->ip, 16);
        return;
    }
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, addr->ip, 4);
}

void gost_ip_mask(uint8_t ip[16], unsigned bits)
{
    unsigned i;

    for (i = 0; i < 16; i++) {
        unsigned keep = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;

        ip[i] &= (uint8_t)(0xff00u >> keep);
    }
}

int gost_ip_bits(struct gost_bytes digits)
{
    size_t i;
    int bits = 0;

    for (i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || bits > 128)
            return -1;
        bits = bits * 10 + (digits.p[i] - '0');
    }
    return digits.n ? bits : -1;
}

/* ---- sets ---- */

void *gost_grow(void *v, size_t n, size_t *room, size_t size)
{
    size_t k = *room ? *room * 2 : 16;
    void *p;

    if (n < *room)
        return v;
    p = realloc(v, k * size);
    if (p)
        *room = k;
    return p;
}

int gost_ip_set_add(struct gost_ip_set *s, const uint8_t lo[16], const uint8_t hi[16])
{
    struct gost_ip_range *v = gost_grow(s->v, s->n, &s->room, sizeof *v);

    if (!v)
        return GOST_ENOMEM;
    s->v = v;
    memcpy(v[s->n].lo, lo, 16);
    memcpy(v[s->n++].hi, hi, 16);
    return GOST_OK;
}

int gost_ip_set_add_net(struct gost_ip_set *s, const struct gost_addr *addr, unsigned bits)
{
    uint8_t lo[16], hi[16], ones[16];
    unsigned i;

    bits += addr->family == GOST_AF_IP4 ? 96 : 0;
    gost_ip_widen(lo, addr);
    gost_ip_mask(lo, bits);
    memset(ones, 0xff, sizeof ones);
    gost_ip_mask(ones, bits);
    for (i = 0; i < 16; i++)
        hi[i] = (uint8_t)(lo[i] | (uint8_t)~ones[i]);
    return gost_ip_set_add(s, lo, hi);
}

static int by_lo(const void *x, const void *y)
{
    const struct gost_ip_range *a = x, *b = y;

    return memcmp(a->lo, b->lo, 16);
}

void gost_ip_set_sort(struct gost_ip_set *s)
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

int gost_ip_set_match(const struct gost_ip_set *s, const struct gost_addr *addr)
{
    uint8_t ip[16];
    size_t lo = 0, hi = s->n, mid;

    if (!gost_addr_is_ip(addr))
        return 0;
    gost_ip_widen(ip, addr);
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (memcmp(s->v[mid].lo, ip, 16) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && memcmp(ip, s->v[lo - 1].hi, 16) <= 0;
}

void gost_ip_set_free(struct gost_ip_set *s)
{
    free(s->v);
    memset(s, 0, sizeof *s);
}
