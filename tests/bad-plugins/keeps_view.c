/* keeps_view.c - keeps a view of received bytes until a later step. */
/* SPDX-License-Identifier: MIT */
#define PROBE_STEP
#include "common.h"

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct probe *p = state;
    const uint8_t *b;

    if (!p->view) {
        b = gost_take(io, 1);
        if (!b)
            return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "nothing came") : GOST_AGAIN;
        p->view = b; /* the defect: it is gone at the next call */
    }
    b = gost_take(io, 3);
    if (!b)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "three more bytes are needed")
                               : GOST_AGAIN;
    gost_send(io, p->view, 1);
    return GOST_OK;
}
