/* smux_turns.c - what sessions of smux and yamux do alike: streams take turns, payload comes in. */
/* SPDX-License-Identifier: MIT */
#include "smux.h"

int smux_turns(const void *state, const void *conf, struct gost_io *io, smux_turn_fn *turn)
{
    struct gost_io *port;

    for (;;) {
        if (!gost_tx_room(io))
            return GOST_FULL;
        port = gost_stream_next(io);
        if (!port)
            return GOST_AGAIN;
        turn(state, conf, io, port);
    }
}

size_t smux_deliver(struct gost_io *io, struct gost_io *port, uint32_t *left)
{
    size_t n = gost_rx_len(io), moved = 0;

    n = n < *left ? n : *left;
    if (port)
        moved = gost_move(port, io, n);
    gost_consume(io, n - moved);
    *left -= (uint32_t)n;
    return moved;
}
