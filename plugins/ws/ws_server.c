/* ws_server.c - the server's side of the handshake. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ws.h"

/* Far enough to see that a first line is no request. */
#define LINE_MAX 8192

static void put(struct gost_io *io, const char *text)
{
    gost_send(io, text, strlen(text));
}

/* An address as CDNs and proxies write it into a field; the first one of a list. */
static int address_in(const struct gost_http1_head *head, const char *name,
                      struct gost_addr *ret_addr)
{
    struct gost_bytes value = gost_http1_get(head, name);
    const uint8_t *comma = value.n ? memchr(value.p, ',', value.n) : NULL;
    size_t n = comma ? (size_t)(comma - value.p) : value.n;
    struct gost_addr a;

    while (n > 0 && value.p[0] == ' ')
        value.p++, n--;
    while (n > 0 && value.p[n - 1] == ' ')
        n--;
    if (n == 0 || gost_addr_set_host(&a, (const char *)value.p, n, 0) != GOST_OK ||
        !gost_addr_is_ip(&a))
        return 0;
    *ret_addr = a;
    return 1;
}

static void tell_source(struct gost_io *io, const struct gost_http1_head *head)
{
    struct gost_addr source;

    if (address_in(head, "CF-Connecting-IP", &source) ||
        address_in(head, "X-Forwarded-For", &source) || address_in(head, "X-Real-Ip", &source))
        gost_set_source(io, &source, NULL);
}

/* 101, or the status of what is wrong with a request for our path. */
static uint32_t judge(const struct gost_http1_head *head)
{
    if (!gost_http1_has_token(head, "Connection", "upgrade") ||
        !gost_http1_has_token(head, "Upgrade", "websocket"))
        return 400;
    if (!gost_bytes_eq(head->method, gost_bytes_str("GET")))
        return 405;
    if (!gost_http1_has_token(head, "Sec-WebSocket-Version", "13") ||
        !ws_key_valid(gost_http1_get(head, "Sec-WebSocket-Key")))
        return 400;
    return 101;
}

