/* http1_body.c - HTTP/1 body framing: which raw bytes belong to a message. */
/* SPDX-License-Identifier: MIT */
#include <gost/http1.h>

#include "http1.h"

/* Bytes of chunk extensions of one chunk, or of all trailers together. */
#define LINE_MAX_BYTES 8192

enum chunk_phase {
    CHUNK_SIZE = 0, /* hex digits */
    CHUNK_EXT,      /* the rest of the size line */
    CHUNK_SIZE_LF,
    CHUNK_DATA,     /* opaque */
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START,  /* at the start of a trailer line or of the last, empty one */
    TRAILER,
    TRAILER_LF,
    LAST_LF,
    CHUNK_DONE
};

/* The value of Content-Length: digits only. */
static int parse_length(struct gost_bytes v, uint64_t *ret_length)
{
    uint64_t n = 0;
    size_t i;

    if (v.n == 0 || v.n > 18)
        return GOST_EPROTO;
    for (i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return GOST_EPROTO;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *ret_length = n;
    return GOST_OK;
}

/* Look at the framing fields. *ret_found: 0 when there are none. */
static int framing(struct gost_http1_body *b, const struct gost_http1_head *h, int *ret_found,
                   const char **why)
{
    uint32_t i, lengths = 0, codings = 0;

    for (i = 0; i < h->n_fields; i++) {
        if (gost_http1_is(h->field[i].name, "content-length")) {
            *why = "Content-Length is not a number";
            if (parse_length(h->field[i].value, &b->left) != GOST_OK)
                return GOST_EPROTO;
            lengths++;
        } else if (gost_http1_is(h->field[i].name, "transfer-encoding")) {
            *why = "Transfer-Encoding is not chunked alone";
            if (!gost_http1_is(h->field[i].value, "chunked"))
                return GOST_EPROTO;
            codings++;
        }
    }
    *why = "the head has more than one framing field";
    if (lengths + codings > 1)
        return GOST_EPROTO;
    *why = "Transfer-Encoding in HTTP/1.0";
    if (codings && h->minor == 0)
        return GOST_EPROTO;
    *ret_found = lengths || codings;
    b->framing = codings ? GOST_HTTP1_CHUNKED : lengths && b->left ? GOST_HTTP1_LENGTH
                                                                   : GOST_HTTP1_NONE;
    return GOST_OK;
}

int gost_http1_request_body(struct gost_http1_body *ret_body, const struct gost_http1_head *head,
                            const char **ret_why)
{
    struct gost_http1_body b;
    const char *why;
    int found, r;

    memset(&b, 0, sizeof b);
    r = framing(&b, head, &found, ret_why ? ret_why : &why);
    if (r == GOST_OK)
        *ret_body = b;
    return r;
}

int gost_http1_response_body(struct gost_http1_body *ret_body, const struct gost_http1_head *head,
                             struct gost_bytes method, const char **ret_why)
{
    struct gost_http1_body b;
    const char *why;
    int found, r;

    memset(&b, 0, sizeof b);
    r = framing(&b, head, &found, ret_why ? ret_why : &why);
    if (r != GOST_OK)
        return r;
    if (head->status < 200 || head->status == 204 || head->status == 304 ||
        gost_http1_is(method, "HEAD") || (gost_http1_is(method, "CONNECT") && head->status < 300))
        memset(&b, 0, sizeof b);
    else if (!found)
        b.framing = GOST_HTTP1_CLOSE;
    *ret_body = b;
    return GOST_OK;
}

uint64_t gost_http1_body_opaque(const struct gost_http1_body *body)
{
    if (body->framing == GOST_HTTP1_CLOSE)
        return body->phase == CHUNK_DONE ? 0 : UINT64_MAX;
    if (body->framing == GOST_HTTP1_CHUNKED && body->phase != CHUNK_DATA)
        return 0; /* left is still being read */
    return body->left;
}

void gost_http1_body_pass(struct gost_http1_body *body, uint64_t n)
{
    if (body->framing == GOST_HTTP1_CLOSE || n == 0)
        return;
    body->left -= n;
    if (body->framing == GOST_HTTP1_CHUNKED && body->left == 0)
        body->phase = CHUNK_DATA_CR;
}

int gost_http1_body_done(const struct gost_http1_body *body)
{
    switch (body->framing) {
    case GOST_HTTP1_LENGTH:
        return body->left == 0;
    case GOST_HTTP1_CHUNKED:
    case GOST_HTTP1_CLOSE:
        return body->phase == CHUNK_DONE;
    default:
        return 1;
    }
}

int gost_http1_body_end(struct gost_http1_body *body)
{
    if (body->framing == GOST_HTTP1_CLOSE)
        body->phase = CHUNK_DONE;
    return gost_http1_body_done(body) ? GOST_OK : GOST_ECLOSED;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int size_byte(struct gost_http1_body *b, uint8_t c)
{
    int d = hex_digit(c);

    if (d >= 0) {
        if (++b->digits > 15)
            return GOST_EPROTO;
        b->left = b->left << 4 | (uint64_t)d;
        return GOST_OK;
    }
    if (b->digits == 0 || (c != '\r' && c != ';' && c != ' ' && c != '\t'))
        return GOST_EPROTO;
    b->phase = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXT;
    b->line = 0;
    return GOST_OK;
}

/* Free text up to CR: extensions and trailer lines. */
static int text_byte(struct gost_http1_body *b, uint8_t c, uint32_t after)
{
    if (c == '\r')
        b->phase = after;
    else if (++b->line > LINE_MAX_BYTES || (c < 0x20 && c != '\t') || c == 0x7f)
        return GOST_EPROTO;
    return GOST_OK;
}

static int expect(struct gost_http1_body *b, uint8_t c, uint8_t wanted, uint32_t after)
{
    b->phase = after;
    return c == wanted ? GOST_OK : GOST_EPROTO;
}

static void size_complete(struct gost_http1_body *b)
{
    b->phase = b->left ? CHUNK_DATA : TRAILER_START;
    b->digits = 0;
    b->line = 0;
}

static int trailer_start(struct gost_http1_body *b, uint8_t c)
{
    if (c == '\r') {
        b->phase = LAST_LF;
        return GOST_OK;
    }
    if (c == ' ' || c == '\t')
        return GOST_EPROTO;
    b->phase = TRAILER;
    return text_byte(b, c, TRAILER_LF);
}

static int chunk_byte(struct gost_http1_body *b, uint8_t c)
{
    int r;

    switch (b->phase) {
    case CHUNK_SIZE:
        return size_byte(b, c);
    case CHUNK_EXT:
        return text_byte(b, c, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        r = expect(b, c, '\n', CHUNK_DATA);
        if (r == GOST_OK)
            size_complete(b);
        return r;
    case CHUNK_DATA_CR:
        return expect(b, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(b, c, '\n', CHUNK_SIZE);
    case TRAILER_START:
        return trailer_start(b, c);
    case TRAILER:
        return text_byte(b, c, TRAILER_LF);
    case TRAILER_LF:
        return expect(b, c, '\n', TRAILER_START);
    case LAST_LF:
        return expect(b, c, '\n', CHUNK_DONE);
    default:
        return GOST_EPROTO;
    }
}

int gost_http1_body_feed(struct gost_http1_body *body, struct gost_bytes in)
{
    size_t i;

    if (body->framing != GOST_HTTP1_CHUNKED)
        return 0;
    for (i = 0; i < in.n && i < INT32_MAX; i++) {
        if (body->phase == CHUNK_DATA || body->phase == CHUNK_DONE)
            break;
        if (chunk_byte(body, in.p[i]) != GOST_OK)
            return GOST_EPROTO;
    }
    return (int)i;
}
