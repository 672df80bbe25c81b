/* ss_session.c - the sliding window, and the table of sessions. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>
#include <pthread.h>
#include <stdlib.h>

#include "age.h"
#include "ss_session.h"

#define BUCKETS 1024u

struct session {
    struct gost_age age;  /* by last use */
    struct session *next; /* in its bucket */
    uint8_t who[SS_BLOCK]; /* the hash of its key: ids of one user mean nothing to another */
    uint8_t client[SS_SESSION_ID], own[SS_SESSION_ID];
    uint64_t sent, used_ns;
    struct ss_window window;
};

struct ss_sessions {
    pthread_mutex_t lock;
    struct session *bucket[BUCKETS];
    struct gost_ages ages;
    uint32_t n;
};

int ss_window_fresh(struct ss_window *w, uint64_t id)
{
    const uint64_t words = SS_WINDOW / 64;
    uint64_t i, bit = 1ull << (id % 64);

    if (id == UINT64_MAX || (id < w->top && w->top - id > SS_WINDOW - 64))
        return 0;
    if (id >= w->top) {
        uint64_t from = w->top ? (w->top - 1) / 64 + 1 : 0, to = id / 64;

        if (to >= from && to - from >= words)
            from = to - words + 1;
        for (i = from; i <= to; i++)
            w->bits[i % words] = 0;
        w->top = id + 1;
    }
    if (w->bits[id / 64 % words] & bit)
        return 0;
    w->bits[id / 64 % words] |= bit;
    return 1;
}

struct ss_sessions *ss_sessions_new(void)
{
    struct ss_sessions *t = calloc(1, sizeof *t);

    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void ss_sessions_free(struct ss_sessions *t)
{
    struct gost_age *a, *next;

    if (!t)
        return;
    for (a = t->ages.oldest; a; a = next) {
        next = a->newer;
        free(a);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Ids are chosen by clients, but only by those with a key. */
static struct session **bucket_of(struct ss_sessions *t, const uint8_t client[SS_SESSION_ID])
{
    uint32_t h = gost_get32(client) ^ gost_get32(client + 4);

    return &t->bucket[(h ^ h >> 10) % BUCKETS];
}

static void age_push(struct ss_sessions *t, struct session *s, uint64_t now)
{
    s->used_ns = now;
    gost_age_add(&t->ages, &s->age);
}

static struct session *find(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                            const uint8_t client[SS_SESSION_ID], uint64_t now)
{
    struct session *s;

    for (s = *bucket_of(t, client); s; s = s->next) {
        if (memcmp(s->client, client, SS_SESSION_ID) != 0 || memcmp(s->who, who, SS_BLOCK) != 0)
            continue;
        gost_age_remove(&t->ages, &s->age);
        age_push(t, s, now);
        return s;
    }
    return NULL;
}

static void forget(struct ss_sessions *t, struct session *s)
{
    struct session **at = bucket_of(t, s->client);

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    gost_age_remove(&t->ages, &s->age);
    t->n--;
    free(s);
}

static struct session *add(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                           const uint8_t client[SS_SESSION_ID], uint64_t now)
{
    struct session *s;

    while ((s = (struct session *)t->ages.oldest) != NULL &&
           now - s->used_ns > SS_SESSION_IDLE_S * GOST_S)
        forget(t, s);
    s = t->n < SS_SESSIONS_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    memcpy(s->who, who, SS_BLOCK);
    memcpy(s->client, client, SS_SESSION_ID);
    gost_random(s->own, SS_SESSION_ID);
    s->next = *bucket_of(t, client);
    *bucket_of(t, client) = s;
    age_push(t, s, now);
    t->n++;
    return s;
}

int ss_sessions_fresh(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                      const uint8_t client[SS_SESSION_ID], uint64_t id, uint64_t now_ns)
{
    struct session *s;
    int fresh;

    pthread_mutex_lock(&t->lock);
    s = find(t, who, client, now_ns);
    if (!s)
        s = add(t, who, client, now_ns);
    fresh = s && ss_window_fresh(&s->window, id);
    pthread_mutex_unlock(&t->lock);
    return fresh;
}

int ss_sessions_next(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                     const uint8_t client[SS_SESSION_ID], uint64_t now_ns,
                     uint8_t ret_own[SS_SESSION_ID], uint64_t *ret_id)
{
    struct session *s;

    pthread_mutex_lock(&t->lock);
    s = find(t, who, client, now_ns);
    if (s) {
        memcpy(ret_own, s->own, SS_SESSION_ID);
        *ret_id = s->sent++;
    }
    pthread_mutex_unlock(&t->lock);
    return s ? GOST_OK : GOST_ECLOSED;
}
