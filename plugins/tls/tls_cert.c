/* tls_cert.c - certificates and keys: from files, made for this process, and what they say. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls.h"

int tls_refuse(struct gost_prepare *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->error, p->error_size, fmt, ap);
    va_end(ap);
    ERR_clear_error();
    return GOST_ETLS;
}

/* ---- from files ---- */

/* An encrypted key is refused by name; OpenSSL's own callback would ask on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    *(int *)arg = 1;
    return -1;
}

static BIO *open_file(const char *what, const char *path, struct gost_prepare *p)
{
    BIO *bio = BIO_new_file(path, "r");
    int error = errno;

    if (!bio)
        (void)tls_refuse(p, "cannot read the %s %s: %s", what, path, strerror(error));
    return bio;
}

static int load_certs(struct tls_pair *pair, const char *path, struct gost_prepare *p)
{
    BIO *bio = open_file("certificate file", path, p);
    int asked = 0;
    X509 *x;

    if (!bio)
        return GOST_ETLS;
    pair->leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
    while (pair->leaf && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked))) {
        if (!pair->chain)
            pair->chain = sk_X509_new_null();
        if (!pair->chain || !sk_X509_push(pair->chain, x)) {
            X509_free(x);
            break;
        }
    }
    BIO_free(bio);
    if (!pair->leaf)
        return tls_refuse(p,
                          "%s holds no certificate in PEM form: it must have a block "
                          "\"-----BEGIN CERTIFICATE-----\", the server's own first",
                          path);
    ERR_clear_error();
    return GOST_OK;
}

static int load_key(struct tls_pair *pair, const char *path, struct gost_prepare *p)
{
    BIO *bio = open_file("key file", path, p);
    int asked = 0;

    if (!bio)
        return GOST_ETLS;
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    if (pair->key)
        return GOST_OK;
    if (asked)
        return tls_refuse(p,
                          "the key in %s is protected by a passphrase: write it without one with "
                          "\"openssl pkey -in %s -out new.pem\"",
                          path, path);
    return tls_refuse(p,
                      "%s holds no private key in PEM form: it must have a block "
                      "\"-----BEGIN PRIVATE KEY-----\"",
                      path);
}

int tls_pair_load(struct tls_pair *ret_pair, const char *cert_file, const char *key_file,
                  struct gost_prepare *p)
{
    struct tls_pair pair = {NULL, NULL, NULL};
    int r;

    if (!cert_file || !key_file)
        return tls_refuse(p, "%s %s is given without its %s: add tls.%s",
                          cert_file ? "the certificate" : "the key",
                          cert_file ? cert_file : key_file, cert_file ? "key" : "certificate",
                          cert_file ? "keyFile" : "certFile");
    r = load_certs(&pair, cert_file, p);
    if (r == GOST_OK)
        r = load_key(&pair, key_file, p);
    if (r == GOST_OK && X509_check_private_key(pair.leaf, pair.key) != 1)
        r = tls_refuse(p,
                       "the key in %s does not belong to the first certificate in %s: give the "
                       "key that was made with it, and put the server's own certificate first",
                       key_file, cert_file);
    if (r != GOST_OK) {
        tls_pair_free(&pair);
        return r;
    }
    *ret_pair = pair;
    return GOST_OK;
}

void tls_pair_free(struct tls_pair *pair)
{
    X509_free(pair->leaf);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
    memset(pair, 0, sizeof *pair);
}

int tls_pair_use(SSL *ssl, const struct tls_pair *pair)
{
    return SSL_use_cert_and_key(ssl, pair->leaf, pair->key, pair->chain, 1) == 1;
}

int tls_pair_use_ctx(SSL_CTX *ctx, const struct tls_pair *pair)
{
    return SSL_CTX_use_cert_and_key(ctx, pair->leaf, pair->key, pair->chain, 1) == 1;
}

/* ---- generated ---- */

/* Kept as long as the process, so that a reload does not change what clients have pinned. */
struct generated {
    struct generated *next;
    struct tls_pair pair;
    char *common_name, *organization;
    uint64_t validity;
};

static struct generated *all_generated;

static int add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX v3;
    int done;

    X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
    done = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return done;
}

/* The name is put in as data: a text form would let a comma begin another name. */
static int add_san(X509 *x, const char *name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    int done = 0;

    if (names && one && text && ASN1_STRING_set(text, name, -1)) {
        GENERAL_NAME_set0_value(one, GEN_DNS, text);
        text = NULL;
        if (sk_GENERAL_NAME_push(names, one)) {
            one = NULL;
            done = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
        }
    }
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(one);
    GENERAL_NAMES_free(names);
    return done;
}

