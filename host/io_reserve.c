/* io_reserve.c - allocations that must not fail: a reserve is given back for them. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "io_internal.h"

/* Large enough to be a mapping of its own: what is given back helps any thread. */
#define RESERVE (512 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *reserve;

static void fill(void)
{
    if (reserve == NULL)
        reserve = malloc(RESERVE);
}

/* Tries once more with the reserve gone; then takes it anew where that is possible. */
static void *once_more(void *old, size_t n)
{
    void *p;

    pthread_mutex_lock(&lock);
    free(reserve);
    reserve = NULL;
    p = realloc(old, n);
    fill();
    pthread_mutex_unlock(&lock);
    return p;
}

void *gh_must_malloc(size_t n)
{
    void *p = malloc(n);

    if (p == NULL)
        p = once_more(NULL, n);
    if (p == NULL)
        abort(); /* a lost message would leave somebody waiting for ever */
    return p;
}

static void *loop_malloc(size_t n)
{
    void *p = malloc(n);

    return p != NULL || n == 0 ? p : once_more(NULL, n);
}

static void *loop_realloc(void *old, size_t n)
{
    void *p = realloc(old, n);

    return p != NULL || n == 0 ? p : once_more(old, n);
}

static void *loop_calloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL && count != 0 && size <= SIZE_MAX / count) {
        p = once_more(NULL, count * size);
        if (p != NULL)
            memset(p, 0, count * size);
    }
    return p;
}

/* libuv ends the program when it cannot grow its table of descriptors. */
static void install(void)
{
    fill();
    (void)uv_replace_allocator(loop_malloc, loop_realloc, loop_calloc, free);
}

void gh_reserve_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, install);
}
