/* http2.c - the http2 plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "http2.h"

static const struct gost_opt handler_options[] = {
    GOST_OPT_MAP(struct http2_conf, header, "http.header header", 0,
                 "fields added to the answers 200 and 503"),
    GOST_OPT_STRING(struct http2_conf, realm, "authBasicRealm", "gost", 0,
                    "realm shown when credentials are asked for"),
    GOST_OPT_STRING(struct http2_conf, probe_resist, "probeResist probe_resist", NULL, 0,
                    "what an unauthenticated client sees: code:N, web:URL, host:ADDR or file:PATH"),
    GOST_OPT_STRING(struct http2_conf, knock, "knock", NULL, 0,
                    "host names, separated by commas, that get 407 in spite of probeResist"),
    GOST_OPT_DURATION(struct http2_conf, read_timeout, "readTimeout read.timeout", "0", 0, 0, 0,
                      "end a request after this silence in both directions; 0: never"),
    GOST_OPT_LAST,
};

static const struct gost_opt connector_options[] = {
    GOST_OPT_DURATION(struct http2_connector_conf, timeout, "timeout", "0", 0, 0, 0,
                      "longest wait for the answer to CONNECT; 0: the host's own"),
    GOST_OPT_MAP(struct http2_connector_conf, header, "header", 0, "fields added to CONNECT"),
    GOST_OPT_STRING(struct http2_connector_conf, username, "auth.username", NULL, 0,
                    "user name for the proxy"),
    GOST_OPT_SECRET(struct http2_connector_conf, password, "auth.password", 0, 0,
                    "password for the proxy"),
    GOST_OPT_LAST,
};

static int make_challenge(struct http2_conf *c)
{
    const char *realm = c->realm && *c->realm ? c->realm : "gost";
    size_t n = strlen(realm) + 16;

    c->challenge = malloc(n);
    if (!c->challenge)
        return GOST_ENOMEM;
    snprintf(c->challenge, n, "Basic realm=\"%s\"", realm);
    return GOST_OK;
}

static void handler_release(void *conf)
{
    struct http2_conf *c = conf;

    http2_list_free(&c->fields);
    free(c->challenge);
    c->challenge = NULL;
}

static int handler_prepare(void *conf, struct gost_prepare *p)
{
    struct http2_conf *c = conf;
    const char *wrong = http2_map_check(&c->header);
    int r = GOST_EPROTO;

    if (!wrong && c->realm && strchr(c->realm, '"'))
        wrong = "authBasicRealm holds a quote; remove it";
    if (!wrong && c->realm && !gost_http1_valid_value(gost_bytes_str(c->realm)))
        wrong = "authBasicRealm holds a control character; remove it";
    if (!wrong &&
        (make_challenge(c) != GOST_OK || http2_list_make(&c->fields, &c->header) != GOST_OK))
        wrong = "out of memory";
    if (wrong)
        snprintf(p->error, p->error_size, "%s", wrong);
    else
        r = http2_decoy_prepare(c, p);
    if (r != GOST_OK)
        handler_release(c);
    return r;
}

static const struct gost_handler_ops handler_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_EXCHANGE,
    .step = http2_step,
};

static const struct gost_stack_ops stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls/h2",
    .defaults = "tls.options.alpn=h2,http/1.1",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_HANDLER,
        .name = "http2",
        .summary = "HTTP/2 proxy: CONNECT and forwarding",
        .ops = &handler_ops,
        .options = handler_options,
        .conf_size = sizeof(struct http2_conf),
        .state_size = sizeof(struct http2_state),
        .prepare = handler_prepare,
        .release = handler_release,
    },
    {
        .kind = GOST_KIND_CONNECTOR,
        .name = "http2",
        .summary = "ask an HTTP/2 proxy with CONNECT",
        .ops = &http2_connector_ops,
        .options = connector_options,
        .conf_size = sizeof(struct http2_connector_conf),
        .prepare = http2_connector_prepare,
        .release = http2_connector_release,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "http2.tunnel",
        .summary = "the bodies of an exchange as a stream",
        .ops = &gost_exchange_tunnel_ops,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "http2.upstream",
        .summary = "one exchange in HTTP/1 on a stream",
        .ops = &http2_upstream_ops,
        .state_size = sizeof(struct http2_upstream),
    },
    {.kind = GOST_KIND_STACK, .name = "http2", .summary = "HTTP/2 over TLS", .ops = &stack_ops},
};

GOST_PLUGIN("http2", "1.0", "MIT", "HTTP/2 proxy, handler and connector", components,
            "handler:http2 connector:http2 layer:http2.tunnel layer:http2.upstream listener:http2 "
            "dialer:http2");
