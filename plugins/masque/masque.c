/* masque.c - the masque plugin: options, components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "masque.h"

static const struct gost_opt handler_options[] = {
    GOST_OPT_STRING(struct masque_conf, realm, "authBasicRealm", "gost", 0,
                    "realm shown when credentials are asked for"),
    GOST_OPT_DURATION(struct masque_conf, read_timeout, "readTimeout read.timeout idleTimeout", "0",
                      0, 0, 0, "end a CONNECT after this silence in both directions; 0: never"),
    GOST_OPT_LAST,
};

static const struct gost_opt connector_options[] = {
    GOST_OPT_DURATION(struct masque_connector_conf, timeout, "timeout connectTimeout", "0", 0, 0, 0,
                      "longest wait for the answer to CONNECT; 0: the host's own"),
    GOST_OPT_STRING(struct masque_connector_conf, host, "host", NULL, 0,
                    "authority of CONNECT-UDP; else the proxy's address"),
    GOST_OPT_STRING(struct masque_connector_conf, username, "auth.username", NULL, 0,
                    "user name for the proxy"),
    GOST_OPT_SECRET(struct masque_connector_conf, password, "auth.password", 0, 0,
                    "password for the proxy"),
    GOST_OPT_LAST,
};

static int refused(struct gost_prepare *p, const char *why)
{
    snprintf(p->error, p->error_size, "%s", why);
    return GOST_EPROTO;
}

static void handler_release(void *conf)
{
    struct masque_conf *c = conf;

    free(c->challenge);
    c->challenge = NULL;
}

static int handler_prepare(void *conf, struct gost_prepare *p)
{
    struct masque_conf *c = conf;
    const char *realm = c->realm && *c->realm ? c->realm : "gost";
    size_t n = strlen(realm) + 16;

    if (strchr(realm, '"') || !gost_http1_valid_value(gost_bytes_str(realm)))
        return refused(p, "authBasicRealm holds a quote or a control character; remove it");
    c->challenge = malloc(n);
    if (!c->challenge)
        return refused(p, "out of memory");
    snprintf(c->challenge, n, "Basic realm=\"%s\"", realm);
    return GOST_OK;
}

static int connector_prepare(void *conf, struct gost_prepare *p)
{
    struct masque_connector_conf *c = conf;
    const char *wrong = gost_http1_basic_check(c->username, c->password);

    if (!wrong && c->host &&
        (!gost_http1_valid_value(gost_bytes_str(c->host)) || strlen(c->host) >= GOST_ADDR_TEXT))
        wrong = "host is too long or holds a control character";
    return wrong ? refused(p, wrong) : GOST_OK;
}

static const struct gost_handler_ops handler_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_EXCHANGE,
    .step = masque_step,
};

static const struct gost_stack_ops dialer_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_CLIENT,
    .layers = "udp/quic/h3",
    .defaults = "tls.options.alpn=h3 keepAlive=false maxIdleTimeout=30s "
                "quic.enableDatagram=true h3.datagrams=true",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_HANDLER,
        .name = "masque",
        .summary = "MASQUE proxy on HTTP/3: CONNECT and CONNECT-UDP",
        .ops = &handler_ops,
        .options = handler_options,
        .conf_size = sizeof(struct masque_conf),
        .state_size = sizeof(struct masque_state),
        .prepare = handler_prepare,
        .release = handler_release,
    },
    {
        .kind = GOST_KIND_CONNECTOR,
        .name = "masque",
        .summary = "ask a MASQUE proxy",
        .ops = &masque_connector_ops,
        .options = connector_options,
        .conf_size = sizeof(struct masque_connector_conf),
        .state_size = sizeof(struct masque_client),
        .prepare = connector_prepare,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "masque.tunnel",
        .summary = "the bodies of an exchange as a stream",
        .ops = &gost_exchange_tunnel_ops,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "masque.udp",
        .summary = "UDP packets in HTTP datagrams of context 0",
        .ops = &masque_udp_ops,
    },
    {.kind = GOST_KIND_STACK,
     .name = "h3-masque",
     .summary = "HTTP/3 with datagrams, to a MASQUE proxy",
     .ops = &dialer_ops},
};

GOST_PLUGIN("masque", "1.0", "MIT", "MASQUE proxy, handler and connector", components,
            "handler:masque connector:masque layer:masque.tunnel layer:masque.udp "
            "dialer:h3-masque");
