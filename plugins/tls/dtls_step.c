/* dtls_step.c - one DTLS 1.2 association: handshake, decoding, encoding, closing (RFC 6347). */
/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>

#include "tls.h"

/* TLS reads records as a stream; this is its counterpart on packets. An association of a server
 * has no SSL until a ClientHello with our cookie came (section 4.2.1): until then packets with an
 * address that somebody made up cost the answer to each, and no memory. */

/* After so many packets a pause: what a fast sender sends at once overflows the other's socket, and
 * nothing lost is sent again. 32 in 1 ms are 300 Mbit/s. */
#define BURST    32
#define BURST_NS GOST_MS

#define HANDSHAKE  22u /* content type of a record that may begin an association */
#define RECORD_MAX 16384u

static int make_ssl(struct tls_state *s)
{
    BIO *bio;

    s->ssl = SSL_new(s->conf->made->ctx);
    bio = s->ssl ? dtls_bio_new(s) : NULL;
    if (!bio || !SSL_set_mtu(s->ssl, (long)s->conf->mtu)) {
        BIO_free(bio);
        SSL_free(s->ssl);
        s->ssl = NULL;
        ERR_clear_error();
        return gost_fail(s->wire, GOST_ENOMEM, "out of memory for a DTLS association");
    }
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_app_data(s->ssl, s);
    DTLS_set_timer_cb(s->ssl, dtls_next_timer);
    return GOST_OK;
}

static int dtls_open(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    uint32_t role = gost_flow(io)->role;
    int r;

    s->wire = io;
    s->conf = conf;
    s->peer = "the client";
    if (role != s->conf->made->role)
        return gost_fail(io, GOST_EINTERNAL,
                         "a dtls layer was made for the other role than it runs in");
    if (s->conf->handshake_timeout)
        s->give_up = gost_now() + s->conf->handshake_timeout;
    if (role == GOST_SERVER)
        return GOST_OK;
    r = make_ssl(s);
    if (r != GOST_OK)
        return r;
    SSL_set_connect_state(s->ssl);
    return tls_client_open(s);
}

/* ---- handshake ---- */

/* The timer of OpenSSL's flight, or the end of patience, whichever is sooner. */
static void set_timer(struct tls_state *s)
{
    struct timeval left;
    uint64_t at = s->give_up;

    if (s->order.held)
        at = s->order.give_up;
    if (s->burst >= BURST)
        at = s->burst_at + BURST_NS;
    if (s->ssl && DTLSv1_get_timeout(s->ssl, &left) == 1) {
        uint64_t due =
            gost_now() + (uint64_t)left.tv_sec * GOST_S + (uint64_t)left.tv_usec * 1000 + GOST_MS;

        at = at && at < due ? at : due;
    }
    gost_set_deadline(s->wire, at);
}

/* GOST_OK: s->ssl has a ClientHello that proves its address. GOST_AGAIN: not yet. Or an error. */
static int listen_for_client(struct tls_state *s)
{
    BIO_ADDR *unused = BIO_ADDR_new();
    int r = unused ? GOST_AGAIN : gost_fail(s->wire, GOST_ENOMEM, "out of memory");

    while (r == GOST_AGAIN && dtls_bio_next(s)) {
        if (s->packet.p[0] != HANDSHAKE) {
            s->packet.n = 0;
            continue;
        }
        r = make_ssl(s);
        if (r == GOST_OK && DTLSv1_listen(s->ssl, unused) <= 0) {
            SSL_free(s->ssl);
            s->ssl = NULL;
            r = GOST_AGAIN;
        }
        s->packet.n = 0;
        ERR_clear_error();
    }
    BIO_ADDR_free(unused);
    return r;
}

static int dtls_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    int r;

    s->wire = io;
    gost_phase(io, "the DTLS handshake");
    if (!s->ssl) {
        r = listen_for_client(s);
        if (r == GOST_AGAIN)
            set_timer(s);
        if (r != GOST_OK)
            return r;
    }
    ERR_clear_error();
    r = SSL_do_handshake(s->ssl);
    if (r == 1) {
        s->give_up = 0;
        set_timer(s);
        gost_phase(io, "DTLS records");
        tls_tell_secure(s);
        return GOST_OK;
    }
    if (SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ)
        return tls_fail(s, "the DTLS handshake");
    if (s->wire_ended)
        return gost_fail(io, GOST_ECLOSED, "%s is gone in the DTLS handshake", s->peer);
    set_timer(s);
    return GOST_AGAIN;
}

/* ---- reading ---- */

static int ended(struct tls_state *s, struct gost_io *app)
{
    s->got_end = 1;
    while (dtls_bio_next(s))
        s->packet.n = 0;
    gost_shut(app);
    return GOST_END;
}

static int lost(struct tls_state *s)
{
    s->failed = 1;
    (void)SSL_shutdown(s->ssl); /* it need not wait for what will never come */
    ERR_clear_error();
    return gost_fail(s->wire, GOST_ECLOSED,
                     "a packet of %s was lost, and DTLS sends none again: where packets get lost, "
                     "use quic or kcp",
                     s->peer);
}

