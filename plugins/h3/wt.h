/* wt.h - the layer wt: one WebTransport session on an HTTP/3 connection, its streams as ours. */
/* SPDX-License-Identifier: MIT */
#ifndef WT_H
#define WT_H

#include "h3.h"

#define WT_STREAM    0x41u       /* type of a stream of both ways, before the session's id */
#define WT_CLOSE     0x2843u     /* capsule that ends the session */
#define WT_GONE      0x170d7b68u /* codes of resets: the session is gone, ... */
#define WT_REJECTED  0x3994bd84u /* ... or is not there */
#define WT_HEAD_MAX  64000u
#define WT_EARLY_MAX 64u /* streams that may come before their session */

struct wt_conf {
    struct h3_conf h3;
    const char *path, *host;
    struct gost_map header;
};

struct wt {
    struct h3 h; /* control streams, heads, patience */
    const struct wt_conf *conf;
    struct h3_stream *connect; /* of the session; NULL: none yet, or gone */
    uint64_t session;          /* its id, once `established` */
    uint64_t capsule;          /* type of the capsule that is coming in */
    uint64_t capsule_left;
    uint32_t n_early;
    uint8_t established, in_capsule, over;
};

extern const struct gost_layer_ops wt_layer_ops;

/* wt_code.c: application codes of streams as codes of HTTP/3, and back; pure. */
uint64_t wt_code_put(uint64_t code);
uint64_t wt_code_get(uint64_t code); /* 0: it is none of an application */

/* wt_connect.c: the stream that makes and ends the session */
int wt_connect_open(struct wt *w);                       /* client */
int wt_connect_read(struct wt *w, struct h3_stream *st); /* both; GOST_OK or an error */
void wt_connect_close(struct wt *w);                     /* tells the peer */

/* wt_stream.c: streams of the session */
extern const struct gost_session_ops wt_session_ops;
int wt_stream_begin(struct wt *w, struct h3_stream *st);
int wt_stream_recv(struct wt *w, struct h3_stream *st);
int wt_stream_send(struct wt *w, struct h3_stream *st);

#endif
