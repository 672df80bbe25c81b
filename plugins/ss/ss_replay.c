/* ss_replay.c - salts in a ring by age, found through chains by their own bits. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "ss_replay.h"

#define FIRST 1024u
#define TAG   16
#define NONE  UINT32_MAX
#define TICK  1000000000ull

struct entry {
    uint8_t tag[TAG];
    uint32_t seen; /* seconds of the host's clock */
    uint32_t next; /* in the chain */
};

struct ss_replay {
    pthread_mutex_t lock;
    struct entry *ring;
    uint32_t *chain;
    uint32_t size, max; /* of ring and chain alike, powers of two */
    uint32_t oldest, n;
    uint32_t ttl; /* seconds; 0: none */
};

/* A salt of 32 bytes is random all over: both halves added are as good as the whole. */
static void tag_of(uint8_t ret_tag[TAG], struct gost_bytes salt)
{
    size_t i;

    memset(ret_tag, 0, TAG);
    for (i = 0; i < salt.n; i++)
        ret_tag[i % TAG] = (uint8_t)(ret_tag[i % TAG] ^ salt.p[i]);
}

static uint32_t *chain_of(struct ss_replay *r, const uint8_t tag[TAG])
{
    return &r->chain[gost_get32(tag) & (r->size - 1)];
}

static int resize(struct ss_replay *r, uint32_t size)
{
    struct entry *ring = calloc(size, sizeof *ring);
    uint32_t *chain = malloc(size * sizeof *chain);
    uint32_t i;

    if (!ring || !chain) {
        free(ring);
        free(chain);
        return GOST_ENOMEM;
    }
    for (i = 0; i < r->n; i++)
        ring[i] = r->ring[(r->oldest + i) & (r->size - 1)];
    free(r->ring);
    free(r->chain);
    r->ring = ring;
    r->chain = chain;
    r->size = size;
    r->oldest = 0;
    memset(chain, 0xff, size * sizeof *chain);
    for (i = 0; i < r->n; i++) {
        uint32_t *head = chain_of(r, ring[i].tag);

        ring[i].next = *head;
        *head = i;
    }
    return GOST_OK;
}

struct ss_replay *ss_replay_new(uint32_t max, uint64_t ttl_ns)
{
    struct ss_replay *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->max = max;
    r->ttl = (uint32_t)(ttl_ns / TICK);
    if (resize(r, max < FIRST ? max : FIRST) != GOST_OK) {
        free(r);
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void ss_replay_free(struct ss_replay *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->ring);
    free(r->chain);
    free(r);
}

static int find(struct ss_replay *r, const uint8_t tag[TAG])
{
    uint32_t i;

    for (i = *chain_of(r, tag); i != NONE; i = r->ring[i].next)
        if (memcmp(r->ring[i].tag, tag, TAG) == 0)
            return 1;
    return 0;
}

static void forget_oldest(struct ss_replay *r)
{
    uint32_t *at = chain_of(r, r->ring[r->oldest].tag);

    while (*at != r->oldest)
        at = &r->ring[*at].next;
    *at = r->ring[r->oldest].next;
    r->oldest = (r->oldest + 1) & (r->size - 1);
    r->n--;
}

/* Room for one more. 0: none. */
static int make_room(struct ss_replay *r, uint32_t now)
{
    while (r->ttl && r->n && now - r->ring[r->oldest].seen > r->ttl)
        forget_oldest(r);
    if (r->n < r->size)
        return 1;
    if (r->size < r->max && resize(r, r->size * 2) == GOST_OK)
        return 1;
    if (r->ttl)
        return 0;
    forget_oldest(r);
    return 1;
}

static int remember(struct ss_replay *r, const uint8_t tag[TAG], uint32_t now)
{
    uint32_t i, *head;

    if (find(r, tag) || !make_room(r, now))
        return 0;
    i = (r->oldest + r->n++) & (r->size - 1);
    head = chain_of(r, tag);
    memcpy(r->ring[i].tag, tag, TAG);
    r->ring[i].seen = now;
    r->ring[i].next = *head;
    *head = i;
    return 1;
}

int ss_replay_fresh(struct ss_replay *r, struct gost_bytes salt, uint64_t now_ns)
{
    uint8_t tag[TAG];
    int fresh;

    tag_of(tag, salt);
    pthread_mutex_lock(&r->lock);
    fresh = remember(r, tag, (uint32_t)(now_ns / TICK));
    pthread_mutex_unlock(&r->lock);
    return fresh;
}
