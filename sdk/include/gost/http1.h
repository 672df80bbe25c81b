/* http1.h - HTTP/1 heads and body framing as pure functions over bytes (libgost-helpers.a). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_H
#define GOST_HTTP1_H

#include <gost/io.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Nothing here reads or writes: the caller shows bytes and sends what was built. All is [any] and
 * pure. The parser is strict where two readers could disagree about where a message ends: lines
 * end in CR LF, no folded fields, no blank before a colon, no control bytes, one framing field.
 */

#define GOST_HTTP1_HEAD_MAX   61440 /* longest head; always fits into gost_peek() */
#define GOST_HTTP1_FIELDS_MAX 128   /* most fields of one head */

/* A parsed head. Every view points into the bytes that were parsed. */
struct gost_http1_head {
    uint32_t minor;                /* HTTP/1.minor: 0 or 1 */
    uint32_t status;               /* response: 100 to 999; request: 0 */
    uint32_t n_fields;
    uint32_t length;               /* bytes of the whole head with its empty line */
    struct gost_bytes method;      /* request */
    struct gost_bytes target;      /* request; empty only for CONNECT */
    struct gost_bytes reason;      /* response; may be empty */
    struct gost_field field[GOST_HTTP1_FIELDS_MAX]; /* names as they were written */
};

/*
 * Find the end of a head: its length, or 0 when more bytes are needed. *scanned (start with 0)
 * keeps
 * the place between calls on the growing bytes, so a byte-wise sender costs linear time.
 */
size_t gost_http1_find_end(struct gost_bytes in, size_t *scanned);

/*
 * Parse a whole head from the start of `in`; more bytes may follow it. GOST_OK; GOST_AGAIN: the
 * head
 * is not complete; GOST_EPROTO: not HTTP/1 or unsafe; GOST_ETOOBIG: longer than GOST_HTTP1_HEAD_MAX
 * or too many fields. ret_head is undefined unless GOST_OK. On error *ret_why (may be NULL) is a
 * literal that says what was wrong.
 */
int gost_http1_parse_request(struct gost_http1_head *ret_head, struct gost_bytes in,
                             const char **ret_why);
int gost_http1_parse_response(struct gost_http1_head *ret_head, struct gost_bytes in,
                              const char **ret_why);

/* Compare with ASCII text, without regard to case. */
int gost_http1_is(struct gost_bytes a, const char *text);

/* The value of the first field of that name (any case); .p is NULL when there is none. */
struct gost_bytes gost_http1_get(const struct gost_http1_head *head, const char *name);

/* 1: a comma-separated field of that name holds the token (any case). */
int gost_http1_has_token(const struct gost_http1_head *head, const char *name, const char *token);

/* 1: the connection may carry another message after this one (version and Connection). */
int gost_http1_persistent(const struct gost_http1_head *head);

/*
 * 1: field i belongs to this connection alone and must not be passed on: Connection, Keep-Alive,
 * Proxy-Connection, TE, Upgrade, and what Connection names. Host, Content-Length and
 * Transfer-Encoding are never dropped this way, even if Connection names them.
 */
int gost_http1_hop_by_hop(const struct gost_http1_head *head, uint32_t i);

/* ---- bodies ---------------------------------------------------------------------------------- */

enum gost_http1_framing {
    GOST_HTTP1_NONE = 0,    /* no body */
    GOST_HTTP1_LENGTH = 1,  /* Content-Length */
    GOST_HTTP1_CHUNKED = 2, /* Transfer-Encoding: chunked */
    GOST_HTTP1_CLOSE = 3    /* until the connection ends; responses only */
};

/*
 * Where we are in a body. Raw bytes are passed on unchanged in two ways: while
 * gost_http1_body_opaque() is not 0, that many may be moved without looking; then tell it with
 * gost_http1_body_pass(). Otherwise show bytes to gost_http1_body_feed().
 */
