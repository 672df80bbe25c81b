/* ssh_key.c - public keys on the wire, signatures made and checked. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "ssh_key.h"

const struct ssh_algorithm ssh_algorithms[] = {
    {"ssh-ed25519", "ssh-ed25519", NULL, NULL, NULL, 0},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "prime256v1", "nistp256", "SHA256", 32},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "secp384r1", "nistp384", "SHA384", 48},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "secp521r1", "nistp521", "SHA512", 66},
    {"rsa-sha2-512", "ssh-rsa", NULL, NULL, "SHA512", 0},
    {"rsa-sha2-256", "ssh-rsa", NULL, NULL, "SHA256", 0},
};
const size_t ssh_n_algorithms = sizeof ssh_algorithms / sizeof ssh_algorithms[0];

const struct ssh_algorithm *ssh_algorithm(struct gost_bytes name)
{
    size_t i;

    for (i = 0; i < ssh_n_algorithms; i++)
        if (ssh_is(name, ssh_algorithms[i].name))
            return &ssh_algorithms[i];
    return NULL;
}

static int can_sign(EVP_PKEY *key, const struct ssh_algorithm *a)
{
    char group[64];
    size_t n;

    if (a->group)
        return EVP_PKEY_is_a(key, "EC") &&
               EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                              &n) &&
               strcmp(group, a->group) == 0;
    return EVP_PKEY_is_a(key, a->md ? "RSA" : "ED25519");
}

const struct ssh_algorithm *ssh_key_algorithm(EVP_PKEY *key, struct gost_bytes offer)
{
    size_t i;

    for (i = 0; i < ssh_n_algorithms; i++)
        if (can_sign(key, &ssh_algorithms[i]) &&
            (offer.n == 0 || ssh_has_name(offer, ssh_algorithms[i].name)))
            return &ssh_algorithms[i];
    return NULL;
}

void ssh_put_key_names(struct ssh_out *o, EVP_PKEY *key)
{
    const char *comma = "";
    size_t i;

    for (i = 0; i < ssh_n_algorithms; i++) {
        if (!can_sign(key, &ssh_algorithms[i]))
            continue;
        ssh_put(o, comma, strlen(comma));
        ssh_put(o, ssh_algorithms[i].name, strlen(ssh_algorithms[i].name));
        comma = ",";
    }
}

/* ---- public keys ---- */

static int put_number(struct ssh_out *o, EVP_PKEY *key, const char *name)
{
    uint8_t bytes[2048]; /* 16384 bits */
    BIGNUM *v = NULL;
    int n = -1;

    if (EVP_PKEY_get_bn_param(key, name, &v) && BN_num_bytes(v) <= (int)sizeof bytes)
        n = BN_bn2bin(v, bytes);
    BN_free(v);
    if (n < 0)
        return GOST_EUNSUPPORTED;
    ssh_put_mpint(o, gost_bytes(bytes, (size_t)n));
    return GOST_OK;
}

static int put_point(struct ssh_out *o, EVP_PKEY *key)
{
    unsigned char *point = NULL;
    size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);

    if (n == 0)
        return GOST_EUNSUPPORTED;
    ssh_put_string(o, gost_bytes(point, n));
    OPENSSL_free(point);
    return GOST_OK;
}

int ssh_put_public(struct ssh_out *o, EVP_PKEY *key)
{
    const struct ssh_algorithm *a = ssh_key_algorithm(key, gost_bytes(NULL, 0));
    uint8_t raw[32];
    size_t n = sizeof raw;

    if (!a)
        return GOST_EUNSUPPORTED;
    ssh_put_text(o, a->key);
    if (a->group) {
        ssh_put_text(o, a->curve);
        return put_point(o, key);
    }
    if (a->md)
        return put_number(o, key, OSSL_PKEY_PARAM_RSA_E) == GOST_OK
                   ? put_number(o, key, OSSL_PKEY_PARAM_RSA_N)
                   : GOST_EUNSUPPORTED;
    if (!EVP_PKEY_get_raw_public_key(key, raw, &n))
        return GOST_EUNSUPPORTED;
    ssh_put_string(o, gost_bytes(raw, n));
    return GOST_OK;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) > 0)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *ec_public(const struct ssh_algorithm *a, struct gost_bytes point)
{
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)a->group, 0);
    params[1] =
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point.p, point.n);
    params[2] = OSSL_PARAM_construct_end();
    return from_params("EC", params);
}

/* Short ones are worth nothing, long ones cost time. */
static int good_rsa(struct gost_bytes e, struct gost_bytes n)
{
    return e.n >= 1 && e.n <= 8 && n.n >= 128 && n.n <= 2048;
}

static EVP_PKEY *rsa_public(struct gost_bytes e, struct gost_bytes n)
{
    OSSL_PARAM_BLD *b = good_rsa(e, n) ? OSSL_PARAM_BLD_new() : NULL;
    BIGNUM *bn = b ? BN_bin2bn(n.p, (int)n.n, NULL) : NULL;
    BIGNUM *be = b ? BN_bin2bn(e.p, (int)e.n, NULL) : NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (bn && be && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be))
        params = OSSL_PARAM_BLD_to_param(b);
    if (params)
        key = from_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn);
    BN_free(be);
    return key;
}

int ssh_blob_is(struct gost_bytes blob, const struct ssh_algorithm *a)
{
    struct ssh_in in = ssh_in(blob);

    return ssh_is(ssh_get_string(&in), a->key);
}

