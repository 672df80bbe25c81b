/* quic.h - what the files of the quic plugin share: configuration, a connection and its streams. */
/* SPDX-License-Identifier: MIT */
#ifndef QUIC_H
#define QUIC_H

#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include <gost/host.h>

#include "quic_compat.h"

#define QUIC_CID      8u     /* length of the ids a server chooses */
#define QUIC_PACKET   1452u  /* largest UDP payload sent and received */
#define QUIC_SEAL     28u    /* a nonce before the packet and a tag behind it, with cipherKey */
#define QUIC_INITIAL  1200u  /* a first packet is at least this long */
#define QUIC_BLOCK    16384u /* of what is sent and not acknowledged */
#define QUIC_UNREAD   (16u << 20) /* unread bytes of a connection that make it stop */
#define QUIC_ALPN_MAX 8u

/* What prepare() derives from the options. Immutable afterwards, shared by all workers. */
struct quic_made {
    gnutls_certificate_credentials_t cred;
    gnutls_priority_t priority;
    gnutls_datum_t alpn[QUIC_ALPN_MAX];
    unsigned n_alpn;
    int check_chain, check_name;
};

struct quic_conf {
    const char *cert_file, *key_file, *ca_file, *server_name;
    const char *common_name, *organization;
    struct gost_list alpn;
    struct gost_bytes cipher_key;
    uint64_t validity, ttl, handshake_timeout, idle_timeout;
    int64_t max_streams, backlog;
    uint32_t secure, keepalive, datagrams, retry;
    struct quic_made *made;
};

/* Bytes handed to ngtcp2, which reads them again when a packet is lost: kept until acknowledged. */
struct quic_block {
    struct quic_block *next;
    uint32_t n;
    uint8_t data[QUIC_BLOCK];
};

/* One stream. It lives until both the host and ngtcp2 have forgotten it. */
struct quic_stream {
    struct quic_stream *next, **prev;   /* all of the connection */
    struct quic_stream *qnext, **qprev; /* those with something to send; qprev NULL: not in it */
    struct gost_io *port;               /* NULL: the host let go of it */
    int64_t id;
    struct quic_block *first, *last;
    uint64_t acked, sent, filled; /* offsets: first->data begins at acked - head */
    uint32_t head;                /* bytes of the first block that are acknowledged */
    uint8_t fin;                  /* our end comes after what is filled */
    uint8_t fin_sent, got_fin;
    uint8_t shut;    /* our direction was reset, by us or at the peer's wish */
    uint8_t stopped; /* we asked the peer to stop */
    uint8_t gone;    /* ngtcp2 closed it */
};

/* One connection. `wire` is set anew at each step. */
struct quic_state {
    ngtcp2_conn *conn;
    gnutls_session_t tls;
    ngtcp2_crypto_conn_ref ref;
    struct gost_io *wire;
    const struct quic_conf *conf;
    const char *peer; /* for messages; arena or literal */
    struct quic_stream *streams;
    struct quic_stream *queue, **queue_last;
    struct sockaddr_storage local, remote; /* the path of a client; where a server was reached */
    socklen_t local_n, remote_n;
    uint64_t unread; /* bytes the users of all streams have not consumed */
    uint64_t held;   /* of these, for how many the peer was not given room in the connection */
    uint32_t role;
    uint8_t handshaken; /* told by ngtcp2 */
    uint8_t over;       /* closed, by either side: nothing is written any more */
    uint8_t pinging;
    uint8_t unknown;     /* the peer answered with a stateless reset */
    uint8_t local_known; /* packets say where they came to: answers go out from there */
};

/* ---- quic_cred.c ---- [main] */

int quic_refuse(struct gost_prepare *p, const char *fmt, ...) GOST_PRINTF(2, 3);
int quic_cred_prepare(struct quic_conf *c, struct gost_prepare *p);
void quic_made_free(struct quic_made *m);

/* ---- quic_cert.c ---- [main] */

/* The generated certificate of this process for these words: the same one at every call. */
int quic_cert_generated(gnutls_certificate_credentials_t cred, const struct quic_conf *c,
                        struct gost_prepare *p);

/* ---- quic_route.c ---- */

/* Secrets of this process, for tokens and stateless resets. [main] once; GOST_OK or GOST_ETLS */
int quic_secrets_init(void);
int quic_reset_token(uint8_t ret_token[NGTCP2_STATELESS_RESET_TOKENLEN], const ngtcp2_cid *cid);
/* 1: token is a good Retry token for a packet from there with that dcid. */
int quic_token_verify(struct gost_bytes token, const ngtcp2_pkt_hd *hd,
                      const struct gost_addr *from, ngtcp2_cid *ret_original);
extern const struct gost_attach_ops quic_attach_ops;

/* ---- quic_seal.c ---- */

/* Cipher of cipherKey for a packet of n bytes. Output has n + QUIC_SEAL bytes. 0 or negative. */
int quic_seal(const struct quic_conf *c, const uint8_t *in, size_t n, uint8_t *out);
/* Returns the length of the packet in out (room: in.n), negative: it is not one of ours. */
int quic_unseal(const struct quic_conf *c, struct gost_bytes in, uint8_t *out);

/* ---- quic_tls.c ---- */

int quic_tls_open(struct quic_state *s);
/* What the handshake found out is told to the host. */
void quic_tls_tell(struct quic_state *s);
/* Why the handshake failed, as a sentence. */
void quic_tls_reason(struct quic_state *s, char *buf, size_t size);

/* ---- quic_conn.c ---- */

uint64_t quic_keepalive(const struct quic_conf *c);
uint64_t quic_opened(void);
    /* packets that came with the right keys, on this thread */ /* ns; 0: none */
int quic_client_new(struct quic_state *s);
/* For the first packet of a client. GOST_AGAIN: it is none, nothing was made. */
int quic_server_new(struct quic_state *s, struct gost_bytes packet, const struct gost_addr *from);

/* ---- quic_stream.c ---- */

extern const struct gost_session_ops quic_session_ops;
int quic_on_stream_open(ngtcp2_conn *conn, int64_t id, void *user);
int quic_on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset,
                        const uint8_t *data, size_t n, void *user, void *stream);
int quic_on_stream_acked(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t n, void *user,
                         void *stream);
int quic_on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code, void *user,
                         void *stream);
int quic_on_stream_reset(ngtcp2_conn *conn, int64_t id, uint64_t final_size, uint64_t code,
                         void *user, void *stream);
int quic_on_stream_stop(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user, void *stream);
int quic_on_stream_window(ngtcp2_conn *conn, int64_t id, uint64_t max, void *user, void *stream);
/* The next one with something to send, as many as its bytes (at most two views); NULL: none. */
struct quic_stream *quic_stream_pick(struct quic_state *s, ngtcp2_vec v[2], size_t *ret_n,
                                     int *ret_fin);
void quic_stream_sent(struct quic_state *s, struct quic_stream *t, size_t n, int fin);
void quic_stream_blocked(struct quic_state *s, struct quic_stream *t);
void quic_stream_cut(struct quic_state *s, struct quic_stream *t); /* it may send no more */
void quic_streams_free(struct quic_state *s);

/* ---- quic_step.c ---- */

extern const struct gost_layer_ops quic_layer_ops;
int quic_send_datagram(struct quic_state *s, struct gost_bytes data);

#endif
