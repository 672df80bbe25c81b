/* h3.c - the h3 plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include "h3.h"

static const struct gost_opt h3_options[] = {
    GOST_OPT_SIZE(struct h3_conf, max_header, "h3.maxHeaderSize", "64000", 1024, 65000, 0,
                  "largest head to accept"),
    GOST_OPT_BOOL(struct h3_conf, extended_connect, "h3.extendedConnect", "true", 0,
                  "CONNECT with a protocol (RFC 9220): a server allows it, a client waits for "
                  "the server to allow it"),
    GOST_OPT_BOOL(struct h3_conf, datagrams, "h3.datagrams enableDatagrams", "false", 0,
                  "HTTP datagrams (RFC 9297); QUIC has to have them, too"),
    GOST_OPT_LAST,
};

static const struct gost_stack_ops http3_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER,
    .layers = "udp/quic/h3",
    .defaults = "tls.options.alpn=h3 keepAlive=false maxIdleTimeout=30s "
                "quic.enableDatagram=true h3.datagrams=true",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_LAYER,
        .name = "h3",
        .summary = "HTTP/3, both roles: each request is an exchange",
        .ops = &h3_layer_ops,
        .options = h3_options,
        .conf_size = sizeof(struct h3_conf),
        .state_size = sizeof(struct h3),
    },
    {.kind = GOST_KIND_STACK, .name = "http3", .summary = "HTTP/3 over QUIC", .ops = &http3_stack},
};

GOST_PLUGIN("h3", "1.0", "MIT", "HTTP/3: the layer, and the listener http3", components,
            "layer:h3 listener:http3");
