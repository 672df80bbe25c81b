/* udpframe.h - datagrams in the three framings of the SOCKS5 family, and the codecs for streams. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_UDPFRAME_H
#define GOST_UDPFRAME_H

#include <gost/addr.h>
#include <gost/component.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A SOCKS5 UDP header is RSV (two bytes), FRAG (one byte), then the address. On a socket RSV and
 * FRAG are zero and the payload ends with the datagram. On a stream ("UDP-TUN") RSV is the length
 * of the payload and FRAG is 0xff.
 */
#define GOST_UDPFRAME_MAX (3 + GOST_SOCKS_ADDR_MAX) /* longest header */

struct gost_udpframe {
    struct gost_addr addr;
    uint16_t rsv; /* the payload's length on a stream */
    uint8_t frag;
};

/* Parse a header. Bytes used (> 0), 0 when more are needed (then *ret_need is how many in total),
 * GOST_EPROTO for an unknown address type. [any], pure */
int gost_udpframe_parse(struct gost_udpframe *ret_frame, size_t *ret_need, struct gost_bytes in);

/* Write a header to buf, at most GOST_UDPFRAME_MAX bytes; returns its length. [any], pure */
size_t gost_udpframe_put(uint8_t *buf, const struct gost_udpframe *frame);

/*
 * Codecs between a stream below and datagrams above, to be named in a plugin's component table with
 * GOST_LAYER_CODEC and state_size sizeof(struct gost_udpframe_state).
 *
 *   gost_udptun_layer   UDP-TUN framing. With an arg of the UPGRADE, in SOCKS5 address form,
 * there is
 *                       one peer and every packet goes there, whatever its address; without it
 *                       packets go where they say.
 *   gost_udplen_layer   two bytes of length, then the payload; there is one peer, so addresses are
 *                       neither sent nor told.
 */
struct gost_udpframe_state {
    struct gost_addr peer;      /* the only destination; NONE: packets say their own */
    struct gost_udpframe frame; /* header of the payload that is awaited */
    uint32_t waiting;           /* 1: the header is consumed, the payload is not all here */
};

extern const struct gost_layer_ops gost_udptun_layer;
extern const struct gost_layer_ops gost_udplen_layer;

#ifdef __cplusplus
}
#endif
#endif
