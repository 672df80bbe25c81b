/* hangs.c - never returns from a step. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    volatile int wait = 1;

    while (wait)
        ;
    return GOST_OK;
}
