/* h3.h - the h3 plugin: options, one HTTP/3 session and its streams on the streams of QUIC. */
/* SPDX-License-Identifier: MIT */
#ifndef H3_H
#define H3_H

#include <gost/plugin.h>
#include <nghttp3/nghttp3.h>

#include "headblock.h"

#define H3_PATIENCE 1000u /* what a peer may annoy us with at once */

enum h3_code {
    H3_DATAGRAM_ERROR = 0x33,
    H3_NO_ERROR = 0x100,
    H3_GENERAL_PROTOCOL_ERROR = 0x101,
    H3_INTERNAL_ERROR = 0x102,
    H3_STREAM_CREATION_ERROR = 0x103,
    H3_CLOSED_CRITICAL_STREAM = 0x104,
    H3_FRAME_UNEXPECTED = 0x105,
    H3_FRAME_ERROR = 0x106,
    H3_EXCESSIVE_LOAD = 0x107,
    H3_ID_ERROR = 0x108,
    H3_SETTINGS_ERROR = 0x109,
    H3_MISSING_SETTINGS = 0x10a,
    H3_REQUEST_REJECTED = 0x10b,
    H3_REQUEST_CANCELLED = 0x10c,
    H3_REQUEST_INCOMPLETE = 0x10d,
    H3_MESSAGE_ERROR = 0x10e,
    H3_QPACK_DECOMPRESSION_FAILED = 0x200,
    H3_QPACK_ENCODER_STREAM_ERROR = 0x201,
    H3_QPACK_DECODER_STREAM_ERROR = 0x202
};

enum h3_frame_type {
    H3_DATA = 0x00,
    H3_HEADERS = 0x01,
    H3_CANCEL_PUSH = 0x03,
    H3_SETTINGS = 0x04,
    H3_PUSH_PROMISE = 0x05,
    H3_GOAWAY = 0x07,
    H3_MAX_PUSH_ID = 0x0d
};

struct h3_conf {
    uint32_t extended_connect, datagrams;
    uint32_t webtransport; /* a server says that it has it */
    uint64_t max_header;   /* bytes of one head */
};

/* What the peer said in SETTINGS. */
struct h3_settings {
    uint64_t max_field_section; /* 0: no limit */
    uint32_t connect_protocol, datagram, webtransport;
};

enum h3_kind {
    H3_REQUEST = 0,
    H3_UNKNOWN, /* a one-way stream whose type has not come yet */
    H3_CONTROL,
    H3_QPACK_ENCODER,
    H3_QPACK_DECODER,
    H3_OURS,  /* our control stream */
    H3_TUNNEL /* wt: a stream of WebTransport */
};

/* A stream below us, and for a request the one above. */
struct h3_stream {
    struct h3_stream *next, **prev;
    struct gost_io *s;    /* the host's stream; NULL: not yet, or its user let go of it */
    struct gost_io *wire; /* the stream below; NULL: gone */
    uint64_t id;
    uint64_t left;   /* of the DATA frame that is coming in */
    uint64_t skip;   /* of a frame that means nothing here */
    uint64_t expect; /* bytes of the body still to come by content-length; UINT64_MAX: any */
    uint8_t kind;    /* enum h3_kind */
    uint8_t got_head, got_trailers, peer_ended;
    uint8_t head_sent, we_ended;
    uint8_t asks_head; /* the request's method is HEAD */
    uint8_t waits;     /* for room on the wire */
};

struct h3 {
    struct gost_io *wire; /* *until the next call* */
    const struct h3_conf *conf;
    nghttp3_qpack_encoder *encoder;
    nghttp3_qpack_decoder *decoder;
    struct h3_stream *streams;
    struct h3_stream *control; /* ours */
    struct h3_settings peer;
    struct gost_block block;
    uint64_t next_id; /* a server: of the first request that has not come */
    uint64_t patience, patience_at;
    uint8_t client, got_settings, got_control, got_encoder, got_decoder, closing, dead;
};

/* h3_frame.c: the wire format; pure */
struct h3_frame {
    uint64_t type, length;
    size_t head; /* bytes of the frame before its payload */
};
size_t h3_varint_get(struct gost_bytes b, uint64_t *ret_value); /* bytes used; 0: more needed */
size_t h3_varint_put(uint8_t *to, uint64_t value);
size_t h3_frame_put(uint8_t *to, uint64_t type, uint64_t length); /* at most 16 */
int h3_frame_get(struct gost_bytes b, struct h3_frame *ret_frame);
#define H3_SETTINGS_MAX 48u
size_t h3_settings_put(uint8_t *to, const struct h3_conf *conf, int client);
int h3_settings_get(struct gost_bytes b, struct h3_settings *ret_settings); /* 0 or enum h3_code */

/* h3_head.c: heads */
int h3_head_decode(nghttp3_qpack_decoder *d, struct gost_bytes b, uint64_t id, size_t max,
                   struct gost_block *ret_block);
const char *h3_head_check(const struct gost_block *b, int is_response, int is_trailers);
int h3_head_encode(nghttp3_qpack_encoder *e, const struct gost_head *head, uint64_t id,
                   nghttp3_buf *ret_prefix, nghttp3_buf *ret_body);

/* h3_session.c: the layer's operations */
extern const struct gost_layer_ops h3_layer_ops;
int h3_begin(struct h3 *h, const struct h3_conf *conf, struct gost_io *io);
void h3_end(struct h3 *h);
int h3_die(struct h3 *h, uint64_t code, const char *fmt, ...) GOST_PRINTF(3, 4);
int h3_bear(struct h3 *h, uint32_t cost, const char *what);

/* h3_control.c: one-way streams */
int h3_control_open(struct h3 *h);
int h3_control_read(struct h3 *h, struct h3_stream *st);
int h3_control_goaway(struct h3 *h);

/* h3_recv.c: requests and responses, from the wire to the users */
int h3_recv(struct h3 *h, struct h3_stream *st);
int h3_recv_datagrams(struct h3 *h);

/* h3_send.c: from the users to the wire */
int h3_send(struct h3 *h, struct h3_stream *st);
int h3_send_head(struct h3 *h, struct h3_stream *st, const struct gost_head *head);

/* h3_stream.c: life of streams, and the operations of a session */
extern const struct gost_session_ops h3_session_ops;
struct h3_stream *h3_stream_new(struct h3 *h, struct gost_io *wire, enum h3_kind kind);
void h3_stream_free(struct h3_stream *st);
void h3_stream_cut(struct h3_stream *st, uint64_t code);

#endif
