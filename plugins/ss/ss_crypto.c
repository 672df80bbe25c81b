/* ss_crypto.c - boxes and key derivation on libcrypto. */
/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ss_blake3.h"
#include "ss_crypto.h"

/* Methods are few and known, so each has its cipher looked up once per use by its plain getter. */
static const EVP_CIPHER *cipher_of(const char *name)
{
    if (strcmp(name, "AES-128-GCM") == 0)
        return EVP_aes_128_gcm();
    if (strcmp(name, "AES-256-GCM") == 0)
        return EVP_aes_256_gcm();
    if (strcmp(name, "AES-128-ECB") == 0)
        return EVP_aes_128_ecb();
    if (strcmp(name, "AES-256-ECB") == 0)
        return EVP_aes_256_ecb();
    return EVP_chacha20_poly1305();
}

int ss_box_init(struct ss_box *b, const struct ss_method *m, const uint8_t *subkey, int sealing)
{
    EVP_CIPHER_CTX *ctx;

    memset(b, 0, sizeof *b);
    b->tag = m->tag;
    b->sealing = sealing != 0;
    if (!m->cipher)
        return GOST_OK;
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx || EVP_CipherInit_ex(ctx, cipher_of(m->cipher), NULL, subkey, NULL, sealing) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        return GOST_ENOMEM;
    }
    b->ctx = ctx;
    return GOST_OK;
}

void ss_box_free(struct ss_box *b)
{
    EVP_CIPHER_CTX_free(b->ctx);
    b->ctx = NULL;
}

static void put_nonce(uint8_t nonce[SS_NONCE], uint64_t counter)
{
    unsigned i;

    memset(nonce, 0, SS_NONCE);
    for (i = 0; i < 8; i++)
        nonce[i] = (uint8_t)(counter >> (8 * i));
}

static int start(EVP_CIPHER_CTX *ctx, const uint8_t nonce[SS_NONCE], int sealing)
{
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, sealing) == 1 ? GOST_OK : GOST_EINTERNAL;
}

static int next(struct ss_box *b)
{
    uint8_t nonce[SS_NONCE];

    put_nonce(nonce, b->counter++);
    return b->ctx ? start(b->ctx, nonce, b->sealing) : GOST_OK;
}

static int crypt(EVP_CIPHER_CTX *ctx, uint8_t *out, struct gost_bytes in)
{
    int n;

    if (in.n == 0)
        return GOST_OK;
    if (!ctx) {
        memmove(out, in.p, in.n);
        return GOST_OK;
    }
    return EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) == 1 ? GOST_OK : GOST_EINTERNAL;
}

static int finish_seal(EVP_CIPHER_CTX *ctx, uint8_t *tag)
{
    uint8_t none[SS_TAG];
    int n;

    if (!ctx)
        return GOST_OK;
    if (EVP_EncryptFinal_ex(ctx, none, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SS_TAG, tag) != 1)
        return GOST_EINTERNAL;
    return GOST_OK;
}

static int finish_open(EVP_CIPHER_CTX *ctx, const uint8_t *tag)
{
    uint8_t copy[SS_TAG], none[SS_TAG];
    int n;

    if (!ctx)
        return GOST_OK;
    memcpy(copy, tag, sizeof copy);
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SS_TAG, copy) != 1 ||
        EVP_DecryptFinal_ex(ctx, none, &n) != 1)
        return GOST_EAUTH;
    return GOST_OK;
}

int ss_box_seal(struct ss_box *b, uint8_t *out, struct gost_bytes in)
{
    int r = next(b);

    if (r == GOST_OK)
        r = crypt(b->ctx, out, in);
    return r == GOST_OK ? finish_seal(b->ctx, out + in.n) : r;
}

int ss_box_open_start(struct ss_box *b)
{
    return next(b);
}

int ss_box_open_some(struct ss_box *b, uint8_t *out, struct gost_bytes in)
{
    return crypt(b->ctx, out, in);
}

