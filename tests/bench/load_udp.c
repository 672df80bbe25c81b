/* load_udp.c - datagrams: an echo with a window per flow, or a flood that the target counts.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg, sendmmsg, accept4 */
#endif

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WINDOW_MAX 64
#define LOST_NS UINT64_C(250000000) /* an echo that is later counts as lost */
#define SETTLE_MS 300
#define SOCKS5_HEAD 10

struct udp_flow {
    int fd;
    int control_fd; /* socks5: keeps the association, else -1 */
    uint64_t seed;
    uint64_t next_seq;
    uint64_t seq[WINDOW_MAX]; /* under way in each slot, 0 when none */
    uint64_t sent_at[WINDOW_MAX];
};

struct udp_run {
    const struct load_options *o;
    struct udp_flow *flows;
    size_t head_len; /* bytes before each datagram */
    uint8_t head[SOCKS5_HEAD];
    uint64_t sent;
    uint64_t back;
    uint64_t lost;
    uint64_t bad;
    struct load_samples samples;
};

static void flow_open(struct udp_run *r, struct udp_flow *f)
{
    struct sockaddr_in to = r->o->proxy;
    int size = 1024 * 1024;

    memset(f, 0, sizeof(*f));
    f->control_fd = -1;
    if (r->o->via == LOAD_VIA_SOCKS5)
        f->control_fd = load_dial_associate(r->o, &to);
    f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->fd < 0 || connect(f->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        load_die("udp socket: %s", strerror(errno));
    setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    f->seed = load_new_seed();
    f->next_seq = 1;
}

static void send_batch(struct udp_run *r, struct udp_flow *f, uint64_t *seqs, unsigned n, bool echo)
{
    static uint8_t bufs[LOAD_BATCH][LOAD_DATAGRAM];
    struct mmsghdr msgs[LOAD_BATCH];
    struct iovec iov[LOAD_BATCH];
    int sent;

    memset(msgs, 0, sizeof(msgs));
    for (unsigned i = 0; i < n; i++) {
        memcpy(bufs[i], r->head, r->head_len);
        load_packet_make(bufs[i] + r->head_len, r->o->size, f->seed, seqs[i], echo);
        iov[i] = (struct iovec){bufs[i], r->head_len + r->o->size};
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    sent = sendmmsg(f->fd, msgs, n, 0);
    if (sent < 0 && errno == ECONNREFUSED)
        load_die("the proxy's udp port is closed");
    /* What the kernel did not take was offered all the same: it shows as loss. */
    r->sent += n;
}

/* Fills the window. Slots whose echo is overdue are given up first. */
static void top_up(struct udp_run *r, struct udp_flow *f, uint64_t now, bool more)
{
    uint64_t seqs[LOAD_BATCH];
    unsigned n = 0;

    for (unsigned i = 0; i < r->o->window && n < LOAD_BATCH; i++) {
        if (f->seq[i] != 0 && now - f->sent_at[i] > LOST_NS) {
            r->lost++;
            f->seq[i] = 0;
        }
        if (f->seq[i] != 0 || !more)
            continue;
        while (f->next_seq % r->o->window != i)
            f->next_seq++;
        f->seq[i] = f->next_seq++;
        f->sent_at[i] = now;
        seqs[n++] = f->seq[i];
    }
    if (n > 0)
        send_batch(r, f, seqs, n, true);
}

static void take_echo(struct udp_run *r, struct udp_flow *f, const uint8_t *buf, size_t len)
{
    struct load_packet p;
    unsigned slot;

    if (len < r->head_len || memcmp(buf, r->head, r->head_len) != 0 ||
        !load_packet_check(buf + r->head_len, len - r->head_len)) {
        r->bad++;
        return;
    }
    memcpy(&p, buf + r->head_len, sizeof(p));
    slot = (unsigned)(p.seq % r->o->window);
    if (p.seed != f->seed) {
        r->bad++;
        return;
    }
    if (f->seq[slot] != p.seq)
        return; /* late: it was counted as lost */
    load_samples_add(&r->samples, load_now() - f->sent_at[slot]);
    f->seq[slot] = 0;
    r->back++;
}

static void receive(struct udp_run *r, struct udp_flow *f)
{
    static uint8_t bufs[LOAD_BATCH][LOAD_DATAGRAM];
    struct mmsghdr msgs[LOAD_BATCH];
    struct iovec iov[LOAD_BATCH];
    int n;

    memset(msgs, 0, sizeof(msgs));
    for (int i = 0; i < LOAD_BATCH; i++) {
        iov[i] = (struct iovec){bufs[i], LOAD_DATAGRAM};
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    n = recvmmsg(f->fd, msgs, LOAD_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        take_echo(r, f, bufs[i], msgs[i].msg_len);
}

static unsigned under_way(const struct udp_run *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->o->flows; i++)
        for (unsigned k = 0; k < r->o->window; k++)
            n += r->flows[i].seq[k] != 0;
    return n;
}

static void watch_flows(struct udp_run *r, int epoll_fd)
{
    for (unsigned i = 0; i < r->o->flows; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &r->flows[i]};

        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r->flows[i].fd, &ev) != 0)
            load_die("epoll_ctl: %s", strerror(errno));
    }
}

