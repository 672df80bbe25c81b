/* quic_seal.c - cipherKey: every UDP datagram is nonce, AES-GCM ciphertext and tag. */
/* SPDX-License-Identifier: MIT */
#include <gnutls/crypto.h>

#include "quic.h"

#define NONCE 12u
#define TAG   16u

static int begin(const struct quic_conf *c, gnutls_aead_cipher_hd_t *ret_cipher)
{
    gnutls_datum_t key = {(unsigned char *)c->cipher_key.p, (unsigned)c->cipher_key.n};
    gnutls_cipher_algorithm_t algorithm = key.size == 16   ? GNUTLS_CIPHER_AES_128_GCM
                                          : key.size == 24 ? GNUTLS_CIPHER_AES_192_GCM
                                                           : GNUTLS_CIPHER_AES_256_GCM;

    return gnutls_aead_cipher_init(ret_cipher, algorithm, &key);
}

int quic_seal(const struct quic_conf *c, const uint8_t *in, size_t n, uint8_t *out)
{
    gnutls_aead_cipher_hd_t cipher;
    size_t room = n + TAG;
    int r = begin(c, &cipher);

    if (r < 0)
        return r;
    gost_random(out, NONCE);
    r = gnutls_aead_cipher_encrypt(cipher, out, NONCE, NULL, 0, TAG, in, n, out + NONCE, &room);
    gnutls_aead_cipher_deinit(cipher);
    return r;
}

int quic_unseal(const struct quic_conf *c, struct gost_bytes in, uint8_t *out)
{
    gnutls_aead_cipher_hd_t cipher;
    size_t room = in.n;
    int r;

    if (in.n <= QUIC_SEAL || in.n > QUIC_PACKET + QUIC_SEAL)
        return -1;
    r = begin(c, &cipher);
    if (r < 0)
        return r;
    r = gnutls_aead_cipher_decrypt(cipher, in.p, NONCE, NULL, 0, TAG, in.p + NONCE, in.n - NONCE,
                                   out, &room);
    gnutls_aead_cipher_deinit(cipher);
    return r < 0 ? r : (int)room;
}