static void accept_it(struct ws_state *s, const struct ws_conf *c, struct gost_io *io,
                      const struct gost_http1_head *head)
{
    char accept[WS_ACCEPT_SIZE];
    uint32_t i;

    ws_key_accept(accept, gost_http1_get(head, "Sec-WebSocket-Key"));
    s->deflate = c->compression && ws_offer_accepts(head);
    put(io, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: ");
    gost_send(io, accept, sizeof accept);
    put(io, "\r\n");
    if (s->deflate) {
        put(io, "Sec-WebSocket-Extensions: ");
        put(io, ws_deflate_offer);
        put(io, "\r\n");
    }
    for (i = 0; i < c->header.n; i++) {
        put(io, c->header.v[i].key);
        put(io, ": ");
        put(io, c->header.v[i].value);
        put(io, "\r\n");
    }
    put(io, "\r\n");
}

/* The answer to a request that does not become a WebSocket. 1: another one may follow. */
static int answer(const struct ws_conf *c, struct gost_io *io, const struct gost_http1_head *head,
                  uint32_t *ret_status)
{
    struct gost_http1_body body;
    struct gost_bytes path, query;
    char clean[WS_PATH_MAX + 2];
    size_t n;
    int more, has_body;

    has_body =
        gost_http1_request_body(&body, head, NULL) != GOST_OK || !gost_http1_body_done(&body);
    ws_target_split(head->target, &path, &query);
    *ret_status = 404;
    if (path.n <= WS_PATH_MAX && !gost_http1_is(head->method, "CONNECT")) {
        n = ws_path_clean(clean, path);
        if (c->made->path[0] && !ws_path_is(c->made->path, gost_bytes(clean, n)) &&
            clean[n - 1] != '/') {
            clean[n++] = '/'; /* "/x" where we have "/x/" */
            if (!ws_path_is(c->made->path, gost_bytes(clean, n)))
                n--;
        }
        if (!gost_bytes_eq(path, gost_bytes(clean, n))) {
            more = ws_answer_redirect(io, head, gost_bytes(clean, n), query, has_body);
            *ret_status = 307;
            return more;
        }
        if (ws_path_is(c->made->path, path))
            *ret_status = judge(head);
    }
    return *ret_status == 101 ? 0 : ws_answer(io, *ret_status, head, has_body);
}

/* Bytes without an end of a head: do they look like the beginning of one? */
static int may_be_http(struct gost_bytes in)
{
    const uint8_t *end = memchr(in.p, '\n', in.n);
    size_t n = end ? (size_t)(end - in.p) : in.n;

    if (!end)
        return n < LINE_MAX;
    if (n > 0 && in.p[n - 1] == '\r')
        n--;
    return n == 0 || (n > 9 && memcmp(in.p + n - 9, " HTTP/1.", 8) == 0);
}

/* As GOST: who sends frames before the answer may be smuggling them past a proxy. */
static int refuse_early(struct gost_io *io, size_t n)
{
    return gost_fail(io, GOST_EPROTO,
                     "the client sent %zu bytes behind its WebSocket request without waiting for "
                     "the answer",
                     n);
}

/* One whole head. GOST_OK: it became a WebSocket; GOST_AGAIN: look for the next one. */
static int take_request(struct ws_state *s, const struct ws_conf *c, struct gost_io *io,
                        const struct gost_http1_head *head)
{
    char target[128];
    uint32_t status;
    int more;

    if (head->minor == 1 && !gost_http1_get(head, "Host").p)
        return ws_answer_no_http(io, 400, "missing required Host header");
    more = answer(c, io, head, &status);
    if (status == 101) {
        if (gost_rx_len(io) > head->length)
            return refuse_early(io, gost_rx_len(io) - head->length);
        accept_it(s, c, io, head);
        tell_source(io, head);
        gost_consume(io, head->length);
        return GOST_OK;
    }
    snprintf(target, sizeof target, "%.*s", (int)(head->target.n < 100 ? head->target.n : 100),
             (const char *)head->target.p);
    if (!more)
        return gost_fail(io, GOST_EPROTO, "a request for %s is none for the WebSocket at %s: %u %s",
                         target, c->made->path, (unsigned)status, gost_http1_reason(status));
    gost_log(io, GOST_LOG_DEBUG, "a request for %s is none for the WebSocket at %s: %u %s", target,
             c->made->path, (unsigned)status, gost_http1_reason(status));
    gost_consume(io, head->length);
    return GOST_AGAIN;
}

int ws_server_handshake(struct ws_state *s, const struct ws_conf *c, struct gost_io *io)
{
    struct gost_http1_head head;
    struct gost_bytes in;
    const char *why;
    size_t n;
    int r;

    for (;;) {
        n = gost_rx_len(io) < GOST_HTTP1_HEAD_MAX ? gost_rx_len(io) : GOST_HTTP1_HEAD_MAX;
        in = gost_bytes(n ? gost_peek(io, n) : NULL, n);
        if (n == 0 || gost_http1_find_end(in, &s->scanned) == 0) {
            if (n > 0 && !may_be_http(in))
                return ws_answer_no_http(io, 400, NULL);
            if (n == GOST_HTTP1_HEAD_MAX)
                return ws_answer_no_http(io, 431, NULL);
            gost_want(io, n + 1);
            return GOST_AGAIN;
        }
        if (gost_http1_parse_request(&head, in, &why) != GOST_OK)
            return ws_answer_no_http(io, 400, NULL);
        s->scanned = 0;
        r = take_request(s, c, io, &head);
        if (r != GOST_AGAIN)
            return r;
        if (gost_tx_room(io) == 0)
            return gost_fail(io, GOST_EPROTO, "the client asks and asks and reads no answer");
    }
}