int ss_box_open_finish(struct ss_box *b, const uint8_t *tag)
{
    return finish_open(b->ctx, tag);
}

int ss_box_open(struct ss_box *b, uint8_t *out, struct gost_bytes in)
{
    int r = next(b);

    if (in.n < b->tag)
        return GOST_EAUTH;
    if (r == GOST_OK)
        r = crypt(b->ctx, out, gost_bytes(in.p, in.n - b->tag));
    return r == GOST_OK ? finish_open(b->ctx, in.p + in.n - b->tag) : r;
}

int ss_seal_once(const struct ss_method *m, const uint8_t *subkey, const uint8_t nonce[SS_NONCE],
                 uint8_t *out, struct gost_bytes in)
{
    struct ss_box b;
    int r = ss_box_init(&b, m, subkey, 1);

    if (r == GOST_OK && b.ctx)
        r = start(b.ctx, nonce, 1);
    if (r == GOST_OK)
        r = crypt(b.ctx, out, in);
    if (r == GOST_OK)
        r = finish_seal(b.ctx, out + in.n);
    ss_box_free(&b);
    return r;
}

int ss_open_once(const struct ss_method *m, const uint8_t *subkey, const uint8_t nonce[SS_NONCE],
                 uint8_t *out, struct gost_bytes in)
{
    struct ss_box b;
    int r;

    if (in.n < m->tag)
        return GOST_EAUTH;
    r = ss_box_init(&b, m, subkey, 0);
    if (r == GOST_OK && b.ctx)
        r = start(b.ctx, nonce, 0);
    if (r == GOST_OK)
        r = crypt(b.ctx, out, gost_bytes(in.p, in.n - m->tag));
    if (r == GOST_OK)
        r = finish_open(b.ctx, in.p + in.n - m->tag);
    ss_box_free(&b);
    return r;
}

static int cipher_once(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *nonce,
                       uint8_t *out, struct gost_bytes in, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n, good;

    good = ctx && EVP_CipherInit_ex(ctx, cipher, NULL, key, nonce, encrypt) == 1 &&
           EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
           EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good ? GOST_OK : GOST_ENOMEM;
}

int ss_block(const struct ss_method *m, const uint8_t *key, const uint8_t in[SS_BLOCK],
             uint8_t out[SS_BLOCK], int encrypt)
{
    uint8_t copy[SS_BLOCK];
    int r;

    memcpy(copy, in, sizeof copy);
    r = cipher_once(cipher_of(m->block), key, NULL, out, gost_bytes(copy, sizeof copy), encrypt);
    gost_wipe(copy, sizeof copy);
    return r;
}

static uint32_t get_le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void take_off(uint8_t *out, const uint8_t *word, uint32_t initial)
{
    uint32_t v = get_le(word) - initial;
    unsigned i;

    for (i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

/*
 * HChaCha20 is ChaCha20's block without the last addition, its first and last four words. libcrypto
 * gives the block with the addition; the words added there are known, so they are taken off again.
 */
int ss_xchacha(const uint8_t key[SS_KEY_MAX], const uint8_t xnonce[SS_XNONCE],
               uint8_t ret_key[SS_KEY_MAX], uint8_t ret_nonce[SS_NONCE])
{
    static const uint8_t constant[17] = "expand 32-byte k", zero[64];
    uint8_t block[64];
    unsigned i;
    int r = cipher_once(EVP_chacha20(), key, xnonce, block, gost_bytes(zero, sizeof zero), 1);

    for (i = 0; r == GOST_OK && i < 4; i++) {
        take_off(ret_key + 4 * i, block + 4 * i, get_le(constant + 4 * i));
        take_off(ret_key + 16 + 4 * i, block + 48 + 4 * i, get_le(xnonce + 4 * i));
    }
    memset(ret_nonce, 0, 4);
    memcpy(ret_nonce + 4, xnonce + 16, 8);
    gost_wipe(block, sizeof block);
    return r;
}
