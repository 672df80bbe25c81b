/* net_worker.c - workers: one thread, one loop, one engine each, and a queue of posts. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "net_private.h"

#define RUN_BUDGET  256 /* engine steps before the loop looks at descriptors again */
#define STOP_ROUNDS 4096

struct gh_net_conf gh_net;
static struct gh_worker **workers;
static unsigned n_workers;
static atomic_uint turn;
static _Thread_local struct gh_worker *current;

/* ---- what the engine asks of us ---- */

static uint64_t embed_now(void *ctx)
{
    return uv_hrtime();
}

static uint64_t embed_unix_time(void *ctx)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * GOST_S + (uint64_t)t.tv_nsec;
}

static void embed_random(void *ctx, void *p, size_t n)
{
    uint8_t *at = p;

    while (n > 0) {
        ssize_t r = getrandom(at, n, 0);

        if (r < 0)
            continue; /* only a signal can be the cause */
        at += r;
        n -= (size_t)r;
    }
}

static void embed_wake(void *ctx)
{
    struct gh_worker *w = ctx;

    w->awake = 1;
}

/* ---- running the engine ---- */

static void on_timer(uv_timer_t *timer)
{
    struct gh_worker *w = timer->data;

    w->armed = UINT64_MAX;
    ge_timers_run(w->engine);
}

static void arm_timer(struct gh_worker *w)
{
    uint64_t next = ge_timers_next(w->engine), now;

    if (next == w->armed)
        return;
    w->armed = next;
    if (next == UINT64_MAX) {
        uv_timer_stop(&w->timer);
        return;
    }
    now = uv_hrtime();
    uv_timer_start(&w->timer, on_timer, next > now ? (next - now + GOST_MS - 1) / GOST_MS : 0, 0);
}

static void run_engine(struct gh_worker *w)
{
    if (w->awake)
        w->awake = ge_run(w->engine, RUN_BUDGET);
}

static void on_idle(uv_idle_t *idle)
{
    /* Its being active is what counts: the loop does not sleep. */
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct gh_worker *w = prepare->data;

    run_engine(w);
    if (w->awake)
        uv_idle_start(&w->idle, on_idle);
    else
        uv_idle_stop(&w->idle);
    arm_timer(w);
}

static void on_check(uv_check_t *check)
{
    run_engine(check->data);
}

/* ---- posts ---- */

static void run_posts(struct gh_worker *w)
{
    struct gh_post *p, *next;

    uv_mutex_lock(&w->lock);
    p = w->posts;
    w->posts = NULL;
    w->last_post = &w->posts;
    uv_mutex_unlock(&w->lock);
    for (; p; p = next) {
        next = p->next;
        p->fn(w, p->arg);
        free(p);
    }
}

static void on_async(uv_async_t *async)
{
    run_posts(async->data);
}

void gh_worker_post(struct gh_worker *w, void (*fn)(struct gh_worker *w, void *arg), void *arg)
{
    struct gh_post *p = malloc(sizeof *p);

    if (!p)
        abort(); /* a lost post would leave its sender waiting for ever */
    p->next = NULL;
    p->fn = fn;
    p->arg = arg;
    uv_mutex_lock(&w->lock);
    *w->last_post = p;
    w->last_post = &p->next;
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->async);
}

static void post_sem(struct gh_worker *w, void *arg)
{
    uv_sem_post(arg);
}

void gh_workers_barrier(void)
{
    uv_sem_t sem;
    unsigned i;

    if (n_workers == 0 || uv_sem_init(&sem, 0) != 0)
        return;
    for (i = 0; i < n_workers; i++)
        gh_worker_post(workers[i], post_sem, &sem);
    for (i = 0; i < n_workers; i++)
        uv_sem_wait(&sem);
    uv_sem_destroy(&sem);
}

/* ---- asking about workers ---- */

int gh_net_running(void)
{
    return n_workers > 0;
}

unsigned gh_worker_count(void)
{
    return n_workers;
}

struct gh_worker *gh_worker_get(unsigned i)
{
    return workers[i];
}

struct gh_worker *gh_worker_least(void)
{
    unsigned i, at = n_workers > 1 ? atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed) : 0;
    struct gh_worker *best = workers[at % n_workers];

    for (i = 1; i < n_workers; i++) {
        struct gh_worker *w = workers[(at + i) % n_workers];

        if (atomic_load_explicit(&w->flows, memory_order_relaxed) <
            atomic_load_explicit(&best->flows, memory_order_relaxed))
            best = w;
    }
    return best;
}

struct gh_worker *gh_worker_current(void)
{
    return current;
}

unsigned gh_worker_index(const struct gh_worker *w)
{
    return w->index;
}

struct ge_worker *gh_worker_engine(struct gh_worker *w)
{
    return w->engine;
}

void gh_worker_flow_begin(struct gh_worker *w)
{
    atomic_fetch_add_explicit(&w->flows, 1, memory_order_relaxed);
}

void gh_worker_flow_end(struct gh_worker *w)
{
    atomic_fetch_sub_explicit(&w->flows, 1, memory_order_relaxed);
}

