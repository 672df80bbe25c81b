/* tls_step.c - one TLS connection: handshake, decoding, encoding, closing. */
/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>

#include "tls.h"

#define READ_MAX     16384u /* the largest record's payload */
#define READ_MIN     512u
#define ANSWERED_MAX (64u * 1024) /* answers a peer may provoke without reading any */

static int tls_open(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    const struct tls_conf *c = conf;
    uint32_t role = gost_flow(io)->role;
    BIO *bio;

    s->wire = io;
    s->conf = c;
    s->peer = "the client";
    if (role != c->made->role)
        return gost_fail(io, GOST_EINTERNAL,
                         "a tls layer was made for the other role than it runs in");
    s->ssl = SSL_new(c->made->ctx);
    bio = s->ssl ? tls_bio_new(s) : NULL;
    if (!bio) {
        ERR_clear_error();
        return gost_fail(io, GOST_ENOMEM, "out of memory for a TLS connection");
    }
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_app_data(s->ssl, s);
    if (c->handshake_timeout)
        gost_set_deadline(io, gost_now() + c->handshake_timeout);
    if (role == GOST_SERVER) {
        SSL_set_accept_state(s->ssl);
        return GOST_OK;
    }
    SSL_set_connect_state(s->ssl);
    return tls_client_open(s);
}

/* ---- handshake ---- */

void tls_tell_secure(struct tls_state *s)
{
    const char *name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    X509 *peer = SSL_get1_peer_certificate(s->ssl);
    uint8_t cert[TLS_PIN_SIZE], key[TLS_PIN_SIZE];
    struct gost_secure info;
    char subject[256];
    const unsigned char *alpn;
    unsigned int alpn_n;

    memset(&info, 0, sizeof info);
    info.size = (uint32_t)sizeof info;
    info.resumed = SSL_session_reused(s->ssl) != 0;
    SSL_get0_alpn_selected(s->ssl, &alpn, &alpn_n);
    info.alpn = gost_bytes(alpn, alpn_n);
    info.server_name = gost_bytes_str(name);
    info.version = gost_bytes_str(SSL_get_version(s->ssl));
    info.cipher = gost_bytes_str(SSL_get_cipher_name(s->ssl));
    if (peer) {
        tls_cert_subject(peer, subject, sizeof subject);
        info.peer_subject = gost_bytes_str(subject);
        if (tls_cert_digests(peer, cert, key))
            info.peer_fingerprint = gost_bytes(cert, sizeof cert);
    }
    X509_free(peer);
    gost_set_secure(s->wire, &info);
    gost_log(s->wire, GOST_LOG_DEBUG, "%s: %s, %s%s", s->peer, SSL_get_version(s->ssl),
             SSL_get_cipher_name(s->ssl), info.resumed ? ", resumed" : "");
}

static int tls_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    int r;

    s->wire = io;
    gost_phase(io, "the TLS handshake");
    ERR_clear_error();
    r = SSL_do_handshake(s->ssl);
    if (r == 1) {
        gost_set_deadline(io, 0);
        gost_phase(io, "TLS records");
        tls_tell_secure(s);
        return GOST_OK;
    }
    if (SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ)
        return tls_fail(s, "the TLS handshake");
    if (gost_rx_eof(io))
        return gost_fail(io, GOST_ECLOSED,
                         "%s closed the connection in the TLS handshake: is there TLS "
                         "at the other end, and does its log say more?",
                         s->peer);
    return GOST_AGAIN;
}

static int tls_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;

    s->wire = io;
    if (SSL_is_init_finished(s->ssl))
        return GOST_AGAIN;
    return gost_fail(io, GOST_ETIMEDOUT,
                     "the TLS handshake with %s took longer than handshakeTimeout "
                     "(%llu ms)",
                     s->peer, (unsigned long long)(s->conf->handshake_timeout / GOST_MS));
}

/* ---- reading ---- */

