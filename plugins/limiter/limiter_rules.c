/* limiter_rules.c - rules by scope: all, each, an address, a network. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "limiter.h"
#include "limiter_number.h"
#include "policy_text.h"

enum { KEY_ALL = GOST_RATE_KEY_ALL, KEY_EACH = 2 };

/* A network; an address is one of 128 bits. IPv4 is kept as IPv4-mapped IPv6. */
struct net {
    uint8_t ip[16];
    unsigned bits;
    int is_address; /* written without a length */
    size_t order;
    struct gost_rate rate;
};

struct limiter_rules {
    enum limiter_kind kind;
    struct gost_rate all, each; /* key 0: not given */
    struct net *v;
    size_t n, room;
};

struct limiter_rules *limiter_new(enum limiter_kind kind)
{
    struct limiter_rules *r = calloc(1, sizeof *r);

    if (r)
        r->kind = kind;
    return r;
}

/* ---- scopes ---- */

/* "IP" or "IP/bits". */
static int read_net(struct net *ret_net, struct gost_bytes t)
{
    const uint8_t *slash = memchr(t.p, '/', t.n);
    size_t host = slash ? (size_t)(slash - t.p) : t.n;
    struct gost_addr a;
    int bits, full;

    if (gost_addr_set_host(&a, (const char *)t.p, host, 0) != GOST_OK || !gost_addr_is_ip(&a))
        return GOST_EPROTO;
    full = a.family == GOST_AF_IP4 ? 32 : 128;
    bits = slash ? gost_ip_bits(gost_bytes(slash + 1, t.n - host - 1)) : full;
    if (bits < 0 || bits > full)
        return GOST_EPROTO;
    gost_ip_widen(ret_net->ip, &a);
    ret_net->bits = (unsigned)(bits + 128 - full);
    ret_net->is_address = !slash;
    gost_ip_mask(ret_net->ip, ret_net->bits);
    return GOST_OK;
}

/* The same for the same scope in every build. */
static uint64_t key_of(const struct net *net)
{
    uint64_t h = 14695981039346656037ull;
    unsigned i;

    for (i = 0; i < 16; i++)
        h = (h ^ net->ip[i]) * 1099511628211ull;
    h = (h ^ net->bits) * 1099511628211ull;
    h = (h ^ (unsigned)net->is_address) * 1099511628211ull;
    return h > KEY_EACH ? h : h + 3;
}

/* ---- lines ---- */

static int read_bytes(struct gost_rate *rate, struct gost_bytes line, const char **ret_why)
{
    uint64_t *const to[] = {&rate->in, &rate->out, &rate->burst};
    struct gost_bytes w;
    size_t i;

    *ret_why = "write a rate with its unit, as 10MB, or 0 for none";
    for (i = 0; i < 3 && (w = gost_line_word(&line)).n; i++)
        if (limiter_bytes_parse(w, to[i]) != GOST_OK)
            return GOST_EPROTO;
    return i ? GOST_OK : GOST_EPROTO;
}

static int read_count(struct gost_rate *rate, struct gost_bytes line, double unit,
                      const char **ret_why)
{
    struct gost_bytes w = gost_line_word(&line);
    double v;

    *ret_why = "write a number behind the scope";
    if (limiter_number_parse(w, &v) != GOST_OK)
        return GOST_EPROTO;
    rate->in = v > 0 ? (uint64_t)(v * unit + 0.5) : 0;
    if (v > 0 && rate->in == 0)
        rate->in = 1; /* the least there is: 0 would be no limit */
    if (unit > 1) /* requests: GOST's bucket holds the whole part of the rate and one more */
        rate->burst = ((uint64_t)(v > 0 ? v : 0) + 1) * (uint64_t)unit;
    return GOST_OK;
}

static int read_rate(const struct limiter_rules *r, struct gost_rate *rate, struct gost_bytes line,
                     const char **ret_why)
{
    memset(rate, 0, sizeof *rate);
    if (r->kind == LIMITER_BYTES)
        return read_bytes(rate, line, ret_why);
    return read_count(rate, line, r->kind == LIMITER_REQUESTS ? 1000 : 1, ret_why);
}

