/* not_split.c - takes it for granted that a message comes in one piece. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_bytes b = gost_rx(io);

    if (!b.n)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "nothing came") : GOST_AGAIN;
    gost_send(io, "k", 1); /* the defect: the length is not looked at */
    gost_send(io, b.p + 1, b.n - 1);
    gost_send(io, "?!", 2);
    gost_consume(io, b.n);
    return GOST_OK;
}
