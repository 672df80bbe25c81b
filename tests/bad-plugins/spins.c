/* spins.c - asks to be called again at once, for ever. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    if (gost_rx_eof(io))
        return GOST_OK;
    gost_set_deadline(io, gost_now()); /* the defect: that time has come already */
    return GOST_AGAIN;
}
