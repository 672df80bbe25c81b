/* timer.c - one hierarchical timer wheel: 1 ms ticks, five levels of 64 slots. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define TICK_NS   1000000ull
#define COARSE_NS 10000000ull /* ordinary timers fire together, at most 100 times a second */
#define LEVELS    5
#define SLOTS     64u
#define BITS      6

struct ge_wheel {
    uint64_t tick; /* all ticks before this one have fired */
    uint64_t used[LEVELS];
    struct ge_timer *slot[LEVELS][SLOTS];
};

struct ge_wheel *ge_wheel_new(uint64_t now)
{
    struct ge_wheel *wh = calloc(1, sizeof *wh);

    if (wh)
        wh->tick = now / TICK_NS;
    return wh;
}

void ge_wheel_free(struct ge_wheel *wheel)
{
    free(wheel);
}

static void insert(struct ge_wheel *wh, struct ge_timer *t)
{
    uint64_t due = t->at / TICK_NS + (t->at % TICK_NS != 0), span;
    unsigned level = 0, i;
    struct ge_timer **at;

    if (due < wh->tick)
        due = wh->tick;
    span = due - wh->tick;
    while (level < LEVELS - 1 && span >= SLOTS) {
        span >>= BITS;
        level++;
    }
    if (span >= SLOTS) /* beyond the wheel: the last slot, it is looked at again then */
        due = wh->tick + ((uint64_t)(SLOTS - 1) << (BITS * level));
    i = (unsigned)(due >> (BITS * level)) & (SLOTS - 1);
    at = &wh->slot[level][i];
    t->next = *at;
    if (t->next)
        t->next->prev = &t->next;
    *at = t;
    t->prev = at;
    wh->used[level] |= 1ull << i;
}

static void unlink_timer(struct ge_timer *t)
{
    *t->prev = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->prev = NULL;
    t->next = NULL;
}

void ge_timer_start_fine(struct ge_worker *w, struct ge_timer *t, uint64_t at_ns)
{
    if (t->prev)
        unlink_timer(t);
    else
        w->usage.timers++;
    t->at = at_ns;
    insert(w->wheel, t);
}

void ge_timer_start(struct ge_worker *w, struct ge_timer *t, uint64_t at_ns)
{
    if (at_ns <= UINT64_MAX - COARSE_NS)
        at_ns = (at_ns + COARSE_NS - 1) / COARSE_NS * COARSE_NS;
    ge_timer_start_fine(w, t, at_ns);
}

void ge_timer_stop(struct ge_worker *w, struct ge_timer *t)
{
    if (!t->prev)
        return;
    unlink_timer(t);
    w->usage.timers--;
}

uint64_t ge_timers_next(const struct ge_worker *w)
{
    const struct ge_wheel *wh = w->wheel;
    uint64_t best = UINT64_MAX;
    unsigned level, i, k;

    if (w->usage.timers == 0)
        return best;
    for (level = 0; level < LEVELS; level++) {
        unsigned from = (unsigned)(wh->tick >> (BITS * level)) & (SLOTS - 1);

        for (i = level ? 1 : 0; i < SLOTS + (level ? 1 : 0); i++) {
            k = (from + i) & (SLOTS - 1);
            if ((wh->used[level] >> k & 1) && wh->slot[level][k]) {
                uint64_t t = ((wh->tick >> (BITS * level)) + i) << (BITS * level);

                if (t * TICK_NS < best)
                    best = t * TICK_NS;
                break;
            }
        }
    }
    return best;
}

static void cascade(struct ge_wheel *wh, unsigned level)
{
    unsigned i = (unsigned)(wh->tick >> (BITS * level)) & (SLOTS - 1);
    struct ge_timer *t = wh->slot[level][i], *next;

    wh->slot[level][i] = NULL;
    wh->used[level] &= ~(1ull << i);
    for (; t; t = next) {
        next = t->next;
        t->prev = NULL;
        insert(wh, t);
    }
}

static void fire_slot(struct ge_worker *w, unsigned i)
{
    struct ge_wheel *wh = w->wheel;
    struct ge_timer *t;

    wh->used[0] &= ~(1ull << i);
    while ((t = wh->slot[0][i])) {
        if (t->at > wh->tick * TICK_NS)
            return; /* started for a later round while this slot fired */
        unlink_timer(t);
        w->usage.timers--;
        t->fire(t);
    }
}

/* Invariant: when the tick stands at a boundary, the slots that begin there are already cascaded.
 * */
static void advance(struct ge_wheel *wh, uint64_t tick)
{
    unsigned level;

    wh->tick = tick;
    for (level = LEVELS - 1; level > 0; level--)
        if ((tick & ((1ull << (BITS * level)) - 1)) == 0)
            cascade(wh, level);
}

void ge_timers_run(struct ge_worker *w)
{
    struct ge_wheel *wh = w->wheel;
    uint64_t now = ge_now(w) / TICK_NS, next;

    ge_current = w;
    while (w->usage.timers > 0 && wh->tick <= now) {
        next = ge_timers_next(w) / TICK_NS; /* skip the empty ticks at once */
        if (next > now) {
            advance(wh, now + 1);
            return;
        }
        if (next > wh->tick)
            advance(wh, next);
        fire_slot(w, (unsigned)wh->tick & (SLOTS - 1));
        advance(wh, wh->tick + 1);
    }
    if (w->usage.timers == 0 && now > wh->tick)
        wh->tick = now;
}
