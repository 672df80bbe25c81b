/* load_conn.c - connections per second: open, one request, one reply, close.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

struct visit {
    struct load_dial dial;
    uint64_t seed;
    uint64_t begin;
    struct load_reply reply;
    size_t got;
};

struct visits {
    const struct load_options *o;
    int epoll_fd;
    unsigned busy;
    uint64_t started;
    uint64_t errors;
    uint64_t deadline;
    struct load_samples samples;
};

static bool time_left(const struct visits *all)
{
    return load_now() < all->deadline && all->started < all->o->max;
}

static void visit_start(struct visits *all, struct visit *v)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = v};
    int err;

    v->begin = load_now();
    v->seed = load_new_seed();
    v->got = 0;
    all->started++;
    err = load_dial_start(&v->dial, all->o, 1);
    if (err < 0)
        load_die("connecting to the proxy: %s", strerror(-err));
    if (epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, v->dial.fd, &ev) != 0)
        load_die("epoll_ctl: %s", strerror(errno));
}

static enum load_step read_reply(struct visit *v)
{
    uint8_t *at = (uint8_t *)&v->reply + v->got;
    ssize_t n = recv(v->dial.fd, at, sizeof(v->reply) - v->got, 0);

    if (n == 0)
        return LOAD_EOF;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? LOAD_AGAIN : LOAD_EOF;
    v->got += (size_t)n;
    if (v->got < sizeof(v->reply))
        return LOAD_AGAIN;
    return v->reply.magic == LOAD_MAGIC && v->reply.seed == v->seed ? LOAD_DONE : LOAD_BAD;
}

static enum load_step visit_step(struct visits *all, struct visit *v)
{
    struct load_head head = {LOAD_MAGIC, LOAD_OP_HELLO, v->seed, 0};
    enum load_step step;

    if (v->dial.phase == LOAD_DIAL_OPEN)
        return read_reply(v);
    step = load_dial_step(&v->dial, all->o);
    if (step != LOAD_DONE)
        return step;
    return send(v->dial.fd, &head, sizeof(head), MSG_NOSIGNAL) == sizeof(head) ? LOAD_AGAIN
                                                                               : LOAD_EOF;
}

static void visit_event(struct visits *all, struct visit *v)
{
    enum load_step step = visit_step(all, v);

    if (step == LOAD_AGAIN)
        return;
    if (step == LOAD_BAD)
        load_die("a refusal, or a reply that is not the target's");
    if (step == LOAD_DONE)
        load_samples_add(&all->samples, load_now() - v->begin);
    else
        all->errors++;
    close(v->dial.fd);
    if (time_left(all))
        visit_start(all, v);
    else
        all->busy--;
}

static void visit_all(struct visits *all, struct visit *slots)
{
    struct epoll_event events[EVENTS];
    uint64_t last = all->deadline + LOAD_GRACE_S * UINT64_C(1000000000);

    all->busy = all->o->flows;
    for (unsigned i = 0; i < all->o->flows; i++)
        visit_start(all, &slots[i]);
    while (all->busy > 0) {
        int n = epoll_wait(all->epoll_fd, events, EVENTS, 1000);

        for (int i = 0; i < n; i++)
            visit_event(all, events[i].data.ptr);
        if (all->busy > 0 && load_now() > last)
            load_die("%u connections never got their reply", all->busy);
    }
}

int load_run_conn(const struct load_options *o)
{
    struct visit *slots = calloc(o->flows, sizeof(*slots));
    struct visits all = {.o = o, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    uint64_t begin;
    double secs;

    if (slots == NULL || all.epoll_fd < 0)
        load_die("conn: cannot run %u at a time", o->flows);
    load_samples_init(&all.samples, o->max + o->flows);
    load_wait_go();
    begin = load_now();
    all.deadline = begin + (uint64_t)(o->secs * 1e9);
    visit_all(&all, slots);
    secs = (double)(load_now() - begin) / 1e9;
    load_samples_sort(&all.samples);
    printf("{\"conns\": %zu, \"errors\": %llu, \"secs\": %.6f, \"p50_us\": %.2f, "
           "\"p99_us\": %.2f}\n",
           all.samples.len, (unsigned long long)all.errors, secs,
           load_samples_us(&all.samples, 0.5), load_samples_us(&all.samples, 0.99));
    load_wait_quit();
    free(all.samples.ns);
    free(slots);
    close(all.epoll_fd);
    return 0;
}
