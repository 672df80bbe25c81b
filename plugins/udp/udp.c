/* udp.c - the udp transport and the stack of the same name. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include <gost/plugin.h>

#include "sockaddr.h"

/* What the host's table of associations goes by; the transport itself reads none of it. */
struct udp_conf {
    int64_t backlog, read_queue_size, max_peers;
    uint32_t keepalive, stateless;
    uint64_t ttl_ns, read_buffer_size;
};

static const struct gost_opt udp_options[] = {
    GOST_OPT_INT(struct udp_conf, backlog, "backlog", "128", 1, 65536, "associations",
                 GOST_OPT_SERVER, "New associations that may wait for their handler"),
    GOST_OPT_BOOL(struct udp_conf, keepalive, "keepalive", "false", GOST_OPT_SERVER,
                  "Keep an association after its first answer"),
    GOST_OPT_DURATION(struct udp_conf, ttl_ns, "ttl keepalive.ttl", "5s", 1, 0x7fffffff,
                      GOST_OPT_SERVER, "Silence after which an association ends"),
    GOST_OPT_SIZE(struct udp_conf, read_buffer_size, "readBufferSize udp.bufferSize", "4096", 1,
                  65536, GOST_OPT_SERVER, "Largest datagram read"),
    GOST_OPT_INT(struct udp_conf, read_queue_size, "readQueueSize recvQueueSize", "128", 1, 65536,
                 "packets", GOST_OPT_SERVER, "Packets that may wait in one association"),
    GOST_OPT_INT(struct udp_conf, max_peers, "maxPeers udp.maxPeers", "65536", 1, 1048576,
                 "associations", GOST_OPT_SERVER,
                 "How many there may be; one more ends the one that was silent longest"),
    GOST_OPT_BOOL(struct udp_conf, stateless, "stateless", "false", GOST_OPT_SERVER,
                  "Each datagram is an association of its own"),
    GOST_OPT_LAST,
};

static void set_int(int fd, int level, int option)
{
    int one = 1;

    /* Extra knowledge about packets; without it they still flow. */
    (void)setsockopt(fd, level, option, &one, sizeof one);
}

/* Ask to be told each packet's own destination address and ECN bits. */
static void ask_details(int fd, const struct gost_addr *addr)
{
    set_int(fd, IPPROTO_IP, IP_PKTINFO);
    set_int(fd, IPPROTO_IP, IP_RECVTOS);
    if (addr->family != GOST_AF_IP6)
        return;
    set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
    set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS);
}

static int udp_listen(const void *conf, struct gost_socket *s)
{
    struct gost_addr addr;
    int fd, r;

    r = gost_inet_socket(SOCK_DGRAM, 0, s, &fd, &addr);
    if (r)
        return r;
    ask_details(fd, &addr);
    r = s->role == GOST_CLIENT ? gost_inet_outgoing(fd, s) : 0;
    if (r == 0 && !(s->role == GOST_CLIENT && s->interface_name))
        r = gost_inet_bind(fd, &addr, s);
    if (r) {
        close(fd);
        return r;
    }
    s->fd = fd;
    return GOST_OK;
}

static int udp_dial(const void *conf, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    struct gost_addr addr;
    int fd, r;

    if (s->addr->family == GOST_AF_NONE)
        return -EDESTADDRREQ;
    r = gost_inet_socket(SOCK_DGRAM, 0, s, &fd, &addr);
    if (r)
        return r;
    r = gost_inet_outgoing(fd, s);
    if (r == 0 && connect(fd, (struct sockaddr *)&ss, gost_sockaddr_put(&ss, &addr)) < 0)
        r = -errno;
    if (r) {
        close(fd);
        return r;
    }
    ask_details(fd, &addr);
    s->fd = fd;
    return GOST_OK;
}

static int udp_connected(const void *conf, struct gost_socket *s)
{
    gost_inet_names(s);
    return GOST_OK;
}

static const struct gost_transport_ops udp_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_DATAGRAM,
    .listen = udp_listen,
    .dial = udp_dial,
    .connected = udp_connected,
};

static const struct gost_stack_ops udp_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp",
};

static const struct gost_component udp_components[] = {
    {.kind = GOST_KIND_TRANSPORT,
     .name = "udp",
     .summary = "UDP packets",
     .ops = &udp_transport,
     .options = udp_options,
     .conf_size = sizeof(struct udp_conf)},
    {.kind = GOST_KIND_STACK,
     .name = "udp",
     .summary = "plain UDP",
     .ops = &udp_stack},
};

GOST_PLUGIN("udp", "0.1.0", "MIT", "The udp transport", udp_components,
            "transport:udp listener:udp dialer:udp");
