/* icmp.c - the transports icmp and icmp6, and the stacks of these names: QUIC in echo messages. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include <gost/plugin.h>

#include "icmp.h"
#include "sockaddr.h"

#ifndef ICMP_FILTER
#define ICMP_FILTER 1 /* of linux/icmp.h, which does not go with the headers above */
#endif

static int open_raw(enum icmp_family family)
{
    int v6 = family == ICMP_V6;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

    return fd < 0 ? -errno : fd;
}

/* Only echo messages of the other end's kind: a raw socket gets a copy of every message. */
static void filter(enum icmp_family family, int fd, uint32_t role)
{
    uint32_t other4 = ~(role == GOST_SERVER ? 1u << 8 : 1u << 0);
    struct icmp6_filter other6;

    if (family == ICMP_V4) {
        (void)setsockopt(fd, SOL_RAW, ICMP_FILTER, &other4, sizeof other4);
        return;
    }
    ICMP6_FILTER_SETBLOCKALL(&other6);
    ICMP6_FILTER_SETPASS(role == GOST_SERVER ? ICMP6_ECHO_REQUEST : ICMP6_ECHO_REPLY, &other6);
    (void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &other6, sizeof other6);
}

/* The address without its port, which is an id here. 0: it is of the other family. */
static socklen_t raw_address(enum icmp_family family, const struct gost_addr *addr,
                             struct sockaddr_storage *ret)
{
    struct gost_addr ip = *addr;

    gost_addr_unmap(&ip);
    ip.port = 0;
    if (ip.family == GOST_AF_NONE)
        gost_addr_set_ip(&ip, (const uint8_t[16]){0}, family == ICMP_V6 ? 16 : 4, 0);
    if (ip.family != (family == ICMP_V6 ? GOST_AF_IP6 : GOST_AF_IP4))
        return 0;
    return gost_sockaddr_put(ret, &ip);
}

static int listen_on(enum icmp_family family, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n = raw_address(family, s->addr, &ss);
    int fd, r = 0;

    if (!n)
        return -EAFNOSUPPORT;
    fd = open_raw(family);
    if (fd < 0)
        return fd;
    filter(family, fd, GOST_SERVER);
    if (bind(fd, (struct sockaddr *)&ss, n) < 0)
        r = -errno;
    if (r) {
        close(fd);
        return r;
    }
    if (s->local)
        gost_sockaddr_get(s->local, &ss, n);
    s->fd = fd;
    return GOST_OK;
}

static int dial_from(enum icmp_family family, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n = raw_address(family, s->addr, &ss);
    int fd, r;

    if (!n || s->addr->family == GOST_AF_NONE)
        return -EAFNOSUPPORT;
    fd = open_raw(family);
    if (fd < 0)
        return fd;
    filter(family, fd, GOST_CLIENT);
    r = gost_inet_outgoing(fd, s);
    if (r == 0 && connect(fd, (struct sockaddr *)&ss, n) < 0)
        r = -errno;
    if (r) {
        close(fd);
        return r;
    }
    s->tag = s->addr->port;
    while (s->tag == 0)
        gost_random(&s->tag, sizeof s->tag);
    s->fd = fd;
    return GOST_OK;
}

static int listen4(const void *conf, struct gost_socket *s)
{
    return listen_on(ICMP_V4, s);
}

static int listen6(const void *conf, struct gost_socket *s)
{
    return listen_on(ICMP_V6, s);
}

static int dial4(const void *conf, struct gost_socket *s)
{
    return dial_from(ICMP_V4, s);
}

static int dial6(const void *conf, struct gost_socket *s)
{
    return dial_from(ICMP_V6, s);
}

static int connected(const void *conf, struct gost_socket *s)
{
    gost_inet_names(s);
    return GOST_OK;
}

static int unwrap4(const struct gost_frame *frame, struct gost_bytes data,
                   struct gost_bytes *ret_data, uint16_t *ret_port)
{
    return icmp_get(ICMP_V4, frame, data, ret_data, ret_port);
}

static int unwrap6(const struct gost_frame *frame, struct gost_bytes data,
                   struct gost_bytes *ret_data, uint16_t *ret_port)
{
    return icmp_get(ICMP_V6, frame, data, ret_data, ret_port);
}

static size_t wrap4(const struct gost_frame *frame, struct gost_bytes data, uint8_t *out)
{
    return icmp_put(ICMP_V4, frame, data, out);
}

static size_t wrap6(const struct gost_frame *frame, struct gost_bytes data, uint8_t *out)
{
    return icmp_put(ICMP_V6, frame, data, out);
}

/* A client's node is tried at start, not when somebody needs it. */
static int prepare(void *conf, struct gost_prepare *p)
{
    int fd;

    if (p->role != GOST_CLIENT)
        return GOST_OK;
    fd = open_raw(ICMP_V4);
    if (fd >= 0)
        close(fd);
    if (fd != -EPERM && fd != -EACCES)
        return GOST_OK;
    snprintf(p->error, p->error_size,
             "raw sockets need CAP_NET_RAW: run it as root, or give it the capability (setcap "
             "cap_net_raw+ep gost-host, or AmbientCapabilities=CAP_NET_RAW in its unit)");
    return GOST_EUNSUPPORTED;
}

static const struct gost_transport_ops transport4 = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_DATAGRAM,
    .listen = listen4,
    .dial = dial4,
    .connected = connected,
    .flags = GOST_TRANSPORT_FIRST_ONLY,
    .unwrap = unwrap4,
    .wrap = wrap4,
};

static const struct gost_transport_ops transport6 = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_DATAGRAM,
    .listen = listen6,
    .dial = dial6,
    .connected = connected,
    .flags = GOST_TRANSPORT_FIRST_ONLY,
    .unwrap = unwrap6,
    .wrap = wrap6,
};

static const struct gost_stack_ops stack4 = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "icmp/quic",
};

static const struct gost_stack_ops stack6 = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "icmp6/quic",
};

static const struct gost_component components[] = {
    {.kind = GOST_KIND_TRANSPORT,
     .name = "icmp",
     .summary = "packets in ICMP echo messages",
     .ops = &transport4,
     .prepare = prepare},
    {.kind = GOST_KIND_TRANSPORT,
     .name = "icmp6",
     .summary = "packets in ICMPv6 echo messages",
     .ops = &transport6,
     .prepare = prepare},
    {.kind = GOST_KIND_STACK, .name = "icmp", .summary = "QUIC over ICMP", .ops = &stack4},
    {.kind = GOST_KIND_STACK, .name = "icmp6", .summary = "QUIC over ICMPv6", .ops = &stack6},
};

GOST_PLUGIN("icmp", "0.1.0", "MIT", "ICMP echo messages as a transport", components,
            "transport:icmp transport:icmp6 listener:icmp listener:icmp6 dialer:icmp dialer:icmp6");
