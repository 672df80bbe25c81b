/* http1_client_read.c - the answer of a web server from a port. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "http1_client.h"

int gost_answer_read(struct gost_answer *a, struct gost_io *wire, const char **ret_why)
{
    const uint8_t *p;
    size_t n, used;
    int r = GOST_AGAIN;

    while (r == GOST_AGAIN && wire && (n = gost_rx_len(wire)) > 0) {
        if (n > GOST_PEEK_MAX)
            n = GOST_PEEK_MAX;
        p = gost_peek(wire, n);
        if (!p)
            break;
        r = gost_answer_feed(a, gost_bytes(p, n), &used, ret_why);
        gost_consume(wire, used);
        if (r == GOST_AGAIN && used == 0) {
            gost_want(wire, n + 1);
            break;
        }
    }
    return r;
}
