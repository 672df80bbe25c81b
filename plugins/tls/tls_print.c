/* tls_print.c - ClientHellos of browsers, as far as OpenSSL can show them. */
/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include <openssl/err.h>

#include "tls.h"

/* What a browser's hello has, in its order. The README says what is not among it. */
struct tls_print {
    const char *name;
    const char *suites13, *suites; /* of TLS 1.3, of 1.2 */
    const char *groups[2];         /* the first that this OpenSSL knows */
    const char *signatures;
    uint32_t tickets; /* it asks for session tickets */
    uint32_t sct;     /* for timestamps of certificates */
    uint32_t padding; /* a hello of 256 to 511 bytes has 512 */
};

#define CHROME_SUITES                                                                           \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"  \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"    \
    "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:" \
    "AES256-SHA"
#define APPLE_BEGIN                                                                              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:" \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
#define SUITES13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES13_FIREFOX \
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
#define CHROME_SIGNATURES                                                                 \
    "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp384r1_sha384:" \
    "rsa_pss_rsae_sha384:rsa_pkcs1_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha512"

static const struct tls_print prints[] = {
    {"chrome",
     SUITES13,
     CHROME_SUITES,
     {"*X25519MLKEM768:*X25519:P-256:P-384", "X25519:P-256:P-384"},
     CHROME_SIGNATURES,
     1,
     1,
     0},
    {"edge", SUITES13, CHROME_SUITES, {"X25519:P-256:P-384", NULL}, CHROME_SIGNATURES, 1, 1, 1},
    {"firefox",
     SUITES13_FIREFOX,
     "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
     "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
     "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
     "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA",
     {"X25519:P-256:P-384:P-521:ffdhe2048:ffdhe3072", NULL},
     "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:rsa_pss_rsae_sha256:"
     "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512",
     1,
     0,
     0},
    {"ios",
     SUITES13,
     APPLE_BEGIN "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:"
                 "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:"
                 "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:"
                 "AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA",
     {"X25519:P-256:P-384:P-521", NULL},
     CHROME_SIGNATURES,
     0,
     1,
     1},
    {"safari",
     SUITES13,
     APPLE_BEGIN "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
                 "ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA:AES128-SHA",
     {"X25519:P-256:P-384:P-521", NULL},
     CHROME_SIGNATURES,
     0,
     1,
     1},
};

static const char *const browser_alpn[] = {"h2", "http/1.1"};
const struct gost_list tls_print_alpn = {browser_alpn, 2};

int tls_print_find(const char *name, const struct tls_print **ret_print, struct gost_prepare *p)
{
    size_t i;

    *ret_print = NULL;
    if (!name || !*name || strcasecmp(name, "golang") == 0)
        return GOST_OK;
    for (i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        if (strcasecmp(name, prints[i].name) != 0)
            continue;
        *ret_print = &prints[i];
        return GOST_OK;
    }
    return tls_refuse(p,
                      "fingerprint \"%.40s\" is not there: write chrome, firefox, safari, ios, "
                      "edge or golang",
                      name);
}

static int set_groups(const struct tls_print *print, SSL_CTX *ctx)
{
    int i;

    for (i = 0; i < 2 && print->groups[i]; i++)
        if (SSL_CTX_set1_groups_list(ctx, print->groups[i]) == 1)
            return 1;
    return 0;
}

int tls_print_apply(const struct tls_print *print, SSL_CTX *ctx, struct gost_prepare *p)
{
    uint64_t on = SSL_OP_NO_ENCRYPT_THEN_MAC;

    if (!print)
        return GOST_OK;
    if (SSL_CTX_set_ciphersuites(ctx, print->suites13) != 1 ||
        SSL_CTX_set_cipher_list(ctx, print->suites) != 1 || !set_groups(print, ctx) ||
        SSL_CTX_set1_sigalgs_list(ctx, print->signatures) != 1)
        return tls_refuse(p, "this OpenSSL (%s) has not what the fingerprint %s needs",
                          OpenSSL_version(OPENSSL_VERSION), print->name);
    ERR_clear_error();
    on |= print->tickets ? 0 : SSL_OP_NO_TICKET;
    on |= print->padding ? SSL_OP_TLSEXT_PADDING : 0;
    (void)SSL_CTX_set_options(ctx, on);
    if (SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp) != 1)
        return tls_refuse(p, "this OpenSSL (%s) asks for no status of certificates",
                          OpenSSL_version(OPENSSL_VERSION));
#ifndef OPENSSL_NO_CT
    if (print->sct) /* permissive: what comes is looked at by nobody */
        (void)SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_PERMISSIVE);
#endif
    return GOST_OK;
}
