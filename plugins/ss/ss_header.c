/* ss_header.c - headers of Shadowsocks 2022. */
/* SPDX-License-Identifier: MIT */
#include "ss_header.h"

int ss_stamp_check(const uint8_t stamp[9], enum ss_type type, uint64_t unix_s, const char **ret_why)
{
    uint64_t t = gost_get64(stamp + 1);
    uint64_t apart = t > unix_s ? t - unix_s : unix_s - t;

    if (stamp[0] != type)
        *ret_why = "the header has the type of the other direction";
    else if (apart > SS_SKEW_S)
        *ret_why = "the header's time is more than 30 seconds away: set the clocks of both ends";
    else
        return GOST_OK;
    return GOST_EPROTO;
}

void ss_stamp_put(uint8_t stamp[9], enum ss_type type, uint64_t unix_s)
{
    stamp[0] = (uint8_t)type;
    gost_put64(stamp + 1, unix_s);
}

/* Padding with its length: bytes used, or GOST_EPROTO. */
static int padding(struct gost_bytes in)
{
    size_t n;

    if (in.n < 2)
        return GOST_EPROTO;
    n = gost_get16(in.p);
    return in.n - 2 < n ? GOST_EPROTO : (int)n + 2;
}

int ss_variable_parse(struct ss_variable *ret_header, struct gost_bytes in)
{
    struct gost_addr addr;
    int n = gost_socks_addr_parse(&addr, in), pad;

    if (n <= 0)
        return GOST_EPROTO;
    pad = padding(gost_bytes(in.p + n, in.n - (size_t)n));
    if (pad < 0 || (uint32_t)pad > 2 + SS_PADDING_MAX)
        return GOST_EPROTO;
    ret_header->addr = gost_bytes(in.p, (size_t)n);
    n += pad;
    if (pad == 2 && in.n == (size_t)n)
        return GOST_EPROTO; /* every address of one length would make requests of one length */
    ret_header->payload = gost_bytes(in.p + n, in.n - (size_t)n);
    return GOST_OK;
}

int ss_body_parse(struct ss_body *ret_body, enum ss_type type, struct gost_bytes in)
{
    const uint8_t *session = NULL;
    struct gost_addr addr;
    int n;

    if (type == SS_FROM_SERVER) {
        if (in.n < 8)
            return GOST_EPROTO;
        session = in.p;
        in = gost_bytes(in.p + 8, in.n - 8);
    }
    n = padding(in);
    if (n < 0)
        return GOST_EPROTO;
    in = gost_bytes(in.p + n, in.n - (size_t)n);
    n = gost_socks_addr_parse(&addr, in);
    if (n <= 0)
        return GOST_EPROTO;
    ret_body->session = session;
    ret_body->addr = addr;
    ret_body->payload = gost_bytes(in.p + n, in.n - (size_t)n);
    return GOST_OK;
}
