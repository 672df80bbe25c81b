/* yamux_wire.h - frames of yamux: pure functions. */
/* SPDX-License-Identifier: MIT */
#ifndef YAMUX_WIRE_H
#define YAMUX_WIRE_H

#include <gost/base.h>

enum {
    YAMUX_HEAD = 12,
    YAMUX_FIRST_WINDOW = 262144 /* of each direction of a new stream */
};

enum yamux_type { YAMUX_DATA, YAMUX_WINDOW, YAMUX_PING, YAMUX_GOAWAY };

/* Of a ping: SYN asks, ACK answers. */
enum yamux_flag { YAMUX_SYN = 1, YAMUX_ACK = 2, YAMUX_FIN = 4, YAMUX_RST = 8 };

enum yamux_reason { YAMUX_NORMAL, YAMUX_PROTOCOL, YAMUX_INTERNAL };

struct yamux_head {
    uint8_t type;
    uint16_t flags;
    uint32_t id; /* 0: the session */
    uint32_t
        length; /* of data, the credit of a window, of a ping its own, of a go-away the reason */
};

void yamux_head_put(uint8_t p[YAMUX_HEAD], const struct yamux_head *head);

/* NULL, or what is wrong with a frame; a literal. */
const char *yamux_head_get(const uint8_t p[YAMUX_HEAD], struct yamux_head *ret_head);

#endif
