/* io_main.c - the main thread's loop: signals, listeners, messages from workers. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>

#include "io_internal.h"

struct main_post {
    struct main_post *next;
    void (*fn)(void *arg);
    void *arg;
};

static uv_loop_t loop;
static int loop_ready;
static uv_async_t async;
static uv_mutex_t lock;
static struct main_post *posts, **posts_tail = &posts;
static const struct gh_main_ops *main_ops;
static unsigned working;

struct main_work {
    uv_work_t req;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

uv_loop_t *gh_main_loop(void)
{
    if (!loop_ready) {
        gh_reserve_init();
        if (uv_loop_init(&loop))
            abort();
        loop_ready = 1;
    }
    return &loop;
}

static void run_posts(void)
{
    struct main_post *p, *next;

    uv_mutex_lock(&lock);
    p = posts;
    posts = NULL;
    posts_tail = &posts;
    uv_mutex_unlock(&lock);
    for (; p; p = next) {
        next = p->next;
        p->fn(p->arg);
        free(p);
    }
}

static void on_async(uv_async_t *a)
{
    run_posts();
}

void gh_main_posts_init(void)
{
    uv_mutex_init(&lock);
    uv_async_init(gh_main_loop(), &async, on_async);
}

void gh_main_post(void (*fn)(void *arg), void *arg)
{
    struct main_post *p = gh_must_malloc(sizeof *p);

    p->next = NULL;
    p->fn = fn;
    p->arg = arg;
    uv_mutex_lock(&lock);
    *posts_tail = p;
    posts_tail = &p->next;
    uv_mutex_unlock(&lock);
    uv_async_send(&async);
}

static void on_signal(uv_signal_t *s, int signum)
{
    if (main_ops->on_signal)
        main_ops->on_signal(signum, main_ops->arg);
}

static void on_second(uv_timer_t *t)
{
    main_ops->on_second(main_ops->arg);
}

static const int signals[3] = {SIGINT, SIGTERM, SIGHUP};

static void mask_signals(int how)
{
    sigset_t set;
    int i;

    sigemptyset(&set);
    for (i = 0; i < 3; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(how, &set, NULL);
}

void gh_main_hold_signals(void)
{
    mask_signals(SIG_BLOCK);
}

int gh_main_run(const struct gh_main_ops *ops)
{
    uv_signal_t s[3];
    uv_timer_t second;
    int i;

    main_ops = ops;
    signal(SIGPIPE, SIG_IGN);
    for (i = 0; i < 3; i++) {
        uv_signal_init(gh_main_loop(), &s[i]);
        uv_signal_start(&s[i], on_signal, signals[i]);
    }
    mask_signals(SIG_UNBLOCK);
    if (ops->on_second) {
        uv_timer_init(&loop, &second);
        uv_timer_start(&second, on_second, 1000, 1000);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&s[i], NULL);
    if (ops->on_second)
        uv_close((uv_handle_t *)&second, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return GOST_OK;
}

void gh_main_quit(void)
{
    uv_stop(&loop);
}

/* ---- work off the loop ---- */

static void run_work(uv_work_t *req)
{
    struct main_work *job = req->data;

    job->work(job->arg);
}

static void after_work(uv_work_t *req, int status)
{
    struct main_work *job = req->data;

    working--;
    job->done(job->arg);
    free(job);
}

bool gh_main_work(void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct main_work *job = malloc(sizeof *job);

    if (!job)
        return false;
    job->req.data = job;
    job->work = work;
    job->done = done;
    job->arg = arg;
    if (uv_queue_work(gh_main_loop(), &job->req, run_work, after_work)) {
        free(job);
        return false;
    }
    working++;
    return true;
}

void gh_main_settle(void)
{
    while (working)
        uv_run(gh_main_loop(), UV_RUN_ONCE);
}
