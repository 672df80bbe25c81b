/* tls_server.c - the server role: certificates by name, client certificates, server names, ALPN. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tls.h"

/* ---- callbacks [worker] ---- */

static int is_wanted(const struct tls_conf *c, const char *name)
{
    uint32_t i;

    for (i = 0; i < c->server_names.n; i++)
        if (tls_name_match(c->server_names.v[i], name))
            return 1;
    return c->server_names.n == 0;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    struct tls_state *s = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (!s->conf->reject_unknown_sni)
        return name ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
    if (!name) {
        tls_reason(s, "the client named no server (SNI), and tls.rejectUnknownSNI is on");
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (!is_wanted(s->conf, name)) {
        tls_reason(s, "the client asks for server name \"%.100s\", which is not in tls.serverNames",
                   name);
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* How well a certificate is for this name: 2 exactly, 1 by a wildcard, 0 not. */
static int fitness(const struct tls_pair *pair, const char *name)
{
    char *found = NULL;
    int fit = 0;

    if (X509_check_host(pair->leaf, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, &found) == 1)
        fit = found && found[0] == '*' ? 1 : 2;
    OPENSSL_free(found);
    return fit;
}

/* Give the connection all certificates that fit best, one per type of key: the first listed wins,
 * so it is put in last. Without a name, or when none fits, the first certificate of all. */
static int on_choose_certificate(SSL *ssl, void *arg)
{
    const struct tls_made *m = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    int best = 0, fit;
    uint32_t i;

    for (i = 0; name && i < m->n_pairs; i++)
        if ((fit = fitness(&m->pairs[i], name)) > best)
            best = fit;
    SSL_certs_clear(ssl); /* those of the SSL_CTX */
    if (best == 0)
        return tls_pair_use(ssl, &m->pairs[0]);
    for (i = m->n_pairs; i-- > 0;)
        if (fitness(&m->pairs[i], name) == best && !tls_pair_use(ssl, &m->pairs[i]))
            return 0;
    return 1;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                   const unsigned char *in, unsigned int inlen, void *arg)
{
    const struct tls_made *m = arg;
    struct gost_bytes name;

    switch (tls_alpn_select(gost_bytes(m->alpn, m->alpn_n), gost_bytes(in, inlen), &name)) {
    case GOST_OK:
        *out = name.p;
        *outlen = (unsigned char)name.n;
        return SSL_TLSEXT_ERR_OK;
    case GOST_END:
        return SSL_TLSEXT_ERR_NOACK;
    default:
        tls_reason(SSL_get_app_data(ssl),
                   "the client offers no protocol (ALPN) of tls.options.alpn");
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
}

static int on_verify(X509_STORE_CTX *x, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
    int done = X509_verify_cert(x) == 1;

    if (!done)
        tls_cert_reason(SSL_get_app_data(ssl), x, X509_STORE_CTX_get_error(x));
    return done;
}

/* ---- preparing [main] ---- */

static int load_listed(struct tls_pair *ret_pair, const char *text, struct gost_prepare *p)
{
    char cert[1024], key[1024], rest[2];

    if (sscanf(text, " %1023s %1023s %1s", cert, key, rest) != 2)
        return tls_refuse(p,
                          "tls.certs: \"%s\" must be two paths with a blank between, as "
                          "\"example.com.pem example.com.key\"",
                          text);
    return tls_pair_load(ret_pair, cert, key, p);
}

/* As GOST: the files of these names in the working directory, else one made for this process. */
static int load_default(struct tls_pair *ret_pair, const struct tls_conf *c, struct gost_prepare *p)
{
    if (access("cert.pem", F_OK) == 0 && access("key.pem", F_OK) == 0)
        return tls_pair_load(ret_pair, "cert.pem", "key.pem", p);
    return tls_pair_generated(ret_pair, c, p);
}

static int load_pairs(const struct tls_conf *c, struct gost_prepare *p)
{
    struct tls_made *m = c->made;
    int own = c->cert_file || c->key_file, r = GOST_OK;
    uint32_t i;

    m->pairs = calloc(c->certs.n + 1, sizeof *m->pairs);
    if (!m->pairs)
        return tls_refuse(p, "out of memory");
    if (own)
        r = tls_pair_load(&m->pairs[m->n_pairs], c->cert_file, c->key_file, p);
    else if (c->certs.n == 0)
        r = load_default(&m->pairs[m->n_pairs], c, p);
    if (r == GOST_OK && (own || c->certs.n == 0))
        m->n_pairs++;
    for (i = 0; r == GOST_OK && i < c->certs.n; i++) {
        r = load_listed(&m->pairs[m->n_pairs], c->certs.v[i], p);
        if (r == GOST_OK)
            m->n_pairs++;
    }
    return r;
}

static int give_pairs(SSL_CTX *ctx, struct tls_made *m, struct gost_prepare *p)
{
    uint32_t i;

    /* each one is tried here, so that a certificate OpenSSL refuses is known at the start */
    for (i = m->n_pairs; i-- > 0;)
        if (!tls_pair_use_ctx(ctx, &m->pairs[i])) {
            char subject[200];

            tls_cert_subject(m->pairs[i].leaf, subject, sizeof subject);
            return tls_refuse(p,
                              "OpenSSL refuses the certificate of %s: %s; make one with a key of "
                              "2048 bits (RSA) or P-256 and a signature with SHA-256",
                              subject, ERR_reason_error_string(ERR_peek_last_error()));
        }
    if (m->n_pairs > 1)
        SSL_CTX_set_cert_cb(ctx, on_choose_certificate, m);
    return GOST_OK;
}

static int set_client_ca(SSL_CTX *ctx, const struct tls_conf *c, struct gost_prepare *p)
{
    STACK_OF(X509_NAME) * names;

    if (!c->ca_file)
        return GOST_OK;
    if (!c->cert_file && !c->key_file && c->certs.n == 0)
        return tls_refuse(
            p,
            "tls.caFile %s asks clients for certificates, but without a certificate of "
            "its own GOST lets every client in: add tls.certFile and tls.keyFile, or "
            "take caFile away",
            c->ca_file);
    names = SSL_load_client_CA_file(c->ca_file);
    if (!names || SSL_CTX_load_verify_file(ctx, c->ca_file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return tls_refuse(
            p,
            "%s holds no certificate authority in PEM form: give the certificate that "
            "signs those of the clients",
            c->ca_file);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    return GOST_OK;
}

int tls_server_prepare(struct tls_conf *c, struct gost_prepare *p)
{
    static const unsigned char id[] = "gost tls";
    SSL_CTX *ctx;
    int r;

    c->made->ctx = ctx = tls_ctx_new(c, p);
    if (!ctx)
        return GOST_ETLS;
    /* Needed for tickets where clients are verified. Tickets are good for this SSL_CTX only: its
     * keys are its own. */
    if (!SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1))
        return tls_refuse(p, "out of memory");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
    if (c->made->alpn_n)
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, c->made);
    if (c->datagrams) {
        if (RAND_bytes(c->made->cookie_key, sizeof c->made->cookie_key) != 1)
            return tls_refuse(p, "OpenSSL has no random bytes for the key of cookies");
        SSL_CTX_set_cookie_generate_cb(ctx, dtls_give_cookie);
        SSL_CTX_set_cookie_verify_cb(ctx, dtls_check_cookie);
    }
    r = load_pairs(c, p);
    if (r == GOST_OK)
        r = give_pairs(ctx, c->made, p);
    return r == GOST_OK ? set_client_ca(ctx, c, p) : r;
}