static int add_subject(X509 *x, const struct tls_conf *c)
{
    X509_NAME *name = X509_get_subject_name(x);

    if (*c->organization &&
        !X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                    (const unsigned char *)c->organization, -1, -1, 0))
        return 0;
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)c->common_name, -1, -1, 0) &&
           X509_set_issuer_name(x, name);
}

static int add_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    int done = n && BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));

    BN_free(n);
    return done;
}

static int fill_generated(struct tls_pair *pair, const struct tls_conf *c)
{
    long days = (long)(c->validity / GOST_S / 86400),
         seconds = (long)(c->validity / GOST_S % 86400);
    X509 *x;

    pair->key = EVP_EC_gen("P-256");
    pair->leaf = x = X509_new();
    return pair->key && x && X509_set_version(x, 2) && add_serial(x) && add_subject(x, c) &&
           X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
           X509_time_adj_ex(X509_getm_notAfter(x), (int)days, seconds, NULL) &&
           X509_set_pubkey(x, pair->key) &&
           add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(x, NID_ext_key_usage, "clientAuth,serverAuth") &&
           add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(x, NID_subject_key_identifier, "hash") && add_san(x, c->common_name) &&
           X509_sign(x, pair->key, EVP_sha256());
}

static struct generated *generate(const struct tls_conf *c)
{
    struct generated *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->common_name = strdup(c->common_name);
    g->organization = strdup(c->organization);
    g->validity = c->validity;
    if (g->common_name && g->organization && fill_generated(&g->pair, c)) {
        g->next = all_generated;
        all_generated = g;
        return g;
    }
    tls_pair_free(&g->pair);
    free(g->common_name);
    free(g->organization);
    free(g);
    return NULL;
}

int tls_pair_generated(struct tls_pair *ret_pair, const struct tls_conf *c, struct gost_prepare *p)
{
    struct generated *g;

    for (g = all_generated; g; g = g->next)
        if (g->validity == c->validity && strcmp(g->common_name, c->common_name) == 0 &&
            strcmp(g->organization, c->organization) == 0 &&
            X509_cmp_current_time(X509_get0_notAfter(g->pair.leaf)) > 0)
            break;
    if (!g && !(g = generate(c)))
        return tls_refuse(p,
                          "cannot make a certificate for \"%s\" of \"%s\": shorten tls.commonName "
                          "or tls.organization to 64 characters, or give tls.certFile and "
                          "tls.keyFile",
                          c->common_name, c->organization);
    X509_up_ref(g->pair.leaf);
    EVP_PKEY_up_ref(g->pair.key);
    ret_pair->leaf = g->pair.leaf;
    ret_pair->key = g->pair.key;
    ret_pair->chain = NULL;
    return GOST_OK;
}

/* ---- what a certificate says ---- */

int tls_cert_digests(const X509 *cert, uint8_t ret_cert[TLS_PIN_SIZE],
                     uint8_t ret_key[TLS_PIN_SIZE])
{
    unsigned char *der = NULL;
    unsigned int n = 0;
    int len, done;

    if (X509_digest(cert, EVP_sha256(), ret_cert, &n) != 1 || n != TLS_PIN_SIZE)
        return 0;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    done = len > 0 && EVP_Digest(der, (size_t)len, ret_key, &n, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return done;
}

/* What was printed into a memory BIO, cut to size. */
static void take_text(BIO *bio, char *buf, size_t size)
{
    int n = bio ? BIO_read(bio, buf, (int)size - 1) : 0;

    buf[n > 0 ? n : 0] = 0;
    BIO_free(bio);
}

void tls_cert_subject(const X509 *cert, char *buf, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio)
        X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
                           XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    take_text(bio, buf, size);
}

static void print_name(BIO *bio, const GENERAL_NAME *name)
{
    int type, n;
    ASN1_STRING *v = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *p;

    if (type == GEN_DNS) {
        ASN1_STRING_print_ex(bio, v, ASN1_STRFLGS_ESC_CTRL);
    } else if (type == GEN_IPADD) {
        p = ASN1_STRING_get0_data(v);
        n = ASN1_STRING_length(v);
        if (n == 4)
            BIO_printf(bio, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
        else
            BIO_printf(bio, "an IPv6 address");
    } else {
        BIO_printf(bio, "another kind of name");
    }
}

void tls_cert_names(const X509 *cert, char *buf, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    int i;

    for (i = 0; bio && i < sk_GENERAL_NAME_num(names) && i < 20; i++) {
        if (i)
            BIO_puts(bio, ", ");
        print_name(bio, sk_GENERAL_NAME_value(names, i));
    }
    if (bio && sk_GENERAL_NAME_num(names) < 1)
        BIO_puts(bio, "no name at all (a name in its subject alone does not count)");
    GENERAL_NAMES_free(names);
    take_text(bio, buf, size);
}
