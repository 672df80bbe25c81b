/* load_rr.c - request and response: each flow has one message under way.
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
#define MAX_SAMPLES (4u * 1024 * 1024)
#define MAX_MESSAGE 65536

struct caller {
    int fd;
    uint64_t seed;
    uint64_t off;  /* of the message under way */
    unsigned got;  /* bytes of its answer */
    uint64_t sent_at;
};

static void call(struct caller *c, unsigned size)
{
    uint8_t buf[MAX_MESSAGE];

    load_fill(buf, sizeof(buf), c->seed, c->off, size);
    c->got = 0;
    c->sent_at = load_now();
    load_send_all(c->fd, buf, size);
}

/* True when the whole answer is there. */
static bool answered(struct caller *c, unsigned size)
{
    uint8_t buf[MAX_MESSAGE];
    ssize_t n = recv(c->fd, buf, size - c->got, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0)
        load_die("the connection ended after %llu bytes", (unsigned long long)c->off + c->got);
    if (!load_check(buf, c->seed, c->off + c->got, (size_t)n))
        load_die("damaged bytes near offset %llu", (unsigned long long)c->off + c->got);
    c->got += (unsigned)n;
    if (c->got < size)
        return false;
    c->off += size;
    return true;
}

static void open_callers(struct caller *callers, const struct load_options *o, int epoll_fd)
{
    for (unsigned i = 0; i < o->flows; i++) {
        struct caller *c = &callers[i];
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

        c->fd = load_dial_wait(o);
        c->seed = load_new_seed();
        load_request(c->fd, LOAD_OP_ECHO, c->seed, LOAD_ENDLESS);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0)
            load_die("epoll_ctl: %s", strerror(errno));
    }
}

static void exchange(struct caller *callers, const struct load_options *o, int epoll_fd,
                     struct load_samples *samples)
{
    struct epoll_event events[EVENTS];
    uint64_t deadline = load_now() + (uint64_t)(o->secs * 1e9);
    uint64_t last = deadline + LOAD_GRACE_S * UINT64_C(1000000000);
    unsigned busy = o->flows;

    for (unsigned i = 0; i < o->flows; i++)
        call(&callers[i], o->size);
    while (busy > 0) {
        int n = epoll_wait(epoll_fd, events, EVENTS, 1000);

        for (int i = 0; i < n; i++) {
            struct caller *c = events[i].data.ptr;
            uint64_t now;

            if (!answered(c, o->size))
                continue;
            now = load_now();
            load_samples_add(samples, now - c->sent_at);
            if (now < deadline && samples->len < samples->cap)
                call(c, o->size);
            else
                busy--;
        }
        if (busy > 0 && load_now() > last)
            load_die("%u answers never came", busy);
    }
}

int load_run_rr(const struct load_options *o)
{
    struct caller *callers = calloc(o->flows, sizeof(*callers));
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct load_samples samples;
    uint64_t begin;
    double secs;

    if (callers == NULL || epoll_fd < 0 || o->size == 0 || o->size > MAX_MESSAGE)
        load_die("rr: cannot run %u flows with messages of %u bytes", o->flows, o->size);
    load_samples_init(&samples, MAX_SAMPLES);
    open_callers(callers, o, epoll_fd);
    load_wait_go();
    begin = load_now();
    exchange(callers, o, epoll_fd, &samples);
    secs = (double)(load_now() - begin) / 1e9;
    load_samples_sort(&samples);
    printf("{\"requests\": %zu, \"secs\": %.6f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", samples.len,
           secs, load_samples_us(&samples, 0.5), load_samples_us(&samples, 0.99));
    load_wait_quit();
    free(samples.ns);
    free(callers);
    close(epoll_fd);
    return 0;
}
