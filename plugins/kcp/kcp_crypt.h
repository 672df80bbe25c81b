/* kcp_crypt.h - what a packet of kcp-go is wrapped in: nonce, checksum, cipher. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_CRYPT_H
#define KCP_CRYPT_H

#include <gost/base.h>

#define KCP_CRYPT_HEAD 20u /* nonce and checksum */
#define KCP_PASS       32u
#define KCP_NONCE      16u

enum kcp_cipher {
    KCP_AES256,
    KCP_AES128,
    KCP_AES192,
    KCP_SM4,
    KCP_TWOFISH,
    KCP_BLOWFISH,
    KCP_CAST5,
    KCP_3DES,
    KCP_TEA,
    KCP_XTEA,
    KCP_SALSA20,
    KCP_XOR,
    KCP_NONE
};

/* The names of gost's kcp.crypt; empty and unknown ones are AES-256 there. */
enum kcp_cipher kcp_cipher_find(const char *name, int *ret_known);
int kcp_crypt_init(void); /* [main] once: GOST_OK or GOST_EUNSUPPORTED */

/* PBKDF2-HMAC-SHA1 with 4096 rounds. GOST_OK or GOST_EINTERNAL. */
int kcp_pass(const uint8_t *key, size_t n, uint8_t ret_pass[KCP_PASS]);

struct kcp_crypt;
/* NULL: out of memory, or the library has no such cipher. */
struct kcp_crypt *kcp_crypt_new(enum kcp_cipher cipher, const uint8_t pass[KCP_PASS]);
void kcp_crypt_free(struct kcp_crypt *c); /* wipes the keys */
/* p has KCP_CRYPT_HEAD bytes of room before the body; its first 16 bytes are the nonce. */
void kcp_crypt_seal(struct kcp_crypt *c, uint8_t *p, size_t n);
/* In place. GOST_OK, or GOST_EPROTO: too short or another key. */
int kcp_crypt_open(struct kcp_crypt *c, uint8_t *p, size_t n);

#endif
