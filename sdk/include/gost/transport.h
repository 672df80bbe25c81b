/* transport.h - transports: descriptor factories, and the marked hatch for engines that own one. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_TRANSPORT_H
#define GOST_TRANSPORT_H

#include <gost/action.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A transport makes descriptors; the host reads, writes, limits and splices them. All calls return
 * at once: descriptors are non-blocking and close-on-exec. An error is a negative errno value (the
 * host turns it into enum gost_error and a sentence) or an enum gost_error value.
 */
struct gost_socket {
    uint32_t size;
    int32_t fd;       /* in/out */
    uint32_t role;    /* enum gost_role */
    uint32_t network; /* enum gost_network */
    const struct gost_addr
        *addr;                  /* to listen at or connect to; an IP address or a path. borrowed */
    struct gost_addr *local;    /* may be filled: our address */
    struct gost_addr *remote;   /* may be filled: the peer's address */
    struct gost_addr *original; /* may be filled: original destination (redirect, tproxy) */
    const char *interface_name; /* bind outgoing traffic to it; NULL: none */
    uint32_t mark;              /* SO_MARK, 0: none */
    uint32_t flags;
    uint16_t
        tag; /* set by dial() of a transport with a frame: struct gost_frame.tag from then on */
};

/* Of which packet wrap() and unwrap() of a transport are asked. */
struct gost_frame {
    uint32_t size;
    uint32_t role;  /* of the descriptor: GOST_SERVER when listen() made it */
    uint32_t count; /* sending: packets that this descriptor sent before */
    uint16_t tag;   /* GOST_CLIENT: what dial() set */
    uint16_t port;  /* sending as GOST_SERVER: port of the peer's address */
};
#define GOST_FRAME_MAX 64u /* bytes that wrap() may add */

struct gost_transport_ops {
    uint32_t size;
    uint32_t type; /* enum gost_type: GOST_STREAM, GOST_DATAGRAM, GOST_DEVICE */
    /* Make a bound, listening (STREAM) or bound (DATAGRAM) descriptor in s->fd. [main] */
    int (*listen)(const void *conf, struct gost_socket *s);
    /* Make a descriptor in s->fd and start connecting; GOST_AGAIN: under way. [worker] */
    int (*dial)(const void *conf, struct gost_socket *s);
    /* A descriptor was accepted from ours: set options, fill s->original. NULL: nothing. [worker]
     * */
    int (*accepted)(const void *conf, struct gost_socket *s);
    /* The connection is established: set options. NULL: nothing. [worker] */
    int (*connected)(const void *conf, struct gost_socket *s);
    /* The listener is closed for good (remove a socket file). NULL: nothing. [main] */
    void (*unlisten)(const void *conf, struct gost_socket *s);
    uint32_t flags; /* GOST_TRANSPORT_* */
    /* GOST_DATAGRAM whose packets lie in a frame of their own within what the descriptor gives
     * (ICMP); else both NULL. unwrap: GOST_OK, a view into data, and the port that the peer's
     * address has for the layers above; else the packet is none of ours and dropped. wrap: writes
     * data in its frame, at most GOST_FRAME_MAX bytes more, and returns the size. Both are called
     * for descriptors of all workers at once. [worker] */
    int (*unwrap)(const struct gost_frame *frame, struct gost_bytes data,
                  struct gost_bytes *ret_data, uint16_t *ret_port);
    size_t (*wrap)(const struct gost_frame *frame, struct gost_bytes data, uint8_t *out);
};

/*
 * The host's table of associations of a GOST_DATAGRAM transport goes by options that the transport
 * declares: "ttl" (duration: silence after which an association ends; without it 5 s) and
 * "keepalive" (bool: it goes on after its first answer; without it, it does not). A stack with
 * layers sets them in its defaults.
 */
#define GOST_TRANSPORT_FIRST_ONLY 1u /* raw sockets: only in the first node of a chain */
#define GOST_TRANSPORT_PATH       2u /* addresses are paths */
/* Makes no descriptors, listen and dial are NULL: as a listener the host binds the address at the
 * end of the listener's chain (or here, when it has none) and serves what arrives there. */
#define GOST_TRANSPORT_CHAIN 4u

#ifdef __cplusplus
}
#endif
#endif