struct gost_http1_body {
    uint32_t framing; /* enum gost_http1_framing */
    uint32_t phase;   /* private: of the chunk parser */
    uint32_t line;    /* private: bytes of chunk extensions or trailers seen */
    uint32_t digits;  /* private */
    uint64_t left;    /* LENGTH, CHUNKED: opaque bytes left */
};

/* Decide the framing of a request. GOST_OK; GOST_EPROTO: two framings or a bad length. */
int gost_http1_request_body(struct gost_http1_body *ret_body, const struct gost_http1_head *head,
                            const char **ret_why);

/* The same of a response; `method` is that of the request. A 1xx, 204, 304, an answer to HEAD and a
 * 2xx to CONNECT have no body. */
int gost_http1_response_body(struct gost_http1_body *ret_body, const struct gost_http1_head *head,
                             struct gost_bytes method, const char **ret_why);

/* Raw bytes that may go on unseen now: 0 when the body is over or a chunk's frame comes next,
 * UINT64_MAX when it lasts until the connection ends. */
uint64_t gost_http1_body_opaque(const struct gost_http1_body *body);

/* n opaque bytes (at most gost_http1_body_opaque()) have gone on. */
void gost_http1_body_pass(struct gost_http1_body *body, uint64_t n);

/*
 * Read chunk frames (sizes, line ends, trailers) from `in`; stops at opaque bytes and at the end of
 * the body. Returns the bytes used, which may go on unchanged, or GOST_EPROTO.
 */
int gost_http1_body_feed(struct gost_http1_body *body, struct gost_bytes in);

/* 1: the body is complete. */
int gost_http1_body_done(const struct gost_http1_body *body);

/* The connection ended: GOST_OK when that is a proper end here, GOST_ECLOSED when bytes lack. */
int gost_http1_body_end(struct gost_http1_body *body);

/* ---- building -------------------------------------------------------------------------------- */

/* Text growing in memory of the caller. Too long: `full` is set and nothing more is added. */
struct gost_http1_out {
    uint8_t *p;
    size_t n, size;
    int full;
};

void gost_http1_put(struct gost_http1_out *out, struct gost_bytes b);
void gost_http1_put_str(struct gost_http1_out *out, const char *s);
void gost_http1_put_field(struct gost_http1_out *out, struct gost_bytes name,
                          struct gost_bytes value);

/* "HTTP/1.minor status reason" and a line end. An empty reason gives the usual text. */
void gost_http1_put_status(struct gost_http1_out *out, uint32_t minor, uint32_t status,
                           struct gost_bytes reason);

/* The usual text of a status; "" when it has none. */
const char *gost_http1_reason(uint32_t status);

/* 1: usable as a field's name; as a field's value. */
int gost_http1_valid_name(struct gost_bytes name);
int gost_http1_valid_value(struct gost_bytes value);

/* ---- basic authentication -------------------------------------------------------------------- */

#define GOST_HTTP1_BASIC_MAX 768 /* room for decoded credentials */

/* Decode "Basic ...": user and secret point into buf, which the caller wipes. GOST_OK; GOST_EPROTO:
 * another scheme, bad base64, no colon, or too long. buf must hold GOST_HTTP1_BASIC_MAX bytes. */
int gost_http1_basic_parse(struct gost_bytes value, uint8_t *buf, struct gost_bytes *ret_user,
                           struct gost_bytes *ret_secret);

/* Append "Basic " and the encoded credentials. */
void gost_http1_put_basic(struct gost_http1_out *out, struct gost_bytes user,
                          struct gost_bytes secret);

/*
 * The value of Gost-Target and of the TLS extension 0xfffe: a host name that is not to be seen at
 * first sight. Encode returns the length, 0 when size is too small. Decode: GOST_OK or GOST_EPROTO.
 */
#define GOST_HTTP1_TARGET_MAX 512
size_t gost_http1_target_encode(char *buf, size_t size, struct gost_bytes name);
int gost_http1_target_decode(char *buf, size_t size, size_t *ret_n, struct gost_bytes text);

#ifdef __cplusplus
}
#endif
#endif
