/* sends_after_ok.c - sends when its flow has ended already. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#define PROBE_DESTROY
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct probe *p = state;

    p->io = io;
    if (!gost_peek(io, 1))
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "nothing came") : GOST_AGAIN;
    return GOST_OK;
}

static void probe_destroy(void *state)
{
    struct probe *p = state;

    if (p->io)
        gost_send(p->io, "bye", 3); /* the defect */
}
