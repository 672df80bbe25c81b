/* h2.h - the h2 plugin: options, one HTTP/2 session and its streams on nghttp2. */
/* SPDX-License-Identifier: MIT */
#ifndef H2_H
#define H2_H

#include <gost/plugin.h>
#include <nghttp2/nghttp2.h>

#include "headblock.h"

/* Whose parameters we show: those of GOST's h2 and http2, or those of its grpc. */
enum h2_profile { H2_GO = 0, H2_GRPC = 1 };

struct h2_conf {
    uint32_t profile; /* enum h2_profile */
    uint32_t extended_connect;
    uint32_t keepalive, permit_without_stream;
    uint64_t keepalive_time, keepalive_timeout; /* ns */
    uint64_t max_idle;                          /* ns; 0: none */
    uint64_t window;                            /* of a stream; 0: the profile's own */
    uint64_t max_header;                        /* bytes of one head */
    int64_t max_streams;                        /* -1: the profile's own; 0: no limit of ours */
    int64_t http1_status;                       /* what an HTTP/1 client hears; 0: nothing */
};

#define H2_PATIENCE 1000u /* what a peer may annoy us with at once */

/* A stream, from the host's stream until both the host and nghttp2 are through with it. */
struct h2_stream {
    struct h2_stream *next, **prev;
    struct gost_io *s;
    uint64_t cut_at;   /* when the peer lost interest without an error; 0: it has not */
    int32_t id;        /* 0: nghttp2 does not know it yet */
    uint8_t head_sent; /* the final head is with nghttp2 */
    uint8_t got_head;  /* the peer's final head has come */
    uint8_t asks_head; /* the request's method is HEAD */
    uint8_t peer_ended, we_ended;
    uint8_t refusing; /* a server's answer without a body: the rest of the request is of no use */
    uint8_t gone;     /* nghttp2 has forgotten it */
};

struct h2 {
    nghttp2_session *ng;
    struct gost_io *wire; /* *until the next call* */
    const struct h2_conf *conf;
    struct h2_stream *streams;
    struct h2_stream *turn; /* who may send DATA now, ... */
    size_t quantum;         /* ... and how much */
    struct gost_block block;
    uint64_t next_local; /* the host's id of the next stream we open */
    size_t prepaid;      /* window of the session given back before the users read */
    uint64_t received;
    uint64_t heard_at, ping_at, idle_since; /* ns; 0: no ping out, not idle */
    uint64_t dead_at;                       /* the session ended by an error; 0: it lives */
    uint64_t patience, patience_at;         /* what the peer may still annoy us with */
    uint32_t n_streams;
    uint8_t client, ready, got_settings, grown, closing;
    uint8_t http1; /* the client spoke HTTP/1, and has its answer */
    char why[160]; /* nghttp2's own words for the last error */
};

/* h2_session.c: the layer's operations */
extern const struct gost_layer_ops h2_layer_ops;
int h2_flush(struct h2 *h);
void h2_die(struct h2 *h, uint32_t code, const char *why);
void h2_arm(struct h2 *h);

/* h2_send.c: from the users to the wire */
int h2_stream_send(struct h2 *h, struct h2_stream *st);
int h2_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *framehd, size_t length,
                 nghttp2_data_source *source, void *user_data);

/* h2_recv.c: nghttp2's callbacks, from the wire to the users */
int h2_callbacks_init(void);
extern nghttp2_session_callbacks *h2_callbacks;

/* h2_stream.c: life of streams, windows, and the operations of a session */
extern const struct gost_session_ops h2_session_ops;
struct h2_stream *h2_stream_new(struct h2 *h, struct gost_io *s);
void h2_stream_free(struct h2 *h, struct h2_stream *st);
struct h2_stream *h2_stream_of(struct h2 *h, int32_t id);
void h2_stream_lost(struct h2 *h, struct h2_stream *st, uint32_t code);
void h2_stream_window(struct h2 *h, struct h2_stream *st);
int h2_received(struct h2 *h, int32_t id, size_t n);
void h2_unread(struct h2 *h, int32_t id, size_t n);

/* h2_head.c */
int h2_head_nv(const struct gost_head *head, uint32_t profile, const struct gost_field *more,
               uint32_t n_more, struct gost_field_list *ret_list, nghttp2_nv **ret_nv);

/* h2_tunnel.c: the layer h2tunnel */
struct h2_tunnel_conf {
    const char *host, *path;
    struct gost_map header;
};

struct h2_tunnel {
    uint32_t asked;   /* client: the request is sent */
    uint32_t refused; /* server: the answer is sent, and was no */
};

extern const struct gost_opt h2_tunnel_options[];
extern const struct gost_layer_ops h2_tunnel_ops;
int h2_tunnel_prepare(void *conf, struct gost_prepare *p);

#endif
