/* stream_leaks.c - a session that keeps memory for each stream after its end. */
/* SPDX-License-Identifier: MIT */
#define PROBE_COMPONENTS                                                                    \
    {                                                                                       \
        .kind = GOST_KIND_LAYER, .name = "probe", .summary = "a session", .ops = &layer_ops \
    }
#define PROBE_NOTE "layer:probe"
#define PROBE_UNUSED_HANDLER
#include <stdlib.h>

#include <gost/plugin.h>

static int probe_decode(void *state, const void *conf, struct gost_io *io)
{
    const uint8_t *b = gost_take(io, 1);
    struct gost_io *s = b ? gost_stream_port(io, b[0]) : NULL;

    if (!b)
        return gost_rx_eof(io) ? GOST_END : GOST_AGAIN;
    if (!s && (s = gost_stream_new(io, b[0], 0)))
        gost_set_data(s, malloc(64));
    return GOST_AGAIN;
}

static int probe_encode(void *state, const void *conf, struct gost_io *io)
{
    return GOST_AGAIN;
}

static const struct gost_session_ops session_ops = {.size = sizeof(struct gost_session_ops)};

static const struct gost_layer_ops layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .above = GOST_SESSION,
    .decode = probe_decode,
    .encode = probe_encode,
    .session = &session_ops,
};

#include "common.h"
