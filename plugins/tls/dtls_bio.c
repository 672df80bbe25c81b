/* dtls_bio.c - OpenSSL's reads and writes on the packets of the port below; cookies, timers. */
/* SPDX-License-Identifier: MIT */
#include <openssl/hmac.h>

#include "tls.h"

#define FLIGHT_MAX_US 60000000u /* as GOST */
#define UDP_AND_IP    28

static BIO_METHOD *method;

int dtls_bio_next(struct tls_state *s)
{
    struct gost_packet in;
    int r;

    if (s->packet.n)
        return 1;
    while ((r = gost_packet_recv(s->wire, &in)) == GOST_OK) {
        if (!in.data.n)
            continue;
        s->packet = in.data;
        return 1;
    }
    s->wire_ended |= r == GOST_END;
    return 0;
}

/* One packet; what does not fit is lost, as with a socket. */
static int bio_read(BIO *bio, char *out, int n)
{
    struct tls_state *s = BIO_get_data(bio);
    size_t size;

    BIO_clear_retry_flags(bio);
    if (!dtls_bio_next(s)) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size = s->packet.n < (size_t)n ? s->packet.n : (size_t)n;
    memcpy(out, s->packet.p, size);
    dtls_order_packet(&s->order, s->packet.p, size);
    s->packet.n = 0;
    return (int)size;
}

/* A packet that the queue has no room for is lost: handshakes send theirs again. */
static int bio_write(BIO *bio, const char *data, int n)
{
    struct tls_state *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (n > 0)
        (void)gost_packet_put(s->wire, gost_bytes(data, (size_t)n), NULL);
    return n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return UDP_AND_IP;
    default:
        return 0;
    }
}

int dtls_bio_init(void)
{
    if (method)
        return GOST_OK;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gost packets");
    if (!method || !BIO_meth_set_read(method, bio_read) || !BIO_meth_set_write(method, bio_write) ||
        !BIO_meth_set_ctrl(method, bio_ctrl))
        return GOST_ENOMEM;
    return GOST_OK;
}

BIO *dtls_bio_new(struct tls_state *s)
{
    BIO *bio = BIO_new(method);

    if (!bio)
        return NULL;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return bio;
}

unsigned int dtls_next_timer(SSL *ssl, unsigned int us)
{
    const struct tls_state *s = SSL_get_app_data(ssl);

    if (us == 0)
        return (unsigned int)(s->conf->flight / 1000);
    return us < FLIGHT_MAX_US / 2 ? 2 * us : FLIGHT_MAX_US;
}

/* ---- cookies: the peer's address under a key of this configuration (RFC 6347, 4.2.1) ---- */

static int make_cookie(SSL *ssl, uint8_t ret_cookie[DTLS_COOKIE])
{
    const struct tls_state *s = SSL_get_app_data(ssl);
    const struct gost_addr *peer = gost_flow(s->wire)->remote;
    uint8_t text[16 + 2 + 4], hash[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    memset(text, 0, sizeof text);
    memcpy(text, peer->ip, peer->family == GOST_AF_IP4 ? 4 : 16);
    memcpy(text + 16, &peer->port, 2);
    memcpy(text + 18, &peer->scope, 4);
    if (!HMAC(EVP_sha256(), s->conf->made->cookie_key, sizeof s->conf->made->cookie_key, text,
              sizeof text, hash, &n) ||
        n < DTLS_COOKIE)
        return 0;
    memcpy(ret_cookie, hash, DTLS_COOKIE);
    return 1;
}

int dtls_give_cookie(SSL *ssl, unsigned char *cookie, unsigned int *ret_n)
{
    *ret_n = DTLS_COOKIE;
    return make_cookie(ssl, cookie);
}

int dtls_check_cookie(SSL *ssl, const unsigned char *cookie, unsigned int n)
{
    uint8_t good[DTLS_COOKIE];

    return n == DTLS_COOKIE && make_cookie(ssl, good) &&
           CRYPTO_memcmp(good, cookie, DTLS_COOKIE) == 0;
}
