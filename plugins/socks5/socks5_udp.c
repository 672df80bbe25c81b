/* socks5_udp.c - codec: SOCKS5 UDP datagrams on a socket, packets with addresses above (RFC 1928,
 * 7). */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "socks5.h"
#include "udpframe.h"

/* A server's arg is the client's address: datagrams of others are dropped. */
static int from_client(struct gost_io *io, const struct gost_addr *from)
{
    struct gost_bytes arg = gost_arg(io);
    struct gost_addr client;

    if (!arg.n || !from)
        return 1;
    memcpy(&client, arg.p, sizeof client);
    return gost_addr_same_host(&client, from);
}

static int decode(void *state, const void *conf, struct gost_io *io)
{
    struct socks5_udp_state *st = state;
    struct gost_udpframe frame;
    struct gost_packet pkt;
    size_t need;
    int r;

    while ((r = gost_packet_recv(io, &pkt)) == GOST_OK) {
        if (!from_client(io, pkt.addr))
            continue;
        r = gost_udpframe_parse(&frame, &need, pkt.data);
        if (r <= 0 || frame.frag != 0)
            continue; /* malformed or a fragment: dropped, the association goes on */
        if (pkt.addr) {
            st->peer = *pkt.addr;
            st->heard = 1;
        }
        (void)gost_packet_put(gost_app(io), gost_bytes(pkt.data.p + r, pkt.data.n - (size_t)r),
                              &frame.addr);
    }
    return r;
}

static int encode(void *state, const void *conf, struct gost_io *io)
{
    struct socks5_udp_state *st = state;
    uint8_t buf[GOST_UDPFRAME_MAX + 65535];
    static const struct gost_addr none;
    struct gost_packet pkt;
    struct gost_udpframe frame;
    size_t n;
    int r;

    while ((r = gost_packet_recv(gost_app(io), &pkt)) == GOST_OK) {
        memset(&frame, 0, sizeof frame);
        frame.addr = pkt.addr ? *pkt.addr : none;
        n = gost_udpframe_put(buf, &frame);
        if (n + pkt.data.n > 65507)
            continue; /* no datagram can carry it */
        memcpy(buf + n, pkt.data.p, pkt.data.n);
        (void)gost_packet_put(io, gost_bytes(buf, n + pkt.data.n), st->heard ? &st->peer : NULL);
    }
    return r;
}

const struct gost_layer_ops socks5_udp_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_DATAGRAM,
    .flags = GOST_LAYER_CODEC,
    .decode = decode,
    .encode = encode,
};