void gh_worker_log(struct gh_worker *w, int level, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (!gh_net.embed || !gh_net.embed->log || level < ge_log_level())
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gh_net.embed->log(w, NULL, level, text);
}

/* ---- the end of a worker ---- */

static void end_handle(uv_handle_t *handle, void *arg)
{
    const struct gh_handle_kind *kind = handle->data;

    if (!uv_is_closing(handle) && (handle->type == UV_POLL))
        kind->end(handle);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void stop_worker(struct gh_worker *w, void *arg)
{
    uv_stop(&w->loop);
}

/* First every connection is told that it is over; what still stands then is ended by force. */
static void end_flows(struct gh_worker *w)
{
    unsigned n;

    for (w->stopping = 1; w->stopping <= 2; w->stopping++) {
        uv_walk(&w->loop, end_handle, NULL);
        for (n = 0; n < STOP_ROUNDS && ge_run(w->engine, RUN_BUDGET); n++)
            ;
        run_posts(w);
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
}

/* 1: nothing of it is left, its memory can go. A lookup that the C library still works on keeps it. */
static int end_loop(struct gh_worker *w)
{
    unsigned n;

    gh_pipes_free(w);
    gh_datagram_buffers_free(w);
    uv_walk(&w->loop, close_handle, NULL);
    for (n = 0; n < 200 && uv_run(&w->loop, UV_RUN_NOWAIT); n++)
        usleep(1000);
    return uv_loop_close(&w->loop) == 0;
}

static void worker_main(void *arg)
{
    struct gh_worker *w = arg;

    current = w;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    end_flows(w);
}

/* ---- start and stop [main] ---- */

static void fill_embed(struct gh_worker *w)
{
    if (gh_net.embed)
        w->embed = *gh_net.embed;
    w->embed.now = embed_now;
    w->embed.unix_time = embed_unix_time;
    w->embed.random = embed_random;
    w->embed.wake = embed_wake;
    w->embed.splice = gh_splice;
}

static int init_loop(struct gh_worker *w)
{
    int r = uv_loop_init(&w->loop);

    if (r < 0)
        return r;
    r = uv_async_init(&w->loop, &w->async, on_async);
    if (r < 0) {
        uv_loop_close(&w->loop);
        return r;
    }
    uv_timer_init(&w->loop, &w->timer);
    uv_prepare_init(&w->loop, &w->prepare);
    uv_check_init(&w->loop, &w->check);
    uv_idle_init(&w->loop, &w->idle);
    w->async.data = w->timer.data = w->prepare.data = w->check.data = w;
    uv_prepare_start(&w->prepare, on_prepare);
    uv_check_start(&w->check, on_check);
    return 0;
}

static struct gh_worker *worker_new(unsigned index)
{
    struct gh_worker *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->index = index;
    w->armed = UINT64_MAX;
    w->last_post = &w->posts;
    fill_embed(w);
    if (uv_mutex_init(&w->lock) != 0) {
        free(w);
        return NULL;
    }
    if (init_loop(w) == 0) {
        w->engine = ge_worker_new(&w->embed, w);
        if (w->engine)
            return w;
        (void)end_loop(w);
    }
    uv_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

static void worker_free(struct gh_worker *w)
{
    struct ge_usage left;

    ge_worker_usage(w->engine, &left);
    if (!end_loop(w) || left.flows || left.stacks || left.tasks)
        return; /* something still points into it; the program ends anyway */
    ge_worker_free(w->engine);
    uv_mutex_destroy(&w->lock);
    free(w);
}

static void make_workers(unsigned n)
{
    for (n_workers = 0; n_workers < n; n_workers++) {
        struct gh_worker *w = worker_new(n_workers);

        if (!w)
            return;
        if (gh_net.high)
            ge_worker_marks(w->engine, gh_net.high, gh_net.low ? gh_net.low : gh_net.high / 4);
        workers[n_workers] = w;
    }
}

static void free_workers(void)
{
    unsigned i, n = n_workers;

    n_workers = 0;
    for (i = 0; i < n; i++)
        worker_free(workers[i]);
    free(workers);
    workers = NULL;
}

static void stop_threads(unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        gh_worker_post(workers[i], stop_worker, NULL);
    for (i = 0; i < n; i++)
        uv_thread_join(&workers[i]->thread);
}

int gh_net_start(const struct gh_net_conf *conf)
{
    unsigned n = conf->workers ? conf->workers : 1, started = 0;

    gh_net = *conf;
    gh_fd_budget(conf->max_fds);
    signal(SIGPIPE, SIG_IGN);
    workers = calloc(n, sizeof(struct gh_worker *));
    if (!workers)
        return GOST_ENOMEM;
    make_workers(n);
    while (n_workers == n && started < n &&
           uv_thread_create(&workers[started]->thread, worker_main, workers[started]) == 0)
        started++;
    if (started == n)
        return GOST_OK;
    stop_threads(started);
    free_workers();
    return GOST_ENOMEM;
}

void gh_net_stop(void)
{
    stop_threads(n_workers);
    free_workers();
}
