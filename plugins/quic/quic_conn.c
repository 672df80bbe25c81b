/* quic_conn.c - a connection of ngtcp2: its settings, parameters and callbacks. */
/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>

#include "quic.h"
#include "sockaddr.h"

#define WINDOW_CONN       786432u
#define WINDOW_STREAM     524288u
#define WINDOW_CONN_MAX   (6u << 20) /* what one client may make us keep */
#define WINDOW_STREAM_MAX (2u << 20)
#define ONEWAY_STREAMS    100u /* as GOST says; they are refused one by one */
#define DATAGRAM_MAX      16383u

static void on_rand(uint8_t *dest, size_t n, const ngtcp2_rand_ctx *ctx)
{
    gost_random(dest, n);
}

static int new_id(struct quic_state *s, ngtcp2_cid *ret_cid, size_t n)
{
    uint8_t id[NGTCP2_MAX_CIDLEN];
    int tries, r = GOST_EINUSE;

    for (tries = 0; tries < 8 && r == GOST_EINUSE; tries++) {
        gost_random(id, n);
        ngtcp2_cid_init(ret_cid, id, n);
        r = n ? gost_key_add(s->wire, gost_bytes(id, n)) : GOST_OK;
    }
    return r;
}

static int on_new_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t n, void *user)
{
    return new_id(user, cid, n) == GOST_OK && quic_reset_token(token, cid) == 0
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_remove_id(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user)
{
    struct quic_state *s = user;

    gost_key_remove(s->wire, gost_bytes(cid->data, cid->datalen));
    return 0;
}

static int on_handshake(ngtcp2_conn *conn, void *user)
{
    ((struct quic_state *)user)->handshaken = 1;
    return 0;
}

static int on_stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset,
                              void *user)
{
    ((struct quic_state *)user)->unknown = 1;
    return 0;
}

static int on_datagram(ngtcp2_conn *conn, uint32_t flags, const uint8_t *data, size_t n, void *user)
{
    struct quic_state *s = user;

    (void)gost_host_->session_datagram(s->wire, NULL, gost_bytes(data, n));
    return 0;
}

/* Packets that were opened on this thread: ngtcp2 takes those of strangers, too, without a word. */
static _Thread_local uint64_t opened;

uint64_t quic_opened(void)
{
    return opened;
}

static int on_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
                      const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *in, size_t n,
                      const uint8_t *nonce, size_t nonce_n, const uint8_t *aad, size_t aad_n)
{
    int r = ngtcp2_crypto_decrypt_cb(dest, aead, ctx, in, n, nonce, nonce_n, aad, aad_n);

    opened += r == 0;
    return r;
}

static const ngtcp2_callbacks callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_handshake,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = on_decrypt,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = quic_on_stream_data,
    .acked_stream_data_offset = quic_on_stream_acked,
    .stream_open = quic_on_stream_open,
    .stream_close = quic_on_stream_close,
    .recv_stateless_reset = on_stateless_reset,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .rand = on_rand,
    .get_new_connection_id = on_new_id,
    .remove_connection_id = on_remove_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .stream_reset = quic_on_stream_reset,
    .extend_max_stream_data = quic_on_stream_window,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .recv_datagram = on_datagram,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .stream_stop_sending = quic_on_stream_stop,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};

static void fill_settings(const struct quic_state *s, ngtcp2_settings *settings)
{
    const struct quic_conf *c = s->conf;

    ngtcp2_settings_default(settings);
    settings->initial_ts = gost_now();
    settings->handshake_timeout = 2 * c->handshake_timeout;
    settings->max_window = WINDOW_CONN_MAX;
    settings->max_stream_window = WINDOW_STREAM_MAX;
    settings->cc_algo = NGTCP2_CC_ALGO_CUBIC;
    /* Inside the seal the outer packet is larger than what ngtcp2 knows of. */
    settings->max_tx_udp_payload_size = c->cipher_key.n ? QUIC_PACKET - QUIC_SEAL : QUIC_PACKET;
    settings->no_pmtud = c->cipher_key.n != 0;
}

