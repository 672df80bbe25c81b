/* load_target.c - the target: sink, source, echo and datagram counter on one loop.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg, sendmmsg, accept4 */
#endif

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define ECHO_BYTES 16384
#define UDP_BUFFER (4 * 1024 * 1024)

enum peer_state { PEER_HEAD, PEER_UP, PEER_DOWN, PEER_ECHO };

struct peer {
    int fd;
    enum peer_state state;
    uint32_t events;
    struct load_head head;
    size_t got; /* bytes of the head, or of the stop word */
    uint64_t stop;
    struct load_out out;
    struct load_in in;
    uint64_t echoed; /* bytes received of an echo */
};

struct target {
    int epoll_fd;
    int listen_fd;
    int udp_fd;
    uint64_t packets;
    uint64_t bad_packets;
};

/* Marks the two descriptors that are not peers, and the driver's pipe. */
static int listen_mark;
static int udp_mark;
static int driver_mark;

static void watch(struct target *t, int fd, uint32_t events, void *mark, int op)
{
    struct epoll_event ev = {.events = events, .data.ptr = mark};

    if (epoll_ctl(t->epoll_fd, op, fd, &ev) != 0)
        load_die("epoll_ctl: %s", strerror(errno));
}

static void peer_watch(struct target *t, struct peer *p, uint32_t events)
{
    if (p->events != events)
        watch(t, p->fd, events, p, EPOLL_CTL_MOD);
    p->events = events;
}

static void peer_close(struct peer *p)
{
    close(p->fd);
    free(p);
}

