/* masque_udp.c - the codec masque.udp: UDP packets in HTTP datagrams of context 0 (RFC 9298). */
/* SPDX-License-Identifier: MIT */
#include "masque.h"

#define PACKET_MAX 1500u /* none that is larger fits a packet of QUIC */

/* Other contexts were never agreed on: what they hold is dropped. */
static int udp_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_packet p;
    int r;

    while ((r = gost_packet_recv(io, &p)) == GOST_OK)
        if (p.data.n > 0 && p.data.p[0] == 0)
            (void)gost_packet_put(gost_app(io), gost_bytes(p.data.p + 1, p.data.n - 1), NULL);
    if (r == GOST_END)
        gost_shut(gost_app(io));
    return r;
}

static int udp_encode(void *state, const void *conf, struct gost_io *io)
{
    uint8_t buf[PACKET_MAX];
    struct gost_packet p;
    int r;

    buf[0] = 0;
    while ((r = gost_packet_recv(gost_app(io), &p)) == GOST_OK) {
        if (p.data.n >= sizeof buf)
            continue;
        if (p.data.n)
            memcpy(buf + 1, p.data.p, p.data.n);
        (void)gost_packet_put(io, gost_bytes(buf, p.data.n + 1), NULL);
    }
    return r;
}

const struct gost_layer_ops masque_udp_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_DATAGRAM,
    .flags = GOST_LAYER_CODEC,
    .decode = udp_decode,
    .encode = udp_encode,
};