/* Records that were kept and are next now. */
static int hand_up(struct tls_state *s, struct gost_io *app)
{
    struct gost_bytes b;
    int end;

    while (dtls_order_next(&s->order, &b, &end)) {
        if (gost_send(app, b.p, b.n) != GOST_OK)
            return gost_fail(s->wire, GOST_ENOMEM, "out of memory");
        dtls_order_next_done(&s->order, gost_now());
        if (end)
            return ended(s, app);
    }
    return GOST_OK;
}

/* One record at most. GOST_OK: go on. */
static int read_record(struct tls_state *s, struct gost_io *app)
{
    uint8_t *p = gost_reserve(app, RECORD_MAX);
    size_t n = 0;
    int ok, end, r;

    if (!p)
        return gost_fail(s->wire, GOST_ENOMEM, "out of memory");
    ERR_clear_error();
    ok = SSL_read_ex(s->ssl, p, RECORD_MAX, &n);
    s->packet.n = 0; /* its view does not outlive this step */
    end = !ok && SSL_get_error(s->ssl, 0) == SSL_ERROR_ZERO_RETURN;
    if (!ok && !end) {
        gost_commit(app, 0);
        if (SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_READ)
            return tls_fail(s, "the DTLS association");
        return GOST_OK; /* a packet that was none of ours, or came twice */
    }
    r = dtls_order_record(&s->order, p, n, end, gost_now());
    gost_commit(app, r == GOST_OK ? n : 0);
    if (r == GOST_ELIMIT)
        return lost(s);
    if (r == GOST_OK && end)
        return ended(s, app);
    return r == GOST_OK ? hand_up(s, app) : GOST_OK;
}

static int dtls_decode(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    struct gost_io *app = gost_app(io);
    int r;

    s->wire = io;
    if (s->got_end)
        return ended(s, app);
    for (;;) {
        if (gost_tx_room(app) == 0)
            return GOST_FULL;
        if (!SSL_has_pending(s->ssl) && !dtls_bio_next(s))
            break;
        r = read_record(s, app);
        if (r != GOST_OK)
            return r;
    }
    set_timer(s);
    if (!s->wire_ended)
        return GOST_AGAIN;
    return s->order.held ? lost(s) : ended(s, app);
}

/* ---- writing ---- */

static int may_send(struct tls_state *s)
{
    uint64_t now = gost_now();

    if (now >= s->burst_at + BURST_NS) {
        s->burst_at = now;
        s->burst = 0;
    }
    return s->burst < BURST && gost_tx_room(s->wire) > 0;
}

/* One record in each packet, no longer than GOST takes. */
static int dtls_encode(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    struct gost_io *app = gost_app(io);
    struct gost_bytes run;
    size_t n;

    s->wire = io;
    if (s->failed)
        return GOST_AGAIN;
    while ((run = gost_rx(app)).n > 0) {
        if (!may_send(s)) {
            set_timer(s);
            return GOST_FULL;
        }
        n = run.n < (size_t)s->conf->buffer_size ? run.n : (size_t)s->conf->buffer_size;
        ERR_clear_error();
        if (!SSL_write_ex(s->ssl, run.p, n, &n))
            return tls_fail(s, "the DTLS association");
        gost_consume(app, n);
        s->burst++;
    }
    if (!gost_rx_eof(app))
        return GOST_AGAIN;
    if (!s->sent_end && SSL_shutdown(s->ssl) < 0)
        ERR_clear_error(); /* the peer broke it meanwhile: decode tells it */
    s->sent_end = 1;
    return GOST_END;
}

static int dtls_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct tls_state *s = state;
    int r, late;

    s->wire = io;
    if (s->give_up && gost_now() >= s->give_up)
        return gost_fail(io, GOST_ETIMEDOUT,
                         "the DTLS handshake with %s took longer than handshakeTimeout (%llu ms)",
                         s->peer, (unsigned long long)(s->conf->handshake_timeout / GOST_MS));
    late = dtls_order_late(&s->order, gost_now());
    if (late == GOST_ELIMIT)
        return lost(s);
    if (late == GOST_OK && (r = hand_up(s, gost_app(io))) != GOST_OK)
        return r;
    ERR_clear_error();
    if (s->ssl && DTLSv1_handle_timeout(s->ssl) < 0)
        return gost_fail(io, GOST_ETIMEDOUT,
                         "%s does not answer in the DTLS handshake: is there DTLS 1.2 at the "
                         "other end, and do its packets get through?",
                         s->peer);
    r = s->burst >= BURST ? dtls_encode(state, conf, io) : GOST_AGAIN;
    set_timer(s);
    return r;
}

static void dtls_destroy(void *state)
{
    struct tls_state *s = state;

    SSL_free(s->ssl);
    s->ssl = NULL;
    dtls_order_free(&s->order);
}

const struct gost_layer_ops dtls_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_SECURE | GOST_LAYER_NO_HALF_CLOSE,
    .open = dtls_open,
    .handshake = dtls_handshake,
    .decode = dtls_decode,
    .encode = dtls_encode,
    .on_deadline = dtls_on_deadline,
    .destroy = dtls_destroy,
};
