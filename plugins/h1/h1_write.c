/* h1_write.c - from the user of the exchange to the wire. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "h1.h"

#define HEAD_ROOM 16384u

static int has_no_body(const struct h1 *h, const struct gost_head *head)
{
    return (head->flags & GOST_HEAD_NO_BODY) || h->head_only || head->status == 204 ||
           head->status == 304;
}

static int put_head(struct h1 *h, struct gost_http1_out *out, const struct gost_head *head)
{
    if (h->client) {
        h->out = head->flags & GOST_HEAD_NO_BODY ? H1_OUT_DONE
                 : h1_length(head, &h->left)     ? H1_OUT_LENGTH
                                                 : H1_OUT_CHUNKED;
        h->head_only = gost_http1_is(head->method, "HEAD") != 0;
        return h1_put_request(out, head);
    }
    if (head->flags & GOST_HEAD_INTERIM)
        return h1_put_response(out, head, 0, 0, 0);
    h->waits = 0;
    h->out = has_no_body(h, head)        ? H1_OUT_DONE
             : h1_length(head, &h->left) ? H1_OUT_LENGTH
             : h->http10                 ? H1_OUT_CLOSE
                                         : H1_OUT_CHUNKED;
    /* What follows a request that nobody has read yet cannot be told from its rest. */
    h->closing |= h->out == H1_OUT_CLOSE || (h->in != H1_IN_DONE && h->out == H1_OUT_DONE);
    return h1_put_response(out, head, gost_unix_time() / GOST_S, h->out == H1_OUT_CHUNKED,
                           h->closing);
}

static int write_head(struct h1 *h, struct gost_io *io, struct gost_io *s)
{
    struct gost_http1_out out = {.size = HEAD_ROOM};
    struct gost_head head;
    int r = gost_head_recv(s, &head);

    if (r != GOST_OK)
        return GOST_AGAIN;
    if (head.flags & GOST_HEAD_TRAILERS) /* they have no place in a body of known length */
        return GOST_OK;
    out.p = gost_reserve(io, HEAD_ROOM);
    if (!out.p)
        return GOST_ENOMEM;
    r = put_head(h, &out, &head);
    if (r != GOST_OK)
        return gost_fail(io, GOST_EINTERNAL, "a head cannot be written as HTTP/1");
    gost_commit(io, out.n);
    return GOST_OK;
}

static void write_chunk(struct gost_io *io, struct gost_io *s, size_t n)
{
    char size[20];
    int k = snprintf(size, sizeof size, "%zx\r\n", n);

    (void)gost_send(io, size, (size_t)k);
    (void)gost_move(io, s, n);
    (void)gost_send(io, "\r\n", 2);
}

/* What there is of the body. */
static int write_body(struct h1 *h, struct gost_io *io, struct gost_io *s)
{
    size_t n = gost_rx_len(s);

    if (n == 0)
        return GOST_AGAIN;
    if (h->out == H1_OUT_DONE) { /* an answer to HEAD: counted, not sent */
        gost_consume(s, n);
        return GOST_OK;
    }
    if (h->out == H1_OUT_LENGTH && n > h->left)
        return gost_fail(io, GOST_EINTERNAL, "a body is longer than it was said to be");
    if (h->out == H1_OUT_CHUNKED) {
        write_chunk(io, s, n);
        return GOST_OK;
    }
    h->left -= h->out == H1_OUT_LENGTH ? n : 0;
    (void)gost_move(io, s, n);
    return GOST_OK;
}

static int end_body(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    if (h->out == H1_OUT_HEAD)
        return gost_fail(io, GOST_ECLOSED, "an exchange ended without a head");
    if (h->out == H1_OUT_LENGTH && h->left > 0)
        return gost_fail(io, GOST_ECLOSED, "a body is shorter than it was said to be");
    if (h->out == H1_OUT_CHUNKED)
        (void)gost_send(io, "0\r\n\r\n", 5);
    h->out = H1_OUT_DONE;
    h1_finished(h, c, io);
    return GOST_OK;
}

static int write_stream(struct h1 *h, const struct h1_conf *c, struct gost_io *io,
                        struct gost_io *s)
{
    int r;

    do {
        r = write_head(h, io, s);
        if (r == GOST_AGAIN && h->out != H1_OUT_HEAD)
            r = write_body(h, io, s);
    } while (r == GOST_OK && gost_tx_room(io) > 0);
    if (r >= 0 && gost_rx_eof(s))
        r = end_body(h, c, io);
    return r;
}

int h1_encode(void *state, const void *conf, struct gost_io *io)
{
    struct h1 *h = state;
    struct gost_io *s;
    int r;

    while (gost_tx_room(io) > 0 && (s = gost_stream_next(io))) {
        if (s != h->s) { /* finished: what its user still says is for nobody */
            gost_consume(s, gost_rx_len(s));
            (void)gost_rx_eof(s);
            continue;
        }
        r = write_stream(h, conf, io, s);
        if (r < 0)
            return r;
    }
    return GOST_AGAIN;
}
