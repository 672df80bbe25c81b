/* io.h - ports: how a step reads and writes bytes and packets. The host does all real I/O. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_IO_H
#define GOST_IO_H

#include <gost/addr.h>
#include <gost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * struct gost_io is one *port*: an incoming queue (rx) that the component reads and an outgoing
 * queue (tx) that it writes. Every step is given port 0; gost_port() gives the others.
 *
 *   handler    port 0: the client.       others: what its actions opened (1 to 7)
 *   connector  port 0: the dialed stream or packets, to which it speaks its protocol
 *   layer      port 0: the wire below.   port 1 (GOST_APP): the user above: what is sent there is
 *              delivered upwards, what is received there is to be encoded downwards
 *   session    as a layer, but instead of GOST_APP it has one port per stream, see session.h
 *
 * A port carries bytes (GOST_STREAM), packets (GOST_DATAGRAM), or bytes with heads
 * (GOST_EXCHANGE). Calls of the wrong kind return GOST_EINTERNAL and fail the flow by name.
 *
 * All calls here are [worker], only from inside a step and only on ports of that step's component.
 * No call runs plugin code. Views of bytes live until the next call on the same port.
 */
struct gost_io;

enum gost_type {
    GOST_STREAM = 0x01,   /* ordered bytes with half-close */
    GOST_DATAGRAM = 0x02, /* packets with addresses */
    GOST_SESSION = 0x04,  /* many streams */
    GOST_EXCHANGE = 0x08, /* request head, body, response head, body, trailers */
    GOST_DEVICE = 0x10    /* packets without a peer */
};

enum gost_role {
    GOST_SERVER = 1, /* accepted it */
    GOST_CLIENT = 2  /* opened it */
};

#define GOST_PORTS    8 /* ports of one handler or connector */
#define GOST_APP      1 /* a layer's upper port */
#define GOST_PEEK_MAX 65536

/* A packet. `data` and `addr` are borrowed in both directions. */
struct gost_packet {
    uint32_t size; /* sizeof this struct */
    uint8_t ecn;   /* two bits as on the wire */
    uint8_t flags;    /* GOST_PACKET_*: for route() only */
    uint16_t segment; /* > 0: data is several packets of this size (the last may be shorter) */
    struct gost_bytes data;
    const struct gost_addr *addr;  /* received: the source. sent: the destination; NULL: the peer */
    /* received: our address the packet came to, when known. sent: the address to send it from;
     * NULL, or where the kernel lets nobody choose: the socket's own */
    const struct gost_addr *local;
};

#define GOST_PACKET_STRAY 1u /* no instance has its key, and it may not make one */
#define GOST_PACKET_BUSY  2u /* the listener has many unproven instances */

/*
 * Heads of an exchange (HTTP semantics, RFC 9110). Names are lower case. Views are borrowed: when
 * received, until the next head call on that port; when sent, the host copies. Heads and body keep
 * their order: a head is received when the bytes sent before it are consumed.
 */
struct gost_field {
    struct gost_bytes name, value;
};

struct gost_head {
    uint32_t size;
    uint32_t status;                                             /* 0: this is a request */
    struct gost_bytes method, scheme, authority, path, protocol; /* request; protocol: RFC 8441 */
    const struct gost_field *fields;
    uint32_t n_fields;
    uint32_t flags; /* GOST_HEAD_* */
};

#define GOST_HEAD_INTERIM  1u /* 1xx: another head follows */
#define GOST_HEAD_TRAILERS 2u /* fields after the body */
#define GOST_HEAD_NO_BODY  4u /* nothing follows */

#ifdef __cplusplus
}
#endif
#endif
