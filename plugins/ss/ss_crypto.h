/* ss_crypto.h - methods, boxes of an AEAD with counting nonces, and key derivation. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_CRYPTO_H
#define SS_CRYPTO_H

#include <gost/base.h>

#define SS_KEY_MAX 32 /* keys and salts */
#define SS_TAG     16
#define SS_NONCE   12
#define SS_BLOCK   16 /* of AES: identity headers, separate headers */
#define SS_XNONCE  24

enum ss_family {
    SS_PLAIN = 1, /* GOST's none: the framing without a cipher */
    SS_AEAD = 2,  /* of 2017 */
    SS_2022 = 3
};

struct ss_method {
    const char *name;
    const char *cipher; /* of libcrypto; NULL: none */
    const char *block;  /* AES for single blocks; NULL: there is none, so no identity headers */
    uint8_t family;     /* enum ss_family */
    uint8_t key, salt, tag;
};

#define SS_METHODS                                         \
    "none aes-128-gcm aes-256-gcm chacha20-ietf-poly1305 " \
    "2022-blake3-aes-128-gcm 2022-blake3-aes-256-gcm "     \
    "2022-blake3-chacha20-poly1305"

/* By place in SS_METHODS; NULL: there is none. [any], pure */
const struct ss_method *ss_method_at(uint32_t index);

/*
 * One direction of one connection, or one packet. The nonce counts from zero, so a subkey must be
 * used for one of these only.
 */
struct ss_box {
    void *ctx; /* EVP_CIPHER_CTX; NULL: no cipher */
    uint64_t counter;
    uint8_t tag, sealing;
};

/* GOST_OK, GOST_ENOMEM. After it ss_box_free() is due. */
int ss_box_init(struct ss_box *b, const struct ss_method *m, const uint8_t *subkey, int sealing);
void ss_box_free(struct ss_box *b);

/* Write in.n + tag bytes to out; in and out are the same place or apart. The next nonce is used. */
int ss_box_seal(struct ss_box *b, uint8_t *out, struct gost_bytes in);

/* in holds the tag; writes in.n - tag bytes to out, to be used only when the answer is GOST_OK.
 * GOST_EAUTH: not sealed with this key and nonce. */
int ss_box_open(struct ss_box *b, uint8_t *out, struct gost_bytes in);

/* The same in pieces: what some() wrote counts only when finish() gives GOST_OK. */
int ss_box_open_start(struct ss_box *b);
int ss_box_open_some(struct ss_box *b, uint8_t *out, struct gost_bytes in);
int ss_box_open_finish(struct ss_box *b, const uint8_t *tag);

/* One box with a nonce of its own, as packets have. Results as above. */
int ss_seal_once(const struct ss_method *m, const uint8_t *subkey, const uint8_t nonce[SS_NONCE],
                 uint8_t *out, struct gost_bytes in);
int ss_open_once(const struct ss_method *m, const uint8_t *subkey, const uint8_t nonce[SS_NONCE],
                 uint8_t *out, struct gost_bytes in);

/* XChaCha20: the key and nonce for the inner cipher from a nonce of 24 bytes. GOST_OK, GOST_ENOMEM.
 */
int ss_xchacha(const uint8_t key[SS_KEY_MAX], const uint8_t xnonce[SS_XNONCE],
               uint8_t ret_key[SS_KEY_MAX], uint8_t ret_nonce[SS_NONCE]);

/* One block of AES. GOST_OK, GOST_ENOMEM. */
int ss_block(const struct ss_method *m, const uint8_t *key, const uint8_t in[SS_BLOCK],
             uint8_t out[SS_BLOCK], int encrypt);

/* A password of 2017 to a key. GOST_OK, GOST_EUNSUPPORTED: libcrypto refuses MD5. */
int ss_password_key(const struct ss_method *m, struct gost_bytes password, uint8_t *ret_key);

/* The subkey of a stream or packet; salt is m->salt bytes (2022 packets: a session id of 8). */
int ss_subkey(const struct ss_method *m, const uint8_t *key, struct gost_bytes salt,
              uint8_t ret_subkey[SS_KEY_MAX]);

/* 2022: the key of an identity header, and what it says about the next key. */
void ss_identity_key(const struct ss_method *m, const uint8_t *key, const uint8_t *salt,
                     uint8_t ret_key[SS_KEY_MAX]);
void ss_identity_hash(const struct ss_method *m, const uint8_t *key, uint8_t ret_hash[SS_BLOCK]);

#endif
