/* inet_socket.c - what the tcp and udp transports do alike: make, bind, mark. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "sockaddr.h"

int gost_inet_socket(int type, int protocol, const struct gost_socket *s, int *ret_fd,
                     struct gost_addr *ret_addr)
{
    struct gost_addr addr = *s->addr;
    int both = addr.family == GOST_AF_NONE;
    int family = addr.family == GOST_AF_IP4 ? AF_INET : AF_INET6;
    int fd, zero = 0;

    if (!gost_addr_is_ip(&addr) && !both)
        return -EAFNOSUPPORT;
    if (both)
        addr.family = GOST_AF_IP6;
    fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0 && both && errno == EAFNOSUPPORT) {
        addr.family = GOST_AF_IP4;
        family = AF_INET;
        fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    }
    if (fd < 0)
        return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_addr = addr;
    return 0;
}

int gost_inet_bind(int fd, const struct gost_addr *addr, const struct gost_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n = gost_sockaddr_put(&ss, addr);

    if (bind(fd, (struct sockaddr *)&ss, n) < 0)
        return -errno;
    n = sizeof ss;
    if (s->local && getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
        gost_sockaddr_get(s->local, &ss, n);
    return 0;
}

/* Loopback, link-local and multicast addresses are not reached through a chosen device. */
static int is_global(const struct gost_addr *addr)
{
    const uint8_t *ip = addr->ip;

    if (addr->family == GOST_AF_IP4)
        return ip[0] != 127 && ip[0] != 0 && ip[0] < 224 && !(ip[0] == 169 && ip[1] == 254);
    return ip[0] != 0xff && !(ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) &&
           memcmp(ip, &in6addr_loopback, 16) != 0 && memcmp(ip, &in6addr_any, 16) != 0;
}

/* First address of the interface that fits the family, port 0. GOST_OK or a negative errno. */
static int interface_addr(const char *name, int family, struct sockaddr_storage *ret_ss,
                          socklen_t *ret_n)
{
    struct ifaddrs *all, *i;
    int r = -EADDRNOTAVAIL;

    if (if_nametoindex(name) == 0)
        return -ENODEV;
    if (getifaddrs(&all) < 0)
        return -errno;
    for (i = all; i && r; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || strcmp(i->ifa_name, name) != 0)
            continue;
        *ret_n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        memcpy(ret_ss, i->ifa_addr, *ret_n);
        r = 0;
    }
    freeifaddrs(all);
    return r;
}

static int bind_interface(int fd, const struct gost_socket *s)
{
    const char *name = s->interface_name;
    int family = s->addr->family == GOST_AF_IP4 ? AF_INET : AF_INET6;
    struct sockaddr_storage ss;
    struct gost_addr own;
    socklen_t n = 0;
    int r;

    if (gost_addr_set_host(&own, name, strlen(name), 0))
        return -ENODEV;
    if (gost_addr_is_ip(&own)) {
        n = gost_sockaddr_put(&ss, &own);
    } else {
        r = interface_addr(name, family, &ss, &n);
        if (r)
            return r;
        if (is_global(s->addr) &&
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 &&
            errno != EPERM)
            return -errno;
    }
    return bind(fd, (struct sockaddr *)&ss, n) < 0 ? -errno : 0;
}

int gost_inet_outgoing(int fd, const struct gost_socket *s)
{
    if (s->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &s->mark, sizeof s->mark) < 0 &&
        errno != EPERM)
        return -errno;
    if (s->interface_name && s->interface_name[0])
        return bind_interface(fd, s);
    return 0;
}

/* An address of one machine: asking the kernel for it would bring the same. Two system calls less
 * for each connection. */
static int is_known(const struct gost_addr *addr)
{
    static const uint8_t any[16];

    return gost_addr_is_ip(addr) && addr->port &&
           memcmp(addr->ip, any, addr->family == GOST_AF_IP4 ? 4 : 16) != 0;
}

void gost_inet_names(const struct gost_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;

    if (s->local && !is_known(s->local) && getsockname(s->fd, (struct sockaddr *)&ss, &n) == 0)
        gost_sockaddr_get(s->local, &ss, n);
    n = sizeof ss;
    if (s->remote && !is_known(s->remote) && getpeername(s->fd, (struct sockaddr *)&ss, &n) == 0)
        gost_sockaddr_get(s->remote, &ss, n);
}
