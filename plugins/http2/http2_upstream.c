/* http2_upstream.c - the codec http2.upstream: one exchange in HTTP/1 on a stream. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "http2.h"

/* ---- the request ---- */

static void put_fields(struct gost_http1_out *out, const struct gost_head *h)
{
    uint32_t i;

    for (i = 0; i < h->n_fields; i++)
        if (gost_http1_valid_name(h->fields[i].name) && gost_http1_valid_value(h->fields[i].value))
            gost_http1_put_field(out, h->fields[i].name, h->fields[i].value);
}

static size_t size_of(const struct gost_head *h)
{
    size_t n = 256 + h->method.n + h->authority.n + h->path.n;
    uint32_t i;

    for (i = 0; i < h->n_fields; i++)
        n += h->fields[i].name.n + h->fields[i].value.n + 4;
    return n;
}

static void put_framing(struct http2_upstream *u, struct gost_http1_out *out,
                        const struct gost_head *h)
{
    int sized = gost_head_get(h, "content-length").p != NULL;
    int wants_body = gost_http1_is(h->method, "POST") || gost_http1_is(h->method, "PUT") ||
                     gost_http1_is(h->method, "PATCH");

    u->chunked = !sized && !(h->flags & GOST_HEAD_NO_BODY);
    if (u->chunked)
        gost_http1_put_str(out, "Transfer-Encoding: chunked\r\n");
    else if (!sized && wants_body)
        gost_http1_put_str(out, "Content-Length: 0\r\n");
}

static int put_request(struct http2_upstream *u, struct gost_io *io, const struct gost_head *h)
{
    struct gost_http1_out out = {malloc(size_of(h)), 0, size_of(h), 0};

    if (!out.p)
        return gost_fail(io, GOST_ENOMEM, "out of memory for a request");
    snprintf(u->method, sizeof u->method, "%.*s", (int)(h->method.n < 7 ? h->method.n : 7),
             (const char *)h->method.p);
    gost_http1_put(&out, h->method);
    gost_http1_put_str(&out, " ");
    gost_http1_put(&out, h->path);
    gost_http1_put_str(&out, " HTTP/1.1\r\n");
    gost_http1_put_field(&out, gost_bytes_str("Host"), h->authority);
    put_fields(&out, h);
    put_framing(u, &out, h);
    gost_http1_put_str(&out, "Connection: close\r\n\r\n");
    gost_send(io, out.p, out.n);
    free(out.p);
    u->asked = 1;
    return GOST_OK;
}

static void put_trailers(struct http2_upstream *u, struct gost_io *io, const struct gost_head *h)
{
    struct gost_http1_out out = {malloc(size_of(h)), 0, size_of(h), 0};

    if (!u->chunked || !out.p) { /* they have no place, or no memory: they are optional */
        free(out.p);
        return;
    }
    gost_http1_put_str(&out, "0\r\n");
    put_fields(&out, h);
    gost_http1_put_str(&out, "\r\n");
    gost_send(io, out.p, out.n);
    free(out.p);
    u->chunked = 0;
}

