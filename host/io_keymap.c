/* io_keymap.c - which instance of a datagram layer has which key. */
/* SPDX-License-Identifier: MIT */
#include "io_keymap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 256u

int gh_keymap_init(struct gh_keymap *map)
{
    memset(map, 0, sizeof *map);
    map->bucket = calloc(BUCKETS_MIN, sizeof(struct gh_key *));
    if (!map->bucket)
        return GOST_ENOMEM;
    map->n_buckets = BUCKETS_MIN;
    if (getrandom(map->secret, sizeof map->secret, 0) != sizeof map->secret)
        abort(); /* the kernel has no randomness: nothing here is safe */
    return GOST_OK;
}

static struct gh_key **bucket_of(const struct gh_keymap *map, const void *k, size_t n)
{
    return &map->bucket[gh_siphash(map->secret, k, n) & (map->n_buckets - 1)];
}

void gh_keymap_fini(struct gh_keymap *map)
{
    struct gh_key *key, *next;
    size_t i;

    for (i = 0; i < map->n_buckets; i++)
        for (key = map->bucket[i]; key; key = next) {
            next = key->hash_next;
            free(key);
        }
    free(map->bucket);
    memset(map, 0, sizeof *map);
}

struct gh_key *gh_keymap_find(const struct gh_keymap *map, const void *k, size_t n)
{
    struct gh_key *key = *bucket_of(map, k, n);

    while (key && (key->n != n || memcmp(key->k, k, n) != 0))
        key = key->hash_next;
    return key;
}

/* Without memory the old table stays: slower, not wrong. */
static void grow(struct gh_keymap *map)
{
    size_t n = map->n_buckets * 4, i;
    struct gh_key **old = map->bucket, **bucket, *key, *next, **at;

    if (map->n <= map->n_buckets * 2 || !(bucket = calloc(n, sizeof(struct gh_key *))))
        return;
    map->bucket = bucket;
    i = map->n_buckets;
    map->n_buckets = n;
    while (i-- > 0)
        for (key = old[i]; key; key = next) {
            next = key->hash_next;
            at = bucket_of(map, key->k, key->n);
            key->hash_next = *at;
            *at = key;
        }
    free(old);
}

struct gh_key *gh_keymap_add(struct gh_keymap *map, const void *k, size_t n, unsigned worker)
{
    struct gh_key *key = calloc(1, sizeof *key), **at;

    if (!key)
        return NULL;
    key->worker = worker;
    key->n = (uint8_t)n;
    memcpy(key->k, k, n);
    at = bucket_of(map, k, n);
    key->hash_next = *at;
    *at = key;
    map->n++;
    grow(map);
    return key;
}

void gh_keymap_remove(struct gh_keymap *map, struct gh_key *key)
{
    struct gh_key **at = bucket_of(map, key->k, key->n);

    while (*at != key)
        at = &(*at)->hash_next;
    *at = key->hash_next;
    map->n--;
    free(key);
}
