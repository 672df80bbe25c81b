/* io_worker.c - worker threads: one loop and one engine each. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bridge.h"
#include "io_internal.h"

#define STEPS_PER_TURN 4096 /* engine steps before sockets are looked at again */

struct gh_net_conf gh_net_conf;
atomic_int gh_net_fds;

static struct gh_worker *workers;
static struct ge_embed embed;
static struct gost_host more; /* what the engine leaves to us */
static _Thread_local struct gh_worker *current;

/* ---- what the engine asks of us ---- */

static uint64_t w_now(void *ctx)
{
    struct gh_worker *w = ctx;

    if (!w->now) /* one clock call per turn of the loop */
        w->now = uv_hrtime();
    return w->now;
}

static uint64_t w_unix_time(void *ctx)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * GOST_S + (uint64_t)ts.tv_nsec;
}

static void fill_random(uint8_t *at, size_t n)
{
    while (n > 0) {
        ssize_t r = getrandom(at, n < 256 ? n : 256, 0);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            abort(); /* the kernel has no randomness: nothing here is safe */
        at += r;
        n -= (size_t)r;
    }
}

/* Small wishes come out of a store: kcp asks for 16 bytes with each packet, and a system call for
 * each is 3 % of what it costs. What was given is nowhere else. */
static void w_random(void *ctx, void *p, size_t n)
{
    struct gh_worker *w = ctx;

    if (n > sizeof w->chance / 4) {
        fill_random(p, n);
        return;
    }
    if (w->chance_n < n) {
        fill_random(w->chance, sizeof w->chance);
        w->chance_n = sizeof w->chance;
    }
    w->chance_n -= n;
    memcpy(p, w->chance + w->chance_n, n);
    explicit_bzero(w->chance + w->chance_n, n);
}

static void w_wake(void *ctx)
{
    ((struct gh_worker *)ctx)->busy = 1;
}

/* ---- the loop ---- */

static void run_posts(struct gh_worker *w)
{
    struct gh_post *p, *next;

    uv_mutex_lock(&w->lock);
    w->asleep = 0;
    p = w->posts;
    w->posts = NULL;
    w->posts_tail = &w->posts;
    uv_mutex_unlock(&w->lock);
    for (; p; p = next) {
        next = p->next;
        p->fn(w, p->arg);
        free(p);
    }
}

