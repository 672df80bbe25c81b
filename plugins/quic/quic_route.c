/* quic_route.c - whose packet it is, and what is answered before a connection exists. */
/* SPDX-License-Identifier: MIT */
#include <gnutls/crypto.h>

#include "quic.h"
#include "sockaddr.h"

#define TOKEN_LIFE (10 * GOST_S)
#define RESET_MIN  41u /* 5 bytes that look like a packet, 16 of a token, and some to hide in */

static uint8_t token_secret[32], reset_secret[32];

int quic_secrets_init(void)
{
    /* For all configurations of this process: a reload must not make strays of what it sent. */
    if (gnutls_rnd(GNUTLS_RND_KEY, token_secret, sizeof token_secret) < 0 ||
        gnutls_rnd(GNUTLS_RND_KEY, reset_secret, sizeof reset_secret) < 0)
        return GOST_ETLS;
    return GOST_OK;
}

int quic_reset_token(uint8_t ret_token[NGTCP2_STATELESS_RESET_TOKENLEN], const ngtcp2_cid *cid)
{
    return ngtcp2_crypto_generate_stateless_reset_token(ret_token, reset_secret,
                                                        sizeof reset_secret, cid);
}

int quic_token_verify(struct gost_bytes token, const ngtcp2_pkt_hd *hd,
                      const struct gost_addr *from, ngtcp2_cid *ret_original)
{
    struct sockaddr_storage ss;
    socklen_t n = from ? gost_sockaddr_put(&ss, from) : 0;

    return n > 0 && ngtcp2_crypto_verify_retry_token(ret_original, token.p, token.n, token_secret,
                                                     sizeof token_secret, hd->version,
                                                     (struct sockaddr *)&ss, n, &hd->dcid,
                                                     TOKEN_LIFE, gost_now()) == 0;
}

static int is_known(uint32_t version)
{
    return version == NGTCP2_PROTO_VER_V1 || version == QUIC_VERSION_2;
}

static int answer_versions(const ngtcp2_version_cid *vc, uint8_t *reply, size_t *ret_n)
{
    const uint32_t versions[2] = {NGTCP2_PROTO_VER_V1, QUIC_VERSION_2};
    size_t n_versions = versions[0] == versions[1] ? 1 : 2;
    ngtcp2_ssize n;
    uint8_t chance;

    gost_random(&chance, 1);
    n = ngtcp2_pkt_write_version_negotiation(reply, *ret_n, chance, vc->scid, vc->scidlen, vc->dcid,
                                             vc->dcidlen, versions, n_versions);
    if (n <= 0)
        return GOST_ROUTE_DROP;
    *ret_n = (size_t)n;
    return GOST_ROUTE_ANSWER;
}

static int answer_retry(const ngtcp2_pkt_hd *hd, const struct gost_packet *pkt, uint8_t *reply,
                        size_t *ret_n)
{
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN], id[QUIC_CID];
    struct sockaddr_storage ss;
    socklen_t len = pkt->addr ? gost_sockaddr_put(&ss, pkt->addr) : 0;
    ngtcp2_ssize n;
    ngtcp2_cid scid;

    if (len == 0)
        return GOST_ROUTE_DROP;
    gost_random(id, sizeof id);
    ngtcp2_cid_init(&scid, id, sizeof id);
    n = ngtcp2_crypto_generate_retry_token(token, token_secret, sizeof token_secret, hd->version,
                                           (struct sockaddr *)&ss, len, &scid, &hd->dcid,
                                           gost_now());
    if (n > 0)
        n = ngtcp2_crypto_write_retry(reply, *ret_n, hd->version, &hd->scid, &scid, &hd->dcid,
                                      token, (size_t)n);
    if (n <= 0)
        return GOST_ROUTE_DROP;
    *ret_n = (size_t)n;
    return GOST_ROUTE_ANSWER;
}

/* Shorter than what came: two sides that know nothing of each other do not answer for ever. */
static int answer_reset(struct gost_bytes data, uint8_t *reply, size_t *ret_n)
{
    uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN], chance[RESET_MIN];
    ngtcp2_ssize n;
    ngtcp2_cid cid;

    if (data.n <= RESET_MIN)
        return GOST_ROUTE_DROP;
    ngtcp2_cid_init(&cid, data.p + 1, QUIC_CID);
    gost_random(chance, sizeof chance);
    if (quic_reset_token(token, &cid) != 0)
        return GOST_ROUTE_DROP;
    n = ngtcp2_pkt_write_stateless_reset(reply, *ret_n, token, chance,
                                         RESET_MIN - NGTCP2_STATELESS_RESET_TOKENLEN);
    if (n <= 0)
        return GOST_ROUTE_DROP;
    *ret_n = (size_t)n;
    return GOST_ROUTE_ANSWER;
}

