/* tls.c - the tls plugin: its options, its layer and the stack of that name. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <gost/plugin.h>

#include "tls.h"

#define DTLS_SIZE    1200 /* as GOST; together with UDP and IPv6 below any path's limit */
#define DTLS_MTU_MIN 256  /* OpenSSL's own */

/* What certificates need, over streams and over packets. */
#define CERT_OPTIONS                                                                           \
    GOST_OPT_FILE(struct tls_conf, cert_file, "tls.certFile", GOST_OPT_WATCH,                  \
                  "our certificate and those that signed it, PEM"),                            \
        GOST_OPT_FILE(struct tls_conf, key_file, "tls.keyFile", GOST_OPT_WATCH,                \
                      "its private key, PEM"),                                                 \
        GOST_OPT_FILE(                                                                         \
            struct tls_conf, ca_file, "tls.caFile", GOST_OPT_WATCH,                            \
            "authorities the peer's certificate must come from; a server then demands one"),   \
        GOST_OPT_BOOL(struct tls_conf, secure, "tls.secure", "false", GOST_OPT_CLIENT,         \
                      "verify the server's certificate and its name"),                         \
        GOST_OPT_STRING(struct tls_conf, server_name, "tls.serverName", NULL, GOST_OPT_CLIENT, \
                        "name to ask for (SNI) and to verify; else the node's host"),          \
        GOST_OPT_LIST(struct tls_conf, pins, "tls.pin", NULL, GOST_OPT_CLIENT,                 \
                      "sha256/... of the server's public key or certificate; one must match"), \
        GOST_OPT_LIST(struct tls_conf, cipher_suites, "tls.options.cipherSuites", NULL, 0,     \
                      "suites of TLS 1.2 by Go's names; those of TLS 1.3 are always on"),      \
        GOST_OPT_LIST(struct tls_conf, certs, "tls.certs certs", NULL, GOST_OPT_SERVER,        \
                      "more certificates, each \"cert.pem key.pem\", chosen by the name the "  \
                      "client asks for"),                                                      \
        GOST_OPT_BOOL(struct tls_conf, reject_unknown_sni, "tls.rejectUnknownSNI", "false",    \
                      GOST_OPT_SERVER,                                                         \
                      "refuse clients that name no server, or none of tls.serverNames"),       \
        GOST_OPT_LIST(struct tls_conf, server_names, "tls.serverNames", NULL, GOST_OPT_SERVER, \
                      "names that tls.rejectUnknownSNI lets pass; empty: any name"),           \
        GOST_OPT_DURATION(struct tls_conf, validity, "tls.validity", "8760h", 60000,           \
                          3153600000000, GOST_OPT_SERVER,                                      \
                          "how long the generated certificate is valid"),                      \
        GOST_OPT_STRING(struct tls_conf, common_name, "tls.commonName", "gost.run",            \
                        GOST_OPT_SERVER, "name in the generated certificate"),                 \
        GOST_OPT_STRING(struct tls_conf, organization, "tls.organization", "GOST",             \
                        GOST_OPT_SERVER, "organization in the generated certificate"),         \
        GOST_OPT_DURATION(struct tls_conf, handshake_timeout, "handshakeTimeout", "0", 0,      \
                          86400000, 0, "longest time for the handshake; 0: no limit of its own")

static const struct gost_opt tls_options[] = {
    CERT_OPTIONS,
    GOST_OPT_STRING(struct tls_conf, min_version, "tls.options.minVersion", NULL, 0,
                    "oldest version to speak, VersionTLS10 to VersionTLS13; else VersionTLS12"),
    GOST_OPT_STRING(struct tls_conf, max_version, "tls.options.maxVersion", NULL, 0,
                    "newest version to speak; else VersionTLS13"),
    GOST_OPT_LIST(struct tls_conf, alpn, "tls.options.alpn", NULL, 0,
                  "application protocols: what a client offers, what a server chooses from"),
    GOST_OPT_STRING(struct tls_conf, fingerprint, "fingerprint", NULL, GOST_OPT_CLIENT,
                    "whose ClientHello to show: chrome, firefox, safari, ios or edge; else golang, "
                    "our own"),
    GOST_OPT_LAST,
};