static void fill_params(const struct quic_state *s, ngtcp2_transport_params *params)
{
    const struct quic_conf *c = s->conf;

    ngtcp2_transport_params_default(params);
    params->initial_max_data = WINDOW_CONN;
    params->initial_max_stream_data_bidi_local = WINDOW_STREAM;
    params->initial_max_stream_data_bidi_remote = WINDOW_STREAM;
    params->initial_max_stream_data_uni = WINDOW_STREAM;
    params->initial_max_streams_bidi = c->max_streams > 0 ? (uint64_t)c->max_streams : 0;
    params->initial_max_streams_uni = ONEWAY_STREAMS;
    params->max_idle_timeout = c->idle_timeout;
    params->max_udp_payload_size = QUIC_PACKET;
    params->active_connection_id_limit = 4;
    params->max_datagram_frame_size = c->datagrams ? DATAGRAM_MAX : 0;
}

static void set_path(const struct quic_state *s, ngtcp2_path *path)
{
    memset(path, 0, sizeof *path);
    path->local.addr = (struct sockaddr *)&s->local;
    path->local.addrlen = s->local_n;
    path->remote.addr = (struct sockaddr *)&s->remote;
    path->remote.addrlen = s->remote_n;
}

uint64_t quic_keepalive(const struct quic_conf *c)
{
    uint64_t most = c->idle_timeout / 2;

    if (!c->keepalive)
        return 0;
    return c->ttl < most ? c->ttl : most;
}

static int made(struct quic_state *s, int r)
{
    if (r != 0)
        return gost_fail(s->wire, r == NGTCP2_ERR_NOMEM ? GOST_ENOMEM : GOST_EPROTO,
                         "no QUIC connection can be made: %s", ngtcp2_strerror(r));
    ngtcp2_conn_set_tls_native_handle(s->conn, s->tls);
    ngtcp2_conn_set_keep_alive_timeout(s->conn, quic_keepalive(s->conf));
    return GOST_OK;
}

int quic_client_new(struct quic_state *s)
{
    struct sockaddr_in *nowhere = (struct sockaddr_in *)&s->remote;
    ngtcp2_transport_params params;
    ngtcp2_settings settings;
    ngtcp2_cid dcid, scid = {0};
    ngtcp2_path path;
    uint8_t id[16];
    int r = quic_tls_open(s);

    if (r != GOST_OK)
        return r;
    /* The wire leads to one peer, wherever that is: one path, whose addresses mean nothing. */
    nowhere->sin_family = AF_INET;
    s->local = s->remote;
    s->local_n = s->remote_n = sizeof *nowhere;
    set_path(s, &path);
    fill_settings(s, &settings);
    fill_params(s, &params);
    gost_random(id, sizeof id);
    ngtcp2_cid_init(&dcid, id, sizeof id);
    return made(s, ngtcp2_conn_client_new(&s->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
                                          &callbacks, &settings, &params, NULL, s));
}

int quic_server_new(struct quic_state *s, struct gost_bytes packet, const struct gost_addr *from)
{
    ngtcp2_transport_params params;
    ngtcp2_cid scid, original;
    ngtcp2_settings settings;
    struct gost_bytes token;
    ngtcp2_pkt_hd hd;
    ngtcp2_path path;
    int r;

    if (packet.n < QUIC_INITIAL || !(packet.p[0] & 0x80) ||
        ngtcp2_pkt_decode_hd_long(&hd, packet.p, packet.n) < 0 || hd.type != NGTCP2_PKT_INITIAL)
        return GOST_AGAIN;
    fill_settings(s, &settings);
    fill_params(s, &params);
    quic_set_original(&params, &hd.dcid);
    token = quic_token(&hd);
    if (token.n && quic_token_verify(token, &hd, from, &original)) {
        quic_set_original(&params, &original);
        params.retry_scid = hd.dcid;
        params.retry_scid_present = 1;
        quic_set_token(&settings, token);
    }
    r = new_id(s, &scid, QUIC_CID);
    if (r != GOST_OK)
        return gost_fail(s->wire, r, "no connection id is free");
    params.stateless_reset_token_present =
        quic_reset_token(params.stateless_reset_token, &scid) == 0;
    r = quic_tls_open(s);
    if (r != GOST_OK)
        return r;
    set_path(s, &path);
    return made(s, ngtcp2_conn_server_new(&s->conn, &hd.scid, &scid, &path, hd.version, &callbacks,
                                          &settings, &params, NULL, s));
}
