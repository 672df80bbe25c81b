/* limit.c - rates: a balance in time that all workers share without locks. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define LOOK_NS (50 * GOST_MS) /* a direction without balance waits for this much of its rate */

/* A bucket is the time up to which its rate is used up. A full one lies `burst` behind now. */
static uint64_t start_of(uint64_t used, uint64_t now, double burst_ns)
{
    uint64_t oldest = burst_ns < (double)now ? now - (uint64_t)burst_ns : 0;

    return used > oldest ? used : oldest;
}

static double ns_of(uint64_t amount, uint64_t rate)
{
    return (double)amount * 1e9 / (double)rate;
}

uint64_t ge_bucket_room(const struct ge_bucket *b, uint64_t now, uint64_t *ret_at)
{
    uint64_t rate = atomic_load_explicit(&b->rate, memory_order_relaxed);
    uint64_t burst = atomic_load_explicit(&b->burst, memory_order_relaxed), used, from, room;
    double burst_ns;

    if (rate == 0)
        return UINT64_MAX;
    burst_ns = ns_of(burst, rate);
    used = atomic_load_explicit(&b->used, memory_order_relaxed);
    from = start_of(used, now, burst_ns);
    if (from != used) /* full: what was rounded off on the way would never be given */
        return burst;
    room = from < now ? (uint64_t)((double)(now - from) * (double)rate / 1e9) : 0;
    if (room == 0 && ret_at)
        *ret_at = from + (burst_ns / 2 < (double)LOOK_NS ? (uint64_t)(burst_ns / 2) : LOOK_NS);
    return room;
}

void ge_bucket_charge(struct ge_bucket *b, uint64_t now, uint64_t amount)
{
    uint64_t rate = atomic_load_explicit(&b->rate, memory_order_relaxed);
    uint64_t burst = atomic_load_explicit(&b->burst, memory_order_relaxed), used, next;

    if (rate == 0)
        return;
    used = atomic_load_explicit(&b->used, memory_order_relaxed);
    do
        next = start_of(used, now, ns_of(burst, rate)) + (uint64_t)(ns_of(amount, rate) + 0.5);
    while (!atomic_compare_exchange_weak_explicit(&b->used, &used, next, memory_order_relaxed,
                                                  memory_order_relaxed));
}

int ge_limited(const struct ge_flow *f, int direction)
{
    return f->limit[direction][0] != NULL;
}

uint64_t ge_limits_room(const struct ge_flow *f, int direction, uint64_t now, uint64_t *ret_at)
{
    uint64_t least = UINT64_MAX, at = 0, latest = 0;
    int i;

    for (i = 0; i < GE_LIMITS && f->limit[direction][i]; i++) {
        uint64_t room = ge_bucket_room(f->limit[direction][i], now, &at);

        if (room == 0 && at > latest)
            latest = at;
        if (room < least)
            least = room;
    }
    if (least == 0)
        *ret_at = latest;
    return least;
}

void ge_limits_charge(struct ge_flow *f, int direction, uint64_t now, uint64_t amount)
{
    int i;

    for (i = 0; i < GE_LIMITS && f->limit[direction][i]; i++)
        ge_bucket_charge(f->limit[direction][i], now, amount);
}
