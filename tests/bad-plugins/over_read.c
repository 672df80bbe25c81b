/* over_read.c - looks at a byte behind those it was given. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    const uint8_t *b = gost_peek(io, 1);
    char last;

    if (!b)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "nothing came") : GOST_AGAIN;
    last = (char)b[b[0] & 7]; /* the defect: only one byte was asked for */
    gost_send(io, &last, 1);
    return GOST_OK;
}
