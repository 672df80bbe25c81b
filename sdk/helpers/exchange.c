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
