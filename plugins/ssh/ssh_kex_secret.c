/* ssh_kex_secret.c - the shared secret, the exchange hash, the keys made of them. */
/* SPDX-License-Identifier: MIT */
#include <openssl/core_names.h>

#include "ssh_kex.h"

static int is_x25519(const struct ssh_kex *k)
{
    return !ssh_is(k->choice.kex, "ecdh-sha2-nistp256");
}

int ssh_kex_pair(struct ssh_kex *k)
{
    unsigned char *point = NULL;
    uint8_t raw[32];
    size_t n;

    if (is_x25519(k)) {
        gost_random(raw, sizeof raw);
        k->pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, raw, sizeof raw);
        gost_wipe(raw, sizeof raw);
    } else {
        k->pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    }
    n = k->pair ? EVP_PKEY_get1_encoded_public_key(k->pair, &point) : 0;
    if (n == 0)
        return GOST_ENOMEM;
    ssh_put(&k->public, point, n);
    OPENSSL_free(point);
    return GOST_OK;
}

/* A key of the same kind as ours with the peer's half in it. */
static EVP_PKEY *peer_key(const struct ssh_kex *k, struct gost_bytes half)
{
    EVP_PKEY *peer = NULL;

    if (is_x25519(k))
        return half.n == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, half.p, half.n)
                            : NULL;
    if (half.n != 65 || half.p[0] != 4 || !(peer = EVP_PKEY_new()))
        return NULL;
    if (EVP_PKEY_copy_parameters(peer, k->pair) > 0 &&
        EVP_PKEY_set1_encoded_public_key(peer, half.p, half.n) > 0)
        return peer;
    EVP_PKEY_free(peer);
    return NULL;
}

/* A half of low order gives a secret of zeros: OpenSSL refuses it. */
static int shared_secret(const struct ssh_kex *k, struct gost_bytes half, uint8_t *out, size_t *n)
{
    EVP_PKEY *peer = peer_key(k, half);
    EVP_PKEY_CTX *ctx = peer ? EVP_PKEY_CTX_new(k->pair, NULL) : NULL;
    int good = ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
               EVP_PKEY_derive(ctx, out, n) > 0;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return good;
}

static void hash_exchange(struct ssh_state *s, struct gost_bytes host, struct gost_bytes peer,
                          struct gost_bytes secret, uint8_t *h)
{
    const struct ssh_kex *k = s->kex;
    struct gost_bytes us = gost_bytes_str(SSH_VERSION), mine = ssh_out_bytes(&k->mine);
    struct gost_bytes them = ssh_out_bytes(&s->peer_version), theirs = ssh_out_bytes(&k->theirs);
    struct gost_bytes half = ssh_out_bytes(&k->public);
    struct ssh_out o = {0};

    ssh_put_string(&o, s->server ? them : us);
    ssh_put_string(&o, s->server ? us : them);
    ssh_put_string(&o, s->server ? theirs : mine);
    ssh_put_string(&o, s->server ? mine : theirs);
    ssh_put_string(&o, host);
    ssh_put_string(&o, s->server ? peer : half);
    ssh_put_string(&o, s->server ? half : peer);
    ssh_put(&o, secret.p, secret.n);
    (void)EVP_Digest(o.p, o.n, h, NULL, EVP_sha256(), NULL);
    ssh_out_free(&o);
}

/* RFC 4253 section 7.2: 64 bytes for each letter, more than any cipher takes. */
static void derive(const struct ssh_state *s, struct gost_bytes secret, const uint8_t *h,
                   char letter, uint8_t *out)
{
    struct ssh_out o = {0};

    ssh_put(&o, secret.p, secret.n);
    ssh_put(&o, h, 32);
    ssh_put_u8(&o, (uint8_t)letter);
    ssh_put(&o, s->session_id, s->session_id_n);
    (void)EVP_Digest(o.p, o.n, out, NULL, EVP_sha256(), NULL);
    o.n = secret.n + 32;
    ssh_put(&o, out, 32);
    (void)EVP_Digest(o.p, o.n, out + 32, NULL, EVP_sha256(), NULL);
    ssh_out_free(&o);
}

static void derive_all(const struct ssh_state *s, struct gost_bytes secret, struct ssh_derived *d)
{
    struct ssh_secrets *to_server = s->server ? &d->in : &d->out;
    struct ssh_secrets *to_client = s->server ? &d->out : &d->in;

    derive(s, secret, d->hash.h, 'A', to_server->iv);
    derive(s, secret, d->hash.h, 'B', to_client->iv);
    derive(s, secret, d->hash.h, 'C', to_server->key);
    derive(s, secret, d->hash.h, 'D', to_client->key);
    derive(s, secret, d->hash.h, 'E', to_server->mac);
    derive(s, secret, d->hash.h, 'F', to_client->mac);
}

int ssh_kex_derive(struct ssh_state *s, struct gost_bytes host, struct gost_bytes peer,
                   struct ssh_derived *ret_d)
{
    struct ssh_out secret = {0};
    uint8_t raw[64];
    size_t n = sizeof raw;

    if (!shared_secret(s->kex, peer, raw, &n))
        return GOST_EPROTO;
    ssh_put_mpint(&secret, gost_bytes(raw, n));
    gost_wipe(raw, sizeof raw);
    if (secret.bad)
        return GOST_ENOMEM;
    hash_exchange(s, host, peer, ssh_out_bytes(&secret), ret_d->hash.h);
    if (!s->session_id_n) {
        memcpy(s->session_id, ret_d->hash.h, 32);
        s->session_id_n = 32;
    }
    derive_all(s, ssh_out_bytes(&secret), ret_d);
    ssh_out_free(&secret);
    return GOST_OK;
}
