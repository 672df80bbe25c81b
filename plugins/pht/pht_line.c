/* pht_line.c - bytes of a port as a line on another. */
/* SPDX-License-Identifier: MIT */
#include "pht.h"

#define PIECE 8190u /* whole triples: only the last piece has padding */

int pht_send_line(struct gost_io *to, struct gost_io *from, size_t n)
{
    const uint8_t *p = n ? gost_peek(from, n) : NULL;
    char text[PIECE / 3 * 4 + 1];
    size_t at, k, len;

    if (n && !p)
        return GOST_ENOMEM;
    for (at = 0; at < n; at += k) {
        k = n - at < PIECE ? n - at : PIECE;
        len = pht_line(text, gost_bytes(p + at, k));
        if (at + k < n)
            len--; /* the line goes on */
        if (gost_send(to, text, len) != GOST_OK)
            return GOST_ECLOSED;
    }
    gost_consume(from, n);
    return GOST_OK;
}
