/* sockaddr.c - between struct gost_addr and struct sockaddr. */
/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <sys/un.h>

#include "sockaddr.h"

static socklen_t put_path(struct sockaddr_storage *ss, const struct gost_addr *addr)
{
    struct sockaddr_un *un = (struct sockaddr_un *)ss;

    if (addr->len == 0 || addr->len >= sizeof un->sun_path)
        return 0;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, addr->name, addr->len);
    if (addr->name[0] != '@')
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + addr->len + 1u);
    un->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + addr->len);
}

socklen_t gost_sockaddr_put(struct sockaddr_storage *ss, const struct gost_addr *addr)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

    memset(ss, 0, sizeof *ss);
    switch (addr->family) {
    case GOST_AF_IP4:
        in4->sin_family = AF_INET;
        in4->sin_port = htons(addr->port);
        memcpy(&in4->sin_addr, addr->ip, 4);
        return sizeof *in4;
    case GOST_AF_IP6:
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(addr->port);
        in6->sin6_scope_id = addr->scope;
        memcpy(&in6->sin6_addr, addr->ip, 16);
        return sizeof *in6;
    case GOST_AF_UNIX:
        return put_path(ss, addr);
    default:
        return 0;
    }
}

static void get_path(struct gost_addr *ret_addr, const struct sockaddr_un *un, socklen_t len)
{
    char text[sizeof un->sun_path + 1];
    size_t n = len - offsetof(struct sockaddr_un, sun_path);

    if (len <= offsetof(struct sockaddr_un, sun_path) || n > sizeof un->sun_path)
        return;
    memcpy(text, un->sun_path, n);
    text[n] = 0;
    if (text[0] == 0)
        text[0] = '@';
    (void)gost_addr_set_path(ret_addr, text, strlen(text));
}

void gost_sockaddr_get(struct gost_addr *ret_addr, const struct sockaddr_storage *ss, socklen_t n)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

    memset(ret_addr, 0, sizeof *ret_addr);
    if (ss->ss_family == AF_INET && n >= sizeof *in4) {
        gost_addr_set_ip(ret_addr, (const uint8_t *)&in4->sin_addr, 4, ntohs(in4->sin_port));
    } else if (ss->ss_family == AF_INET6 && n >= sizeof *in6) {
        gost_addr_set_ip(ret_addr, (const uint8_t *)&in6->sin6_addr, 16, ntohs(in6->sin6_port));
        ret_addr->scope = in6->sin6_scope_id;
        gost_addr_unmap(ret_addr);
    } else if (ss->ss_family == AF_UNIX) {
        get_path(ret_addr, (const struct sockaddr_un *)ss, n);
    }
}
