/* socks4_wire.c - encoding and decoding of SOCKS4 messages. */
/* SPDX-License-Identifier: MIT */
#include "socks4.h"

/* Zero-terminated text of at most 255 bytes at in.p[at]. 0: found, its length in ret_n. */
static int text(struct gost_bytes in, size_t at, size_t *ret_n)
{
    size_t room = in.n - at < 256 ? in.n - at : 256;
    const uint8_t *end = room ? memchr(in.p + at, 0, room) : NULL;

    if (!end)
        return in.n - at >= 256 ? GOST_EPROTO : GOST_AGAIN;
    *ret_n = (size_t)(end - in.p) - at;
    return GOST_OK;
}

int socks4_parse_request(struct gost_bytes in, uint8_t *ret_command, struct gost_bytes *ret_user,
                         struct gost_addr *ret_addr)
{
    size_t user, host = 0, used;
    int r;

    if ((in.n >= 1 && in.p[0] != 4) ||
        (in.n >= 2 && in.p[1] != SOCKS4_CONNECT && in.p[1] != SOCKS4_BIND))
        return GOST_EPROTO;
    if (in.n < 9)
        return 0;
    r = text(in, 8, &user);
    if (r != GOST_OK)
        return r < 0 ? r : 0;
    used = 8 + user + 1;
    if (in.p[4] == 0 && in.p[5] == 0 && in.p[6] == 0 && in.p[7] != 0) {
        r = text(in, used, &host);
        if (r != GOST_OK)
            return r < 0 ? r : 0;
        if (host == 0 || gost_addr_set_host(ret_addr, (const char *)in.p + used, host,
                                            gost_get16(in.p + 2)) != GOST_OK)
            return GOST_EPROTO;
        used += host + 1;
    } else {
        gost_addr_set_ip(ret_addr, in.p + 4, 4, gost_get16(in.p + 2));
    }
    *ret_command = in.p[1];
    *ret_user = gost_bytes(in.p + 8, user);
    return (int)used;
}

size_t socks4_put_request(uint8_t buf[SOCKS4_REQUEST_MAX], const struct gost_addr *addr,
                          const char *user, int use_4a)
{
    char host[GOST_ADDR_TEXT];
    size_t u = user ? strlen(user) : 0, n;

    if (u > 255 || (!use_4a && addr->family != GOST_AF_IP4))
        return 0;
    buf[0] = 4;
    buf[1] = SOCKS4_CONNECT;
    gost_put16(buf + 2, addr->port);
    gost_put32(buf + 4, use_4a ? 1 : gost_get32(addr->ip));
    if (u)
        memcpy(buf + 8, user, u);
    buf[8 + u] = 0;
    if (!use_4a)
        return 9 + u;
    n = gost_addr_host(addr, host, sizeof host);
    if (n > 255)
        return 0;
    memcpy(buf + 9 + u, host, n);
    buf[9 + u + n] = 0;
    return 10 + u + n;
}
