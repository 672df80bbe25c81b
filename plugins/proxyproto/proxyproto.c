/* proxyproto.c - layer: reads the header of a proxy in front of us, or writes one to what we
 * dial. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "proxyproto.h"

struct conf {
    int64_t version;
    uint64_t timeout;
};

struct state {
    int given_up; /* the header did not come in time: the connection goes on without */
};

static int read_header(struct state *s, struct gost_io *io)
{
    struct proxyproto_header h;
    size_t n = gost_rx_len(io) < PROXYPROTO_V2_MAX ? gost_rx_len(io) : PROXYPROTO_V2_MAX;
    struct gost_bytes in = gost_bytes(n ? gost_peek(io, n) : NULL, n);
    int r = proxyproto_parse(in, gost_rx_eof(io) || s->given_up, &h);

    if (r == PROXYPROTO_MORE) {
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    gost_set_deadline(io, 0);
    if (r < 0)
        return gost_fail(io, GOST_EPROTO, "broken PROXY protocol header");
    gost_consume(io, (size_t)r);
    if (h.has_addresses)
        gost_set_source(io, &h.source, &h.destination);
    return GOST_OK;
}

static int handshake(void *state, const void *c, struct gost_io *io)
{
    struct state *s = state;
    const struct conf *conf = c;
    const struct gost_flow *flow = gost_flow(io);
    uint8_t buf[PROXYPROTO_HEADER_MAX];
    size_t n;

    if (flow->role == GOST_SERVER) {
        gost_phase(io, "the PROXY protocol header");
        return read_header(s, io);
    }
    n = proxyproto_put(buf, (int)conf->version, flow->network, flow->source, flow->destination);
    if (n)
        gost_send(io, buf, n);
    return GOST_OK;
}

static int open_layer(void *state, const void *c, struct gost_io *io)
{
    const struct conf *conf = c;

    if (gost_flow(io)->role == GOST_SERVER)
        gost_set_deadline(io, gost_now() + conf->timeout);
    return GOST_OK;
}

static int on_deadline(void *state, const void *c, struct gost_io *io)
{
    ((struct state *)state)->given_up = 1; /* as GOST: a silent client has no header */
    return GOST_AGAIN;
}

static const struct gost_opt options[] = {
    GOST_OPT_INT(struct conf, version, "proxyProtocol", "2", 0, 1000, NULL, GOST_OPT_CLIENT,
                 "version to send: 1, else 2"),
    GOST_OPT_DURATION(struct conf, timeout, "proxyProtocol.timeout", "10s", 1, 3600000,
                      GOST_OPT_SERVER, "how long to wait for a header before going on without"),
    GOST_OPT_LAST};

static const struct gost_layer_ops ops = {sizeof ops, GOST_STREAM, GOST_STREAM, 0,    open_layer,
                                          handshake,  NULL,        NULL,        NULL, on_deadline,
                                          NULL,       NULL,        NULL,        NULL};

static const struct gost_component components[] = {
    {GOST_KIND_LAYER, 0, "proxyproto", NULL, "PROXY protocol versions 1 and 2", &ops, options,
     sizeof(struct conf), sizeof(struct state), NULL, NULL},
};

GOST_PLUGIN("proxyproto", "1.0", "MIT", "PROXY protocol versions 1 and 2", components,
            "layer:proxyproto");
