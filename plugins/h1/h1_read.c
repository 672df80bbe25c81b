/* h1_read.c - from the wire to the user of the exchange. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "h1.h"

enum { BEGIN = 16 }; /* bytes that tell a request from TLS */

/* ---- heads ---- */

/* A client that sent no request is told what a server of Go says, and nothing more is read. */
static int refuse(struct h1 *h, struct gost_io *io, const char *status, const char *why)
{
    char text[300];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Connection: close\r\n\r\n%s",
                     status, status);

    gost_log(io, GOST_LOG_INFO, "answered %.3s: %s", status, why);
    (void)gost_send(io, text, (size_t)n);
    h->closing = h->over = 1;
    gost_session_goaway(io);
    return GOST_OK;
}

/* The bytes of a whole head; .n 0: more are needed. */
static struct gost_bytes whole_head(struct h1 *h, const struct h1_conf *c, struct gost_io *io,
                                    int *ret_too_big)
{
    size_t n = gost_rx_len(io), end;
    const uint8_t *p;

    *ret_too_big = 0;
    if (n > c->max_header)
        n = (size_t)c->max_header;
    p = n ? gost_peek(io, n) : NULL;
    if (!p)
        return gost_bytes(NULL, 0);
    end = gost_http1_find_end(gost_bytes(p, n), &h->scanned);
    if (end == 0 && n == c->max_header)
        *ret_too_big = 1;
    else if (end == 0)
        gost_want(io, n + 1);
    return gost_bytes(p, end);
}

static int begin_stream(struct h1 *h, struct gost_io *io, const struct gost_http1_head *head)
{
    struct h1_fields room;
    struct gost_head up;

    if (h1_request(head, &up, &room) != GOST_OK)
        return refuse(h, io, "431 Request Header Fields Too Large", "names of fields are too long");
    up.scheme = gost_bytes_str(gost_flow(io)->secure ? "https" : "http");
    up.flags = gost_http1_body_done(&h->body) ? GOST_HEAD_NO_BODY : 0;
    h->s = gost_stream_new(io, ++h->last_id, GOST_STREAM_EXCHANGE);
    if (!h->s)
        return refuse(h, io, "503 Service Unavailable", "no more exchanges are taken");
    gost_set_data(h->s, h);
    h->in = H1_IN_BODY;
    h->out = H1_OUT_HEAD;
    return gost_head_send(h->s, &up);
}

/* Whether what came can be the begin of a request. Who sends TLS here is told at once. */
static int is_http(struct gost_io *io, const char **why)
{
    size_t n = gost_rx_len(io) < BEGIN ? gost_rx_len(io) : BEGIN;
    const uint8_t *p = n ? gost_peek(io, n) : NULL;
    struct gost_http1_head head;

    return !p || gost_http1_parse_request(&head, gost_bytes(p, n), why) >= 0;
}

static int server_head(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    struct gost_http1_head head;
    const char *why = "it is no request";
    int too_big, r;
    struct gost_bytes text = whole_head(h, c, io, &too_big);

    if (too_big)
        return refuse(h, io, "431 Request Header Fields Too Large", "the head is too long");
    if (text.n == 0 && is_http(io, &why)) {
        h1_arm(h, c, io);
        return GOST_AGAIN;
    }
    r = text.n ? gost_http1_parse_request(&head, text, &why) : GOST_EPROTO;
    if (r == GOST_OK)
        r = gost_http1_request_body(&h->body, &head, &why);
    if (r != GOST_OK)
        return refuse(h, io, "400 Bad Request", why);
    h->http10 = head.minor == 0;
    h->closing |= !gost_http1_persistent(&head);
    h->head_only = gost_http1_is(head.method, "HEAD") != 0;
    h->waits = gost_http1_has_token(&head, "expect", "100-continue") && !h->http10 &&
               !gost_http1_body_done(&h->body);
    r = begin_stream(h, io, &head);
    gost_consume(io, text.n);
    h->scanned = 0;
    h1_arm(h, c, io);
    return r;
}

