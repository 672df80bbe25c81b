/* error_without_text.c - fails without saying why. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    const uint8_t *b = gost_take(io, 1);

    if (!b && !gost_rx_eof(io))
        return GOST_AGAIN;
    return GOST_EPROTO; /* the defect: no gost_fail() */
}
