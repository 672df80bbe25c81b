/* http_plugin.c - the http plugin: option tables and components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http.h"
#include "udpframe.h"

static const struct gost_opt handler_options[] = {
    GOST_OPT_DURATION(struct http_conf, read_timeout, "readTimeout", "15s", 0, 0, 0,
                      "longest wait for the upstream's response head; 0: 15s"),
    GOST_OPT_DURATION(struct http_conf, idle_timeout, "idleTimeout", "0", 0, 0, 0,
                      "end a tunnel or an idle connection after this silence; 0: never"),
    GOST_OPT_MAP(struct http_conf, header, "http.header header", 0,
                 "fields added to the 400, 403 and 503 answers and to UDP answers"),
    GOST_OPT_BOOL(struct http_conf, keepalive, "http.keepalive keepalive", "false", 0,
                  "keep upstream connections open for more requests of the same client"),
    GOST_OPT_STRING(struct http_conf, proxy_agent, "http.proxyAgent proxyAgent", "gost/3.0", 0,
                    "value of Proxy-Agent in answers"),
    GOST_OPT_STRING(struct http_conf, realm, "authBasicRealm", "gost", 0,
                    "realm shown when credentials are asked for"),
    GOST_OPT_STRING(struct http_conf, probe_resist, "probeResist probe_resist", NULL, 0,
                    "what an unauthenticated client sees: code:N, web:URL, host:ADDR or file:PATH"),
    GOST_OPT_STRING(struct http_conf, knock, "knock", NULL, 0,
                    "host names, separated by commas, that get 407 in spite of probeResist"),
    GOST_OPT_BOOL(struct http_conf, udp, "udp", "false", 0, "serve UDP over HTTP"),
    GOST_OPT_BOOL(struct http_conf, sniffing, "sniffing", "false", 0,
                  "ask the bypass about the host that TLS or HTTP in a tunnel names, too"),
    GOST_OPT_LAST,
};

static const struct gost_opt connector_options[] = {
    GOST_OPT_DURATION(struct http_connector_conf, timeout, "timeout", "0", 0, 0, 0,
                      "longest wait for the answer to CONNECT; 0: the host's own"),
    GOST_OPT_MAP(struct http_connector_conf, header, "header", 0, "fields added to CONNECT"),
    GOST_OPT_STRING(struct http_connector_conf, username, "auth.username", NULL, 0,
                    "user name for the proxy"),
    GOST_OPT_SECRET(struct http_connector_conf, password, "auth.password", 0, 0,
                    "password for the proxy"),
    GOST_OPT_LAST,
};

static int handler_prepare(void *conf_, struct gost_prepare *p)
{
    struct http_conf *conf = conf_;
    const char *wrong = gost_http1_map_check(&conf->header);

    if (conf->read_timeout == 0)
        conf->read_timeout = 15 * GOST_S;
    if (!conf->realm[0])
        conf->realm = "gost";
    if (!conf->proxy_agent[0])
        conf->proxy_agent = "gost/3.0";
    if (!wrong && strchr(conf->realm, '"'))
        wrong = "authBasicRealm holds a quote; remove it";
    if (!wrong && !gost_http1_valid_value(gost_bytes_str(conf->realm)))
        wrong = "authBasicRealm holds a control character; remove it";
    if (!wrong && !gost_http1_valid_value(gost_bytes_str(conf->proxy_agent)))
        wrong = "proxyAgent holds a control character; remove it";
    if (!wrong)
        return http_decoy_prepare(conf, p);
    snprintf(p->error, p->error_size, "%s", wrong);
    return GOST_EPROTO;
}

static const struct gost_handler_ops handler_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = http_step,
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_HANDLER,
        .name = "http",
        .summary = "HTTP/1 proxy: CONNECT and forwarding",
        .ops = &handler_ops,
        .options = handler_options,
        .conf_size = sizeof(struct http_conf),
        .state_size = sizeof(struct http_state),
        .prepare = handler_prepare,
        .uses = "inspector:sniff?sniffing",
    },
    {
        .kind = GOST_KIND_CONNECTOR,
        .name = "http",
        .summary = "ask an HTTP proxy with CONNECT",
        .ops = &http_connector_ops,
        .options = connector_options,
        .conf_size = sizeof(struct http_connector_conf),
        .state_size = sizeof(struct http_connector_state),
        .prepare = http_connector_prepare,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "http.udp",
        .summary = "datagrams in the stream of an HTTP proxy",
        .ops = &gost_udptun_layer,
        .state_size = sizeof(struct gost_udpframe_state),
    },
};

GOST_PLUGIN("http", "1.0", "MIT", "HTTP/1 proxy, handler and connector", components,
            "handler:http connector:http layer:http.udp");
