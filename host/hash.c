/* hash.c - a keyed hash: strangers who choose the keys cannot choose the buckets. */
/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "siphash.h"

static uint8_t secret[GH_SIPHASH_KEY];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw(void)
{
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        abort(); /* the kernel has no randomness: nothing here is safe */
}

uint64_t gh_hash(struct gost_bytes data)
{
    pthread_once(&once, draw);
    return gh_siphash(secret, data.p, data.n);
}
