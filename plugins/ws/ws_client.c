/* ws_client.c - the client's side of the handshake. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ws.h"

static void put(struct gost_io *io, const char *text)
{
    gost_send(io, text, strlen(text));
}

/* Our own names are spelled as they are. */
static void put_field(struct gost_io *io, const char *name, const char *value)
{
    uint8_t text[256];
    struct gost_http1_out out = {.p = text, .size = sizeof text};

    if (strncmp(name, "Sec-WebSocket-", 14) == 0)
        gost_http1_put_str(&out, name);
    else
        gost_http1_put_name(&out, name);
    gost_send(io, out.p, out.n);
    put(io, ": ");
    put(io, value);
    put(io, "\r\n");
}

static const char *host_of(const struct ws_conf *c, struct gost_io *io, char *buf, size_t size)
{
    const char *host = gost_http1_map_get(&c->header, "Host");

    if (host)
        return host;
    if (c->host && c->host[0])
        return c->host;
    gost_addr_format(&gost_target(io)->addr, buf, size);
    return buf;
}

void ws_client_ask(struct ws_state *s, const struct ws_conf *c, struct gost_io *io)
{
    char key[WS_KEY_SIZE + 1], buf[GOST_ADDR_TEXT];
    const char *agent = gost_http1_map_get(&c->header, "User-Agent");
    struct gost_http1_list list;
    uint8_t raw[16];
    uint32_t i;

    gost_random(raw, sizeof raw);
    ws_key_put(key, raw);
    key[WS_KEY_SIZE] = 0;
    ws_key_accept(s->accept, gost_bytes(key, WS_KEY_SIZE));
    list.n = 0;
    gost_http1_list_add(&list, "Connection", "Upgrade");
    gost_http1_list_add(&list, "Upgrade", "websocket");
    gost_http1_list_add(&list, "Sec-WebSocket-Key", key);
    gost_http1_list_add(&list, "Sec-WebSocket-Version", "13");
    if (c->compression)
        gost_http1_list_add(&list, "Sec-WebSocket-Extensions", ws_deflate_offer);
    gost_http1_list_add_rest(&list, &c->header);
    put(io, "GET ");
    put(io, c->made->target);
    put(io, " HTTP/1.1\r\n");
    put_field(io, "Host", host_of(c, io, buf, sizeof buf));
    put_field(io, "User-Agent", agent ? agent : "Go-http-client/1.1");
    for (i = 0; i < list.n; i++)
        put_field(io, list.v[i].key, list.v[i].value);
    put(io, "\r\n");
}

static int refused(const struct ws_conf *c, struct gost_io *io, const struct gost_http1_head *head)
{
    return gost_fail(io, GOST_EPEER,
                     "the server answered \"%u %.*s\" to the WebSocket request for %s: are ws.path "
                     "and ws.host what it expects?",
                     (unsigned)head->status, (int)(head->reason.n < 60 ? head->reason.n : 60),
                     (const char *)head->reason.p, c->made->path);
}

static int no_websocket(struct gost_io *io, const char *why)
{
    return gost_fail(io, GOST_EPROTO, "the server's answer is no WebSocket handshake: %s", why);
}

static int check(struct ws_state *s, const struct ws_conf *c, struct gost_io *io,
                 const struct gost_http1_head *head)
{
    int deflate;

    if (head->status != 101)
        return refused(c, io, head);
    if (!gost_http1_has_token(head, "Upgrade", "websocket") ||
        !gost_http1_has_token(head, "Connection", "upgrade"))
        return no_websocket(io, "Upgrade or Connection does not name it");
    if (!gost_bytes_eq(gost_http1_get(head, "Sec-WebSocket-Accept"),
                       gost_bytes(s->accept, sizeof s->accept)))
        return no_websocket(io, "Sec-WebSocket-Accept is not that of our key; a cache between us?");
    if (gost_http1_get(head, "Sec-WebSocket-Protocol").p)
        return no_websocket(io, "it chose a subprotocol, and we offered none");
    if (ws_offer_check(head, (int)c->compression, &deflate) != GOST_OK)
        return no_websocket(io, "it chose an extension that we did not offer");
    s->deflate = deflate != 0;
    gost_consume(io, head->length);
    return GOST_OK;
}

int ws_client_handshake(struct ws_state *s, const struct ws_conf *c, struct gost_io *io)
{
    size_t n = gost_rx_len(io) < GOST_HTTP1_HEAD_MAX ? gost_rx_len(io) : GOST_HTTP1_HEAD_MAX;
    struct gost_bytes in = gost_bytes(n ? gost_peek(io, n) : NULL, n);
    struct gost_http1_head head;
    const char *why;

    if (n > 0 && memcmp(in.p, "HTTP/1.", n < 7 ? n : 7) != 0)
        return no_websocket(io, "it is not HTTP/1; is there TLS at the other end (wss)?");
    if (n == 0 || gost_http1_find_end(in, &s->scanned) == 0) {
        if (n == GOST_HTTP1_HEAD_MAX)
            return no_websocket(io, "its head does not end");
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    if (gost_http1_parse_response(&head, in, &why) != GOST_OK)
        return no_websocket(io, why);
    return check(s, c, io, &head);
}
