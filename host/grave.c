/* grave.c - freeing what stacks that still flush may be reading. */
/* SPDX-License-Identifier: MIT */
#include "grave.h"

#include <pthread.h>
#include <stdlib.h>

/* Above the time the engine lets a finished stack flush. */
#define GRAVE_NS (8 * GOST_S)

struct grave {
    struct grave *next, **prev;
    void *object;
    void (*release)(void *object);
    struct ge_timer timer;
};

static struct grave *graves;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void unlink_grave(struct grave *g)
{
    pthread_mutex_lock(&lock);
    *g->prev = g->next;
    if (g->next != NULL)
        g->next->prev = g->prev;
    pthread_mutex_unlock(&lock);
}

static void clear(void *arg)
{
    struct grave *g = arg;

    unlink_grave(g);
    g->release(g->object);
    free(g);
}

static void over(struct ge_timer *t)
{
    struct grave *g = (struct grave *)((char *)t - offsetof(struct grave, timer));

    gh_main_post(clear, g);
}

static void arm(struct gh_worker *w, void *arg)
{
    struct grave *g = arg;
    struct ge_worker *engine = gh_worker_engine(w);

    g->timer.fire = over;
    ge_timer_start(engine, &g->timer, ge_now(engine) + GRAVE_NS);
}

void gh_bury(void *object, void (*release)(void *object))
{
    struct grave *g = gh_worker_count() != 0 ? calloc(1, sizeof *g) : NULL;

    if (g == NULL) { /* no memory: rather lost than freed too early */
        if (gh_worker_count() == 0)
            release(object);
        return;
    }
    g->object = object;
    g->release = release;
    pthread_mutex_lock(&lock);
    g->next = graves;
    g->prev = &graves;
    if (g->next != NULL)
        g->next->prev = &g->next;
    graves = g;
    pthread_mutex_unlock(&lock);
    gh_worker_post(gh_worker_get(0), arm, g);
}

void gh_graves_clear(void)
{
    while (graves != NULL)
        clear(graves);
}
