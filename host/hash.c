/* hash.c - a keyed hash: strangers who choose the keys cannot choose the buckets. */
/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t key[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw(void)
{
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        abort(); /* the kernel has no randomness: nothing here is safe */
}

static uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* Up to eight bytes, the first one lowest. */
static uint64_t word(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void mix(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
}

uint64_t gh_hash(struct gost_bytes data)
{
    uint64_t v[4];
    size_t i;

    pthread_once(&once, draw);
    v[0] = key[0] ^ 0x736f6d6570736575ull;
    v[1] = key[1] ^ 0x646f72616e646f6dull;
    v[2] = key[0] ^ 0x6c7967656e657261ull;
    v[3] = key[1] ^ 0x7465646279746573ull;
    for (i = 0; i + 8 <= data.n; i += 8)
        mix(v, word(data.p + i, 8));
    mix(v, word(data.p + i, data.n - i) | (uint64_t)data.n << 56);
    v[2] ^= 0xff;
    for (i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
