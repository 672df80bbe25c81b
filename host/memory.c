/* memory.c - two marks of memory in use: one stops accepting, one sheds idle connections. */
/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define MEASURE_NS (100 * GOST_MS) /* no more often */
#define SHARE      16              /* of the connections are shed at once, so that it is seen */
#define MB         (1024.0 * 1024.0)

static struct {
    uint64_t high, max;
    int fd; /* /proc/self/statm, kept open: near the end there may be no other */
    _Atomic uint64_t measured_at, used;
    atomic_bool is_high;
    bool was_high;
    void (*shed)(struct gh_worker *w, unsigned share); /* set before a worker is posted to */
} memory = {.fd = -1};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * GOST_S + (uint64_t)t.tv_nsec;
}

void gh_memory_marks(uint64_t high, uint64_t max)
{
    memory.high = high;
    memory.max = max;
    if (high == 0)
        return;
    memory.fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (memory.fd < 0)
        gh_log(GOST_LOG_WARN, "memory cannot be measured: /proc/self/statm cannot be opened");
}

/* Resident and not of a file: what the program asked for. */
static void measure(void)
{
    unsigned long size, resident, shared;
    char text[128];
    ssize_t n = pread(memory.fd, text, sizeof text - 1, 0);
    uint64_t used;

    if (n <= 0)
        return;
    text[n] = '\0';
    if (sscanf(text, "%lu %lu %lu", &size, &resident, &shared) != 3 || shared > resident)
        return;
    used = (uint64_t)(resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
    atomic_store(&memory.used, used);
    if (used > memory.high)
        atomic_store(&memory.is_high, true);
    else if (used < memory.high - memory.high / 16) /* not at each connection anew */
        atomic_store(&memory.is_high, false);
}

bool gh_memory_is_high(void)
{
    uint64_t at, now;

    if (memory.fd < 0)
        return false;
    now = now_ns();
    at = atomic_load_explicit(&memory.measured_at, memory_order_relaxed);
    if (now - at >= MEASURE_NS && atomic_compare_exchange_strong(&memory.measured_at, &at, now))
        measure();
    return atomic_load_explicit(&memory.is_high, memory_order_relaxed);
}

static void shed_some(struct gh_worker *w, void *arg)
{
    memory.shed(w, SHARE);
}

void gh_memory_tick(void (*shed)(struct gh_worker *w, unsigned share))
{
    bool is_high;

    if (memory.fd < 0)
        return;
    memory.shed = shed;
    atomic_store(&memory.measured_at, now_ns());
    measure();
    if (atomic_load(&memory.used) > memory.high) { /* what was given back must not count */
        malloc_trim(0);
        measure();
    }
    is_high = atomic_load(&memory.is_high);
    if (is_high != memory.was_high)
        gh_log(is_high ? GOST_LOG_WARN : GOST_LOG_INFO, "%.1f MB of memory are in use: %s",
               (double)atomic_load(&memory.used) / MB,
               is_high ? "new connections wait (--memory-high)" : "connections are accepted again");
    memory.was_high = is_high;
    if (memory.max == 0 || atomic_load(&memory.used) <= memory.max)
        return;
    gh_log(GOST_LOG_WARN, "%.1f MB of memory are in use: idle connections end, the oldest first "
           "(--memory-max)", (double)atomic_load(&memory.used) / MB);
    for (unsigned i = 0; i < gh_worker_count(); i++)
        gh_worker_post(gh_worker_get(i), shed_some, NULL);
}
