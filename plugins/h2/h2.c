/* h2.c - the h2 plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "h2.h"

static const struct gost_opt h2_options[] = {
    GOST_OPT_ENUM(struct h2_conf, profile, "h2.profile", "go", "go grpc", 0,
                  "whose settings and order of fields to show"),
    GOST_OPT_SIZE(struct h2_conf, window, "h2.windowSize", "0", 0, 1073741824, 0,
                  "bytes of a stream that may be under way to us; 0: the profile's own"),
    GOST_OPT_SIZE(struct h2_conf, max_header, "h2.maxHeaderSize", "64KB", 1024, 65536, 0,
                  "largest head to accept"),
    GOST_OPT_INT(struct h2_conf, max_streams, "h2.maxStreams", "-1", -1, 4096, NULL,
                 GOST_OPT_SERVER,
                 "streams of one client at a time; -1: the profile's own, 0: no limit told"),
    GOST_OPT_INT(struct h2_conf, http1_status, "h2.http1Status", "0", 0, 599, NULL, GOST_OPT_SERVER,
                 "status that a client of HTTP/1 is answered with; 0: none"),
    GOST_OPT_BOOL(struct h2_conf, extended_connect, "h2.extendedConnect", "false", 0,
                  "CONNECT with a protocol (RFC 8441): a server allows it, a client waits for "
                  "the server to allow it"),
    GOST_OPT_BOOL(struct h2_conf, keepalive, "h2.keepalive", "false", 0,
                  "send a PING when the peer is silent"),
    GOST_OPT_DURATION(struct h2_conf, keepalive_time, "h2.keepalive.time", "0", 0, 0, 0,
                      "silence before a PING; 0: 30s for a client, 60s for a server"),
    GOST_OPT_DURATION(struct h2_conf, keepalive_timeout, "h2.keepalive.timeout", "30s", 1, 0, 0,
                      "longest wait for the answer to a PING"),
    GOST_OPT_BOOL(struct h2_conf, permit_without_stream, "h2.keepalive.permitWithoutStream",
                  "false", 0, "send PINGs also while there are no streams"),
    GOST_OPT_DURATION(struct h2_conf, max_idle, "h2.keepalive.maxConnectionIdle", "0", 0, 0,
                      GOST_OPT_SERVER, "end a session without streams after this time; 0: never"),
    GOST_OPT_LAST,
};

static int h2_prepare(void *conf, struct gost_prepare *p)
{
    struct h2_conf *c = conf;

    if (c->window && c->window < 16384) {
        snprintf(p->error, p->error_size, "h2.windowSize %llu is too small; write 16KB or more",
                 (unsigned long long)c->window);
        return GOST_EPROTO;
    }
    if (!c->keepalive_time)
        c->keepalive_time = (p->role == GOST_CLIENT ? 30 : 60) * GOST_S;
    return GOST_OK;
}

static const struct gost_stack_ops h2_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls/h2/h2tunnel",
    .defaults = "tls.options.alpn=h2,http/1.1 h2.http1Status=405",
};

static const struct gost_stack_ops h2c_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/h2/h2tunnel",
    .defaults = "h2.http1Status=405",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_LAYER,
        .name = "h2",
        .summary = "HTTP/2, both roles: each request is an exchange",
        .ops = &h2_layer_ops,
        .options = h2_options,
        .conf_size = sizeof(struct h2_conf),
        .state_size = sizeof(struct h2),
        .prepare = h2_prepare,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "h2tunnel",
        .summary = "a stream in the bodies of one HTTP exchange",
        .ops = &h2_tunnel_ops,
        .options = h2_tunnel_options,
        .conf_size = sizeof(struct h2_tunnel_conf),
        .state_size = sizeof(struct h2_tunnel),
        .prepare = h2_tunnel_prepare,
    },
    {.kind = GOST_KIND_STACK,
     .name = "h2",
     .summary = "streams over HTTP/2 and TLS",
     .ops = &h2_stack},
    {.kind = GOST_KIND_STACK,
     .name = "h2c",
     .summary = "streams over HTTP/2 in clear text",
     .ops = &h2c_stack},
};

GOST_PLUGIN_FULL("h2", "1.0", "MIT", "HTTP/2: the layer, and streams over it", components,
                 "layer:h2 layer:h2tunnel listener:h2 dialer:h2 listener:h2c dialer:h2c",
                 h2_callbacks_init, NULL, NULL);
