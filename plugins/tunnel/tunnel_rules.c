/* tunnel_rules.c - host names and what they lead to, sorted for binary search. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "policy_text.h"
#include "tunnel.h"

struct rule {
    char *text; /* host, then endpoint. *owned* */
    size_t host_n, endpoint_n, order;
};

struct tunnel_rules {
    struct rule *v;
    size_t n, room;
};

struct tunnel_rules *tunnel_rules_new(void)
{
    return calloc(1, sizeof(struct tunnel_rules));
}

void tunnel_rules_free(struct tunnel_rules *r)
{
    size_t i;

    if (!r)
        return;
    for (i = 0; i < r->n; i++)
        free(r->v[i].text);
    free(r->v);
    free(r);
}

int tunnel_rules_add(struct tunnel_rules *r, struct gost_bytes host, struct gost_bytes endpoint)
{
    struct rule *v, rule = {NULL, host.n, endpoint.n, r->n};

    if (host.n && host.p[0] == '*') {
        host = gost_bytes(host.p + 1, host.n - 1);
        rule.host_n--;
    }
    if (!host.n || !endpoint.n)
        return GOST_OK;
    v = gost_grow(r->v, r->n, &r->room, sizeof *v);
    if (!v)
        return GOST_ENOMEM;
    r->v = v;
    rule.text = malloc(host.n + endpoint.n);
    if (!rule.text)
        return GOST_ENOMEM;
    memcpy(rule.text, host.p, host.n);
    memcpy(rule.text + host.n, endpoint.p, endpoint.n);
    r->v[r->n++] = rule;
    return GOST_OK;
}

int tunnel_rules_add_line(struct tunnel_rules *r, struct gost_bytes line)
{
    struct gost_bytes host, endpoint;

    line = gost_line_trim(line);
    host = gost_line_word(&line);
    endpoint = gost_line_word(&line);
    if (host.n && !endpoint.n)
        return GOST_EPROTO;
    return tunnel_rules_add(r, host, endpoint);
}

static struct gost_bytes host_of(const struct rule *e)
{
    return gost_bytes(e->text, e->host_n);
}

static int by_host(const void *x, const void *y)
{
    const struct rule *a = x, *b = y;
    int r = gost_bytes_order(host_of(a), host_of(b));

    return r ? r : (a->order > b->order) - (a->order < b->order);
}

void tunnel_rules_sort(struct tunnel_rules *r)
{
    if (r->n)
        qsort(r->v, r->n, sizeof *r->v, by_host);
}

/* The last of equal ones. */
static struct gost_bytes exact(const struct tunnel_rules *r, struct gost_bytes host)
{
    size_t lo = 0, hi = r->n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (gost_bytes_order(host_of(&r->v[mid]), host) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0 || gost_bytes_order(host_of(&r->v[lo - 1]), host) != 0)
        return gost_bytes(NULL, 0);
    return gost_bytes(r->v[lo - 1].text + r->v[lo - 1].host_n, r->v[lo - 1].endpoint_n);
}

struct gost_bytes tunnel_rules_find(const struct tunnel_rules *r, struct gost_bytes host)
{
    struct gost_bytes found = gost_bytes(NULL, 0);
    char dotted[258];
    size_t i;

    if (!host.n || host.n >= sizeof dotted)
        return found;
    found = exact(r, host);
    dotted[0] = '.';
    memcpy(dotted + 1, host.p, host.n);
    for (i = 0; !found.n && i < host.n; i++)
        if (dotted[i] == '.')
            found = exact(r, gost_bytes(dotted + i, host.n + 1 - i));
    return found;
}
