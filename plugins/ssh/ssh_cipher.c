/* ssh_cipher.c - how packets are protected: AES in GCM, AES in CTR with HMAC. */
/* SPDX-License-Identifier: MIT */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "ssh.h"

struct ssh_cipher_kind {
    const char *name, *cipher;
    size_t key, block;
    int gcm;
};

static const struct ssh_cipher_kind ciphers[] = {
    {"aes128-gcm@openssh.com", "AES-128-GCM", 16, 16, 1},
    {"aes256-gcm@openssh.com", "AES-256-GCM", 32, 16, 1},
    {"aes128-ctr", "AES-128-CTR", 16, 16, 0},
    {"aes192-ctr", "AES-192-CTR", 24, 16, 0},
    {"aes256-ctr", "AES-256-CTR", 32, 16, 0},
};

static const struct mac_kind {
    const char *name, *md;
    size_t n;
    int etm;
} macs[] = {
    {"hmac-sha2-256-etm@openssh.com", "SHA256", 32, 1},
    {"hmac-sha2-512-etm@openssh.com", "SHA512", 64, 1},
    {"hmac-sha2-256", "SHA256", 32, 0},
    {"hmac-sha2-512", "SHA512", 64, 0},
};

const char ssh_cipher_names[] =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
const char ssh_mac_names[] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
                             "hmac-sha2-256,hmac-sha2-512";

#define GCM_TAG 16

/* ---- keys ---- */

static int set_mac(struct ssh_dir *d, struct gost_bytes name, const uint8_t *key)
{
    OSSL_PARAM params[2];
    EVP_MAC *mac;
    size_t i;

    for (i = 0; i < sizeof macs / sizeof macs[0] && !ssh_is(name, macs[i].name); i++)
        continue;
    if (i == sizeof macs / sizeof macs[0])
        return GOST_EUNSUPPORTED;
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)macs[i].md, 0);
    params[1] = OSSL_PARAM_construct_end();
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    d->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    d->tag = macs[i].n;
    d->etm = macs[i].etm;
    return d->mac && EVP_MAC_init(d->mac, key, macs[i].n, params) ? GOST_OK : GOST_ENOMEM;
}