static int upstream_encode(void *state, const void *conf, struct gost_io *io)
{
    struct http2_upstream *u = state;
    struct gost_io *app = gost_app(io);
    struct gost_head h;
    char size[24];
    size_t n;
    int r;

    if (u->done) {
        gost_consume(app, gost_rx_len(app));
        (void)gost_head_recv(app, &h);
        return GOST_AGAIN;
    }
    if (!u->asked) {
        if (gost_head_recv(app, &h) != GOST_OK)
            return GOST_AGAIN;
        r = put_request(u, io, &h);
        if (r != GOST_OK)
            return r;
    }
    while ((n = gost_rx_len(app)) > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        if (u->chunked)
            gost_send(io, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", n));
        if (gost_move(io, app, n) < n) { /* the upstream takes no more */
            gost_consume(app, gost_rx_len(app));
            break;
        }
        if (u->chunked)
            gost_send(io, "\r\n", 2);
    }
    if (gost_head_recv(app, &h) == GOST_OK)
        put_trailers(u, io, &h);
    return GOST_AGAIN;
}

/* The request is complete. The connection stays open: many servers take its end for a hang-up. */
static int upstream_shut(void *state, const void *conf, struct gost_io *io)
{
    struct http2_upstream *u = state;

    if (u->asked && u->chunked && !u->done)
        gost_send(io, "0\r\n\r\n", 5);
    u->chunked = 0;
    return GOST_OK;
}

/* ---- the response ---- */

/* Nothing that could be passed on came: the client hears 503, as from GOST. */
static int give_up(struct http2_upstream *u, struct gost_io *io, const char *why)
{
    struct gost_io *app = gost_app(io);
    struct gost_head h = {.size = sizeof h, .status = 503, .flags = GOST_HEAD_NO_BODY};

    if (u->got_head)
        return gost_fail(io, GOST_EPROTO, "the upstream's response broke off: %s", why);
    gost_log(io, GOST_LOG_INFO, "the upstream's response is of no use: %s", why);
    u->got_head = u->done = 1;
    (void)gost_head_send(app, &h);
    gost_shut(app);
    return GOST_END;
}

/* The head for the user: names in lower case, without the fields of one connection. */
static int deliver(struct http2_upstream *u, struct gost_io *io, const struct gost_http1_head *in)
{
    struct gost_head h = {.size = sizeof h, .status = in->status};
    struct gost_field f[GOST_HTTP1_FIELDS_MAX];
    uint8_t *text = malloc(in->length), *at = text;
    uint32_t i;
    size_t k;
    int r;

    if (!text)
        return gost_fail(io, GOST_ENOMEM, "out of memory for a response");
    for (i = 0; i < in->n_fields; i++) {
        struct gost_bytes name = in->field[i].name;

        if (gost_http1_hop_by_hop(in, i) || gost_http1_is(name, "transfer-encoding") ||
            gost_http1_is(name, "trailer"))
            continue;
        for (k = 0; k < name.n; k++)
            at[k] = name.p[k] >= 'A' && name.p[k] <= 'Z' ? (uint8_t)(name.p[k] + 32) : name.p[k];
        f[h.n_fields].name = gost_bytes(at, name.n);
        f[h.n_fields++].value = in->field[i].value;
        at += name.n;
    }
    h.fields = f;
    if (in->status < 200)
        h.flags = GOST_HEAD_INTERIM;
    else if (gost_http1_body_done(&u->body))
        h.flags = GOST_HEAD_NO_BODY;
    r = gost_head_send(gost_app(io), &h);
    free(text);
    return r == GOST_OK ? GOST_OK : gost_fail(io, r, "the response's head cannot be passed on");
}

static int read_head(struct http2_upstream *u, struct gost_io *io)
{
    struct gost_http1_head head;
    const char *why = "it ended";
    const uint8_t *p;
    size_t n = gost_rx_len(io);
    int r = GOST_AGAIN;

    n = n < GOST_HTTP1_HEAD_MAX ? n : GOST_HTTP1_HEAD_MAX;
    p = n ? gost_peek(io, n) : NULL;
    if (p && (gost_http1_find_end(gost_bytes(p, n), &u->scanned) || n == GOST_HTTP1_HEAD_MAX))
        r = gost_http1_parse_response(&head, gost_bytes(p, n), &why);
    if (r == GOST_AGAIN && gost_rx_eof(io))
        r = GOST_ECLOSED;
    if (r == GOST_AGAIN && n < GOST_HTTP1_HEAD_MAX) {
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    if (r == GOST_OK && head.status == 101)
        why = "it changes the protocol";
    if (r == GOST_OK && head.status != 101 && head.status >= 200)
        r = gost_http1_response_body(&u->body, &head, gost_bytes_str(u->method), &why);
    if (r != GOST_OK || head.status == 101)
        return give_up(u, io, why);
    r = deliver(u, io, &head);
    gost_consume(io, head.length);
    u->scanned = 0;
    u->got_head = head.status >= 200;
    return r;
}

/* GOST_OK: some were moved. */
static int read_body(struct http2_upstream *u, struct gost_io *io, struct gost_io *app)
{
    uint64_t n = gost_http1_body_opaque(&u->body);
    int used;

    if (gost_rx_len(io) == 0) {
        if (!gost_rx_eof(io))
            return GOST_AGAIN;
        if (gost_http1_body_end(&u->body) == GOST_OK)
            return GOST_END;
        return give_up(u, io, "it ended");
    }
    if (gost_tx_room(app) == 0)
        return GOST_FULL;
    if (n == 0) {
        used = gost_http1_body_feed(&u->body, gost_rx(io));
        if (used < 0)
            return give_up(u, io, "its chunks are malformed");
        gost_consume(io, (size_t)used);
        return GOST_OK;
    }
    n = n < gost_rx_len(io) ? n : gost_rx_len(io);
    if (gost_move(app, io, (size_t)n) < n)
        return GOST_END; /* nobody listens any more */
    gost_http1_body_pass(&u->body, n);
    return GOST_OK;
}

static int upstream_decode(void *state, const void *conf, struct gost_io *io)
{
    struct http2_upstream *u = state;
    struct gost_io *app = gost_app(io);
    int r = GOST_OK;

    if (u->done) {
        gost_consume(io, gost_rx_len(io));
        return GOST_END;
    }
    while (r == GOST_OK && !u->got_head)
        r = read_head(u, io);
    while (r == GOST_OK && !gost_http1_body_done(&u->body))
        r = read_body(u, io, app);
    if (r != GOST_OK && r != GOST_END)
        return r;
    if (!u->done)
        gost_shut(app);
    u->done = 1;
    gost_shut(io); /* what the client still sends of its request is of no use */
    return GOST_END;
}

const struct gost_layer_ops http2_upstream_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_EXCHANGE,
    .flags = GOST_LAYER_CODEC,
    .decode = upstream_decode,
    .encode = upstream_encode,
    .shut = upstream_shut,
};
