/* auther_table.c - users sorted by name, passwords compared in constant time. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "auther.h"
#include "policy_text.h"

struct user {
    uint8_t *text; /* name, then password; owned */
    size_t name, password;
    uint32_t order;
};

struct auther_table {
    struct user *v;
    uint32_t n, room;
};

struct auther_table *auther_new(uint32_t n)
{
    struct auther_table *t = calloc(1, sizeof *t);

    if (!t || !n)
        return t;
    t->room = n;
    t->v = calloc(n, sizeof *t->v);
    if (!t->v) {
        free(t);
        return NULL;
    }
    return t;
}

static int is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int auther_add(struct auther_table *t, struct gost_bytes line)
{
    struct gost_bytes name;
    struct user *u = &t->v[t->n];

    while (line.n && is_blank(line.p[0]))
        line.p++, line.n--;
    while (line.n && is_blank(line.p[line.n - 1]))
        line.n--;
    if (!line.n || line.p[0] == '#' || t->n == t->room)
        return GOST_OK;
    name = gost_bytes(line.p, 0);
    while (name.n < line.n && !is_blank(line.p[name.n]))
        name.n++;
    line.p += name.n;
    line.n -= name.n;
    while (line.n && is_blank(line.p[0]))
        line.p++, line.n--;
    u->text = malloc(name.n + line.n);
    if (!u->text)
        return GOST_ENOMEM;
    memcpy(u->text, name.p, name.n);
    memcpy(u->text + name.n, line.p, line.n);
    u->name = name.n;
    u->password = line.n;
    u->order = t->n++;
    return GOST_OK;
}

static int by_name(const void *x, const void *y)
{
    const struct user *a = x, *b = y;
    int r = gost_bytes_order(gost_bytes(a->text, a->name), gost_bytes(b->text, b->name));

    return r ? r : (a->order > b->order) - (a->order < b->order);
}

void auther_sort(struct auther_table *t)
{
    if (t->n)
        qsort(t->v, t->n, sizeof *t->v, by_name);
}

int auther_check(const struct auther_table *t, struct gost_bytes user, struct gost_bytes password)
{
    uint32_t lo = 0, hi = t->n, mid;
    const struct user *u;

    while (lo < hi) { /* the first one after user: the one before it is the latest of that name */
        mid = lo + (hi - lo) / 2;
        if (gost_bytes_order(gost_bytes(t->v[mid].text, t->v[mid].name), user) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return 0;
    u = &t->v[lo - 1];
    if (!gost_bytes_eq(gost_bytes(u->text, u->name), user))
        return 0;
    return u->password == 0 || gost_equal_ct(gost_bytes(u->text + u->name, u->password), password);
}

void auther_free(struct auther_table *t)
{
    uint32_t i;

    if (!t)
        return;
    for (i = 0; i < t->n; i++) {
        gost_wipe(t->v[i].text, t->v[i].name + t->v[i].password);
        free(t->v[i].text);
    }
    free(t->v);
    free(t);
}
