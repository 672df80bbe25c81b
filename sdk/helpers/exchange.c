/* exchange.c - the bodies of an exchange as a stream. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "exchange.h"

int gost_exchange_pass(struct gost_io *from, struct gost_io *to)
{
    struct gost_head trailers;

    while (gost_rx_len(from) > 0) {
        if (gost_tx_room(to) == 0)
            return GOST_FULL;
        if (gost_move(to, from, gost_rx_len(from)) == 0) { /* nobody listens any more */
            gost_consume(from, gost_rx_len(from));
            break;
        }
    }
    while (gost_io_type(from) == GOST_EXCHANGE && gost_head_recv(from, &trailers) == GOST_OK)
        ;
    return GOST_AGAIN;
}

static int tunnel_decode(void *state, const void *conf, struct gost_io *io)
{
    return gost_exchange_pass(io, gost_app(io));
}

static int tunnel_encode(void *state, const void *conf, struct gost_io *io)
{
    return gost_exchange_pass(gost_app(io), io);
}

const struct gost_layer_ops gost_exchange_tunnel_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_EXCHANGE,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_CODEC,
    .decode = tunnel_decode,
    .encode = tunnel_encode,
};