static void accept_peers(struct target *t)
{
    for (int i = 0; i < 64; i++) {
        int one = 1;
        int fd = accept4(t->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct peer *p;

        if (fd < 0)
            return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        p = calloc(1, sizeof(*p));
        if (p == NULL)
            load_die("no memory for a connection");
        p->fd = fd;
        p->events = EPOLLIN;
        watch(t, fd, EPOLLIN, p, EPOLL_CTL_ADD);
    }
}

static enum load_step reply(struct peer *p, uint64_t bytes, uint64_t bad)
{
    struct load_reply r = {LOAD_MAGIC, p->head.seed, bytes, bad};

    p->state = PEER_HEAD;
    p->got = 0;
    return send(p->fd, &r, sizeof(r), MSG_NOSIGNAL) == sizeof(r) ? LOAD_AGAIN : LOAD_EOF;
}

static enum load_step begin(struct target *t, struct peer *p)
{
    const struct load_head *h = &p->head;

    p->got = 0;
    p->in = (struct load_in){.seed = h->seed};
    p->out = (struct load_out){.seed = h->seed, .end = h->length, .mark = true};
    p->echoed = 0;
    switch (h->magic == LOAD_MAGIC ? h->op : 0) {
    case LOAD_OP_UP:
        p->state = PEER_UP;
        return LOAD_AGAIN;
    case LOAD_OP_DOWN:
        p->state = PEER_DOWN;
        peer_watch(t, p, EPOLLIN | EPOLLOUT);
        return LOAD_AGAIN;
    case LOAD_OP_ECHO:
        p->state = PEER_ECHO;
        p->out.mark = false;
        return LOAD_AGAIN;
    case LOAD_OP_HELLO:
        return reply(p, 0, 0);
    case LOAD_OP_STAT:
        return reply(p, t->packets, t->bad_packets);
    }
    fputs("load: target: a request that no client sent\n", stderr);
    return LOAD_BAD;
}

/* Collects `want` bytes at `dst`; LOAD_DONE when they are all there. */
static enum load_step collect(struct peer *p, void *dst, size_t want)
{
    ssize_t n = recv(p->fd, (uint8_t *)dst + p->got, want - p->got, 0);

    if (n == 0)
        return LOAD_EOF;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? LOAD_AGAIN : LOAD_EOF;
    p->got += (size_t)n;
    return p->got == want ? LOAD_DONE : LOAD_AGAIN;
}

static enum load_step on_up(struct peer *p)
{
    enum load_step step = load_in_recv(&p->in, p->fd);

    if (step == LOAD_DONE)
        return reply(p, p->in.word * 8, 0);
    if (step == LOAD_BAD)
        reply(p, p->in.word * 8, 1);
    return step;
}

static enum load_step on_down(struct target *t, struct peer *p, uint32_t events)
{
    enum load_step step = LOAD_AGAIN;

    if (events & EPOLLIN) {
        step = collect(p, &p->stop, sizeof(p->stop));
        if (step == LOAD_DONE) {
            if (p->stop != LOAD_STOP)
                return LOAD_BAD;
            load_out_finish(&p->out);
            step = LOAD_AGAIN;
        }
    }
    if (step == LOAD_AGAIN && (events & EPOLLOUT))
        step = load_out_send(&p->out, p->fd);
    if (step != LOAD_DONE)
        return step;
    p->state = PEER_HEAD;
    p->got = 0;
    peer_watch(t, p, EPOLLIN);
    return LOAD_AGAIN;
}

/* What came in is known to be the pattern, so what goes out is made anew, not stored. */
static enum load_step on_echo(struct target *t, struct peer *p)
{
    uint8_t buf[ECHO_BYTES];
    uint64_t left = p->head.length - p->echoed;
    ssize_t n = recv(p->fd, buf, left < sizeof(buf) ? (size_t)left : sizeof(buf), 0);
    enum load_step step;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return LOAD_EOF;
    if (n > 0 && !load_check(buf, p->head.seed, p->echoed, (size_t)n))
        return LOAD_BAD;
    if (n > 0)
        p->echoed += (uint64_t)n;
    p->out.end = p->echoed;
    step = load_out_send(&p->out, p->fd);
    peer_watch(t, p, step == LOAD_DONE ? EPOLLIN : EPOLLIN | EPOLLOUT);
    if (step == LOAD_DONE && p->echoed == p->head.length) {
        p->state = PEER_HEAD;
        p->got = 0;
    }
    return step == LOAD_DONE ? LOAD_AGAIN : step;
}

static enum load_step peer_event(struct target *t, struct peer *p, uint32_t events)
{
    enum load_step step;

    switch (p->state) {
    case PEER_UP:
        return on_up(p);
    case PEER_DOWN:
        return on_down(t, p, events);
    case PEER_ECHO:
        return on_echo(t, p);
    case PEER_HEAD:
        break;
    }
    step = collect(p, &p->head, sizeof(p->head));
    return step == LOAD_DONE ? begin(t, p) : step;
}

static void udp_event(struct target *t)
{
    static uint8_t bufs[LOAD_BATCH][LOAD_DATAGRAM];
    static struct sockaddr_in from[LOAD_BATCH];
    struct mmsghdr in[LOAD_BATCH];
    struct mmsghdr out[LOAD_BATCH];
    struct iovec iov[LOAD_BATCH];
    unsigned answers = 0;
    int n;

    memset(in, 0, sizeof(in));
    for (int i = 0; i < LOAD_BATCH; i++) {
        iov[i] = (struct iovec){bufs[i], LOAD_DATAGRAM};
        in[i].msg_hdr.msg_name = &from[i];
        in[i].msg_hdr.msg_namelen = sizeof(from[i]);
        in[i].msg_hdr.msg_iov = &iov[i];
        in[i].msg_hdr.msg_iovlen = 1;
    }
    n = recvmmsg(t->udp_fd, in, LOAD_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct load_packet head;

        if (!load_packet_check(bufs[i], in[i].msg_len)) {
            t->bad_packets++;
            continue;
        }
        t->packets++;
        memcpy(&head, bufs[i], sizeof(head));
        if (head.echo != 1)
            continue;
        iov[i].iov_len = in[i].msg_len;
        out[answers++] = in[i];
    }
    if (answers > 0)
        sendmmsg(t->udp_fd, out, answers, MSG_DONTWAIT);
}

static int bound_port(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        load_die("getsockname: %s", strerror(errno));
    return ntohs(a.sin_port);
}

static void open_sockets(struct target *t)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = UDP_BUFFER;

    t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    t->listen_fd = load_tcp_socket();
    t->udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->epoll_fd < 0 || t->udp_fd < 0)
        load_die("target: %s", strerror(errno));
    setsockopt(t->udp_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(t->udp_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (bind(t->listen_fd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
        listen(t->listen_fd, 4096) != 0)
        load_die("target: cannot listen on 127.0.0.1: %s", strerror(errno));
    /* The same number for both: a datagram is for "the target", as a connection is. */
    any.sin_port = htons((uint16_t)bound_port(t->listen_fd));
    if (bind(t->udp_fd, (struct sockaddr *)&any, sizeof(any)) != 0)
        load_die("target: udp port %d: %s", bound_port(t->listen_fd), strerror(errno));
    watch(t, t->listen_fd, EPOLLIN, &listen_mark, EPOLL_CTL_ADD);
    watch(t, t->udp_fd, EPOLLIN, &udp_mark, EPOLL_CTL_ADD);
    watch(t, STDIN_FILENO, EPOLLIN, &driver_mark, EPOLL_CTL_ADD);
}

/* Serves until the driver closes its pipe. */
int load_run_target(void)
{
    struct epoll_event events[EVENTS];
    struct target t = {0};

    open_sockets(&t);
    printf("target %d\n", bound_port(t.listen_fd));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(t.epoll_fd, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            void *mark = events[i].data.ptr;
            enum load_step step;

            if (mark == &driver_mark)
                return 0;
            if (mark == &listen_mark) {
                accept_peers(&t);
                continue;
            }
            if (mark == &udp_mark) {
                udp_event(&t);
                continue;
            }
            step = peer_event(&t, mark, events[i].events);
            if (step == LOAD_BAD)
                fputs("load: target: damaged bytes\n", stderr);
            if (step < 0)
                peer_close(mark);
        }
    }
}