static void on_wake(struct gh_poll *p, unsigned events)
{
    uint64_t n;

    while (read(p->fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
}

static void on_libuv(struct gh_poll *p, unsigned events)
{
    struct gh_worker *w = (struct gh_worker *)((char *)p - offsetof(struct gh_worker, libuv));

    uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* How long the worker may sleep, in milliseconds; negative: until something comes. */
static int may_sleep(struct gh_worker *w)
{
    uint64_t next, now;

    if (w->busy)
        return 0;
    next = ge_timers_next(w->engine);
    if (next == UINT64_MAX)
        return -1;
    now = uv_hrtime();
    if (next <= now)
        return 0;
    next = (next - now + GOST_MS - 1) / GOST_MS;
    return next < 3600 * 1000 ? (int)next : 3600 * 1000;
}

static void sleep_and_serve(struct gh_worker *w)
{
    int ms;

    gh_polls_settle(w);
    ms = may_sleep(w);
    if (ms) {
        uv_mutex_lock(&w->lock);
        if (w->posts)
            ms = 0;
        w->asleep = ms != 0;
        uv_mutex_unlock(&w->lock);
    }
    gh_polls_wait(w, ms);
}

static void loop(struct gh_worker *w)
{
    while (!w->stopping) {
        sleep_and_serve(w);
        run_posts(w);
        if (ge_timers_next(w->engine) <= w_now(w))
            ge_timers_run(w->engine);
        w->busy = ge_run(w->engine, STEPS_PER_TURN) != 0;
    }
}

static void run_thread(void *arg)
{
    struct gh_worker *w = arg;
    int i;

    current = w;
    ge_worker_enter(w->engine);
    if (gh_net_conf.begin)
        gh_net_conf.begin(w);
    uv_run(&w->loop, UV_RUN_NOWAIT); /* from now on it watches for its threads */
    loop(w);
    /* stopping: break every connection, let the tasks end, then free what is left */
    run_posts(w);
    gh_socks_close_all(w);
    gh_bridges_end(w);
    for (i = 0; i < 100 && ge_run(w->engine, STEPS_PER_TURN); i++)
        ;
    gh_bridges_end(w);
    if (gh_net_conf.end)
        gh_net_conf.end(w);
    gh_packets_close_all(w);
    gh_pipes_free(w);
    uv_close((uv_handle_t *)&w->alive, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT); /* names that are still looked up: they were cancelled */
    run_posts(w);
    uv_loop_close(&w->loop);
}

static int worker_init(struct gh_worker *w, unsigned i)
{
    int fd;

    w->index = i;
    w->posts_tail = &w->posts;
    if (gh_polls_init(w) != GOST_OK || uv_loop_init(&w->loop) || uv_mutex_init(&w->lock))
        return GOST_ENOMEM;
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0 || uv_async_init(&w->loop, &w->alive, NULL))
        return GOST_ENOMEM;
    gh_poll_init(&w->wake, fd, on_wake);
    gh_poll_want(w, &w->wake, GH_POLL_IN);
    gh_poll_init(&w->libuv, uv_backend_fd(&w->loop), on_libuv);
    gh_poll_want(w, &w->libuv, GH_POLL_IN);
    w->engine = ge_worker_new(&embed, w);
    if (!w->engine)
        return GOST_ENOMEM;
    if (gh_net_conf.high)
        ge_worker_marks(w->engine, gh_net_conf.high, gh_net_conf.low);
    return GOST_OK;
}

int gh_net_start(const struct gh_net_conf *conf)
{
    struct rlimit rl;
    unsigned i;

    gh_net_conf = *conf;
    gh_reserve_init();
    /* libuv gives half of its threads to getaddrinfo: of 4, two names that hang stop all others */
    setenv("UV_THREADPOOL_SIZE", "64", 0);
    if (!gh_net_conf.max_fds)
        gh_net_conf.max_fds = getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur != RLIM_INFINITY
                                  ? (size_t)rl.rlim_cur
                                  : 65536;
    embed = *conf->embed;
    embed.now = w_now;
    embed.unix_time = w_unix_time;
    embed.random = w_random;
    embed.wake = w_wake;
    embed.splice = gh_splice_start;
    if (embed.more)
        more = *embed.more;
    more.key_add = gh_key_add;
    more.key_remove = gh_key_remove;
    embed.more = &more;
    workers = calloc(conf->workers, sizeof *workers);
    if (!workers)
        return GOST_ENOMEM;
    gh_main_posts_init();
    for (i = 0; i < conf->workers; i++)
        if (worker_init(&workers[i], i) != GOST_OK)
            return GOST_ENOMEM;
    for (i = 0; i < conf->workers; i++)
        if (uv_thread_create(&workers[i].thread, run_thread, &workers[i]))
            return GOST_ENOMEM;
    return GOST_OK;
}

static void stop_loop(struct gh_worker *w, void *arg)
{
    w->stopping = 1;
}

void gh_net_stop(void)
{
    unsigned i;

    for (i = 0; i < gh_net_conf.workers; i++)
        gh_worker_post(&workers[i], stop_loop, NULL);
    for (i = 0; i < gh_net_conf.workers; i++)
        uv_thread_join(&workers[i].thread);
    for (i = 0; i < gh_net_conf.workers; i++)
        run_posts(&workers[i]);
    for (i = 0; i < gh_net_conf.workers; i++) {
        run_posts(&workers[i]); /* answers to the messages above */
        ge_worker_free(workers[i].engine);
        gh_polls_free(&workers[i]);
        close(workers[i].wake.fd);
        uv_mutex_destroy(&workers[i].lock);
        free(workers[i].recv_buf);
    }
    free(workers);
    workers = NULL;
    gh_net_conf.workers = 0;
}

unsigned gh_worker_count(void)
{
    return gh_net_conf.workers;
}

struct gh_worker *gh_worker_get(unsigned i)
{
    return i < gh_net_conf.workers ? &workers[i] : NULL;
}

struct gh_worker *gh_worker_least(void)
{
    struct gh_worker *best = &workers[0];
    unsigned i;

    for (i = 1; i < gh_net_conf.workers; i++)
        if (atomic_load_explicit(&workers[i].flows, memory_order_relaxed) <
            atomic_load_explicit(&best->flows, memory_order_relaxed))
            best = &workers[i];
    return best;
}

struct gh_worker *gh_worker_current(void)
{
    return current;
}

int gh_worker_stopping(const struct gh_worker *w)
{
    return w->stopping;
}

unsigned gh_worker_index(const struct gh_worker *w)
{
    return w->index;
}

struct ge_worker *gh_worker_engine(struct gh_worker *w)
{
    return w->engine;
}

static void wake(struct gh_worker *w)
{
    uint64_t one = 1;

    while (write(w->wake.fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void gh_worker_post(struct gh_worker *w, void (*fn)(struct gh_worker *w, void *arg), void *arg)
{
    struct gh_post *p = gh_must_malloc(sizeof *p);
    int asleep;

    p->next = NULL;
    p->fn = fn;
    p->arg = arg;
    uv_mutex_lock(&w->lock);
    *w->posts_tail = p;
    w->posts_tail = &p->next;
    asleep = w->asleep;
    w->asleep = 0;
    uv_mutex_unlock(&w->lock);
    if (asleep)
        wake(w);
}

void gh_worker_flow_begin(struct gh_worker *w)
{
    atomic_fetch_add_explicit(&w->flows, 1, memory_order_relaxed);
}

void gh_worker_flow_end(struct gh_worker *w)
{
    atomic_fetch_sub_explicit(&w->flows, 1, memory_order_relaxed);
}

uint8_t *gh_worker_recv_buf(struct gh_worker *w)
{
    if (!w->recv_buf)
        w->recv_buf = malloc((size_t)GH_RECV_BATCH * GH_RECV_SIZE);
    return w->recv_buf;
}
