/* socks5_wire.c - encoding and decoding of SOCKS5 messages. */
/* SPDX-License-Identifier: MIT */
#include "socks5.h"

int socks5_parse_offer(struct gost_bytes in, struct socks5_offer *ret_offer)
{
    size_t i;

    if (in.n >= 1 && in.p[0] != 5)
        return GOST_EPROTO;
    if (in.n < 2)
        return 0;
    if (in.p[1] == 0)
        return GOST_EPROTO;
    if (in.n < 2u + in.p[1])
        return 0;
    memset(ret_offer, 0, sizeof *ret_offer);
    for (i = 0; i < in.p[1]; i++)
        ret_offer->offered[in.p[2 + i] / 8] |= (uint8_t)(1u << in.p[2 + i] % 8);
    return 2 + in.p[1];
}

int socks5_offers(const struct socks5_offer *offer, uint8_t method)
{
    return offer->offered[method / 8] >> method % 8 & 1;
}

int socks5_parse_userpass(struct gost_bytes in, struct gost_bytes *ret_user,
                          struct gost_bytes *ret_password)
{
    size_t u, n;

    if (in.n >= 1 && in.p[0] != 1)
        return GOST_EPROTO;
    if (in.n < 2)
        return 0;
    u = in.p[1];
    if (in.n < 3 + u)
        return 0;
    n = in.p[2 + u];
    if (in.n < 3 + u + n)
        return 0;
    *ret_user = gost_bytes(in.p + 2, u);
    *ret_password = gost_bytes(in.p + 3 + u, n);
    return (int)(3 + u + n);
}

int socks5_parse_request(struct gost_bytes in, uint8_t *ret_command, struct gost_addr *ret_addr)
{
    int n;

    if (in.n >= 1 && in.p[0] != 5)
        return GOST_EPROTO;
    if (in.n < 4)
        return 0;
    n = gost_socks_addr_parse(ret_addr, gost_bytes(in.p + 3, in.n - 3));
    if (n <= 0)
        return n;
    *ret_command = in.p[1];
    return n + 3;
}

size_t socks5_put_request(uint8_t buf[SOCKS5_REQUEST_MAX], uint8_t command,
                          const struct gost_addr *addr)
{
    buf[0] = 5;
    buf[1] = command;
    buf[2] = 0;
    return 3 + gost_socks_addr_put(buf + 3, addr);
}

size_t socks5_put_userpass(uint8_t buf[SOCKS5_USERPASS_MAX], struct gost_bytes user,
                           struct gost_bytes password)
{
    size_t u = user.n < 255 ? user.n : 255, p = password.n < 255 ? password.n : 255;

    buf[0] = 1;
    buf[1] = (uint8_t)u;
    if (u)
        memcpy(buf + 2, user.p, u);
    buf[2 + u] = (uint8_t)p;
    if (p)
        memcpy(buf + 3 + u, password.p, p);
    return 3 + u + p;
}

uint8_t socks5_reply_of(int error)
{
    switch (error) {
    case GOST_EDENIED:
    case GOST_EADMISSION:
        return SOCKS5_DENIED;
    case GOST_EUNSUPPORTED:
        return SOCKS5_UNSUPPORTED;
    default:
        return SOCKS5_NET_UNREACHABLE; /* GOST answers 3 to every failed dial */
    }
}

int socks5_error_of(uint8_t reply)
{
    switch (reply) {
    case SOCKS5_DENIED:
        return GOST_EDENIED;
    case SOCKS5_NET_UNREACHABLE:
    case SOCKS5_HOST_UNREACHABLE:
        return GOST_EUNREACHABLE;
    case SOCKS5_REFUSED:
        return GOST_EREFUSED;
    case SOCKS5_EXPIRED:
        return GOST_ETIMEDOUT;
    case SOCKS5_UNSUPPORTED:
    case SOCKS5_BAD_ADDRESS:
        return GOST_EUNSUPPORTED;
    default:
        return GOST_EPEER;
    }
}

const char *socks5_reply_text(uint8_t reply)
{
    static const char *const text[] = {"success",
                                       "general failure",
                                       "not allowed by the proxy's rules",
                                       "network unreachable",
                                       "host unreachable",
                                       "connection refused",
                                       "TTL expired",
                                       "command not supported",
                                       "address type not supported"};

    return reply < sizeof text / sizeof text[0] ? text[reply] : "unknown failure";
}
