/* tls.h - what the files of the tls plugin share: configuration, and a connection's state. */
/* SPDX-License-Identifier: MIT */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include <gost/host.h>

#include "tls_names.h"

/* A certificate, those above it, and its key. */
struct tls_pair {
    X509 *leaf;
    STACK_OF(X509) * chain; /* without the leaf; NULL: none */
    EVP_PKEY *key;
};

#define DTLS_COOKIE 20 /* bytes; GOST's are as long */

/* What prepare() derives from the options. Immutable afterwards, shared by all workers. */
struct tls_made {
    SSL_CTX *ctx;
    uint32_t role;
    struct tls_pair *pairs; /* server: to choose from. client: the one to show */
    uint32_t n_pairs;
    uint8_t *alpn; /* wire form */
    size_t alpn_n;
    uint8_t (*pins)[TLS_PIN_SIZE];
    uint32_t n_pins;
    uint32_t check_chain, check_name;
    uint8_t cookie_key[32]; /* DTLS server */
};

struct tls_conf {
    const char *cert_file, *key_file, *ca_file;
    const char *server_name;
    const char *min_version, *max_version;
    const char *common_name, *organization;
    const char *fingerprint;
    struct gost_list cipher_suites, alpn, server_names, certs, pins;
    uint64_t validity, handshake_timeout;
    uint32_t secure, reject_unknown_sni;
    int64_t mtu, buffer_size; /* DTLS: bytes of a packet in a handshake, of a record's payload */
    uint64_t flight;          /* DTLS: time until a flight is sent again */
    uint32_t datagrams;       /* it is the configuration of a layer dtls */
    struct tls_made *made;
};

/* DTLS: which record of the peer is the next one of the stream. */
struct dtls_held;
struct dtls_order {
    uint64_t next;          /* number of the record that is delivered next; epoch 1 */
    uint64_t number;        /* of the record that OpenSSL reads now, if it is known */
    uint64_t give_up;       /* held: when the one before them counts as lost */
    struct dtls_held *held; /* sorted */
    uint32_t n_held, passed;
    uint8_t known, adopt;
    uint8_t repeated; /* the handshake's last record came more than once */
};

/* One connection. `wire` is set anew at each step: callbacks of OpenSSL find their port there. */
struct tls_state {
    SSL *ssl;
    struct gost_io *wire;
    const struct tls_conf *conf;
    const char *peer;   /* for messages: "example.com", "the client"; arena or literal */
    const char *reason; /* why a callback refused, a whole sentence; arena; NULL: none */
    struct tls_records in;
    struct gost_bytes packet; /* DTLS: received and not read; within one step */
    uint64_t give_up;         /* DTLS: when the handshake is too late; 0: never */
    struct dtls_order order;
    uint64_t burst_at; /* DTLS: of packets sent, its begin and size */
    uint32_t burst;
    uint32_t answered;  /* bytes OpenSSL wrote on its own while the wire was full */
    uint8_t failed;     /* the sentence was given to the host */
    uint8_t got_end;    /* the peer's close_notify or its end came */
    uint8_t sent_end;   /* our close_notify was sent */
    uint8_t wire_ended; /* DTLS: no packet will come */
};

/* ---- tls_bio.c ---- */

/* Make the BIO method. [main], once. GOST_OK or GOST_ENOMEM. */
int tls_bio_init(void);
/* A BIO over s->wire; it belongs to the SSL it is given to. NULL: out of memory. */
BIO *tls_bio_new(struct tls_state *s);

/* ---- dtls_bio.c ---- */

/* As tls_bio_init() and tls_bio_new(), of packets. */
int dtls_bio_init(void);
BIO *dtls_bio_new(struct tls_state *s);
/* 1: s->packet is the next one. 0: none is there. [worker] */
int dtls_bio_next(struct tls_state *s);
/* Callbacks of OpenSSL. */
unsigned int dtls_next_timer(SSL *ssl, unsigned int us);
int dtls_give_cookie(SSL *ssl, unsigned char *cookie, unsigned int *ret_n);
int dtls_check_cookie(SSL *ssl, const unsigned char *cookie, unsigned int n);

/* ---- dtls_order.c ---- */

