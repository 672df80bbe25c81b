/* io_packets.c - a datagram socket of a flow: packets to and from anybody, or one peer. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"
#include "sockaddr.h"

#define PORT_TRIES 64

struct gh_packets {
    struct gh_poll poll;
    struct gh_frame frame;
    struct gh_packets *next, **prev; /* of the worker */
    struct gh_worker *w;
    struct ge_stack *stack;
    struct gh_lookup *lookup;
    struct gost_addr known; /* the last name looked up, with its address below */
    struct gost_addr known_ip;
    int fd, known_ok;
    uint16_t any_port; /* bound to any address: the port; else 0 */
    uint8_t v6, connected, blocked;
};

static struct gh_packets *packets_of(struct gh_poll *p)
{
    return (struct gh_packets *)((char *)p - offsetof(struct gh_packets, poll));
}

static void arm(struct gh_packets *s)
{
    gh_poll_want(s->w, &s->poll,
                 (ge_rx_wanted(s->stack) ? GH_POLL_IN : 0u) | (s->blocked ? GH_POLL_OUT : 0u));
}

static void do_read(struct gh_packets *s)
{
    struct gh_datagram d[GH_RECV_BATCH];
    int i, n = gh_udp_recv(s->w, s->fd, &s->frame, s->any_port, d);

    /* An ICMP answer to one datagram, which ends nothing: the peer may come back. */
    if (n < 0 && errno == ECONNREFUSED)
        ge_rx_refused(s->stack);
    for (i = 0; i < n; i++) {
        while (gh_datagram_next(&d[i]))
            (void)ge_rx_packet(s->stack, &d[i].p);
    }
}

static void on_name(void *arg, int status, const char *text, const struct gost_addr *v, unsigned n);

/* Where to send it. 1: ss is filled; 0: the name is being looked up; -1: cannot. */
static int destination(struct gh_packets *s, const struct gost_addr *to,
                       struct sockaddr_storage *ss, socklen_t *len)
{
    struct gost_addr ip;

    if (!to)
        return -1;
    if (to->family == GOST_AF_NAME) {
        if (s->known.family != GOST_AF_NAME || !gost_addr_same_host(&s->known, to)) {
            if (s->lookup)
                return 0;
            s->known = *to;
            s->known_ok = 0;
            s->lookup = gh_resolve(s->w, to->name, to->port, s->v6 ? 0 : 4, on_name, s);
            return s->lookup ? 0 : -1;
        }
        if (s->lookup)
            return 0;
        if (!s->known_ok)
            return -1;
        ip = s->known_ip;
        ip.port = to->port;
    } else {
        ip = *to;
    }
    *len = gh_udp_sockaddr(ss, &ip, s->v6);
    return *len ? 1 : -1;
}

static void do_write(struct gh_packets *s)
{
    struct gost_packet p[GH_SEND_BATCH];
    struct gh_out out[GH_SEND_BATCH];
    struct sockaddr_storage to[GH_SEND_BATCH];
    unsigned n, i;
    int r = 1, sent;

    s->blocked = 0;
    while (r > 0 && (n = ge_tx_packets(s->stack, p, GH_SEND_BATCH)) > 0) {
        for (i = 0; i < n; i++) {
            out[i].p = &p[i];
            out[i].to = &to[i];
            out[i].n = 0;
            r = s->connected ? 1 : destination(s, p[i].addr, &to[i], &out[i].n);
            if (r <= 0)
                break; /* 0: on_name() goes on, the queue holds what waits. -1: to nowhere */
        }
        sent = i > 0 ? gh_udp_send(s->fd, &s->frame, out, i) : 0;
        if (sent == GH_SEND_REFUSED) {
            ge_rx_refused(s->stack);
            continue;
        }
        if (sent < 0) {
            s->blocked = 1;
            return;
        }
        if ((unsigned)sent == i && r < 0) {
            sent++;
            r = 1;
        } else if ((unsigned)sent < i) {
            r = 1; /* what stopped the batch comes again */
        }
        while (sent-- > 0)
            ge_tx_packet_drop(s->stack); /* sent, or refused: datagrams may be lost */
    }
}

