/* h3.c - the h3 plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/http1.h>

#include "wt.h"

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

static const struct gost_opt wt_options[] = {
    GOST_OPT_STRING(struct wt_conf, path, "wt.path path", "/wt", 0, "path of the session"),
    GOST_OPT_STRING(struct wt_conf, host, "wt.host host", NULL, GOST_OPT_CLIENT,
                    "authority of the session; else the node's host"),
    GOST_OPT_MAP(struct wt_conf, header, "wt.header header", GOST_OPT_CLIENT,
                 "fields added to the request of the session"),
    GOST_OPT_LAST,
};

static int refuse(struct gost_prepare *p, const char *what, const char *why)
{
    snprintf(p->error, p->error_size, "%s: %s", what, why);
    return GOST_EPROTO;
}

static int wt_prepare(void *conf, struct gost_prepare *p)
{
    struct wt_conf *c = conf;
    uint32_t i;

    c->h3 = (struct h3_conf){
        .extended_connect = 1, .datagrams = 1, .webtransport = 1, .max_header = WT_HEAD_MAX};
    if (!c->path || !*c->path)
        c->path = "/wt";
    if (c->path[0] != '/' || strpbrk(c->path, " ?#") ||
        !gost_http1_valid_value(gost_bytes_str(c->path)))
        return refuse(p, "wt.path", "it is no path: write one as /wt, without a query");
    if (c->host && !gost_http1_valid_value(gost_bytes_str(c->host)))
        return refuse(p, "wt.host", "it holds a control character: remove it");
    for (i = 0; i < c->header.n; i++)
        if (!gost_http1_valid_name(gost_bytes_str(c->header.v[i].key)) ||
            !gost_http1_valid_value(gost_bytes_str(c->header.v[i].value)))
            return refuse(p, "wt.header", "a name or a value is none of HTTP: correct it");
    return GOST_OK;
}

static const struct gost_stack_ops wt_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp/quic/wt",
    .defaults = "tls.options.alpn=h3 quic.enableDatagram=true",
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
    {
        .kind = GOST_KIND_LAYER,
        .name = "wt",
        .summary = "WebTransport over HTTP/3, both roles: streams of one session",
        .ops = &wt_layer_ops,
        .options = wt_options,
        .conf_size = sizeof(struct wt_conf),
        .state_size = sizeof(struct wt),
        .prepare = wt_prepare,
    },
    {.kind = GOST_KIND_STACK,
     .name = "wt",
     .summary = "WebTransport over HTTP/3 over QUIC",
     .ops = &wt_stack},
    {.kind = GOST_KIND_STACK, .name = "http3", .summary = "HTTP/3 over QUIC", .ops = &http3_stack},
};

GOST_PLUGIN("h3", "1.0", "MIT",
            "HTTP/3 and WebTransport: the layers, the listener http3, listener and dialer wt",
            components, "layer:h3 layer:wt listener:http3 listener:wt dialer:wt");