static int client_head(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    struct gost_bytes method = gost_bytes_str(h->head_only ? "HEAD" : "GET");
    struct gost_http1_head head;
    struct h1_fields room;
    struct gost_head up;
    const char *why = "it is no answer of HTTP/1";
    int too_big, r;
    struct gost_bytes text = whole_head(h, c, io, &too_big);

    if (too_big)
        return gost_fail(io, GOST_ETOOBIG, "the answer's head is longer than %llu bytes",
                         (unsigned long long)c->max_header);
    if (text.n == 0)
        return GOST_AGAIN;
    r = gost_http1_parse_response(&head, text, &why);
    if (r == GOST_OK)
        r = gost_http1_response_body(&h->body, &head, method, &why);
    if (r != GOST_OK)
        return gost_fail(io, r, "the answer of the server: %s", why);
    if (head.status == 101)
        return gost_fail(io, GOST_EPROTO, "the server changes to a protocol nobody asked for");
    r = h1_response(&head, &up, &room);
    if (r != GOST_OK)
        return gost_fail(io, r, "the answer of the server: names of fields are too long");
    if (head.status < 200)
        up.flags = GOST_HEAD_INTERIM;
    else
        up.flags = gost_http1_body_done(&h->body) ? GOST_HEAD_NO_BODY : 0;
    if (head.status >= 200) {
        h->closing |= !gost_http1_persistent(&head) || h->body.framing == GOST_HTTP1_CLOSE;
        h->in = H1_IN_BODY;
    }
    r = gost_head_send(h->s, &up);
    gost_consume(io, text.n);
    h->scanned = 0;
    return r == GOST_ECLOSED ? GOST_OK : r;
}

/* ---- bodies ---- */

static int body_ended(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    h->in = H1_IN_DONE;
    gost_shut(h->s);
    h1_finished(h, c, io);
    return GOST_OK;
}

static void move_body(struct h1 *h, struct gost_io *io, uint64_t opaque)
{
    size_t n = gost_rx_len(io), moved;

    n = opaque < n ? (size_t)opaque : n;
    moved = gost_move(h->s, io, n);
    if (moved == 0) { /* nobody listens any more */
        gost_consume(io, n);
        moved = n;
    }
    gost_http1_body_pass(&h->body, moved);
}

static int read_body(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    uint64_t opaque;
    int n;

    if (gost_http1_body_done(&h->body))
        return body_ended(h, c, io);
    if (h->waits && gost_rx_len(io) == 0) {
        h->waits = 0;
        (void)gost_send(io, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    if (gost_rx_len(io) == 0)
        return GOST_AGAIN;
    if (gost_tx_room(h->s) == 0)
        return GOST_FULL;
    opaque = gost_http1_body_opaque(&h->body);
    if (opaque > 0) {
        move_body(h, io, opaque);
        return GOST_OK;
    }
    n = gost_http1_body_feed(&h->body, gost_rx(io));
    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "the chunks of a body are broken");
    gost_consume(io, (size_t)n);
    return GOST_OK;
}

/* ---- the layer's operation ---- */

/* The wire has ended: what lacks is told; what is complete goes on as far as the host lets it. */
static int wire_ended(struct h1 *h, struct gost_io *io)
{
    if (!h->s)
        return GOST_AGAIN;
    h->closing = 1;
    if (h->in == H1_IN_BODY && gost_http1_body_end(&h->body) == GOST_OK) {
        h->in = H1_IN_DONE;
        gost_shut(h->s);
        return GOST_AGAIN;
    }
    if (h->client && h->in == H1_IN_HEAD)
        return gost_fail(io, GOST_ECLOSED, "the server closed the connection without an answer");
    if (h->in == H1_IN_BODY)
        return gost_fail(io, GOST_ECLOSED, "the connection ended in the middle of a message");
    return GOST_AGAIN;
}

static int read_some(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    if (h->over) {
        gost_consume(io, gost_rx_len(io));
        return GOST_AGAIN;
    }
    if (h->s && h->in == H1_IN_BODY)
        return read_body(h, c, io);
    if (h->client && !h->s && gost_rx_len(io) > 0)
        return gost_fail(io, GOST_EPROTO, "the server sends what nobody asked for");
    if (h->client)
        return h->s && h->in == H1_IN_HEAD ? client_head(h, c, io) : GOST_AGAIN;
    if (h->s) /* one after the other: the next one waits for the end of this one */
        return gost_rx_len(io) > 0 ? GOST_FULL : GOST_AGAIN;
    return server_head(h, c, io);
}

int h1_decode(void *state, const void *conf, struct gost_io *io)
{
    struct h1 *h = state;
    int r;

    do
        r = read_some(h, conf, io);
    while (r == GOST_OK);
    if (r == GOST_AGAIN && gost_rx_eof(io))
        r = wire_ended(h, io);
    return r;
}