/* OpenSSL reads this packet now. */
void dtls_order_packet(struct dtls_order *o, const uint8_t *p, size_t n);
/* It gave a record of it, n bytes, or the peer's close_notify. GOST_OK: it is the next one.
 * GOST_AGAIN: it was kept for later, or came before. GOST_ELIMIT: the one before it is lost. */
int dtls_order_record(struct dtls_order *o, const uint8_t *p, size_t n, int end, uint64_t now);
/* 1: one that was kept is next; borrowed until it is done. 0: the next one is not there. */
int dtls_order_next(const struct dtls_order *o, struct gost_bytes *ret_bytes, int *ret_end);
void dtls_order_next_done(struct dtls_order *o, uint64_t now);
/* GOST_AGAIN: there is time. GOST_OK: what was kept is the next one. GOST_ELIMIT: one is lost. */
int dtls_order_late(struct dtls_order *o, uint64_t now);
void dtls_order_free(struct dtls_order *o);

/* ---- tls_cert.c ---- [main] */

/* Write one sentence into p->error and return GOST_ETLS. */
int tls_refuse(struct gost_prepare *p, const char *fmt, ...) GOST_PRINTF(2, 3);
int tls_pair_load(struct tls_pair *ret_pair, const char *cert_file, const char *key_file,
                  struct gost_prepare *p);
/* The generated certificate of this process for these words: the same one at every call. */
int tls_pair_generated(struct tls_pair *ret_pair, const struct tls_conf *c, struct gost_prepare *p);
void tls_pair_free(struct tls_pair *pair);
/* Give the pair to the connection. 1: done, 0: OpenSSL refuses. [any] */
int tls_pair_use(SSL *ssl, const struct tls_pair *pair);
int tls_pair_use_ctx(SSL_CTX *ctx, const struct tls_pair *pair);
/* SHA-256 of the certificate and of its public key. 1: done. [any] */
int tls_cert_digests(const X509 *cert, uint8_t ret_cert[TLS_PIN_SIZE],
                     uint8_t ret_key[TLS_PIN_SIZE]);
/* Subject as RFC 2253 writes it, cut to size. [any] */
void tls_cert_subject(const X509 *cert, char *buf, size_t size);
/* The names it is for ("a.example, *.b.example, 192.0.2.1"), cut to size. [any] */
void tls_cert_names(const X509 *cert, char *buf, size_t size);

/* ---- tls_print.c ---- [main] */

/* Whose ClientHello a client shows; NULL: our own. A name that is none: p->error says so. */
struct tls_print;
int tls_print_find(const char *name, const struct tls_print **ret_print, struct gost_prepare *p);
/* Suites, groups, signatures and extensions of that ClientHello, as far as OpenSSL has them. */
int tls_print_apply(const struct tls_print *print, SSL_CTX *ctx, struct gost_prepare *p);
/* The protocols that a browser offers. */
extern const struct gost_list tls_print_alpn;

/* ---- tls_ctx.c, tls_server.c, tls_client.c ---- */

/* An SSL_CTX with what both roles share. NULL: p->error says why. [main] */
SSL_CTX *tls_ctx_new(const struct tls_conf *c, struct gost_prepare *p);
int tls_server_prepare(struct tls_conf *c, struct gost_prepare *p);
int tls_client_prepare(struct tls_conf *c, struct gost_prepare *p);
void tls_made_free(struct tls_made *m);
/* Name, address and pins of the peer for this connection. [worker] */
int tls_client_open(struct tls_state *s);

/* ---- tls_error.c ---- [worker] */

/* Keep a sentence for tls_fail(). The first call wins. */
void tls_reason(struct tls_state *s, const char *fmt, ...) GOST_PRINTF(2, 3);
/* A sentence about a certificate that was not verified. `error` is an X509_V_ERR_*. */
void tls_cert_reason(struct tls_state *s, X509_STORE_CTX *x, int error);
/* Fail the flow with what the callbacks or OpenSSL's error queue know. `doing`: "the TLS
 * handshake". */
int tls_fail(struct tls_state *s, const char *doing);

/* ---- tls_step.c, dtls_step.c ---- */

extern const struct gost_layer_ops tls_layer_ops, dtls_layer_ops;
/* After the handshake: version, suite and the peer's certificate for the layers above. [worker] */
void tls_tell_secure(struct tls_state *s);

#endif
