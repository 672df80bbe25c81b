/* ss_derive.c - methods, and keys from passwords, salts and other keys. */
/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ss_blake3.h"
#include "ss_crypto.h"

#define MD5_SIZE  16
#define SHA1_SIZE 20

/* In the order of SS_METHODS. */
static const struct ss_method methods[] = {
    {"none", NULL, NULL, SS_PLAIN, 0, 16, 0},
    {"aes-128-gcm", "AES-128-GCM", NULL, SS_AEAD, 16, 16, SS_TAG},
    {"aes-256-gcm", "AES-256-GCM", NULL, SS_AEAD, 32, 32, SS_TAG},
    {"chacha20-ietf-poly1305", "ChaCha20-Poly1305", NULL, SS_AEAD, 32, 32, SS_TAG},
    {"2022-blake3-aes-128-gcm", "AES-128-GCM", "AES-128-ECB", SS_2022, 16, 16, SS_TAG},
    {"2022-blake3-aes-256-gcm", "AES-256-GCM", "AES-256-ECB", SS_2022, 32, 32, SS_TAG},
    {"2022-blake3-chacha20-poly1305", "ChaCha20-Poly1305", NULL, SS_2022, 32, 32, SS_TAG},
};

const struct ss_method *ss_method_at(uint32_t index)
{
    return index < sizeof methods / sizeof *methods ? &methods[index] : NULL;
}

/* Each 16 bytes are the MD5 of the 16 before and the password. */
int ss_password_key(const struct ss_method *m, struct gost_bytes password, uint8_t *ret_key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t at;
    int good = ctx != NULL;

    for (at = 0; good && at < m->key; at += MD5_SIZE)
        good = EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
               (at == 0 || EVP_DigestUpdate(ctx, ret_key + at - MD5_SIZE, MD5_SIZE) == 1) &&
               EVP_DigestUpdate(ctx, password.p, password.n) == 1 &&
               EVP_DigestFinal_ex(ctx, ret_key + at, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? GOST_OK : GOST_EUNSUPPORTED;
}

static int hmac_sha1(uint8_t ret_mac[SHA1_SIZE], struct gost_bytes key, struct gost_bytes in)
{
    return HMAC(EVP_sha1(), key.p, (int)key.n, in.p, in.n, ret_mac, NULL) ? GOST_OK : GOST_ENOMEM;
}

/* HKDF (RFC 5869) with SHA-1; at most two blocks are ever needed. */
static int hkdf(struct gost_bytes key, struct gost_bytes salt, uint8_t *out, size_t n)
{
    static const char info[] = "ss-subkey";
    uint8_t prk[SHA1_SIZE], in[SHA1_SIZE + sizeof info], mac[SHA1_SIZE] = {0};
    size_t head = 0, at, k;
    uint8_t count = 1;
    int r = hmac_sha1(prk, salt, key);

    for (at = 0; r == GOST_OK && at < n; at += k, head = SHA1_SIZE) {
        memcpy(in, mac, head);
        memcpy(in + head, info, sizeof info - 1);
        in[head + sizeof info - 1] = count++;
        r = hmac_sha1(mac, gost_bytes(prk, sizeof prk), gost_bytes(in, head + sizeof info));
        k = n - at < SHA1_SIZE ? n - at : SHA1_SIZE;
        memcpy(out + at, mac, k);
    }
    gost_wipe(prk, sizeof prk);
    gost_wipe(in, sizeof in);
    gost_wipe(mac, sizeof mac);
    return r;
}

static void derive(const struct ss_method *m, const char *context, const uint8_t *key,
                   struct gost_bytes salt, uint8_t *ret_key)
{
    uint8_t material[2 * SS_KEY_MAX];

    memcpy(material, key, m->key);
    memcpy(material + m->key, salt.p, salt.n);
    ss_blake3_derive(ret_key, m->key, context, gost_bytes(material, m->key + salt.n));
    gost_wipe(material, sizeof material);
}

int ss_subkey(const struct ss_method *m, const uint8_t *key, struct gost_bytes salt,
              uint8_t ret_subkey[SS_KEY_MAX])
{
    if (m->family == SS_PLAIN)
        return GOST_OK;
    if (m->family == SS_AEAD)
        return hkdf(gost_bytes(key, m->key), salt, ret_subkey, m->key);
    derive(m, "shadowsocks 2022 session subkey", key, salt, ret_subkey);
    return GOST_OK;
}

void ss_identity_key(const struct ss_method *m, const uint8_t *key, const uint8_t *salt,
                     uint8_t ret_key[SS_KEY_MAX])
{
    derive(m, "shadowsocks 2022 identity subkey", key, gost_bytes(salt, m->salt), ret_key);
}

void ss_identity_hash(const struct ss_method *m, const uint8_t *key, uint8_t ret_hash[SS_BLOCK])
{
    ss_blake3_hash(ret_hash, SS_BLOCK, gost_bytes(key, m->key));
}
