/* bypass_set.c - patterns sorted for binary search: address ranges, host names, globs. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "bypass.h"
#include "policy_text.h"

struct host {
    char *name; /* lower case, owned; begins with '.' for a whole domain */
    size_t n;
    uint16_t min, max; /* ports */
};

struct bypass_set {
    struct gost_ip_set ips;
    struct host *host, *glob;
    size_t n_host, n_glob, room_host, room_glob;
};

struct bypass_set *bypass_new(void)
{
    return calloc(1, sizeof(struct bypass_set));
}

int bypass_empty(const struct bypass_set *s)
{
    return s->ips.n + s->n_host + s->n_glob == 0;
}

/* Does text as a whole name an IP address? */
static int parse_ip(struct gost_bytes t, struct gost_addr *ret_addr)
{
    while (t.n && t.p[0] == ' ')
        t = gost_bytes(t.p + 1, t.n - 1);
    while (t.n && t.p[t.n - 1] == ' ')
        t.n--;
    return t.n && gost_addr_set_host(ret_addr, (const char *)t.p, t.n, 0) == GOST_OK &&
           gost_addr_is_ip(ret_addr);
}

/* "IP/bits". 1: added, 0: no CIDR, negative: error. */
static int add_cidr(struct bypass_set *s, struct gost_bytes t)
{
    const uint8_t *slash = memchr(t.p, '/', t.n);
    struct gost_addr a;
    int bits;

    if (!slash || !parse_ip(gost_bytes(t.p, (size_t)(slash - t.p)), &a))
        return 0;
    bits = gost_ip_bits(gost_bytes(slash + 1, (size_t)(t.p + t.n - slash) - 1));
    if (bits < 0)
        return 0;
    if (bits > (a.family == GOST_AF_IP4 ? 32 : 128))
        return GOST_EPROTO;
    return gost_ip_set_add_net(&s->ips, &a, (unsigned)bits) == GOST_OK ? 1 : GOST_ENOMEM;
}

/* "IP" or "IP-IP". */
static int add_ips(struct bypass_set *s, struct gost_bytes t)
{
    const uint8_t *dash = memchr(t.p, '-', t.n);
    struct gost_addr a, b;
    uint8_t lo[16], hi[16];

    if (!parse_ip(dash ? gost_bytes(t.p, (size_t)(dash - t.p)) : t, &a))
        return 0;
    b = a;
    if (dash && !parse_ip(gost_bytes(dash + 1, (size_t)(t.p + t.n - dash) - 1), &b))
        return 0;
    gost_ip_widen(lo, &a);
    gost_ip_widen(hi, &b);
    return gost_ip_set_add(&s->ips, lo, hi) == GOST_OK ? 1 : GOST_ENOMEM;
}

/* Cut ":port" or ":min-max" off the end; what is no port stays part of nothing: every port
 * matches. */
static struct gost_bytes cut_ports(struct gost_bytes t, uint16_t *ret_min, uint16_t *ret_max)
{
    size_t i = t.n, k;
    unsigned v[2] = {0, 0}, which = 0;

    *ret_min = 0;
    *ret_max = 65535;
    while (i > 0 && t.p[i - 1] != ':' && t.p[i - 1] != ']')
        i--;
    if (i == 0 || t.p[i - 1] != ':')
        return t;
    for (k = i; k < t.n; k++) {
        if (t.p[k] == '-' && which == 0 && k > i) {
            which = 1;
        } else if (t.p[k] >= '0' && t.p[k] <= '9' && v[which] < 65536) {
            v[which] = v[which] * 10 + (unsigned)(t.p[k] - '0');
        } else {
            return gost_bytes(t.p, i - 1);
        }
    }
    if (i < t.n && v[0] <= 65535 && v[1] <= 65535) {
        *ret_min = (uint16_t)v[0];
        *ret_max = (uint16_t)(which ? v[1] : v[0]);
    }
    return gost_bytes(t.p, i - 1);
}

static int add_host(struct bypass_set *s, struct gost_bytes t, int glob)
{
    struct host **list = glob ? &s->glob : &s->host;
    size_t *n = glob ? &s->n_glob : &s->n_host, i;
    struct host *v = gost_grow(*list, *n, glob ? &s->room_glob : &s->room_host, sizeof *v), *h;

    if (!v)
        return GOST_ENOMEM;
    *list = v;
    h = &v[*n];
    t = cut_ports(t, &h->min, &h->max);
    if (t.n >= 2 && t.p[0] == '[' && t.p[t.n - 1] == ']' && !glob)
        t = gost_bytes(t.p + 1, t.n - 2);
    if (!t.n || t.n > 255)
        return GOST_EPROTO;
    h->name = malloc(t.n + 1);
    if (!h->name)
        return GOST_ENOMEM;
    for (i = 0; i < t.n; i++)
        h->name[i] = (char)(t.p[i] >= 'A' && t.p[i] <= 'Z' ? t.p[i] + 32 : t.p[i]);
    h->name[t.n] = 0;
    h->n = t.n;
    (*n)++;
    return GOST_OK;
}

int bypass_add(struct bypass_set *s, struct gost_bytes line)
{
    int r;

    line = gost_line_trim(line);
    if (!line.n)
        return GOST_OK;
    r = add_cidr(s, line);
    if (r)
        return r < 0 ? r : GOST_OK;
    if (memchr(line.p, '*', line.n) || memchr(line.p, '?', line.n))
        return add_host(s, line, 1);
    r = add_ips(s, line);
    if (r)
        return r < 0 ? r : GOST_OK;
    return add_host(s, line, 0);
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct host *)x)->name, ((const struct host *)y)->name);
}

int bypass_sort(struct bypass_set *s)
{
    if (s->n_host)
        qsort(s->host, s->n_host, sizeof *s->host, by_name);
    gost_ip_set_sort(&s->ips);
    return GOST_OK;
}

static int match_name(const struct bypass_set *s, const char *name, uint16_t port)
{
    size_t lo = 0, hi = s->n_host, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (strcmp(s->host[mid].name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < s->n_host && strcmp(s->host[lo].name, name) == 0; lo++)
        if (port >= s->host[lo].min && port <= s->host[lo].max)
            return 1;
    return 0;
}

int bypass_match(const struct bypass_set *s, const struct gost_addr *addr)
{
    char dotted[258], *name = dotted + 1, *p;
    size_t i, n;

    if (addr->family == GOST_AF_NONE)
        return 0;
    if (gost_ip_set_match(&s->ips, addr))
        return 1;
    dotted[0] = '.';
    n = gost_addr_host(addr, name, sizeof dotted - 1);
    for (i = 0; i < n; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] + 32);
    if (match_name(s, name, addr->port))
        return 1;
    for (p = dotted; p; p = strchr(p + 1, '.'))
        if (match_name(s, p, addr->port))
            return 1;
    for (i = 0; i < s->n_glob; i++)
        if (addr->port >= s->glob[i].min && addr->port <= s->glob[i].max &&
            bypass_glob(gost_bytes(s->glob[i].name, s->glob[i].n), gost_bytes(name, n)))
            return 1;
    return 0;
}

void bypass_free(struct bypass_set *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->n_host; i++)
        free(s->host[i].name);
    for (i = 0; i < s->n_glob; i++)
        free(s->glob[i].name);
    free(s->host);
    free(s->glob);
    gost_ip_set_free(&s->ips);
    free(s);
}
