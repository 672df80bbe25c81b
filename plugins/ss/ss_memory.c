/* ss_memory.c - the memories of this process, by key. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "ss_memory.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ss_memory *all;

static void destroy(struct ss_memory *m)
{
    ss_replay_free(m->salts);
    ss_replay_free(m->packets);
    ss_sessions_free(m->sessions);
    free(m);
}

static struct ss_memory *make(const struct ss_method *method, const uint8_t hash[SS_BLOCK])
{
    struct ss_memory *m = calloc(1, sizeof *m);
    int timed = method->family == SS_2022;

    if (!m)
        return NULL;
    m->method = method;
    memcpy(m->hash, hash, SS_BLOCK);
    m->salts = ss_replay_new(timed ? SS_REPLAY_MAX_TIMED : SS_REPLAY_MAX, timed ? SS_SEEN_NS : 0);
    if (timed)
        m->sessions = ss_sessions_new();
    else
        m->packets = ss_replay_new(SS_REPLAY_MAX, 0);
    if (m->salts && (m->sessions || m->packets))
        return m;
    destroy(m);
    return NULL;
}

struct ss_memory *ss_memory_get(const struct ss_method *method, const uint8_t hash[SS_BLOCK])
{
    struct ss_memory *m;

    pthread_mutex_lock(&lock);
    for (m = all; m; m = m->next)
        if (m->method == method && memcmp(m->hash, hash, SS_BLOCK) == 0)
            break;
    if (!m && (m = make(method, hash))) {
        m->next = all;
        all = m;
    }
    if (m)
        m->users++;
    pthread_mutex_unlock(&lock);
    return m;
}

void ss_memory_put(struct ss_memory *memory)
{
    struct ss_memory **at = &all;

    if (!memory)
        return;
    pthread_mutex_lock(&lock);
    if (--memory->users == 0) {
        while (*at != memory)
            at = &(*at)->next;
        *at = memory->next;
        destroy(memory);
    }
    pthread_mutex_unlock(&lock);
}
