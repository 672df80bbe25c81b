/* tls_bio.c - OpenSSL's reads and writes on the queues of the port below. */
/* SPDX-License-Identifier: MIT */
#include "tls.h"

static BIO_METHOD *method;

/* An empty queue is always "try again", even after its end: an end seen by OpenSSL would also end
 * the other direction. The decoder looks at the port's end itself. */
static int bio_read(BIO *bio, char *out, int n)
{
    struct tls_state *s = BIO_get_data(bio);
    struct gost_bytes run;
    size_t done = 0, k;

    BIO_clear_retry_flags(bio);
    while (done < (size_t)n && (run = gost_rx(s->wire)).n > 0) {
        k = run.n < (size_t)n - done ? run.n : (size_t)n - done;
        memcpy(out + done, run.p, k);
        gost_consume(s->wire, k);
        done += k;
    }
    if (done == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    tls_records_feed(&s->in, (const uint8_t *)out, done);
    return (int)done;
}

/* Never waits: what the queue's high mark means is the encoder's business. */
static int bio_write(BIO *bio, const char *data, int n)
{
    struct tls_state *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    if (gost_tx_room(s->wire) == 0)
        s->answered += (uint32_t)n;
    return gost_send(s->wire, data, (size_t)n) == GOST_OK ? n : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH;
}

int tls_bio_init(void)
{
    if (method)
        return GOST_OK;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gost port");
    if (!method || !BIO_meth_set_read(method, bio_read) || !BIO_meth_set_write(method, bio_write) ||
        !BIO_meth_set_ctrl(method, bio_ctrl))
        return GOST_ENOMEM;
    return GOST_OK;
}

BIO *tls_bio_new(struct tls_state *s)
{
    BIO *bio = BIO_new(method);

    if (!bio)
        return NULL;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return bio;
}
