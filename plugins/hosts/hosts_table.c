/* hosts_table.c - names sorted for binary search. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "hosts.h"
#include "policy_text.h"

struct entry {
    char *name; /* *owned* */
    size_t n, order;
    struct gost_addr addr;
};

struct hosts_table {
    struct entry *v;
    size_t n, room;
};

struct hosts_table *hosts_new(void)
{
    return calloc(1, sizeof(struct hosts_table));
}

static int add(struct hosts_table *t, struct gost_bytes name, const struct gost_addr *addr)
{
    struct entry *v = gost_grow(t->v, t->n, &t->room, sizeof *v), *e;

    if (!v)
        return GOST_ENOMEM;
    t->v = v;
    e = &t->v[t->n];
    e->name = malloc(name.n);
    if (!e->name)
        return GOST_ENOMEM;
    memcpy(e->name, name.p, name.n);
    e->n = name.n;
    e->addr = *addr;
    e->order = t->n++;
    return GOST_OK;
}

int hosts_add(struct hosts_table *t, struct gost_bytes line)
{
    struct gost_bytes ip, name;
    struct gost_addr a;
    int r = GOST_OK;

    line = gost_line_trim(line);
    ip = gost_line_word(&line);
    if (!ip.n)
        return GOST_OK;
    if (gost_addr_set_host(&a, (const char *)ip.p, ip.n, 0) != GOST_OK || !gost_addr_is_ip(&a))
        return GOST_EPROTO;
    gost_addr_unmap(&a);
    while (r == GOST_OK && (name = gost_line_word(&line)).n)
        r = add(t, name, &a);
    return r;
}

static struct gost_bytes name_of(const struct entry *e)
{
    return gost_bytes(e->name, e->n);
}

static int by_name(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int r = gost_bytes_order(name_of(a), name_of(b));

    return r ? r : (a->order > b->order) - (a->order < b->order);
}

void hosts_sort(struct hosts_table *t)
{
    if (t->n)
        qsort(t->v, t->n, sizeof *t->v, by_name);
}

static void take(struct gost_a_addrs *answer, const struct entry *e, uint32_t family)
{
    uint32_t i;

    if ((family != 0 && e->addr.family != family) || answer->n == GOST_ADDRS_MAX)
        return;
    for (i = 0; i < answer->n; i++)
        if (gost_addr_equal(&answer->addr[i], &e->addr))
            return;
    answer->addr[answer->n++] = e->addr;
}

/* 1: the key is there. */
static int find(const struct hosts_table *t, struct gost_bytes key, uint32_t family,
                struct gost_a_addrs *answer)
{
    size_t lo = 0, hi = t->n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (gost_bytes_order(name_of(&t->v[mid]), key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == t->n || gost_bytes_order(name_of(&t->v[lo]), key) != 0)
        return 0;
    for (; lo < t->n && gost_bytes_order(name_of(&t->v[lo]), key) == 0; lo++)
        take(answer, &t->v[lo], family);
    return 1;
}

void hosts_find(const struct hosts_table *t, struct gost_bytes name, uint32_t family,
                struct gost_a_addrs *answer)
{
    char dotted[257];
    size_t i;

    answer->n = 0;
    if (!t->n || !name.n || name.n >= sizeof dotted || find(t, name, family, answer))
        return;
    dotted[0] = '.';
    memcpy(dotted + 1, name.p, name.n);
    for (i = 0; i <= name.n; i++)
        if (dotted[i] == '.' && i < name.n &&
            find(t, gost_bytes(dotted + i, name.n + 1 - i), family, answer))
            return;
    (void)find(t, gost_bytes(".", 1), family, answer);
}

void hosts_free(struct hosts_table *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; i < t->n; i++)
        free(t->v[i].name);
    free(t->v);
    free(t);
}
