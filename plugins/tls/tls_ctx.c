/* tls_ctx.c - the SSL_CTX of a configuration: versions, suites, groups, ALPN. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "tls.h"

/* What GOST offers and accepts in TLS 1.2 unless told otherwise. */
static const char default_suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";

static const char tls13_suites[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* The first one that this OpenSSL knows. A star: send a key share for it at once (3.5). */
static const char *const group_lists[] = {
    "*X25519MLKEM768:*X25519:P-256:P-384:P-521",
    "X25519:P-256:P-384:P-521",
    "P-256:P-384:P-521",
};

#define SUITES_TEXT 1024

static int set_versions(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    int min = TLS1_2_VERSION, max = TLS1_3_VERSION;

    if (c->datagrams && SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1)
        return GOST_OK;
    if (c->datagrams)
        return tls_refuse(p, "this OpenSSL (%s) has no DTLS 1.2", OpenSSL_version(OPENSSL_VERSION));
    if (c->min_version && !(min = tls_version_parse(c->min_version)))
        return tls_refuse(p,
                          "tls.options.minVersion \"%s\" is no version of TLS: write VersionTLS10, "
                          "VersionTLS11, VersionTLS12 or VersionTLS13",
                          c->min_version);
    if (c->max_version && !(max = tls_version_parse(c->max_version)))
        return tls_refuse(p,
                          "tls.options.maxVersion \"%s\" is no version of TLS: write VersionTLS10, "
                          "VersionTLS11, VersionTLS12 or VersionTLS13",
                          c->max_version);
    if (!c->min_version && max < min)
        min = max;
    if (min > max)
        return tls_refuse(p,
                          "tls.options.minVersion \"%s\" is above maxVersion \"%s\": nothing is "
                          "left to speak, lower the one or raise the other",
                          c->min_version, c->max_version ? c->max_version : "VersionTLS13");
    if (min < TLS1_2_VERSION)
        SSL_CTX_set_security_level(ctx, 0); /* the old versions sign with SHA-1 */
    if (SSL_CTX_set_min_proto_version(ctx, min) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, max) != 1)
        return tls_refuse(p,
                          "this OpenSSL (%s) refuses TLS versions %#x to %#x: raise "
                          "tls.options.minVersion",
                          OpenSSL_version(OPENSSL_VERSION), min, max);
    return GOST_OK;
}

static int has_suite(SSL_CTX *ctx, const char *name)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    int i;

    for (i = 0; i < sk_SSL_CIPHER_num(all); i++)
        if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)), name) == 0)
            return 1;
    return 0;
}

/* Each name alone: OpenSSL passes over unknown ones of a list without a word. */
static int check_suite(SSL_CTX *ctx, const char *go_name, const char **ret_name,
                       struct gost_prepare *p)
{
    const char *name = tls_suite_name(go_name);

    if (!name)
        return tls_refuse(p,
                          "tls.options.cipherSuites: \"%s\" is not known: the names are those of "
                          "Go, as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                          go_name);
    if (*name && (SSL_CTX_set_cipher_list(ctx, name) != 1 || !has_suite(ctx, name)))
        return tls_refuse(p,
                          "tls.options.cipherSuites: %s is not in this OpenSSL (%s), as it is too "
                          "weak: leave it out",
                          go_name, OpenSSL_version(OPENSSL_VERSION));
    *ret_name = name;
    return GOST_OK;
}

static int set_suites(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    char list[SUITES_TEXT] = "";
    const char *name = "";
    size_t at = 0;
    uint32_t i;
    int r;

    for (i = 0; i < c->cipher_suites.n; i++) {
        r = check_suite(ctx, c->cipher_suites.v[i], &name, p);
        if (r != GOST_OK)
            return r;
        if (!*name)
            continue;
        if (at + strlen(name) + 2 > sizeof list)
            return tls_refuse(p,
                              "tls.options.cipherSuites has too many names: write each one once");
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", at ? ":" : "", name);
    }
    if (SSL_CTX_set_cipher_list(ctx, at ? list : default_suites) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, tls13_suites) != 1)
        return tls_refuse(p, "this OpenSSL (%s) has none of the cipher suites",
                          OpenSSL_version(OPENSSL_VERSION));
    return GOST_OK;
}

static int set_groups(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    size_t i;

    /* GOST's server takes the first one of a client, and fails if it is none of these. */
    if (c->datagrams && SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1)
        return GOST_OK;

    for (i = 0; i < sizeof group_lists / sizeof group_lists[0]; i++)
        if (SSL_CTX_set1_groups_list(ctx, group_lists[i]) == 1) {
            ERR_clear_error();
            return GOST_OK;
        }
    return tls_refuse(p, "this OpenSSL (%s) has no elliptic curves",
                      OpenSSL_version(OPENSSL_VERSION));
}

static int make_alpn(const struct tls_conf *c, const struct gost_list *alpn, struct gost_prepare *p)
{
    struct tls_made *m = c->made;
    size_t size = 0;
    const char *bad;
    uint32_t i;

    for (i = 0; i < alpn->n; i++)
        size += 1 + strlen(alpn->v[i]);
    if (size == 0)
        return GOST_OK;
    m->alpn = malloc(size);
    if (!m->alpn)
        return tls_refuse(p, "out of memory");
    m->alpn_n = tls_alpn_wire(alpn, m->alpn, size, &bad);
    if (bad)
        return tls_refuse(
            p,
            "tls.options.alpn: \"%.40s\" is no protocol name: it has 1 to 255 bytes, as "
            "h2 or http/1.1",
            bad);
    return GOST_OK;
}

static const SSL_METHOD *method_of(const struct tls_conf *c, uint32_t role)
{
    if (c->datagrams)
        return role == GOST_CLIENT ? DTLS_client_method() : DTLS_server_method();
    return role == GOST_CLIENT ? TLS_client_method() : TLS_server_method();
}

SSL_CTX *tls_ctx_new(const struct tls_conf *c, struct gost_prepare *p)
{
    const struct tls_print *print = NULL;
    SSL_CTX *ctx = SSL_CTX_new(method_of(c, p->role));

    if (!ctx) {
        (void)tls_refuse(p, "OpenSSL (%s) does not start: see its openssl.cnf",
                         OpenSSL_version(OPENSSL_VERSION));
        return NULL;
    }
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_read_ahead(ctx, 0);
    if (c->datagrams)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
    if (set_versions(ctx, c, p) == GOST_OK && set_suites(ctx, c, p) == GOST_OK &&
        set_groups(ctx, c, p) == GOST_OK && tls_print_find(c->fingerprint, &print, p) == GOST_OK &&
        tls_print_apply(print, ctx, p) == GOST_OK &&
        make_alpn(c, print && c->alpn.n == 0 ? &tls_print_alpn : &c->alpn, p) == GOST_OK)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

void tls_made_free(struct tls_made *m)
{
    uint32_t i;

    if (!m)
        return;
    SSL_CTX_free(m->ctx);
    for (i = 0; i < m->n_pairs; i++)
        tls_pair_free(&m->pairs[i]);
    free(m->pairs);
    free(m->alpn);
    free(m->pins);
    gost_wipe(m->cookie_key, sizeof m->cookie_key);
    free(m);
}
