/* shared_table.c - tables that all workers share: bounded, with an age, values of one size. */
/* SPDX-License-Identifier: MIT */
#include "shared_table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "age.h"
#include "engine.h"
#include "hash.h"

/*
 * A table is cut into shards, each with a lock that is held for one look-up and one copy of at most
 * VALUE_MAX bytes, never across a call of anybody else. Tables themselves are only ever added.
 * tests/unit/test_shared.c prints what that costs: about 20 ns for one thread alone, about 35 ns
 * for each of two that do nothing else, on the same keys. Readers without a lock would need epochs
 * or hazard pointers for keys that go away, and gain nothing that a connection notices.
 */
enum {
    TABLES_MAX = 64,
    SHARDS = 64,
    BUCKETS = 256, /* of a shard */
    SHARD_MAX = 1024,
    KEY_MAX = 256,
    VALUE_MAX = 256
};

struct node {
    struct gost_age age;  /* in its shard, by the last put */
    struct node *next;    /* of its bucket */
    uint64_t hash, until; /* UINT64_MAX: for ever */
    uint32_t key_n;
    uint8_t data[]; /* the value, then the key */
};

struct shard {
    pthread_mutex_t lock;
    struct node *bucket[BUCKETS];
    struct gost_ages ages;
    unsigned n;
};

struct table {
    char name[64];
    size_t value_size;
    struct shard shard[SHARDS];
};

static struct table *_Atomic tables[TABLES_MAX];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* ---- tables by name ---- */

static struct table *find(const char *name, unsigned *ret_free)
{
    unsigned i;

    for (i = 0; i < TABLES_MAX; i++) {
        struct table *t = atomic_load_explicit(&tables[i], memory_order_acquire);

        if (t == NULL || strcmp(t->name, name) == 0) {
            *ret_free = i;
            return t;
        }
    }
    *ret_free = i;
    return NULL;
}

static struct table *table_new(const char *name, size_t value_size)
{
    struct table *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    memcpy(t->name, name, strlen(name) + 1);
    t->value_size = value_size;
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&t->shard[i].lock, NULL);
    return t;
}

static struct table *make(const char *name, size_t value_size)
{
    unsigned i;
    struct table *t = find(name, &i);

    if (t != NULL || strlen(name) >= sizeof t->name)
        return t;
    pthread_mutex_lock(&making);
    t = find(name, &i);
    if (t == NULL && i < TABLES_MAX && (t = table_new(name, value_size)) != NULL)
        atomic_store_explicit(&tables[i], t, memory_order_release);
    pthread_mutex_unlock(&making);
    return t;
}

/* ---- nodes: all with the shard's lock held ---- */

static struct shard *shard_of(struct table *t, uint64_t hash)
{
    return &t->shard[hash % SHARDS];
}

static struct node **bucket_of(struct shard *s, uint64_t hash)
{
    return &s->bucket[hash / SHARDS % BUCKETS];
}

static void drop(struct shard *s, struct node *n)
{
    struct node **at = bucket_of(s, n->hash);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    gost_age_remove(&s->ages, &n->age);
    s->n--;
    free(n);
}

static struct node *look_up(const struct table *t, struct shard *s, uint64_t hash,
                            struct gost_bytes key, uint64_t now)
{
    struct node *n = *bucket_of(s, hash);

    while (n != NULL && !(n->hash == hash && n->key_n == key.n &&
                          memcmp(n->data + t->value_size, key.p, key.n) == 0))
        n = n->next;
    if (n == NULL || n->until > now)
        return n;
    drop(s, n);
    return NULL;
}