int ssh_dir_set(struct ssh_dir *d, struct gost_bytes cipher, struct gost_bytes mac,
                const struct ssh_secrets *secrets, int encrypt)
{
    const struct ssh_cipher_kind *k = NULL;
    EVP_CIPHER *type;
    size_t i;
    int good;

    for (i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (ssh_is(cipher, ciphers[i].name))
            k = &ciphers[i];
    if (!k)
        return GOST_EUNSUPPORTED;
    ssh_dir_free(d);
    d->kind = k;
    d->cipher = EVP_CIPHER_CTX_new();
    type = EVP_CIPHER_fetch(NULL, k->cipher, NULL);
    good = d->cipher && type &&
           EVP_CipherInit_ex2(d->cipher, type, secrets->key, secrets->iv, encrypt, NULL);
    EVP_CIPHER_free(type);
    if (!good)
        return GOST_ENOMEM;
    memcpy(d->iv, secrets->iv, sizeof d->iv);
    d->tag = GCM_TAG;
    return k->gcm ? GOST_OK : set_mac(d, mac, secrets->mac);
}

/* All but the number of the next packet. */
void ssh_dir_free(struct ssh_dir *d)
{
    uint32_t seq = d->seq;

    EVP_CIPHER_CTX_free(d->cipher);
    EVP_MAC_CTX_free(d->mac);
    gost_wipe(d, sizeof *d);
    d->seq = seq;
}

size_t ssh_dir_block(const struct ssh_dir *d)
{
    return d->kind ? d->kind->block : 8;
}

/* Whether the length field counts among what is a multiple of the block. */
static int length_is_apart(const struct ssh_dir *d)
{
    return d->kind && (d->kind->gcm || d->etm);
}

static int mac_of(struct ssh_dir *d, struct gost_bytes a, struct gost_bytes b, uint8_t *out)
{
    uint8_t seq[4];
    size_t n = 0;

    gost_put32(seq, d->seq);
    return EVP_MAC_init(d->mac, NULL, 0, NULL) && EVP_MAC_update(d->mac, seq, sizeof seq) &&
           (a.n == 0 || EVP_MAC_update(d->mac, a.p, a.n)) &&
           (b.n == 0 || EVP_MAC_update(d->mac, b.p, b.n)) && EVP_MAC_final(d->mac, out, &n, 64) &&
           n == d->tag;
}

/* GCM: the last eight bytes count packets. */
static void next_iv(struct ssh_dir *d)
{
    gost_put64(d->iv + 4, gost_get64(d->iv + 4) + 1);
}

static int crypt(struct ssh_dir *d, uint8_t *out, const uint8_t *in, size_t n)
{
    int got = 0;

    return EVP_CipherUpdate(d->cipher, out, &got, in, (int)n) && (size_t)got == n;
}

/* ---- in ---- */

static int open_gcm(struct ssh_dir *d, const uint8_t *p, size_t n, uint8_t *buf)
{
    uint8_t last[16];
    int got;

    if (!EVP_CipherInit_ex2(d->cipher, NULL, NULL, d->iv, 0, NULL) ||
        !EVP_CipherUpdate(d->cipher, NULL, &got, p, 4) || !crypt(d, buf, p + 4, n) ||
        !EVP_CIPHER_CTX_ctrl(d->cipher, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, (void *)(p + 4 + n)) ||
        EVP_CipherFinal_ex(d->cipher, last, &got) <= 0)
        return 0;
    next_iv(d);
    return 1;
}

static int open_etm(struct ssh_dir *d, const uint8_t *p, size_t n, uint8_t *buf)
{
    uint8_t mac[64];

    return mac_of(d, gost_bytes(p, 4 + n), gost_bytes(NULL, 0), mac) &&
           gost_equal_ct(gost_bytes(mac, d->tag), gost_bytes(p + 4 + n, d->tag)) &&
           crypt(d, buf, p + 4, n);
}

/* The first block is known; the MAC is over what was enciphered. */
static int open_mac(struct ssh_dir *d, const uint8_t *p, size_t n, uint8_t *buf)
{
    size_t rest = 4 + n - sizeof d->first;
    uint8_t mac[64];

    memcpy(buf, d->first + 4, sizeof d->first - 4);
    if (rest && !crypt(d, buf + sizeof d->first - 4, p + sizeof d->first, rest))
        return 0;
    return mac_of(d, gost_bytes(d->first, 4), gost_bytes(buf, n), mac) &&
           gost_equal_ct(gost_bytes(mac, d->tag), gost_bytes(p + 4 + n, d->tag));
}

/* The length of the packet at the front. GOST_OK or GOST_AGAIN. */
static int packet_length(struct ssh_dir *d, struct gost_io *io, size_t *ret_n)
{
    int hidden = d->kind && !length_is_apart(d);
    const uint8_t *p;

    if (!d->have_first) {
        p = gost_peek(io, hidden ? sizeof d->first : 4);
        if (!p)
            return GOST_AGAIN;
        if (!hidden) {
            *ret_n = gost_get32(p);
            return GOST_OK;
        }
        if (!crypt(d, d->first, p, sizeof d->first))
            return GOST_EINTERNAL;
        d->have_first = 1;
    }
    *ret_n = gost_get32(d->first);
    return GOST_OK;
}

static int open_it(struct ssh_dir *d, const uint8_t *p, size_t n, uint8_t *buf)
{
    if (!d->kind) {
        memcpy(buf, p + 4, n);
        return 1;
    }
    return d->kind->gcm ? open_gcm(d, p, n, buf)
           : d->etm     ? open_etm(d, p, n, buf)
                        : open_mac(d, p, n, buf);
}

int ssh_dir_open(struct ssh_dir *d, struct gost_io *io, uint8_t *buf,
                 struct gost_bytes *ret_payload, const char **ret_why)
{
    size_t block = ssh_dir_block(d), tag = d->kind ? d->tag : 0, n;
    const uint8_t *p;
    int r = packet_length(d, io, &n);

    if (r != GOST_OK) {
        *ret_why = "the cipher failed";
        return r;
    }
    *ret_why = "a packet of a length that cannot be: the peer is no SSH, or bytes were lost";
    if (n < 8 || n > SSH_PACKET_MAX - 4 || (n + (length_is_apart(d) ? 0 : 4)) % block)
        return GOST_EPROTO;
    p = gost_peek(io, 4 + n + tag);
    if (!p)
        return GOST_AGAIN;
    *ret_why = "a packet was changed on its way";
    if (!open_it(d, p, n, buf))
        return GOST_EPROTO;
    *ret_why = "a packet with more padding than it has bytes";
    if (buf[0] < 4 || (size_t)buf[0] + 2 > n)
        return GOST_EPROTO;
    gost_consume(io, 4 + n + tag);
    d->have_first = 0;
    d->seq++;
    d->bytes += n;
    *ret_payload = gost_bytes(buf + 1, n - 1 - buf[0]);
    return GOST_OK;
}

/* ---- out ---- */

int ssh_dir_seal(struct ssh_dir *d, uint8_t *buf, size_t n, size_t *ret_n)
{
    int got = 0, good = 1;
    uint8_t last[16];

    if (d->kind && d->kind->gcm) {
        good = EVP_CipherInit_ex2(d->cipher, NULL, NULL, d->iv, 1, NULL) &&
               EVP_CipherUpdate(d->cipher, NULL, &got, buf, 4) &&
               crypt(d, buf + 4, buf + 4, n - 4) && EVP_CipherFinal_ex(d->cipher, last, &got) > 0 &&
               EVP_CIPHER_CTX_ctrl(d->cipher, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, buf + n);
        next_iv(d);
    } else if (d->kind && d->etm) {
        good = crypt(d, buf + 4, buf + 4, n - 4) &&
               mac_of(d, gost_bytes(buf, n), gost_bytes(NULL, 0), buf + n);
    } else if (d->kind) {
        good = mac_of(d, gost_bytes(buf, n), gost_bytes(NULL, 0), buf + n) && crypt(d, buf, buf, n);
    }
    d->seq++;
    d->bytes += n;
    *ret_n = n + (d->kind ? d->tag : 0);
    return good ? GOST_OK : GOST_EINTERNAL;
}
