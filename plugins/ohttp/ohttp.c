/* ohttp.c - the ohttp plugin: its options, its layer and the stacks of that name. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "ohttp.h"

static const struct gost_opt ohttp_options[] = {
    GOST_OPT_STRING(struct ohttp_conf, host, "obfs.host host", NULL, GOST_OPT_CLIENT,
                    "the Host field; else the node's address with its port"),
    GOST_OPT_STRING(struct ohttp_conf, path, "obfs.path path", NULL, GOST_OPT_CLIENT,
                    "of no effect, as in GOST: the request is for /"),
    GOST_OPT_MAP(struct ohttp_conf, header, "obfs.header header", 0,
                 "more fields of the request (client) or the answer (server)"),
    GOST_OPT_LAST,
};

static int ohttp_prepare(void *conf, struct gost_prepare *p)
{
    const struct ohttp_conf *c = conf;
    const char *why = gost_http1_map_check(&c->header);

    if (!why && c->host && !gost_http1_valid_value(gost_bytes_str(c->host)))
        why = "obfs.host holds a control character; write a host name";
    if (!why)
        return GOST_OK;
    snprintf(p->error, p->error_size, "%s", why);
    return GOST_EPROTO;
}

static const struct gost_stack_ops ohttp_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/ohttp",
};

static const struct gost_stack_ops ohttps_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_CLIENT,
    .layers = "tcp/ohttp",
};

static const struct gost_component ohttp_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "ohttp",
     .summary = "a stream that begins like an HTTP upgrade",
     .ops = &ohttp_layer_ops,
     .options = ohttp_options,
     .conf_size = sizeof(struct ohttp_conf),
     .state_size = sizeof(struct ohttp_state),
     .prepare = ohttp_prepare},
    {.kind = GOST_KIND_STACK,
     .name = "ohttp",
     .summary = "HTTP obfuscation over TCP",
     .ops = &ohttp_stack},
    {.kind = GOST_KIND_STACK,
     .name = "ohttps",
     .summary = "the same as ohttp: as in GOST there is no TLS in it",
     .ops = &ohttps_stack},
};

GOST_PLUGIN("ohttp", "0.1.0", "MIT", "HTTP obfuscation: layer, listener and dialer",
            ohttp_components, "layer:ohttp listener:ohttp dialer:ohttp dialer:ohttps");