static int insert(const struct table *t, struct shard *s, uint64_t hash, struct gost_bytes key,
                  const void *value, uint64_t until)
{
    struct node *n = malloc(sizeof *n + t->value_size + key.n), **at = bucket_of(s, hash);

    if (n == NULL)
        return GOST_ENOMEM;
    if (s->n == SHARD_MAX)
        drop(s, (struct node *)s->ages.oldest);
    n->hash = hash;
    n->until = until;
    n->key_n = (uint32_t)key.n;
    memcpy(n->data, value, t->value_size);
    memcpy(n->data + t->value_size, key.p, key.n);
    n->next = *at;
    *at = n;
    gost_age_add(&s->ages, &n->age);
    s->n++;
    return GOST_OK;
}

static int update(const struct table *t, struct shard *s, struct node *n, const void *value,
                  uint64_t until)
{
    if (value == NULL) {
        drop(s, n);
        return GOST_OK;
    }
    memcpy(n->data, value, t->value_size);
    n->until = until;
    gost_age_remove(&s->ages, &n->age);
    gost_age_add(&s->ages, &n->age);
    return GOST_OK;
}

/* The shard of a key, locked now. *ret_node is NULL when the key is not there. */
static struct shard *enter(struct table *t, struct gost_bytes key, uint64_t now, uint64_t *ret_hash,
                           struct node **ret_node)
{
    uint64_t hash = gh_hash(key);
    struct shard *s = shard_of(t, hash);

    pthread_mutex_lock(&s->lock);
    *ret_node = look_up(t, s, hash, key, now);
    *ret_hash = hash;
    return s;
}

/* ---- the calls ---- */

int gh_table_get(const char *table, struct gost_bytes key, uint64_t now, void *ret_value,
                 size_t value_size)
{
    unsigned i;
    struct table *t = find(table, &i);
    uint64_t hash;
    struct shard *s;
    struct node *n;

    if (t == NULL || key.n == 0 || key.n > KEY_MAX)
        return GOST_END;
    if (t->value_size != value_size)
        return GOST_EINTERNAL;
    s = enter(t, key, now, &hash, &n);
    if (n != NULL)
        memcpy(ret_value, n->data, value_size);
    pthread_mutex_unlock(&s->lock);
    return n != NULL ? GOST_OK : GOST_END;
}

int gh_table_put(const char *table, struct gost_bytes key, const void *value, size_t value_size,
                 uint64_t now, uint64_t ttl_ns, int only_new)
{
    uint64_t hash, until = ttl_ns != 0 ? now + ttl_ns : UINT64_MAX;
    struct table *t;
    struct shard *s;
    struct node *n;
    int r;

    if (key.n == 0 || key.n > KEY_MAX || value_size == 0 || value_size > VALUE_MAX)
        return GOST_ETOOBIG;
    t = make(table, value_size);
    if (t == NULL)
        return GOST_ENOMEM;
    if (t->value_size != value_size)
        return GOST_EINTERNAL;
    s = enter(t, key, now, &hash, &n);
    if (n != NULL)
        r = only_new ? GOST_EINUSE : update(t, s, n, value, until);
    else
        r = value != NULL ? insert(t, s, hash, key, value, until) : GOST_OK;
    pthread_mutex_unlock(&s->lock);
    return r;
}

int gh_host_table_get(const char *table, struct gost_bytes key, void *ret_value, size_t value_size)
{
    return gh_table_get(table, key, ge_now(ge_worker_current()), ret_value, value_size);
}

int gh_host_table_put(const char *table, struct gost_bytes key, const void *value,
                      size_t value_size, uint64_t ttl_ns, int only_new)
{
    return gh_table_put(table, key, value, value_size, ge_now(ge_worker_current()), ttl_ns,
                        only_new);
}

void gh_tables_free(void)
{
    for (unsigned i = 0; i < TABLES_MAX; i++) {
        struct table *t = atomic_exchange(&tables[i], NULL);

        for (unsigned k = 0; t != NULL && k < SHARDS; k++) {
            while (t->shard[k].ages.oldest != NULL)
                drop(&t->shard[k], (struct node *)t->shard[k].ages.oldest);
            pthread_mutex_destroy(&t->shard[k].lock);
        }
        free(t);
    }
}
