/* kcp_plugin.c - layer kcp; listener and dialer kcp: many streams over KCP over UDP. */
/* SPDX-License-Identifier: MIT */
#include "kcp.h"

/* An association lives as long as its session's keep-alive says; GOST has no limit of its own. */
static const struct gost_stack_ops kcp_stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp/kcp/smux",
    .renames = "kcp.smuxver=mux.version kcp.keepalive=mux.keepaliveInterval "
               "kcp.smuxbuf=mux.maxReceiveBuffer kcp.streambuf=mux.maxStreamBuffer",
    .defaults = "udp.ttl=60s udp.keepalive=true udp.readQueueSize=1024",
};

static const struct gost_component kcp_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "kcp",
     .summary = "a stream over packets: KCP as kcp-go speaks it",
     .ops = &kcp_layer_ops,
     .options = kcp_options,
     .conf_size = sizeof(struct kcp_conf),
     .state_size = sizeof(struct kcp),
     .prepare = kcp_prepare,
     .release = kcp_release},
    {.kind = GOST_KIND_STACK,
     .name = "kcp",
     .summary = "many streams over KCP over UDP",
     .ops = &kcp_stack_ops},
};

GOST_PLUGIN_FULL("kcp", "0.1.0", "MIT", "KCP, wire-equal to kcp-go", kcp_components,
                 "layer:kcp listener:kcp dialer:kcp", kcp_crypt_init, NULL, NULL);
