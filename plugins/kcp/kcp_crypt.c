/* kcp_crypt.c - what a packet of kcp-go is wrapped in: nonce, checksum, cipher. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <strings.h>

#include <gcrypt.h>
#include <isa-l.h>

#include "kcp_crypt.h"
#include "kcp_tea.h"

#define XOR_PAD 1500u

/* The initial vector is the same for all packets: the random nonce is encrypted with them. */
static const uint8_t iv[16] = {0xa7, 0x73, 0x4f, 0x9c, 0x12, 0xac, 0x1b, 0x01,
                               0xa4, 0x15, 0xf2, 0xc1, 0xfc, 0x78, 0xe6, 0x6b};

static const struct {
    const char *name;
    enum kcp_cipher cipher;
    int algo;
    uint8_t key, block;
} ciphers[] = {
    {"aes", KCP_AES256, GCRY_CIPHER_AES256, 32, 16},
    {"aes-128", KCP_AES128, GCRY_CIPHER_AES128, 16, 16},
    {"aes-192", KCP_AES192, GCRY_CIPHER_AES192, 24, 16},
    {"sm4", KCP_SM4, GCRY_CIPHER_SM4, 16, 16},
    {"twofish", KCP_TWOFISH, GCRY_CIPHER_TWOFISH, 32, 16},
    {"blowfish", KCP_BLOWFISH, GCRY_CIPHER_BLOWFISH, 32, 8},
    {"cast5", KCP_CAST5, GCRY_CIPHER_CAST5, 16, 8},
    {"3des", KCP_3DES, GCRY_CIPHER_3DES, 24, 8},
    {"tea", KCP_TEA, 0, 16, 8},
    {"xtea", KCP_XTEA, 0, 16, 8},
    {"salsa20", KCP_SALSA20, GCRY_CIPHER_SALSA20, 32, 8},
    {"xor", KCP_XOR, 0, 0, 0},
    {"none", KCP_NONE, 0, 0, 0},
};

#define N_CIPHERS (sizeof ciphers / sizeof ciphers[0])

struct kcp_crypt {
    enum kcp_cipher cipher;
    gcry_cipher_hd_t gcry;
    uint32_t words[4];
    size_t block;
    uint8_t pad[]; /* xor only */
};

enum kcp_cipher kcp_cipher_find(const char *name, int *ret_known)
{
    size_t i;

    for (i = 0; i < N_CIPHERS; i++) {
        if (strcmp(ciphers[i].name, name) == 0) {
            *ret_known = 1;
            return ciphers[i].cipher;
        }
    }
    *ret_known = !*name;
    return KCP_AES256;
}

int kcp_crypt_init(void)
{
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return GOST_OK;
    if (!gcry_check_version(NULL))
        return GOST_EUNSUPPORTED;
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    return GOST_OK;
}

static int derive(const uint8_t *key, size_t n, const char *salt, unsigned rounds, uint8_t *out,
                  size_t size)
{
    /* The library wants a pointer also for an empty key. */
    return gcry_kdf_derive(n ? (const void *)key : "", n, GCRY_KDF_PBKDF2, GCRY_MD_SHA1, salt,
                           strlen(salt), rounds, size, out)
               ? GOST_EINTERNAL
               : GOST_OK;
}

int kcp_pass(const uint8_t *key, size_t n, uint8_t ret_pass[KCP_PASS])
{
    return derive(key, n, "kcp-go", 4096, ret_pass, KCP_PASS);
}

static int open_gcry(struct kcp_crypt *c, int algo, const uint8_t *key, size_t n)
{
    int mode = c->cipher == KCP_SALSA20 ? GCRY_CIPHER_MODE_STREAM : GCRY_CIPHER_MODE_CFB;

    return !gcry_cipher_open(&c->gcry, algo, mode, 0) && !gcry_cipher_setkey(c->gcry, key, n);
}

struct kcp_crypt *kcp_crypt_new(enum kcp_cipher cipher, const uint8_t pass[KCP_PASS])
{
    struct kcp_crypt *c = calloc(1, sizeof *c + (cipher == KCP_XOR ? XOR_PAD : 0));
    size_t i = 0;
    int good = 1;

    if (!c)
        return NULL;
    while (ciphers[i].cipher != cipher)
        i++;
    c->cipher = cipher;
    c->block = ciphers[i].block;
    if (cipher == KCP_XOR)
        good = derive(pass, KCP_PASS, "sH3CIVoF#rWLtJo6", 32, c->pad, XOR_PAD) == GOST_OK;
    else if (ciphers[i].algo)
        good = open_gcry(c, ciphers[i].algo, pass, ciphers[i].key);
    else
        for (i = 0; i < 4; i++)
            c->words[i] = gost_get32(pass + 4 * i);
    if (good)
        return c;
    kcp_crypt_free(c);
    return NULL;
}

void kcp_crypt_free(struct kcp_crypt *c)
{
    if (!c)
        return;
    gcry_cipher_close(c->gcry);
    gost_wipe(c, sizeof *c + (c->cipher == KCP_XOR ? XOR_PAD : 0));
    free(c);
}

static void xor_pad(const struct kcp_crypt *c, uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n && i < XOR_PAD; i++)
        p[i] ^= c->pad[i];
}

/* One packet through the cipher. */
static void run(struct kcp_crypt *c, uint8_t *p, size_t n, int seal)
{
    switch (c->cipher) {
    case KCP_NONE:
        return;
    case KCP_XOR:
        xor_pad(c, p, n);
        return;
    case KCP_TEA:
    case KCP_XTEA:
        kcp_tea_cfb(c->words, c->cipher == KCP_XTEA, iv, p, n, seal);
        return;
    case KCP_SALSA20:
        (void)gcry_cipher_setiv(c->gcry, p, 8); /* the nonce's begin stays readable */
        (void)gcry_cipher_encrypt(c->gcry, p + 8, n - 8, NULL, 0);
        return;
    default:
        (void)gcry_cipher_setiv(c->gcry, iv, c->block);
        if (seal)
            (void)gcry_cipher_encrypt(c->gcry, p, n, NULL, 0);
        else
            (void)gcry_cipher_decrypt(c->gcry, p, n, NULL, 0);
        return;
    }
}

static void checksum(const uint8_t *p, size_t n, uint8_t ret[4])
{
    uint32_t crc = crc32_gzip_refl(0, p + KCP_CRYPT_HEAD, n - KCP_CRYPT_HEAD);

    ret[0] = (uint8_t)crc;
    ret[1] = (uint8_t)(crc >> 8);
    ret[2] = (uint8_t)(crc >> 16);
    ret[3] = (uint8_t)(crc >> 24);
}

void kcp_crypt_seal(struct kcp_crypt *c, uint8_t *p, size_t n)
{
    checksum(p, n, p + KCP_NONCE);
    run(c, p, n, 1);
}

int kcp_crypt_open(struct kcp_crypt *c, uint8_t *p, size_t n)
{
    uint8_t want[4];

    if (n < KCP_CRYPT_HEAD)
        return GOST_EPROTO;
    run(c, p, n, 0);
    checksum(p, n, want);
    return memcmp(want, p + KCP_NONCE, 4) == 0 ? GOST_OK : GOST_EPROTO;
}
