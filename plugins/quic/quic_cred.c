/* quic_cred.c - what the options make once for all connections: certificates, trust, ALPN. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "quic.h"
#include "unverified.h"

/* QUIC's own ciphers: TLS 1.3 without the compatibility bytes of TLS 1.2. */
#define PRIORITY                                                                         \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE:-CIPHER-ALL:+AES-128-GCM:" \
    "+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"         \
    "+GROUP-SECP384R1:+GROUP-SECP521R1"

int quic_refuse(struct gost_prepare *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (p->error_size)
        vsnprintf(p->error, p->error_size, fmt, ap);
    va_end(ap);
    return GOST_ETLS;
}

static int own_certificate(const struct quic_conf *c, struct gost_prepare *p)
{
    int r;

    if (!c->cert_file && !c->key_file)
        return p->role == GOST_CLIENT ? GOST_OK : quic_cert_generated(c->made->cred, c, p);
    if (!c->cert_file || !c->key_file)
        return quic_refuse(
            p, "%s is given without its %s: add tls.%s", c->cert_file ? c->cert_file : c->key_file,
            c->cert_file ? "key" : "certificate", c->cert_file ? "keyFile" : "certFile");
    r = gnutls_certificate_set_x509_key_file(c->made->cred, c->cert_file, c->key_file,
                                             GNUTLS_X509_FMT_PEM);
    if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return quic_refuse(p,
                           "the key in %s does not belong to the first certificate in %s: give the "
                           "key that was made with it, and put the server's own certificate first",
                           c->key_file, c->cert_file);
    if (r < 0)
        return quic_refuse(p, "cannot use the certificate in %s with the key in %s: %s",
                           c->cert_file, c->key_file, gnutls_strerror(r));
    return GOST_OK;
}

static int trust(const struct quic_conf *c, struct gost_prepare *p)
{
    struct quic_made *m = c->made;
    int r;

    m->check_name = (int)c->secure;
    m->check_chain = c->secure || c->ca_file;
    if (!m->check_chain && p->role == GOST_CLIENT)
        snprintf(p->error, p->error_size, "%s", gost_unverified);
    if (!m->check_chain)
        return GOST_OK;
    if (!c->ca_file)
        return gnutls_certificate_set_x509_system_trust(m->cred) > 0
                   ? GOST_OK
                   : quic_refuse(p, "this system has no certificate authorities: install "
                                    "ca-certificates, or give tls.caFile");
    r = gnutls_certificate_set_x509_trust_file(m->cred, c->ca_file, GNUTLS_X509_FMT_PEM);
    if (r <= 0)
        return quic_refuse(p,
                           "%s holds no certificate authority in PEM form: give the certificate "
                           "that signed the peer's",
                           c->ca_file);
    return GOST_OK;
}

/* GOST offers h3 first although no HTTP is spoken; a peer may have either. */
static int set_alpn(const struct quic_conf *c, struct gost_prepare *p)
{
    static const char *const usual[] = {"h3", "quic/v1"};
    struct quic_made *m = c->made;
    const char *const *v = c->alpn.n ? c->alpn.v : usual;
    uint32_t i, n = c->alpn.n ? c->alpn.n : 2;

    if (n > QUIC_ALPN_MAX)
        return quic_refuse(p, "tls.options.alpn has more than %u entries", QUIC_ALPN_MAX);
    for (i = 0; i < n; i++) {
        size_t len = strlen(v[i]);

        if (len == 0 || len > 255)
            return quic_refuse(p,
                               "tls.options.alpn: \"%.80s\" is no protocol name: it has 1 to "
                               "255 bytes",
                               v[i]);
        m->alpn[i].data = (unsigned char *)v[i];
        m->alpn[i].size = (unsigned)len;
    }
    m->n_alpn = n;
    return GOST_OK;
}

int quic_cred_prepare(struct quic_conf *c, struct gost_prepare *p)
{
    size_t key = c->cipher_key.n;
    int r;

    if (key != 0 && key != 16 && key != 24 && key != 32)
        return quic_refuse(p, "cipherKey has %zu bytes: it is an AES key of 16, 24 or 32 bytes",
                           key);
    c->made = calloc(1, sizeof *c->made);
    if (!c->made || gnutls_certificate_allocate_credentials(&c->made->cred) < 0)
        return quic_refuse(p, "out of memory");
    if (gnutls_priority_init(&c->made->priority, PRIORITY, NULL) < 0)
        return quic_refuse(p, "GnuTLS has none of the ciphers of QUIC: install a later version");
    r = own_certificate(c, p);
    if (r == GOST_OK)
        r = trust(c, p);
    return r == GOST_OK ? set_alpn(c, p) : r;
}

void quic_made_free(struct quic_made *m)
{
    if (!m)
        return;
    if (m->cred)
        gnutls_certificate_free_credentials(m->cred);
    if (m->priority)
        gnutls_priority_deinit(m->priority);
    free(m);
}
