/* tls_client.c - the client role: whom it trusts, what it asks for, and its own certificate. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls.h"
#include "unverified.h"

/* ---- verification [worker] ---- */

/* Only the server's own certificate counts: without a verified chain the others prove nothing. */
static int is_pinned(struct tls_state *s, X509_STORE_CTX *x)
{
    const struct tls_made *m = s->conf->made;
    uint8_t cert[TLS_PIN_SIZE], key[TLS_PIN_SIZE];
    char text[TLS_PIN_TEXT];
    X509 *leaf = X509_STORE_CTX_get0_cert(x);
    uint32_t i;

    if (!leaf || !tls_cert_digests(leaf, cert, key)) {
        tls_reason(s, "%s showed a certificate that cannot be read", s->peer);
        return 0;
    }
    for (i = 0; i < m->n_pins; i++)
        if (memcmp(m->pins[i], cert, sizeof cert) == 0 || memcmp(m->pins[i], key, sizeof key) == 0)
            return 1;
    tls_pin_format(key, text);
    tls_reason(
        s,
        "certificate of %s is none of tls.pin: its public key is %s; if that is right, add it, "
        "else somebody stands in between",
        s->peer, text);
    return 0;
}

static int on_verify(X509_STORE_CTX *x, void *arg)
{
    const struct tls_made *m = arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_state *s = SSL_get_app_data(ssl);

    if (m->check_chain && X509_verify_cert(x) != 1) {
        tls_cert_reason(s, x, X509_STORE_CTX_get_error(x));
        return 0;
    }
    if (m->n_pins && !is_pinned(s, x)) {
        X509_STORE_CTX_set_error(x, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    return 1;
}

/* ---- preparing [main] ---- */

static int make_pins(const struct tls_conf *c, struct gost_prepare *p)
{
    struct tls_made *m = c->made;
    uint32_t i;

    if (c->pins.n == 0)
        return GOST_OK;
    m->pins = calloc(c->pins.n, sizeof *m->pins);
    if (!m->pins)
        return tls_refuse(p, "out of memory");
    for (i = 0; i < c->pins.n; i++)
        if (tls_pin_parse(c->pins.v[i], m->pins[i]) != GOST_OK)
            return tls_refuse(p,
                              "tls.pin: \"%.80s\" is no pin: write sha256/ and the SHA-256 of the "
                              "public key or the certificate in base64 or hex",
                              c->pins.v[i]);
    m->n_pins = c->pins.n;
    return GOST_OK;
}

static int set_trust(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    struct tls_made *m = c->made;

    m->check_name = c->secure;
    m->check_chain = c->secure || c->ca_file;
    if (c->ca_file && SSL_CTX_load_verify_file(ctx, c->ca_file) != 1)
        return tls_refuse(
            p,
            "%s holds no certificate authority in PEM form: give the certificate that "
            "signed the server's",
            c->ca_file);
    if (m->check_chain && !c->ca_file && SSL_CTX_set_default_verify_paths(ctx) != 1)
        return tls_refuse(p, "OpenSSL cannot read this system's certificate authorities: install "
                             "ca-certificates, or give tls.caFile");
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    if (!m->check_chain && !m->n_pins)
        snprintf(p->error, p->error_size, "%s", gost_unverified);
    if (m->check_chain || m->n_pins) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(ctx, on_verify, m);
    }
    ERR_clear_error();
    return GOST_OK;
}

static int set_own_certificate(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    struct tls_made *m = c->made;
    int r;

    if (!c->cert_file && !c->key_file)
        return GOST_OK;
    m->pairs = calloc(1, sizeof *m->pairs);
    if (!m->pairs)
        return tls_refuse(p, "out of memory");
    r = tls_pair_load(&m->pairs[0], c->cert_file, c->key_file, p);
    if (r != GOST_OK)
        return r;
    m->n_pairs = 1;
    if (!tls_pair_use_ctx(ctx, &m->pairs[0]))
        return tls_refuse(
            p,
            "OpenSSL refuses the certificate in %s: %s; make one with a key of 2048 bits "
            "(RSA) or P-256 and a signature with SHA-256",
            c->cert_file, ERR_reason_error_string(ERR_peek_last_error()));
    return GOST_OK;
}

int tls_client_prepare(struct tls_conf *c, struct gost_prepare *p)
{
    SSL_CTX *ctx;
    int r;

    c->made->ctx = ctx = tls_ctx_new(c, p);
    if (!ctx)
        return GOST_ETLS;
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (c->made->alpn_n &&
        SSL_CTX_set_alpn_protos(ctx, c->made->alpn, (unsigned int)c->made->alpn_n) != 0)
        return tls_refuse(p, "out of memory");
    r = make_pins(c, p);
    if (r == GOST_OK)
        r = set_trust(ctx, c, p);
    return r == GOST_OK ? set_own_certificate(ctx, c, p) : r;
}

/* ---- one connection [worker] ---- */

/* The name to ask for and to verify: the option, what the upgrade said, or the host to reach.
 * Text in buf; NONE: nothing is known. */
static void find_name(struct tls_state *s, struct gost_addr *ret_addr)
{
    const struct gost_target *target = gost_target(s->wire);
    const char *name = s->conf->server_name;

    if (!name || !*name)
        name = gost_flow(s->wire)->server_name;
    if (name && *name && gost_addr_set_host(ret_addr, name, strlen(name), 0) == GOST_OK)
        return;
    *ret_addr = target->addr;
}

/* name: host of addr, a name or an IP literal; Go's clients name no literals, and neither do we. */
static int set_name(struct tls_state *s, const struct gost_addr *addr, char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
    size_t n = strlen(name);

    if (addr->family != GOST_AF_NAME)
        return !s->conf->made->check_name ||
               X509_VERIFY_PARAM_set1_ip(param, addr->ip, addr->family == GOST_AF_IP4 ? 4 : 16) ==
                   1;
    if (n > 1 && name[n - 1] == '.')
        name[--n] = 0;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(s->ssl, name) == 1 &&
           (!s->conf->made->check_name || X509_VERIFY_PARAM_set1_host(param, name, n) == 1);
}

int tls_client_open(struct tls_state *s)
{
    struct gost_addr addr;
    char text[GOST_ADDR_TEXT];
    char *peer;

    find_name(s, &addr);
    if (addr.family == GOST_AF_NONE || addr.family == GOST_AF_UNIX) {
        s->peer = "the server";
        if (!s->conf->made->check_name)
            return GOST_OK;
        return gost_fail(s->wire, GOST_ETLS,
                         "secure=true needs a name to verify, and none is known here: give "
                         "tls.serverName");
    }
    (void)gost_addr_host(&addr, text, sizeof text);
    peer = gost_alloc(s->wire, strlen(text) + 1);
    if (!peer)
        return gost_fail(s->wire, GOST_ENOMEM, "out of memory");
    strcpy(peer, text);
    s->peer = peer;
    if (!set_name(s, &addr, text)) {
        ERR_clear_error();
        return gost_fail(s->wire, GOST_ETLS,
                         "\"%s\" cannot be asked for as a server name: give another "
                         "one with tls.serverName",
                         text);
    }
    return GOST_OK;
}
