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
    struct tls_made *made;
};

/* One connection. `wire` is set anew at each step: callbacks of OpenSSL find their port there. */
struct tls_state {
    SSL *ssl;
    struct gost_io *wire;
    const struct tls_conf *conf;
    const char *peer;   /* for messages: "example.com", "the client"; arena or literal */
    const char *reason; /* why a callback refused, a whole sentence; arena; NULL: none */
    struct tls_records in;
    uint32_t answered; /* bytes OpenSSL wrote on its own while the wire was full */
    uint8_t failed;    /* the sentence was given to the host */
    uint8_t got_end;   /* the peer's close_notify or its end came */
    uint8_t sent_end;  /* our close_notify was sent */
};

/* ---- tls_bio.c ---- */

/* Make the BIO method. [main], once. GOST_OK or GOST_ENOMEM. */
int tls_bio_init(void);
/* A BIO over s->wire; it belongs to the SSL it is given to. NULL: out of memory. */
BIO *tls_bio_new(struct tls_state *s);

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

/* ---- tls_step.c ---- */

extern const struct gost_layer_ops tls_layer_ops;

#endif
