/* auto.c - handler auto: one look at the first byte, then another handler goes on. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "auto.h"

static int auto_step(void *state, const void *conf, struct gost_io *io,
                     const struct gost_event *ev)
{
    const uint8_t *p;
    int r;

    if (ev->type == GOST_EV_CLOSED || (ev->type == GOST_EV_CANCEL && gost_rx_len(io) == 0))
        return GOST_OK;
    gost_phase(io, "the client's first byte");
    p = gost_peek(io, 1);
    if (!p)
        return ev->type == GOST_EV_EOF || gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
    r = gost_handoff(io, GOST_KIND_HANDLER, auto_choose(p[0]));
    return r == GOST_OK ? GOST_AGAIN : r;
}

static const struct gost_handler_ops auto_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = auto_step,
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_HANDLER,
        .name = "auto",
        .summary = "SOCKS4, SOCKS5, HTTP and TLS by server name on one port",
        .ops = &auto_ops,
        .uses = "handler:socks4 handler:socks5 handler:sni handler:http",
    },
};

GOST_PLUGIN("auto", "1.0", "MIT", "proxy protocols told apart by their first byte", components,
            "handler:auto");
