/* crashes.c - follows a null pointer when the input ends early. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    const volatile uint8_t *b = gost_take(io, 4);

    if (!b && !gost_rx_eof(io))
        return GOST_AGAIN;
    return b[0] ? GOST_OK : gost_fail(io, GOST_EPROTO, "a zero byte came");
}