static const struct gost_opt dtls_options[] = {
    CERT_OPTIONS,
    GOST_OPT_INT(struct tls_conf, mtu, "dtls.mtu mtu", "1200", 0, 16384, "bytes", 0,
                 "largest packet of a handshake, 256 or more; 0: 1200"),
    GOST_OPT_INT(struct tls_conf, buffer_size, "dtls.bufferSize bufferSize", "1200", 0, 16384,
                 "bytes", 0, "most bytes that a record carries; 0: 1200"),
    GOST_OPT_DURATION(struct tls_conf, flight, "dtls.flightInterval flightInterval", "1s", 0, 60000,
                      0, "time until a lost packet of the handshake is sent again; 0: 1 s"),
    GOST_OPT_LAST,
};

static int tls_prepare(void *conf, struct gost_prepare *p)
{
    struct tls_conf *c = conf;
    int r;

    c->made = calloc(1, sizeof *c->made);
    if (!c->made)
        return tls_refuse(p, "out of memory");
    c->made->role = p->role == GOST_CLIENT ? GOST_CLIENT : GOST_SERVER;
    r = p->role == GOST_CLIENT ? tls_client_prepare(c, p) : tls_server_prepare(c, p);
    if (r != GOST_OK) {
        tls_made_free(c->made);
        c->made = NULL;
    }
    return r;
}

static int dtls_prepare(void *conf, struct gost_prepare *p)
{
    struct tls_conf *c = conf;

    c->datagrams = 1;
    if (!c->mtu)
        c->mtu = DTLS_SIZE;
    if (!c->buffer_size)
        c->buffer_size = DTLS_SIZE;
    if (!c->flight)
        c->flight = GOST_S;
    if (c->mtu < DTLS_MTU_MIN)
        return tls_refuse(p, "dtls.mtu is %lld: no handshake fits, write %d or more",
                          (long long)c->mtu, DTLS_MTU_MIN);
    return tls_prepare(c, p);
}

static void tls_release(void *conf)
{
    struct tls_conf *c = conf;

    tls_made_free(c->made);
    c->made = NULL;
}

static const struct gost_stack_ops tls_stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls",
};

static const struct gost_stack_ops utls_stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_CLIENT,
    .layers = "tcp/tls",
};

/* GOST ends no association for silence. Here one whose peer vanished goes after an hour. */
static const struct gost_stack_ops dtls_stack_ops = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp/dtls",
    .defaults = "udp.ttl=1h udp.keepalive=true",
};

static int init(void)
{
    int r = tls_bio_init();

    return r == GOST_OK ? dtls_bio_init() : r;
}

static const struct gost_component tls_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "tls",
     .summary = "TLS 1.2 and 1.3, both roles",
     .ops = &tls_layer_ops,
     .options = tls_options,
     .conf_size = sizeof(struct tls_conf),
     .state_size = sizeof(struct tls_state),
     .prepare = tls_prepare,
     .release = tls_release},
    {.kind = GOST_KIND_LAYER,
     .name = "dtls",
     .summary = "DTLS 1.2, both roles",
     .ops = &dtls_layer_ops,
     .options = dtls_options,
     .conf_size = sizeof(struct tls_conf),
     .state_size = sizeof(struct tls_state),
     .prepare = dtls_prepare,
     .release = tls_release},
    {.kind = GOST_KIND_STACK, .name = "dtls", .summary = "DTLS over UDP", .ops = &dtls_stack_ops},
    {.kind = GOST_KIND_STACK, .name = "tls", .summary = "TLS over TCP", .ops = &tls_stack_ops},
    {.kind = GOST_KIND_STACK,
     .name = "utls",
     .summary = "TLS over TCP, with the fingerprint of a browser",
     .ops = &utls_stack_ops},
};

GOST_PLUGIN_FULL("tls", "0.1.0", "MIT",
                 "The layers tls and dtls, listeners and dialers of these names, the dialer utls",
                 tls_components,
                 "layer:tls layer:dtls listener:tls listener:dtls dialer:tls dialer:dtls "
                 "dialer:utls",
                 init, NULL, NULL);