/* Room to reserve: a record's payload is never longer than what is queued or decoded already. */
static size_t read_size(const struct tls_state *s)
{
    size_t n = (size_t)SSL_pending(s->ssl);

    if (n == 0)
        n = gost_rx_len(s->wire);
    return n < READ_MIN ? READ_MIN : n > READ_MAX ? READ_MAX : n;
}

/* Both sides have said their goodbye: nothing is left to keep the wire open for. */
static void end_wire(struct tls_state *s)
{
    if (s->got_end && s->sent_end)
        gost_shut(s->wire);
}

/* The wire has no more: its end, when between two records, is the end of the data. The host passes
 * the wire's end on itself, with the error if it broke. */
static int no_input(struct tls_state *s)
{
    if (!gost_rx_eof(s->wire))
        return GOST_AGAIN;
    if (!tls_records_between(&s->in))
        return gost_fail(s->wire, GOST_ECLOSED,
                         "%s: the connection broke in the middle of a TLS record", s->peer);
    if (!s->got_end)
        gost_log(s->wire, GOST_LOG_DEBUG, "%s ended without a close_notify", s->peer);
    s->got_end = 1;
    end_wire(s);
    return GOST_AGAIN;
}

static int peer_ended(struct tls_state *s, struct gost_io *app)
{
    s->got_end = 1;
    gost_consume(s->wire, gost_rx_len(s->wire)); /* means nothing any more */
    gost_shut(app);
    end_wire(s);
    return GOST_END;
}

static int tls_decode(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    struct gost_io *app = gost_app(io);
    uint8_t *p;
    size_t n;
    int ok;

    s->wire = io;
    if (s->got_end) {
        gost_consume(io, gost_rx_len(io));
        return GOST_END;
    }
    while (SSL_has_pending(s->ssl) || gost_rx_len(io) > 0) {
        if (gost_tx_room(app) == 0)
            return GOST_FULL;
        n = read_size(s);
        p = gost_reserve(app, n);
        if (!p)
            return gost_fail(io, GOST_ENOMEM, "out of memory");
        ERR_clear_error();
        ok = SSL_read_ex(s->ssl, p, n, &n);
        gost_commit(app, ok ? n : 0);
        if (gost_tx_room(io) > 0)
            s->answered = 0;
        if (s->answered > ANSWERED_MAX)
            return gost_fail(io, GOST_EPROTO, "%s asks for answers without end and reads none",
                             s->peer);
        if (ok)
            continue;
        switch (SSL_get_error(s->ssl, 0)) {
        case SSL_ERROR_WANT_READ:
            return no_input(s);
        case SSL_ERROR_ZERO_RETURN:
            return peer_ended(s, app);
        default:
            return tls_fail(s, "the TLS connection");
        }
    }
    return no_input(s);
}

/* ---- writing ---- */

static int tls_encode(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    struct gost_io *app = gost_app(io);
    struct gost_bytes run;
    size_t n;

    s->wire = io;
    if (s->failed)
        return GOST_AGAIN;
    while ((run = gost_rx(app)).n > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        n = run.n < READ_MAX ? run.n : READ_MAX;
        ERR_clear_error();
        if (!SSL_write_ex(s->ssl, run.p, n, &n))
            return tls_fail(s, "the TLS connection");
        s->answered = 0;
        gost_consume(app, n);
    }
    return GOST_AGAIN;
}

/* As GOST: our close_notify, and the wire stays open until the peer has said its own. */
static int tls_shut(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;

    s->wire = io;
    ERR_clear_error();
    if (!s->sent_end && SSL_shutdown(s->ssl) < 0)
        ERR_clear_error(); /* the peer broke the connection meanwhile: decode tells it */
    s->sent_end = 1;
    end_wire(s);
    return GOST_AGAIN;
}

static void tls_destroy(void *state)
{
    struct tls_state *s = state;

    SSL_free(s->ssl);
    s->ssl = NULL;
}

const struct gost_layer_ops tls_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_SECURE,
    .open = tls_open,
    .handshake = tls_handshake,
    .decode = tls_decode,
    .encode = tls_encode,
    .shut = tls_shut,
    .on_deadline = tls_on_deadline,
    .destroy = tls_destroy,
};