/* Ends when time is up and each datagram is back or given up, LOST_NS later at most. */
static void echo(struct udp_run *r, uint64_t deadline)
{
    struct epoll_event events[LOAD_BATCH];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bool more = true;

    if (epoll_fd < 0)
        load_die("epoll_create1: %s", strerror(errno));
    watch_flows(r, epoll_fd);
    for (unsigned i = 0; i < r->o->flows; i++)
        top_up(r, &r->flows[i], load_now(), true);
    while (more || under_way(r) > 0) {
        int n = epoll_wait(epoll_fd, events, LOAD_BATCH, 20);

        more = load_now() < deadline;
        for (int i = 0; i < n; i++) {
            receive(r, events[i].data.ptr);
            top_up(r, events[i].data.ptr, load_now(), more);
        }
        for (unsigned i = 0; n <= 0 && i < r->o->flows; i++)
            top_up(r, &r->flows[i], load_now(), more);
    }
    close(epoll_fd);
}

/* Asks the target, past the proxy, how many datagrams it verified. */
static struct load_reply ask_target(const struct load_options *o)
{
    struct load_options direct = *o;
    struct load_reply reply;
    int fd;

    direct.via = LOAD_VIA_FORWARD;
    direct.proxy = o->target;
    fd = load_dial_wait(&direct);
    load_request(fd, LOAD_OP_STAT, 1, 0);
    load_recv_all(fd, &reply, sizeof(reply));
    close(fd);
    return reply;
}

static void flood(struct udp_run *r, uint64_t deadline)
{
    uint64_t seqs[LOAD_BATCH];

    while (load_now() < deadline) {
        for (unsigned i = 0; i < r->o->flows; i++) {
            for (unsigned k = 0; k < LOAD_BATCH; k++)
                seqs[k] = r->flows[i].next_seq++;
            send_batch(r, &r->flows[i], seqs, LOAD_BATCH, false);
        }
    }
}

/* One datagram through each flow, so that the proxy's set-up is not part of the figure. */
static void warm_up(struct udp_run *r)
{
    for (unsigned i = 0; i < r->o->flows; i++) {
        struct udp_flow *f = &r->flows[i];

        for (int attempt = 0; f->next_seq == 1 || under_way(r) > 0; attempt++) {
            if (attempt == 20)
                load_die("no datagram comes back through the proxy");
            memset(f->seq, 0, sizeof(f->seq));
            f->seq[0] = r->o->window * (uint64_t)(attempt + 1);
            f->sent_at[0] = load_now();
            f->next_seq = f->seq[0] + 1;
            send_batch(r, f, &f->seq[0], 1, true);
            poll(&(struct pollfd){.fd = f->fd, .events = POLLIN}, 1, 200);
            receive(r, f);
        }
    }
    if (r->bad > 0)
        load_die("a datagram came back damaged");
    r->sent = r->back = r->lost = 0;
    r->samples.len = 0;
}

static void report(struct udp_run *r, double secs)
{
    load_samples_sort(&r->samples);
    printf("{\"sent\": %llu, \"delivered\": %llu, \"bad\": %llu, \"secs\": %.6f, "
           "\"p50_us\": %.2f, \"p99_us\": %.2f}\n",
           (unsigned long long)r->sent, (unsigned long long)r->back, (unsigned long long)r->bad,
           secs, load_samples_us(&r->samples, 0.5), load_samples_us(&r->samples, 0.99));
}

static void run(struct udp_run *r)
{
    struct load_reply before = ask_target(r->o);
    uint64_t deadline = load_now() + (uint64_t)(r->o->secs * 1e9);
    struct load_reply after;

    if (r->o->flood) {
        flood(r, deadline);
        poll(NULL, 0, SETTLE_MS);
    } else {
        echo(r, deadline);
    }
    after = ask_target(r->o);
    if (r->o->flood)
        r->back = after.bytes - before.bytes;
    r->bad += after.bad - before.bad;
    report(r, r->o->secs);
}

int load_run_udp(const struct load_options *o)
{
    struct udp_run r = {.o = o, .flows = calloc(o->flows, sizeof(*r.flows))};

    if (r.flows == NULL || o->window == 0 || o->window > LOAD_BATCH || o->flows == 0)
        load_die("udp: cannot run %u flows with a window of %u", o->flows, o->window);
    if (o->size < sizeof(struct load_packet) || o->size > LOAD_DATAGRAM - SOCKS5_HEAD)
        load_die("udp: --size is %u, it must be %zu to %d", o->size, sizeof(struct load_packet),
                 LOAD_DATAGRAM - SOCKS5_HEAD);
    if (o->via == LOAD_VIA_SOCKS5) {
        r.head_len = SOCKS5_HEAD;
        r.head[3] = 1;
        memcpy(r.head + 4, &o->target.sin_addr, 4);
        memcpy(r.head + 8, &o->target.sin_port, 2);
    }
    load_samples_init(&r.samples, 4u * 1024 * 1024);
    for (unsigned i = 0; i < o->flows; i++)
        flow_open(&r, &r.flows[i]);
    warm_up(&r);
    load_wait_go();
    run(&r);
    load_wait_quit();
    free(r.samples.ns);
    free(r.flows);
    return 0;
}
