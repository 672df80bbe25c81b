/* load_bulk.c - many bytes on a few connections, up or down.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256

static void flow_start(struct load_flow *f, enum load_op op, uint64_t limit)
{
    uint64_t seed = load_new_seed();

    f->done = false;
    f->replying = false;
    f->out = (struct load_out){.seed = seed, .end = limit, .mark = true};
    f->in = (struct load_in){.seed = seed};
    load_request(f->fd, op, seed, limit);
}

static void flow_watch(int epoll_fd, struct load_flow *f, uint32_t events, int op)
{
    struct epoll_event ev = {.events = events, .data.ptr = f};

    if (epoll_ctl(epoll_fd, op, f->fd, &ev) != 0)
        load_die("epoll_ctl: %s", strerror(errno));
}

/* Moves one flow on. True when its last byte is verified. */
static bool flow_event(int epoll_fd, struct load_flow *f, enum load_op op)
{
    enum load_step step;

    if (f->replying) {
        load_expect_reply(f->fd, f->out.seed, f->out.end);
        f->bytes += f->out.end;
        return true;
    }
    step = op == LOAD_OP_UP ? load_out_send(&f->out, f->fd) : load_in_recv(&f->in, f->fd);
    if (step == LOAD_BAD)
        load_die("damaged bytes near offset %llu", (unsigned long long)f->in.word * 8);
    if (step == LOAD_EOF)
        load_die("the connection ended at offset %llu, before its end word",
                 (unsigned long long)(op == LOAD_OP_UP ? f->out.off : f->in.word * 8));
    if (step == LOAD_AGAIN)
        return false;
    if (op == LOAD_OP_DOWN) {
        f->bytes += f->in.word * 8;
        return true;
    }
    f->replying = true;
    flow_watch(epoll_fd, f, EPOLLIN, EPOLL_CTL_MOD);
    return false;
}

/* Time is up: every flow comes to its end word. */
static void finish_all(struct load_flow *flows, unsigned n, enum load_op op)
{
    const uint64_t stop = LOAD_STOP;

    for (unsigned i = 0; i < n; i++) {
        if (op == LOAD_OP_UP)
            load_out_finish(&flows[i].out);
        else if (!flows[i].done)
            load_send_all(flows[i].fd, &stop, sizeof(stop));
    }
}

static int wait_ms(uint64_t until)
{
    uint64_t now = load_now();

    return until > now ? (int)((until - now) / 1000000 + 1) : 0;
}

static unsigned take_events(int epoll_fd, enum load_op op, uint64_t until)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, wait_ms(until));
    unsigned ended = 0;

    for (int i = 0; i < n; i++) {
        struct load_flow *f = events[i].data.ptr;

        if (!flow_event(epoll_fd, f, op))
            continue;
        f->done = true;
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
        ended++;
    }
    return ended;
}

double load_bulk_move(struct load_flow *flows, unsigned n, enum load_op op, uint64_t limit,
                      uint64_t deadline)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t begin = load_now();
    uint64_t last = (deadline ? deadline : begin) + LOAD_GRACE_S * UINT64_C(1000000000);
    bool finishing = deadline == 0;
    unsigned left = n;

    if (epoll_fd < 0)
        load_die("epoll_create1: %s", strerror(errno));
    for (unsigned i = 0; i < n; i++) {
        flow_start(&flows[i], op, limit);
        flow_watch(epoll_fd, &flows[i], op == LOAD_OP_UP ? EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
    }
    while (left > 0) {
        left -= take_events(epoll_fd, op, finishing ? last : deadline);
        if (!finishing && load_now() >= deadline) {
            finish_all(flows, n, op);
            finishing = true;
        }
        if (left > 0 && load_now() > last)
            load_die("%u of %u flows did not finish in time: the proxy stalls", left, n);
    }
    close(epoll_fd);
    return (double)(load_now() - begin) / 1e9;
}

int load_run_bulk(const struct load_options *o)
{
    struct load_flow *flows = calloc(o->flows, sizeof(*flows));
    uint64_t bytes = 0;
    double secs;

    if (flows == NULL)
        load_die("no memory for %u flows", o->flows);
    for (unsigned i = 0; i < o->flows; i++)
        flows[i].fd = load_dial_wait(o);
    load_wait_go();
    secs = load_bulk_move(flows, o->flows, o->up ? LOAD_OP_UP : LOAD_OP_DOWN, LOAD_ENDLESS,
                          load_now() + (uint64_t)(o->secs * 1e9));
    for (unsigned i = 0; i < o->flows; i++)
        bytes += flows[i].bytes;
    printf("{\"bytes\": %llu, \"secs\": %.6f}\n", (unsigned long long)bytes, secs);
    load_wait_quit();
    free(flows);
    return 0;
}
