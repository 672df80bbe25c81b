/* udpframe_layer.c - the codecs that carry datagrams over a stream. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "udpframe.h"

/* The payload announced in st->frame is here or not; hands it up. 1: go on with the next frame. */
static int take_payload(struct gost_udpframe_state *st, struct gost_io *io, int with_addr)
{
    size_t n = st->frame.rsv;
    const uint8_t *p = n ? gost_take(io, n) : NULL;

    if (n && !p)
        return 0;
    st->waiting = 0;
    /* A full queue above drops the datagram, as a network would. */
    (void)gost_packet_put(gost_app(io), gost_bytes(p, n), with_addr ? &st->frame.addr : NULL);
    return 1;
}

/* Input ran out in the middle of something, or it ended. */
static int no_input(struct gost_io *io)
{
    if (!gost_rx_eof(io))
        return GOST_AGAIN;
    gost_shut(gost_app(io));
    return GOST_END;
}

static int tun_open(void *state, const void *conf, struct gost_io *io)
{
    struct gost_udpframe_state *st = state;
    struct gost_bytes arg = gost_arg(io);

    if (arg.n && gost_socks_addr_parse(&st->peer, arg) <= 0)
        return gost_fail(io, GOST_EINTERNAL, "the codec's peer address is malformed");
    return GOST_OK;
}

/* Read one header. GOST_OK: st->frame is filled and the payload is next. */
static int tun_header(struct gost_udpframe_state *st, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, 5);
    size_t need;
    int r;

    if (!p)
        return no_input(io);
    r = gost_udpframe_parse(&st->frame, &need, gost_bytes(p, 5));
    if (r == 0) {
        p = gost_peek(io, need);
        if (!p)
            return no_input(io);
        r = gost_udpframe_parse(&st->frame, &need, gost_bytes(p, need));
    }
    if (r <= 0)
        return gost_fail(io, GOST_EPROTO, "unknown address type 0x%02x in a UDP frame", p[3]);
    gost_consume(io, (size_t)r);
    /* Length 0 cannot be told from a broken sender and carries nothing: skipped. */
    st->waiting = st->frame.rsv != 0;
    return GOST_OK;
}

static int tun_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_udpframe_state *st = state;
    int r;

    for (;;) {
        if (st->waiting && !take_payload(st, io, 1))
            return no_input(io);
        r = tun_header(st, io);
        if (r != GOST_OK)
            return r;
    }
}

static void tun_send(struct gost_io *io, const struct gost_addr *addr, struct gost_bytes data)
{
    struct gost_udpframe frame;
    uint8_t head[GOST_UDPFRAME_MAX];

    frame.addr = *addr;
    frame.rsv = (uint16_t)data.n;
    frame.frag = 0xff;
    (void)gost_send(io, head, gost_udpframe_put(head, &frame));
    (void)gost_send(io, data.p, data.n);
}

static int tun_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_udpframe_state *st = state;
    struct gost_packet pkt;
    const struct gost_addr *addr;
    int r;

    for (;;) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        r = gost_packet_recv(gost_app(io), &pkt);
        if (r != GOST_OK)
            return r;
        addr = st->peer.family != GOST_AF_NONE ? &st->peer : pkt.addr;
        /* An empty payload would desynchronise peers that take length 0 for "unknown". */
        if (pkt.data.n && pkt.data.n <= 65535 && addr)
            tun_send(io, addr, pkt.data);
    }
}

static int len_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_udpframe_state *st = state;
    const uint8_t *p;

    for (;;) {
        if (st->waiting && !take_payload(st, io, 0))
            return no_input(io);
        p = gost_take(io, 2);
        if (!p)
            return no_input(io);
        st->frame.rsv = gost_get16(p);
        st->waiting = 1;
    }
}

static int len_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_packet pkt;
    uint8_t head[2];
    int r;

    for (;;) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        r = gost_packet_recv(gost_app(io), &pkt);
        if (r != GOST_OK)
            return r;
        if (pkt.data.n > 65535)
            continue;
        gost_put16(head, (uint16_t)pkt.data.n);
        (void)gost_send(io, head, sizeof head);
        (void)gost_send(io, pkt.data.p, pkt.data.n);
    }
}

const struct gost_layer_ops gost_udptun_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_DATAGRAM,
    .flags = GOST_LAYER_CODEC,
    .open = tun_open,
    .decode = tun_decode,
    .encode = tun_encode,
};

const struct gost_layer_ops gost_udplen_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_DATAGRAM,
    .flags = GOST_LAYER_CODEC,
    .decode = len_decode,
    .encode = len_encode,
};
