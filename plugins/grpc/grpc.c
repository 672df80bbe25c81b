/* grpc.c - the grpc plugin: options, the layer, the listener and dialer. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "grpc.h"

static const struct gost_opt grpc_options[] = {
    GOST_OPT_STRING(struct grpc_conf, path, "grpc.path path", "", 0,
                    "service and method; else /GostTunel/Tunnel. Both ends need the same"),
    GOST_OPT_STRING(struct grpc_conf, host, "grpc.authority grpc.host host", "", GOST_OPT_CLIENT,
                    "name of the server in the call; else the node's host"),
    GOST_OPT_BOOL(struct grpc_conf, insecure, "insecure", "false", 0,
                  "without TLS (also grpc.insecure, grpcInsecure)"),
    GOST_OPT_LAST,
};

static int grpc_prepare(void *conf, struct gost_prepare *p)
{
    struct grpc_conf *c = conf;
    char method[1024];
    size_t n = grpc_method(method, sizeof method, c->path);

    if (n == 0) {
        snprintf(p->error, p->error_size, "grpc.path is longer than %zu bytes", sizeof method - 9);
        return GOST_ETOOBIG;
    }
    c->method = malloc(n + 1);
    if (!c->method) {
        snprintf(p->error, p->error_size, "out of memory");
        return GOST_ENOMEM;
    }
    memcpy(c->method, method, n + 1);
    return GOST_OK;
}

static void grpc_release(void *conf)
{
    struct grpc_conf *c = conf;

    free(c->method);
    c->method = NULL;
}

/* What GOST calls keepalive here are HTTP/2 PINGs; those of TCP have tcp. in front. */
static const struct gost_stack_ops grpc_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls!insecure/h2/grpc",
    .renames = "grpc.insecure=insecure grpcInsecure=insecure "
               "keepalive=h2.keepalive grpc.keepalive=h2.keepalive "
               "keepalive.time=h2.keepalive.time grpc.keepalive.time=h2.keepalive.time "
               "keepalive.timeout=h2.keepalive.timeout "
               "grpc.keepalive.timeout=h2.keepalive.timeout "
               "keepalive.permitWithoutStream=h2.keepalive.permitWithoutStream "
               "grpc.keepalive.permitWithoutStream=h2.keepalive.permitWithoutStream "
               "<keepalive.maxConnectionIdle=h2.keepalive.maxConnectionIdle "
               "<grpc.keepalive.maxConnectionIdle=h2.keepalive.maxConnectionIdle",
    .defaults = "tls.options.alpn=h2 h2.profile=grpc",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_LAYER,
        .name = "grpc",
        .summary = "a stream in the messages of one gRPC call",
        .ops = &grpc_layer_ops,
        .options = grpc_options,
        .conf_size = sizeof(struct grpc_conf),
        .state_size = sizeof(struct grpc),
        .prepare = grpc_prepare,
        .release = grpc_release,
    },
    {.kind = GOST_KIND_STACK,
     .name = "grpc",
     .summary = "streams in gRPC calls, over TLS unless insecure",
     .ops = &grpc_stack},
};

GOST_PLUGIN("grpc", "1.0", "MIT", "GOST's gRPC tunnel: layer, listener and dialer", components,
            "layer:grpc listener:grpc dialer:grpc");
