/* limits.c - limiters: the balances that flows share, kept by rule and client. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy_private.h"

enum { BUCKETS = 256, SWEEP_FROM = 1024 };

/* One balance. `refs` and the list are under the lock of the table; the rest is atomic. */
struct gh_limit {
    struct gh_limit *next;
    struct gh_limits *table;
    uint64_t key;
    uint32_t per;
    unsigned refs;                /* flows that hold it */
    struct gost_addr client;      /* of the first of them, for asking again */
    _Atomic uint64_t count, most; /* climiter: connections and how many there may be; 0: any */
    struct ge_bucket way[2];
};

struct gh_limits {
    _Atomic uint32_t refs;
    pthread_mutex_t lock; /* at the start and the end of a flow, never for its bytes */
    struct gh_limit *v[BUCKETS];
    unsigned n, sweep_at;
};

/* ---- the table ---- */

struct gh_limits *gh_limits_new(void)
{
    struct gh_limits *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    atomic_init(&l->refs, 1);
    pthread_mutex_init(&l->lock, NULL);
    l->sweep_at = SWEEP_FROM;
    return l;
}

struct gh_limits *gh_limits_ref(struct gh_limits *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void gh_limits_unref(struct gh_limits *l)
{
    if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (l->v[i] != NULL) {
            struct gh_limit *next = l->v[i]->next;

            free(l->v[i]);
            l->v[i] = next;
        }
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static unsigned hash(uint64_t key, uint32_t per, const struct gost_addr *client)
{
    uint64_t h = key * 1099511628211ull;

    for (unsigned i = 0; per == GOST_PER_CLIENT && i < sizeof client->ip; i++)
        h = (h ^ client->ip[i]) * 1099511628211ull;
    return (unsigned)(h >> 32) % BUCKETS;
}

/* A balance that nobody holds and that is full again says nothing. */
static bool is_idle(const struct gh_limit *e, uint64_t now)
{
    for (int i = 0; i < 2; i++) {
        uint64_t burst = atomic_load(&e->way[i].burst);

        if (ge_bucket_room(&e->way[i], now, NULL) < burst)
            return false;
    }
    return e->refs == 0;
}

static void sweep(struct gh_limits *l, uint64_t now)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct gh_limit **at = &l->v[i], *e;

        while ((e = *at) != NULL) {
            if (!is_idle(e, now)) {
                at = &e->next;
                continue;
            }
            *at = e->next;
            free(e);
            l->n--;
        }
    }
    l->sweep_at = 2 * l->n > SWEEP_FROM ? 2 * l->n : SWEEP_FROM;
}

/* What was debt or balance stays: only the rate changes. */
static void set_rate(struct ge_bucket *b, uint64_t rate, uint64_t burst)
{
    atomic_store(&b->burst, burst != 0 ? burst : rate);
    atomic_store(&b->rate, rate);
}

static void set_rule(struct gh_limit *e, const struct gost_rate *rule, uint32_t kind)
{
    if (kind == GOST_POLICY_CLIMITER) {
        atomic_store(&e->most, rule->in);
        return;
    }
    set_rate(&e->way[GE_FROM_CLIENT], rule->in, rule->burst);
    set_rate(&e->way[GE_TO_CLIENT], rule->out, rule->burst);
}

static bool same_client(const struct gh_limit *e, uint32_t per, const struct gost_addr *client)
{
    return per != GOST_PER_CLIENT || gost_addr_same_host(&e->client, client);
}

static struct gh_limit *find_locked(struct gh_limits *l, const struct gost_rate *rule,
                                    const struct gost_addr *client, uint32_t kind, uint64_t now)
{
    struct gh_limit **head = &l->v[hash(rule->key, rule->per, client)], *e;

    for (e = *head; e != NULL && rule->per != GOST_PER_CONNECTION; e = e->next)
        if (e->key == rule->key && e->per == rule->per && same_client(e, rule->per, client))
            return e;
    if (l->n >= l->sweep_at)
        sweep(l, now);
    e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->table = l;
    e->key = rule->key;
    e->per = rule->per;
    e->client = *client;
    set_rule(e, rule, kind);
    e->next = *head;
    *head = e;
    l->n++;
    return e;
}

/* The balance of a rule for a client, held once more. NULL: no memory. */
static struct gh_limit *hold(struct gh_limits *l, const struct gost_rate *rule,
                             const struct gost_addr *client, uint32_t kind, uint64_t now)
{
    struct gh_limit *e;

    pthread_mutex_lock(&l->lock);
    e = find_locked(l, rule, client, kind, now);
    if (e != NULL)
        e->refs++;
    pthread_mutex_unlock(&l->lock);
    if (e != NULL)
        gh_limits_ref(l);
    return e;
}

static void unlink_locked(struct gh_limits *l, struct gh_limit *e)
{
    struct gh_limit **at = &l->v[hash(e->key, e->per, &e->client)];

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    l->n--;
}

static void give_back(struct gh_limit *e)
{
    struct gh_limits *l = e->table;
    bool private;

    pthread_mutex_lock(&l->lock);
    private = --e->refs == 0 && e->per == GOST_PER_CONNECTION;
    if (private)
        unlink_locked(l, e);
    pthread_mutex_unlock(&l->lock);
    if (private)
        free(e);
    gh_limits_unref(l);
}

/* ---- asking ---- */

static struct gost_addr host_of(const struct gost_addr *client)
{
    struct gost_addr host = *client;

