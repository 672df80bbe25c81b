/* h1.c - the h1 plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include "h1.h"

static const struct gost_opt h1_options[] = {
    GOST_OPT_SIZE(struct h1_conf, max_header, "h1.maxHeaderSize", "60KB", 1024, GOST_HTTP1_HEAD_MAX,
                  0, "largest head to accept"),
    GOST_OPT_DURATION(struct h1_conf, head_timeout, "h1.headTimeout", "30s", 1, 0, GOST_OPT_SERVER,
                      "how long a client may take for the head of a request"),
    GOST_OPT_DURATION(struct h1_conf, idle_timeout, "h1.idleTimeout", "120s", 0, 0, GOST_OPT_SERVER,
                      "end a connection without a request after this time; 0: never"),
    GOST_OPT_LAST,
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_LAYER,
        .name = "h1",
        .summary = "HTTP/1.1, both roles: exchanges one after the other",
        .ops = &h1_layer_ops,
        .options = h1_options,
        .conf_size = sizeof(struct h1_conf),
        .state_size = sizeof(struct h1),
    },
};

GOST_PLUGIN("h1", "1.0", "MIT", "HTTP/1.1 as exchanges", components, "layer:h1");
