/* h1.h - the h1 plugin: HTTP/1.1 as exchanges, one after the other on a connection. */
/* SPDX-License-Identifier: MIT */
#ifndef H1_H
#define H1_H

#include <gost/http1.h>
#include <gost/plugin.h>

struct h1_conf {
    uint64_t max_header;   /* bytes of a head */
    uint64_t head_timeout; /* ns, from a request's first byte to the end of its head */
    uint64_t idle_timeout; /* ns, of a connection between two requests; 0: none */
};

/* Where the peer's message is, and where ours is. */
enum h1_in { H1_IN_HEAD = 0, H1_IN_BODY, H1_IN_DONE };
enum h1_out { H1_OUT_HEAD = 0, H1_OUT_LENGTH, H1_OUT_CHUNKED, H1_OUT_CLOSE, H1_OUT_DONE };

struct h1 {
    struct gost_io *s; /* the stream of the exchange under way; NULL: none */
    struct gost_http1_body body;
    uint64_t left;    /* OUT_LENGTH: bytes to come */
    uint64_t last_id; /* of a stream */
    size_t scanned;   /* of a head that is not whole yet */
    uint32_t in, out; /* enum h1_in, enum h1_out */
    uint8_t client;
    uint8_t closing;   /* no exchange after this one */
    uint8_t over;      /* nothing more is read */
    uint8_t head_only; /* the method is HEAD */
    uint8_t http10;    /* the client reads HTTP/1.0 */
    uint8_t waits;     /* it wants to hear 100 Continue first */
};

/* h1_head.c: heads in both forms. Their views point into what was parsed. */
struct h1_fields {
    struct gost_field v[GOST_HTTP1_FIELDS_MAX];
    char names[8192]; /* in lower case */
    size_t used;
};
int h1_request(const struct gost_http1_head *from, struct gost_head *ret_head,
               struct h1_fields *room);
int h1_response(const struct gost_http1_head *from, struct gost_head *ret_head,
                struct h1_fields *room);
int h1_put_request(struct gost_http1_out *out, const struct gost_head *head);
int h1_put_response(struct gost_http1_out *out, const struct gost_head *head, uint64_t now,
                    int chunked, int close);
int h1_length(const struct gost_head *head, uint64_t *ret_n);

/* h1_read.c, h1_write.c */
int h1_decode(void *state, const void *conf, struct gost_io *io);
int h1_encode(void *state, const void *conf, struct gost_io *io);

/* h1_layer.c */
extern const struct gost_layer_ops h1_layer_ops;
void h1_arm(struct h1 *h, const struct h1_conf *c, struct gost_io *io);
void h1_finished(struct h1 *h, const struct h1_conf *c, struct gost_io *io);

#endif
