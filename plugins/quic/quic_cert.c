/* quic_cert.c - the certificate a server generates when none is configured. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "quic.h"

/* Kept as long as the process, so that a reload does not change what clients have pinned. */
struct generated {
    struct generated *next;
    gnutls_x509_crt_t cert;
    gnutls_x509_privkey_t key;
    char *common_name, *organization;
    uint64_t validity;
};

static struct generated *all_generated;

static int fill(struct generated *g, const struct quic_conf *c)
{
    time_t now = time(NULL);
    uint8_t serial[16], id[20];
    size_t n = sizeof id;
    int r;

    r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7f;
    if (r >= 0)
        r = gnutls_x509_privkey_generate(g->key, GNUTLS_PK_ECDSA,
                                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (r >= 0)
        r = gnutls_x509_crt_set_version(g->cert, 3);
    if (r >= 0)
        r = gnutls_x509_crt_set_serial(g->cert, serial, sizeof serial);
    if (r >= 0 && *c->organization)
        r = gnutls_x509_crt_set_dn_by_oid(g->cert, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
                                          c->organization, (unsigned)strlen(c->organization));
    if (r >= 0)
        r = gnutls_x509_crt_set_dn_by_oid(g->cert, GNUTLS_OID_X520_COMMON_NAME, 0, c->common_name,
                                          (unsigned)strlen(c->common_name));
    if (r >= 0)
        r = gnutls_x509_crt_set_subject_alt_name(g->cert, GNUTLS_SAN_DNSNAME, c->common_name,
                                                 (unsigned)strlen(c->common_name), GNUTLS_FSAN_SET);
    if (r >= 0)
        r = gnutls_x509_crt_set_activation_time(g->cert, now);
    if (r >= 0)
        r = gnutls_x509_crt_set_expiration_time(g->cert, now + (time_t)(c->validity / GOST_S));
    if (r >= 0)
        r = gnutls_x509_crt_set_key(g->cert, g->key);
    if (r >= 0)
        r = gnutls_x509_crt_set_basic_constraints(g->cert, 1, -1);
    if (r >= 0)
        r = gnutls_x509_crt_set_key_usage(g->cert,
                                          GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN);
    if (r >= 0)
        r = gnutls_x509_crt_get_key_id(g->cert, 0, id, &n);
    if (r >= 0)
        r = gnutls_x509_crt_set_subject_key_id(g->cert, id, n);
    if (r >= 0)
        r = gnutls_x509_crt_sign2(g->cert, g->cert, g->key, GNUTLS_DIG_SHA256, 0);
    return r;
}

static void generated_free(struct generated *g)
{
    if (g->cert)
        gnutls_x509_crt_deinit(g->cert);
    if (g->key)
        gnutls_x509_privkey_deinit(g->key);
    free(g->common_name);
    free(g->organization);
    free(g);
}

static struct generated *generate(const struct quic_conf *c)
{
    struct generated *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->validity = c->validity;
    g->common_name = strdup(c->common_name);
    g->organization = strdup(c->organization);
    if (g->common_name && g->organization && gnutls_x509_crt_init(&g->cert) >= 0 &&
        gnutls_x509_privkey_init(&g->key) >= 0 && fill(g, c) >= 0) {
        g->next = all_generated;
        all_generated = g;
        return g;
    }
    generated_free(g);
    return NULL;
}

int quic_cert_generated(gnutls_certificate_credentials_t cred, const struct quic_conf *c,
                        struct gost_prepare *p)
{
    struct generated *g;

    for (g = all_generated; g; g = g->next)
        if (g->validity == c->validity && strcmp(g->common_name, c->common_name) == 0 &&
            strcmp(g->organization, c->organization) == 0 &&
            gnutls_x509_crt_get_expiration_time(g->cert) > time(NULL))
            break;
    if (!g && !(g = generate(c)))
        return quic_refuse(p,
                           "cannot make a certificate for \"%s\" of \"%s\": shorten "
                           "tls.commonName or tls.organization to 64 characters, or give "
                           "tls.certFile and tls.keyFile",
                           c->common_name, c->organization);
    if (gnutls_certificate_set_x509_key(cred, &g->cert, 1, g->key) < 0)
        return quic_refuse(p, "out of memory");
    return GOST_OK;
}
