/* selector.c - choosing one of several nodes: failure marks and strategies. */
/* SPDX-License-Identifier: MIT */
#include "selector.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <gost/host.h>

#include "log.h"

enum { ITEMS_MAX = 4096 };

static struct gh_mark *marks;
static pthread_mutex_t marks_lock = PTHREAD_MUTEX_INITIALIZER;

struct gh_mark *gh_mark_get(const char *key)
{
    struct gh_mark *m;

    pthread_mutex_lock(&marks_lock);
    for (m = marks; m != NULL && strcmp(m->key, key) != 0; m = m->next)
        ;
    if (m == NULL) {
        m = calloc(1, sizeof *m);
        if (m != NULL)
            m->key = strdup(key);
        if (m != NULL && m->key == NULL) {
            free(m);
            m = NULL;
        }
        if (m != NULL) {
            m->next = marks;
            marks = m;
        }
    }
    pthread_mutex_unlock(&marks_lock);
    return m;
}

void gh_marks_free(void)
{
    while (marks != NULL) {
        struct gh_mark *next = marks->next;

        free(marks->key);
        free(marks);
        marks = next;
    }
}

void gh_mark_failed(struct gh_mark *mark, uint64_t now)
{
    if (mark == NULL)
        return;
    atomic_store_explicit(&mark->last, now, memory_order_relaxed);
    atomic_fetch_add_explicit(&mark->failures, 1, memory_order_relaxed);
}

void gh_mark_worked(struct gh_mark *mark)
{
    if (mark != NULL && atomic_load_explicit(&mark->failures, memory_order_relaxed) != 0)
        atomic_store_explicit(&mark->failures, 0, memory_order_relaxed);
}

static enum gh_strategy parse_strategy(const char *text)
{
    static const struct {
        const char *name;
        enum gh_strategy strategy;
    } names[] = {{"random", GH_RANDOM},
                 {"rand", GH_RANDOM},
                 {"fifo", GH_FIFO},
                 {"ha", GH_FIFO},
                 {"hash", GH_HASH}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, text) == 0)
            return names[i].strategy;
    return GH_ROUND;
}

/* What GOST has and this host has not is said aloud, never swapped in silence. */
static void warn_absent(const struct gh_value *conf)
{
    static const char *const absent[] = {"parallel", "lowestlatency", "lowest", "ll"};
    const char *strategy = gh_str(conf, "strategy", "round");
    char place[GH_POS_MAX];

    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strcmp(absent[i], strategy) == 0)
            gh_log(GOST_LOG_WARN,
                   "%s: the selector strategy \"%s\" is not available: round is used",
                   gh_pos_text(conf, place), strategy);
    if (gh_duration_ns(conf, "maxLatency", 0) > 0)
        gh_log(GOST_LOG_WARN, "%s: maxLatency is not available: nodes are not probed",
               gh_pos_text(conf, place));
}

void gh_selector_init(struct gh_selector *s, const struct gh_value *conf)
{
    int64_t fails = gh_int(conf, "maxFails", 1);
    int64_t timeout = gh_duration_ns(conf, "failTimeout", 10 * (int64_t)GOST_S);

    if (conf != NULL)
        warn_absent(conf);
    s->strategy = parse_strategy(gh_str(conf, "strategy", "round"));
    s->max_fails = fails > 0 && fails < INT32_MAX ? (uint32_t)fails : 1;
    s->fail_timeout = timeout > 0 ? (uint64_t)timeout : 10 * GOST_S;
    atomic_init(&s->round, 0);
}

bool gh_choice_failed(const struct gh_selector *s, const struct gh_choice *c, uint64_t now)
{
    uint32_t max = c->max_fails ? c->max_fails : s->max_fails;
    uint64_t timeout = c->fail_timeout ? c->fail_timeout : s->fail_timeout;

    if (c->mark == NULL || atomic_load_explicit(&c->mark->failures, memory_order_relaxed) < max)
        return false;
    return now - atomic_load_explicit(&c->mark->last, memory_order_relaxed) < timeout;
}

/* ---- strategies ---- */

static uint32_t crc32_of(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t crc = 0xffffffff;

    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static uint32_t draw(void)
{
    uint32_t r = 0;

    /* Not a protocol's randomness: explained routes and real ones need no replay. */
    if (getrandom(&r, sizeof r, GRND_NONBLOCK) < 0)
        r = 0;
    return r;
}

static const struct gh_choice *by_weight(const struct gh_choice *const *items, unsigned n)
{
    uint64_t total = 0, at;

    for (unsigned i = 0; i < n; i++)
        total += items[i]->weight ? items[i]->weight : 1;
    at = draw() % total;
    for (unsigned i = 0; i < n; i++) {
        uint32_t weight = items[i]->weight ? items[i]->weight : 1;

        if (at < weight)
            return items[i];
        at -= weight;
    }
    return items[0];
}

static const struct gh_choice *by_hash(const struct gh_choice *const *items, unsigned n,
                                       const struct gh_pick *pick)
{
    char host[GOST_ADDR_TEXT];
    const struct gost_addr *from = pick->hash_target ? pick->target : pick->client;
    size_t len;

    if (pick->user != NULL && *pick->user != '\0')
        return items[crc32_of(pick->user, strlen(pick->user)) % n];
    if (from == NULL || from->family == GOST_AF_NONE)
        return by_weight(items, n);
    len = gost_addr_host(from, host, sizeof host);
    return items[crc32_of(host, len) % n];
}

static const struct gh_choice *by_strategy(struct gh_selector *s,
                                           const struct gh_choice *const *items, unsigned n,
                                           const struct gh_pick *pick)
{
    uint32_t round;

    switch (s->strategy) {
    case GH_FIFO:
        return items[0];
    case GH_RANDOM:
        return by_weight(items, n);
    case GH_HASH:
        return by_hash(items, n, pick);
    case GH_ROUND:
        break;
    }
    round = pick->peek ? atomic_load(&s->round)
                       : atomic_fetch_add_explicit(&s->round, 1, memory_order_relaxed);
    return items[round % n];
}

const struct gh_choice *gh_selector_choose(struct gh_selector *s,
                                           const struct gh_choice *const *items, unsigned n,
                                           const struct gh_pick *pick)
{
    const struct gh_choice *alive[ITEMS_MAX], *front[ITEMS_MAX];
    unsigned n_alive = 0, n_front = 0;

    if (n == 1)
        return items[0];
    if (n > ITEMS_MAX)
        n = ITEMS_MAX;
    for (unsigned i = 0; i < n; i++)
        if (!gh_choice_failed(s, items[i], pick->now))
            alive[n_alive++] = items[i];
    for (unsigned i = 0; i < n_alive; i++)
        if (!alive[i]->backup)
            front[n_front++] = alive[i];
    if (n_alive == 0)
        return NULL;
    return n_front != 0 ? by_strategy(s, front, n_front, pick)
                        : by_strategy(s, alive, n_alive, pick);
}
