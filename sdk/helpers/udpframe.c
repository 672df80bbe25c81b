/* udpframe.c - the SOCKS5 UDP header. */
/* SPDX-License-Identifier: MIT */
#include "udpframe.h"

int gost_udpframe_parse(struct gost_udpframe *ret_frame, size_t *ret_need, struct gost_bytes in)
{
    struct gost_udpframe frame;
    int size;

    *ret_need = 5; /* up to the byte that tells the address's length */
    if (in.n < 4)
        return 0;
    size = gost_socks_addr_size(gost_bytes(in.p + 3, in.n - 3));
    if (size <= 0)
        return size;
    *ret_need = 3 + (size_t)size;
    if (in.n < *ret_need)
        return 0;
    memset(&frame, 0, sizeof frame);
    frame.rsv = gost_get16(in.p);
    frame.frag = in.p[2];
    if (gost_socks_addr_parse(&frame.addr, gost_bytes(in.p + 3, (size_t)size)) < 0)
        return GOST_EPROTO;
    *ret_frame = frame;
    return 3 + size;
}

size_t gost_udpframe_put(uint8_t *buf, const struct gost_udpframe *frame)
{
    gost_put16(buf, frame->rsv);
    buf[2] = frame->frag;
    return 3 + gost_socks_addr_put(buf + 3, &frame->addr);
}