    gost_addr_unmap(&host);
    host.port = 0;
    return host;
}

/* The rules for a client; NULL: there is no such limiter. */
static struct gh_policy *ask(uint32_t kind, const char *name, const struct gost_addr *client,
                             struct gost_a_rate *ret)
{
    struct gost_q_rate q = {.size = sizeof q, .client = client};
    struct gh_policy *p = name != NULL ? gh_policy_find(gh_policies_now(), kind, name) : NULL;
    const struct gost_index_ops *ops;

    if (p == NULL)
        return NULL;
    ops = p->component->ops;
    ret->size = sizeof *ret;
    ret->n = 0;
    if (ops->query(atomic_load_explicit(&p->index, memory_order_acquire), &q, ret) != GOST_OK)
        ret->n = 0;
    return p;
}

static bool in_scope(const struct gost_rate *rule, enum gh_limits_scope scope, bool packets)
{
    bool service = rule->key == GOST_RATE_KEY_ALL;

    if (packets) /* as in GOST: they have no connections */
        return service && scope != GH_SCOPE_CONNECTION;
    return scope == GH_SCOPE_BOTH || (scope == GH_SCOPE_SERVICE) == service;
}

static void point(struct ge_flow *flow, int direction, struct gh_limit *e)
{
    int i = 0;

    while (i < GE_LIMITS - 1 && flow->limit[direction][i] != NULL)
        i++;
    if (i < GE_LIMITS - 1)
        flow->limit[direction][i] = &e->way[direction];
}

bool gh_limits_attach(struct gh_limits_held *held, const char *limiter, enum gh_limits_scope scope,
                      struct ge_flow *flow, bool packets)
{
    struct gost_addr client = host_of(&flow->source);
    struct gost_a_rate a;
    struct gh_policy *p = ask(GOST_POLICY_LIMITER, limiter, &client, &a);

    for (uint32_t i = 0; p != NULL && i < a.n && held->n < GH_LIMITS_FLOW; i++) {
        struct gh_limit *e;

        if (!in_scope(&a.rule[i], scope, packets))
            continue;
        e = hold(p->limits, &a.rule[i], &client, p->kind, ge_now(flow->worker));
        if (e == NULL)
            return false;
        held->v[held->n++] = e;
        point(flow, GE_FROM_CLIENT, e);
        point(flow, GE_TO_CLIENT, e);
    }
    return true;
}

/* One more connection, if there may be. */
static bool count_up(struct gh_limit *e)
{
    uint64_t most = atomic_load(&e->most);

    if (atomic_fetch_add(&e->count, 1) < most || most == 0)
        return true;
    atomic_fetch_sub(&e->count, 1);
    return false;
}

bool gh_limits_connect(struct gh_limits_held *held, const char *climiter,
                       const struct gost_addr *address)
{
    struct gost_addr client = host_of(address);
    struct gost_a_rate a;
    struct gh_policy *p = ask(GOST_POLICY_CLIMITER, climiter, &client, &a);

    for (uint32_t i = 0; p != NULL && i < a.n && held->n < GH_LIMITS_FLOW; i++) {
        struct gh_limit *e = hold(p->limits, &a.rule[i], &client, p->kind, 0);

        if (e == NULL)
            return false;
        if (!count_up(e)) {
            give_back(e);
            return false; /* what it holds already is released with the flow */
        }
        held->v[held->n++] = e;
    }
    return true;
}

bool gh_limits_request(const char *rlimiter, const struct gost_addr *address, uint64_t now)
{
    enum { ONE = 1000 };
    struct gost_addr client = host_of(address);
    struct gost_a_rate a;
    struct gh_policy *p = ask(GOST_POLICY_RLIMITER, rlimiter, &client, &a);
    bool ok = true;

    for (uint32_t i = 0; p != NULL && i < a.n; i++) {
        struct gh_limit *e = hold(p->limits, &a.rule[i], &client, p->kind, now);

        if (e == NULL)
            return false;
        if (ge_bucket_room(&e->way[GE_FROM_CLIENT], now, NULL) < ONE)
            ok = false;
        else
            ge_bucket_charge(&e->way[GE_FROM_CLIENT], now, ONE);
        give_back(e);
    }
    return ok;
}

void gh_limits_release(struct gh_limits_held *held)
{
    while (held->n > 0) {
        struct gh_limit *e = held->v[--held->n];

        if (atomic_load(&e->count) != 0)
            atomic_fetch_sub(&e->count, 1);
        give_back(e);
    }
}

/* ---- changes ---- */

static void update_one(struct gh_limit *e, const struct gh_policy *p, const void *index)
{
    static const struct gost_rate none;
    const struct gost_index_ops *ops = p->component->ops;
    struct gost_q_rate q = {.size = sizeof q, .client = &e->client};
    struct gost_a_rate a = {.size = sizeof a};

    if (index == NULL || ops->query(index, &q, &a) != GOST_OK)
        a.n = 0;
    for (uint32_t i = 0; i < a.n; i++) {
        if (a.rule[i].key != e->key || a.rule[i].per != e->per)
            continue;
        set_rule(e, &a.rule[i], p->kind);
        return;
    }
    set_rule(e, &none, p->kind);
}

void gh_limits_update(const struct gh_policy *p, const void *index, struct gh_limits *limits)
{
    pthread_mutex_lock(&limits->lock);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct gh_limit *e = limits->v[i]; e != NULL; e = e->next)
            update_one(e, p, index);
    pthread_mutex_unlock(&limits->lock);
}
