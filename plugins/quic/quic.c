/* quic.c - the quic plugin: its options, its layer and the stack of that name. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "quic.h"

static const struct gost_opt quic_options[] = {
    GOST_OPT_FILE(struct quic_conf, cert_file, "tls.certFile", GOST_OPT_WATCH,
                  "our certificate and those that signed it, PEM; else one is generated"),
    GOST_OPT_FILE(struct quic_conf, key_file, "tls.keyFile", GOST_OPT_WATCH,
                  "its private key, PEM"),
    GOST_OPT_FILE(struct quic_conf, ca_file, "tls.caFile", GOST_OPT_WATCH,
                  "authorities the peer's certificate must come from; a server then demands one"),
    GOST_OPT_BOOL(struct quic_conf, secure, "tls.secure", "false", GOST_OPT_CLIENT,
                  "verify the server's certificate and its name"),
    GOST_OPT_STRING(struct quic_conf, server_name, "tls.serverName", NULL, GOST_OPT_CLIENT,
                    "name to ask for (SNI) and to verify; else the node's host"),
    GOST_OPT_LIST(struct quic_conf, alpn, "tls.options.alpn", NULL, 0,
                  "application protocols, the preferred one first; else h3 and quic/v1"),
    GOST_OPT_DURATION(struct quic_conf, validity, "tls.validity", "8760h", 60000, 3153600000000,
                      GOST_OPT_SERVER, "how long the generated certificate is valid"),
    GOST_OPT_STRING(struct quic_conf, common_name, "tls.commonName", "gost.run", GOST_OPT_SERVER,
                    "name in the generated certificate"),
    GOST_OPT_STRING(struct quic_conf, organization, "tls.organization", "GOST", GOST_OPT_SERVER,
                    "organization in the generated certificate"),
    GOST_OPT_BOOL(struct quic_conf, keepalive, "keepAlive", "true", 0,
                  "send something now and then, so that an idle connection lives"),
    GOST_OPT_DURATION(struct quic_conf, ttl, "ttl", "10s", 1, 86400000, 0,
                      "time between two such signs of life; at most half of maxIdleTimeout"),
    GOST_OPT_DURATION(struct quic_conf, handshake_timeout, "handshakeTimeout", "5s", 1, 86400000, 0,
                      "the handshake may take twice as long"),
    GOST_OPT_DURATION(struct quic_conf, idle_timeout, "maxIdleTimeout", "90s", 1, 86400000, 0,
                      "silence after which a connection is dead"),
    GOST_OPT_INT(struct quic_conf, max_streams, "maxStreams", "100", -1, 65536, "streams", 0,
                 "streams the peer may have open at once; negative: none"),
    GOST_OPT_BOOL(struct quic_conf, datagrams, "quic.enableDatagram enableDatagram enableDatagrams",
                  "false", 0, "offer unreliable datagrams"),
    GOST_OPT_SECRET(struct quic_conf, cipher_key, "cipherKey", 32, 0,
                    "AES key of 16, 24 or 32 bytes: every packet is encrypted once more, whole"),
    GOST_OPT_INT(struct quic_conf, backlog, "backlog", "128", 1, 65536, "streams", GOST_OPT_SERVER,
                 "accepted for GOST's sake: streams go to the handler at once"),
    GOST_OPT_BOOL(struct quic_conf, retry, "quic.retry", "false", GOST_OPT_SERVER,
                  "every client must prove its address first; else only under load"),
    GOST_OPT_LAST,
};

static int quic_prepare(void *conf, struct gost_prepare *p)
{
    struct quic_conf *c = conf;
    int r = quic_cred_prepare(c, p);

    if (r != GOST_OK) {
        quic_made_free(c->made);
        c->made = NULL;
    }
    return r;
}

static void quic_release(void *conf)
{
    struct quic_conf *c = conf;

    quic_made_free(c->made);
    c->made = NULL;
}

static const struct gost_stack_ops quic_stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp/quic",
};

static const struct gost_component quic_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "quic",
     .summary = "QUIC, both roles: streams in one connection over datagrams",
     .ops = &quic_layer_ops,
     .options = quic_options,
     .conf_size = sizeof(struct quic_conf),
     .state_size = sizeof(struct quic_state),
     .prepare = quic_prepare,
     .release = quic_release},
    {.kind = GOST_KIND_STACK, .name = "quic", .summary = "QUIC over UDP", .ops = &quic_stack_ops},
};

GOST_PLUGIN_FULL("quic", "0.1.0", "MIT", "The quic layer and the quic listener and dialer",
                 quic_components, "layer:quic listener:quic dialer:quic", quic_secrets_init, NULL,
                 NULL);