static int add_net(struct limiter_rules *r, const struct net *net)
{
    struct net *v = gost_grow(r->v, r->n, &r->room, sizeof *v);

    if (!v)
        return GOST_ENOMEM;
    r->v = v;
    r->v[r->n] = *net;
    r->v[r->n].order = r->n;
    r->n++;
    return GOST_OK;
}

static int is_text(struct gost_bytes b, const char *text)
{
    return gost_bytes_eq(b, gost_bytes_str(text));
}

int limiter_add(struct limiter_rules *r, struct gost_bytes line, const char **ret_why)
{
    struct gost_bytes scope;
    struct gost_rate rate;
    struct net net;
    int status;

    line = gost_line_trim(line);
    scope = gost_line_word(&line);
    if (!scope.n)
        return GOST_OK;
    status = read_rate(r, &rate, line, ret_why);
    if (status != GOST_OK)
        return status;
    if (is_text(scope, "$")) {
        r->all = rate;
        r->all.key = KEY_ALL;
        r->all.per = GOST_PER_ALL;
        return GOST_OK;
    }
    if (is_text(scope, "$$")) {
        r->each = rate;
        r->each.key = KEY_EACH;
        r->each.per = r->kind == LIMITER_BYTES ? GOST_PER_CONNECTION : GOST_PER_CLIENT;
        return GOST_OK;
    }
    *ret_why = "the scope is $, $$, an IP or a CIDR";
    status = read_net(&net, scope);
    if (status != GOST_OK)
        return status;
    net.rate = rate;
    net.rate.key = key_of(&net);
    net.rate.per = net.is_address ? GOST_PER_ALL : GOST_PER_CLIENT;
    return add_net(r, &net);
}

/* ---- asking ---- */

/* The most specific first, addresses before networks of one address; of equals the last. */
static int by_length(const void *x, const void *y)
{
    const struct net *a = x, *b = y;

    if (a->bits != b->bits)
        return a->bits > b->bits ? -1 : 1;
    if (a->is_address != b->is_address)
        return a->is_address ? -1 : 1;
    if (memcmp(a->ip, b->ip, 16) != 0)
        return memcmp(a->ip, b->ip, 16);
    return a->order > b->order ? -1 : 1;
}

void limiter_sort(struct limiter_rules *r)
{
    if (r->n)
        qsort(r->v, r->n, sizeof *r->v, by_length);
}

/* The first of a run of networks of one length that is not below `ip`. */
static const struct net *search(const struct net *v, size_t n, const uint8_t ip[16])
{
    size_t lo = 0, hi = n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (memcmp(v[mid].ip, ip, 16) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && memcmp(v[lo].ip, ip, 16) == 0 ? &v[lo] : NULL;
}

static const struct net *find_net(const struct limiter_rules *r, const struct gost_addr *client)
{
    uint8_t whole[16], ip[16];
    size_t from = 0, to;

    if (!gost_addr_is_ip(client))
        return NULL;
    gost_ip_widen(whole, client);
    for (; from < r->n; from = to) {
        const struct net *found;

        for (to = from; to < r->n && r->v[to].bits == r->v[from].bits &&
                        r->v[to].is_address == r->v[from].is_address;
             to++)
            ;
        memcpy(ip, whole, 16);
        gost_ip_mask(ip, r->v[from].bits);
        found = search(&r->v[from], to - from, ip);
        if (found)
            return found;
    }
    return NULL;
}

static void take(struct gost_a_rate *answer, const struct gost_rate *rate)
{
    if (rate->key && (rate->in || rate->out))
        answer->rule[answer->n++] = *rate;
}

void limiter_find(const struct limiter_rules *r, const struct gost_addr *client,
                  struct gost_a_rate *answer)
{
    const struct net *net = find_net(r, client);

    answer->n = 0;
    take(answer, &r->all);
    if (net)
        take(answer, &net->rate);
    if (!net || r->kind == LIMITER_BYTES)
        take(answer, &r->each);
}

void limiter_free(struct limiter_rules *r)
{
    if (r)
        free(r->v);
    free(r);
}
