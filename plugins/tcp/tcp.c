/* tcp.c - the tcp transport and the stack of the same name. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <gost/plugin.h>

#include "sockaddr.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct tcp_conf {
    uint32_t mptcp, reuseport, keepalive;
    uint64_t idle_ns, interval_ns;
    int64_t count;
};

static const struct gost_opt tcp_options[] = {
    GOST_OPT_BOOL(struct tcp_conf, mptcp, "mptcp", "false", GOST_OPT_SERVER,
                  "Accept Multipath TCP where the kernel has it"),
    GOST_OPT_BOOL(struct tcp_conf, reuseport, "reuseport", "false", GOST_OPT_SERVER,
                  "Share the port with other processes that ask for it too"),
    GOST_OPT_BOOL(struct tcp_conf, keepalive, "keepalive tcp.keepalive", "false", 0,
                  "Probe idle connections"),
    GOST_OPT_DURATION(struct tcp_conf, idle_ns, "keepalive.idle tcp.keepalive.idle", NULL, 0,
                      32767000, 0, "Silence before the first probe; 0 is the kernel's own"),
    GOST_OPT_DURATION(struct tcp_conf, interval_ns, "keepalive.interval tcp.keepalive.interval",
                      NULL, 0, 32767000, 0, "Time between probes; 0 is the kernel's own"),
    GOST_OPT_INT(struct tcp_conf, count, "keepalive.count tcp.keepalive.count", NULL, 0, 127,
                 "probes", 0, "Unanswered probes until it counts as dead; 0: the kernel's own"),
    GOST_OPT_LAST,
};

static void set_int(int fd, int level, int option, int value)
{
    /* None of these options decides whether a connection works. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static int seconds(uint64_t ns)
{
    return ns ? (int)((ns + GOST_S - 1) / GOST_S) : 0;
}

static void set_stream_options(const struct tcp_conf *conf, int fd)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!conf->keepalive)
        return;
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (conf->idle_ns)
        set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(conf->idle_ns));
    if (conf->interval_ns)
        set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(conf->interval_ns));
    if (conf->count)
        set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)conf->count);
}

static int listen_on(const struct tcp_conf *conf, int fd, const struct gost_addr *addr,
                     const struct gost_socket *s)
{
    int one = 1;
    int r;

    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (conf->reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0)
        return -errno;
    r = gost_inet_bind(fd, addr, s);
    if (r)
        return r;
    return listen(fd, SOMAXCONN) < 0 ? -errno : GOST_OK;
}

static int tcp_listen(const void *conf, struct gost_socket *s)
{
    const struct tcp_conf *c = conf;
    struct gost_addr addr;
    int fd, r = -EPROTONOSUPPORT;

    if (c->mptcp)
        r = gost_inet_socket(SOCK_STREAM, IPPROTO_MPTCP, s, &fd, &addr);
    if (r == -EPROTONOSUPPORT || r == -ENOPROTOOPT)
        r = gost_inet_socket(SOCK_STREAM, 0, s, &fd, &addr);
    if (r)
        return r;
    r = listen_on(c, fd, &addr, s);
    if (r) {
        close(fd);
        return r;
    }
    s->fd = fd;
    return GOST_OK;
}

static int tcp_dial(const void *conf, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    struct gost_addr addr;
    int fd, r;

    if (s->addr->family == GOST_AF_NONE)
        return -EDESTADDRREQ;
    r = gost_inet_socket(SOCK_STREAM, 0, s, &fd, &addr);
    if (r)
        return r;
    r = gost_inet_outgoing(fd, s);
    if (r == 0 && connect(fd, (struct sockaddr *)&ss, gost_sockaddr_put(&ss, &addr)) < 0)
        r = errno == EINPROGRESS ? GOST_AGAIN : -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    s->fd = fd;
    return r;
}

static int tcp_ready(const void *conf, struct gost_socket *s)
{
    set_stream_options(conf, s->fd);
    gost_inet_names(s);
    return GOST_OK;
}

static const struct gost_transport_ops tcp_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .listen = tcp_listen,
    .dial = tcp_dial,
    .accepted = tcp_ready,
    .connected = tcp_ready,
};

static const struct gost_stack_ops tcp_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp",
};

static const struct gost_component tcp_components[] = {
    {.kind = GOST_KIND_TRANSPORT,
     .name = "tcp",
     .summary = "TCP connections",
     .ops = &tcp_transport,
     .options = tcp_options,
     .conf_size = sizeof(struct tcp_conf)},
    {.kind = GOST_KIND_STACK,
     .name = "tcp",
     .summary = "plain TCP",
     .ops = &tcp_stack},
};

GOST_PLUGIN("tcp", "0.1.0", "MIT", "The tcp transport", tcp_components,
            "transport:tcp listener:tcp dialer:tcp");