static int is_retry_token(struct gost_bytes token)
{
    return token.n > 0 && token.p[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY;
}

/* A first packet: may it make a connection? Those of a connection under way carry the same key, so
 * a proof is asked for only when it turns out that nobody has it. */
static int route_initial(const struct quic_conf *c, const struct gost_packet *pkt,
                         struct gost_bytes data, struct gost_route_key *key, uint8_t *reply,
                         size_t *ret_n)
{
    int prove = c->retry || (pkt->flags & GOST_PACKET_BUSY);
    struct gost_bytes token;
    ngtcp2_cid original;
    ngtcp2_pkt_hd hd;

    if (ngtcp2_pkt_decode_hd_long(&hd, data.p, data.n) < 0)
        return GOST_ROUTE_DROP;
    token = quic_token(&hd);
    if (hd.type != NGTCP2_PKT_INITIAL || hd.dcid.datalen < 8 || data.n < QUIC_INITIAL) {
        key->fresh = 0;
    } else if (is_retry_token(token)) {
        if (!quic_token_verify(token, &hd, pkt->addr, &original))
            return GOST_ROUTE_DROP;
        key->fresh = 1;
    } else {
        key->fresh = !prove;
        if (prove && (pkt->flags & GOST_PACKET_STRAY))
            return answer_retry(&hd, pkt, reply, ret_n);
    }
    return pkt->flags & GOST_PACKET_STRAY ? GOST_ROUTE_DROP : GOST_ROUTE_KEY;
}

static int route_long(const struct quic_conf *c, const struct gost_packet *pkt,
                      struct gost_bytes data, struct gost_route_key *key, uint8_t *reply,
                      size_t *ret_n)
{
    ngtcp2_version_cid vc;
    int r = ngtcp2_pkt_decode_version_cid(&vc, data.p, data.n, QUIC_CID);

    if (r == NGTCP2_ERR_VERSION_NEGOTIATION || (r == 0 && vc.version && !is_known(vc.version)))
        return data.n < QUIC_INITIAL ? GOST_ROUTE_DROP : answer_versions(&vc, reply, ret_n);
    if (r != 0 || !vc.version || vc.dcidlen == 0 || vc.dcidlen > NGTCP2_MAX_CIDLEN)
        return GOST_ROUTE_DROP;
    key->n = (uint8_t)vc.dcidlen;
    memcpy(key->k, vc.dcid, vc.dcidlen);
    return route_initial(c, pkt, data, key, reply, ret_n);
}

static int route_plain(const struct quic_conf *c, const struct gost_packet *pkt,
                       struct gost_bytes data, struct gost_route_key *key, uint8_t *reply,
                       size_t *ret_n)
{
    if (data.n < 1 + QUIC_CID)
        return GOST_ROUTE_DROP;
    if (data.p[0] & 0x80)
        return route_long(c, pkt, data, key, reply, ret_n);
    if (pkt->flags & GOST_PACKET_STRAY)
        return answer_reset(data, reply, ret_n);
    key->n = QUIC_CID;
    memcpy(key->k, data.p + 1, QUIC_CID);
    return GOST_ROUTE_KEY;
}

static int route_sealed(const struct quic_conf *c, const struct gost_packet *pkt,
                        struct gost_route_key *key, uint8_t *reply, size_t *ret_n)
{
    uint8_t plain[QUIC_PACKET + QUIC_SEAL], answer[QUIC_PACKET];
    size_t room = *ret_n, n;
    int r = quic_unseal(c, pkt->data, plain);

    if (r <= 0 || room <= QUIC_SEAL)
        return GOST_ROUTE_DROP;
    n = room - QUIC_SEAL < sizeof answer ? room - QUIC_SEAL : sizeof answer;
    r = route_plain(c, pkt, gost_bytes(plain, (size_t)r), key, answer, &n);
    if (r != GOST_ROUTE_ANSWER)
        return r;
    if (quic_seal(c, answer, n, reply) < 0)
        return GOST_ROUTE_DROP;
    *ret_n = n + QUIC_SEAL;
    return r;
}

static int quic_route(const void *conf, const struct gost_packet *pkt, struct gost_route_key *key,
                      uint8_t *reply, size_t *ret_n)
{
    const struct quic_conf *c = conf;

    key->n = key->fresh = 0;
    if (c->cipher_key.n)
        return route_sealed(c, pkt, key, reply, ret_n);
    return route_plain(c, pkt, pkt->data, key, reply, ret_n);
}

const struct gost_attach_ops quic_attach_ops = {
    .size = sizeof(struct gost_attach_ops),
    .attach = GOST_ATTACH_KEY,
    .route = quic_route,
};