static void on_name(void *arg, int status, const char *text, const struct gost_addr *v, unsigned n)
{
    struct gh_packets *s = arg;
    unsigned i;

    s->lookup = NULL;
    for (i = 0; i < n && !s->known_ok; i++) {
        if (!s->v6 && v[i].family != GOST_AF_IP4)
            continue;
        s->known_ip = v[i];
        s->known_ok = 1;
    }
    for (i = 0; i < n; i++) /* IPv4 first, as GOST */
        if (v[i].family == GOST_AF_IP4) {
            s->known_ip = v[i];
            break;
        }
    do_write(s);
    arm(s);
}

static void on_poll(struct gh_poll *p, unsigned events)
{
    struct gh_packets *s = packets_of(p);
    socklen_t n = sizeof(int);
    int err;

    if (events & GH_POLL_FAILED) {
        ge_rx_end(s->stack, GOST_ENOMEM);
        return;
    }
    if ((events & (GH_POLL_IN | GH_POLL_ERR)) && ge_rx_wanted(s->stack))
        do_read(s); /* which takes an ICMP error, too */
    else if (events & GH_POLL_ERR)
        (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (events & GH_POLL_OUT)
        do_write(s);
    arm(s);
}

static void packets_want(struct ge_stack *stack, void *ctx, unsigned what)
{
    struct gh_packets *s = ctx;

    if ((what & GE_WANT_WRITE) && !s->blocked)
        do_write(s);
    arm(s);
}

static void on_gone(struct gh_poll *p)
{
    free(packets_of(p));
}

static void packets_close(struct ge_stack *stack, void *ctx, int abort)
{
    struct gh_packets *s = ctx;

    if (s->stack)
        do_write(s); /* what its layers said at the end */
    *s->prev = s->next;
    if (s->next)
        s->next->prev = s->prev;
    if (s->lookup)
        gh_resolve_cancel(s->lookup);
    gh_poll_close(s->w, &s->poll, on_gone);
    close(s->fd);
    atomic_fetch_sub_explicit(&gh_net_fds, 1, memory_order_relaxed);
    gh_listeners_resume();
}

static const struct ge_bottom_ops packets_ops = {packets_want, packets_close};

static void enlist(struct gh_packets *s, struct gh_worker *w)
{
    gh_poll_init(&s->poll, s->fd, on_poll);
    s->w = w;
    s->next = w->packets;
    if (s->next)
        s->next->prev = &s->next;
    s->prev = &w->packets;
    w->packets = s;
    atomic_fetch_add_explicit(&gh_net_fds, 1, memory_order_relaxed);
}

void gh_packets_close_all(struct gh_worker *w)
{
    struct gh_packets *s;

    for (s = w->packets; s; s = s->next)
        ge_rx_end(s->stack, GOST_ECANCELLED);
    while (ge_run(w->engine, 1000))
        ;
    while ((s = w->packets))
        ge_stack_free(s->stack, 0);
}

/* Bind, in a range when one is given: a random start, then one after the other. */
static int bind_range(int fd, struct gost_addr *at, uint16_t min, uint16_t max)
{
    struct sockaddr_storage ss;
    unsigned span = max >= min && min ? (unsigned)(max - min) + 1 : 0, i, start = 0;
    socklen_t n;

    if (!span || at->port) {
        n = gost_sockaddr_put(&ss, at);
        return bind(fd, (struct sockaddr *)&ss, n) < 0 ? errno : 0;
    }
    start = (unsigned)(uv_hrtime() >> 10); /* spread, not secret */
    for (i = 0; i < span && i < PORT_TRIES; i++) {
        at->port = (uint16_t)(min + (start + i) % span);
        n = gost_sockaddr_put(&ss, at);
        if (bind(fd, (struct sockaddr *)&ss, n) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return errno;
    }
    return EADDRINUSE;
}

static int open_fd(const struct gost_addr *bind_addr, const struct gost_addr *peer,
                   uint16_t port_min, uint16_t port_max, const struct gh_sockopt *opt, int *ret_fd,
                   int *ret_v6)
{
    struct gost_addr at;
    struct gost_socket s = {.size = sizeof s,
                            .fd = -1,
                            .role = peer ? GOST_CLIENT : GOST_SERVER,
                            .network = GOST_NET_UDP,
                            .addr = peer ? peer : bind_addr};
    struct sockaddr_storage ss;
    int fd, r;

    if (opt) {
        s.interface_name = opt->interface_name;
        s.mark = opt->mark;
    }
    r = gost_inet_socket(SOCK_DGRAM, 0, &s, &fd, &at);
    if (r)
        return -r;
    if (opt && (opt->interface_name || opt->mark))
        r = -gost_inet_outgoing(fd, &s);
    if (!r && !peer)
        r = bind_range(fd, &at, port_min, port_max);
    if (!r && peer && connect(fd, (struct sockaddr *)&ss, gost_sockaddr_put(&ss, &at)) < 0)
        r = errno;
    if (r) {
        close(fd);
        return r;
    }
    gh_udp_details(fd);
    *ret_fd = fd;
    *ret_v6 = at.family == GOST_AF_IP6;
    return 0;
}

void gh_sock_no_fragments(struct ge_stack *stack)
{
    if (ge_stack_bottom_ops(stack) == &packets_ops)
        gh_udp_no_fragments(((struct gh_packets *)ge_stack_ctx(stack))->fd);
}

struct ge_stack *gh_packets_adopt(struct gh_worker *w, struct ge_flow *flow, int fd,
                                  const struct gh_frame *fr)
{
    struct gh_packets *s = calloc(1, sizeof *s);

    if (!s) {
        close(fd);
        return NULL;
    }
    gh_udp_details(fd);
    s->fd = fd;
    s->frame = *fr;
    s->connected = 1;
    enlist(s, w);
    s->stack = ge_stack_new(flow, GOST_DATAGRAM, &packets_ops, s);
    if (!s->stack)
        packets_close(NULL, s, 0);
    else
        ge_stack_take_segments(s->stack, 1);
    return s->stack;
}

int gh_sock_packets(struct gh_worker *w, struct ge_flow *flow, const struct gost_addr *bind_addr,
                    const struct gost_addr *peer, uint16_t port_min, uint16_t port_max,
                    const struct gh_sockopt *opt, struct ge_stack **ret_stack,
                    struct gost_addr *ret_local, char *error, size_t error_size)
{
    struct gh_packets *s = calloc(1, sizeof *s);
    struct gost_addr any = {0}, local = {0};
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    int r = ENOMEM, v6 = 0;

    if (s)
        r = open_fd(bind_addr ? bind_addr : &any, peer, port_min, port_max, opt, &s->fd, &v6);
    if (r) {
        free(s);
        snprintf(error, error_size, "cannot open a UDP socket: %s", gh_errno_text(r));
        return gh_errno_code(r);
    }
    s->v6 = (uint8_t)v6;
    s->connected = peer != NULL;
    enlist(s, w);
    s->stack = ge_stack_new(flow, GOST_DATAGRAM, &packets_ops, s);
    if (!s->stack) {
        packets_close(NULL, s, 0);
        return GOST_ENOMEM;
    }
    ge_stack_take_segments(s->stack, 1);
    if (getsockname(s->fd, (struct sockaddr *)&ss, &n) == 0)
        gost_sockaddr_get(&local, &ss, n);
    s->any_port = peer || !gh_udp_any(&local) ? 0 : local.port;
    if (ret_local)
        *ret_local = local;
    *ret_stack = s->stack;
    return GOST_OK;
}