EVP_PKEY *ssh_get_public(struct gost_bytes blob)
{
    struct ssh_in in = ssh_in(blob);
    struct gost_bytes type = ssh_get_string(&in), first, second;
    const struct ssh_algorithm *a = ssh_is(type, "ssh-rsa")
                                        ? ssh_algorithm(gost_bytes_str("rsa-sha2-512"))
                                        : ssh_algorithm(type);
    EVP_PKEY *key = NULL;

    if (!a || in.bad || !ssh_is(type, a->key))
        return NULL;
    if (a->group) {
        first = ssh_get_string(&in);
        second = ssh_get_string(&in);
        if (!in.bad && in.n == 0 && ssh_is(first, a->curve))
            key = ec_public(a, second);
    } else if (a->md) {
        first = ssh_get_mpint(&in);
        second = ssh_get_mpint(&in);
        if (!in.bad && in.n == 0)
            key = rsa_public(first, second);
    } else {
        first = ssh_get_string(&in);
        if (!in.bad && in.n == 0 && first.n == 32)
            key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, first.p, first.n);
    }
    ERR_clear_error();
    return key;
}

/* ---- signatures ---- */

/* ECDSA: OpenSSL has them in DER, SSH as two numbers. */
static int put_ecdsa(struct ssh_out *o, const uint8_t *der, size_t n, size_t scalar)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    uint8_t r[66], s[66];
    struct ssh_out inner = {0};
    int good;

    good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, (int)scalar) > 0 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, (int)scalar) > 0;
    ECDSA_SIG_free(sig);
    if (!good)
        return GOST_EINTERNAL;
    ssh_put_mpint(&inner, gost_bytes(r, scalar));
    ssh_put_mpint(&inner, gost_bytes(s, scalar));
    ssh_put_string(o, ssh_out_bytes(&inner));
    ssh_out_free(&inner);
    return GOST_OK;
}

int ssh_sign(struct ssh_out *o, EVP_PKEY *key, const struct ssh_algorithm *a,
             struct gost_bytes data)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct ssh_out inner = {0};
    uint8_t sig[2048];
    size_t n = sizeof sig;
    int r = GOST_EINTERNAL;

    if (ctx && EVP_DigestSignInit_ex(ctx, NULL, a->md, NULL, NULL, key, NULL) > 0 &&
        EVP_DigestSign(ctx, sig, &n, data.p, data.n) > 0) {
        r = GOST_OK;
        ssh_put_text(&inner, a->name);
        if (a->group)
            r = put_ecdsa(&inner, sig, n, a->scalar);
        else
            ssh_put_string(&inner, gost_bytes(sig, n));
        ssh_put_string(o, ssh_out_bytes(&inner));
    }
    ssh_out_free(&inner);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return r;
}

/* Two numbers as DER. Returns its length, 0: they are none. */
static size_t get_ecdsa(struct gost_bytes numbers, size_t scalar, uint8_t *out, size_t room)
{
    struct ssh_in in = ssh_in(numbers);
    struct gost_bytes r = ssh_get_mpint(&in), s = ssh_get_mpint(&in);
    ECDSA_SIG *sig;
    BIGNUM *br, *bs;
    int n = 0;

    if (in.bad || in.n || r.n > scalar || s.n > scalar || !(sig = ECDSA_SIG_new()))
        return 0;
    br = BN_bin2bn(r.p, (int)r.n, NULL);
    bs = BN_bin2bn(s.p, (int)s.n, NULL);
    if (br && bs && ECDSA_SIG_set0(sig, br, bs)) {
        n = i2d_ECDSA_SIG(sig, NULL);
        n = n > 0 && (size_t)n <= room ? i2d_ECDSA_SIG(sig, &out) : 0;
    } else {
        BN_free(br);
        BN_free(bs);
    }
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

int ssh_verify(EVP_PKEY *key, const struct ssh_algorithm *a, struct gost_bytes signature,
               struct gost_bytes data)
{
    struct ssh_in in = ssh_in(signature);
    struct gost_bytes name = ssh_get_string(&in), sig = ssh_get_string(&in);
    EVP_MD_CTX *ctx;
    uint8_t der[160];
    int good;

    if (in.bad || in.n || !ssh_is(name, a->name) || !can_sign(key, a))
        return GOST_EAUTH;
    if (a->group)
        sig = gost_bytes(der, get_ecdsa(sig, a->scalar, der, sizeof der));
    ctx = EVP_MD_CTX_new();
    good = ctx && sig.n && EVP_DigestVerifyInit_ex(ctx, NULL, a->md, NULL, NULL, key, NULL) > 0 &&
           EVP_DigestVerify(ctx, sig.p, sig.n, data.p, data.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good ? GOST_OK : GOST_EAUTH;
}

void ssh_fingerprint(struct gost_bytes blob, char out[SSH_FINGERPRINT])
{
    uint8_t md[32], text[64];
    int n = 0;

    if (EVP_Digest(blob.p, blob.n, md, NULL, EVP_sha256(), NULL))
        n = EVP_EncodeBlock(text, md, sizeof md);
    while (n > 0 && text[n - 1] == '=')
        n--;
    snprintf(out, SSH_FINGERPRINT, "SHA256:%.*s", n, (const char *)text);
}
