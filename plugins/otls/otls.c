/* otls.c - the otls plugin: its options, its layer and the stack of that name. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "otls.h"

static const struct gost_opt otls_options[] = {
    GOST_OPT_STRING(struct otls_conf, host, "obfs.host host", NULL, GOST_OPT_CLIENT,
                    "server name of the hello; else the node's address with its port"),
    GOST_OPT_LAST,
};

static int otls_prepare(void *conf, struct gost_prepare *p)
{
    const struct otls_conf *c = conf;

    if (!c->host || strlen(c->host) <= OTLS_HOST_MAX)
        return GOST_OK;
    snprintf(p->error, p->error_size, "host is longer than %d bytes", OTLS_HOST_MAX);
    return GOST_EPROTO;
}

static const struct gost_stack_ops otls_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/otls",
};

static const struct gost_component otls_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "otls",
     .summary = "a stream that looks like TLS, without any cryptography",
     .ops = &otls_layer_ops,
     .options = otls_options,
     .conf_size = sizeof(struct otls_conf),
     .state_size = sizeof(struct otls_state),
     .prepare = otls_prepare},
    {.kind = GOST_KIND_STACK,
     .name = "otls",
     .summary = "TLS obfuscation over TCP",
     .ops = &otls_stack},
};

GOST_PLUGIN("otls", "0.1.0", "MIT", "TLS obfuscation: layer, listener and dialer", otls_components,
            "layer:otls listener:otls dialer:otls");
