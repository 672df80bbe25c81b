/* grpc_layer.c - the layer grpc: the call's head and end, messages in both directions. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "grpc.h"

#define CONTENT_TYPE "application/grpc"
#define USER_AGENT   "grpc-go/1.82.1"

enum { GRPC_UNIMPLEMENTED = 12 };

static struct gost_field field(const char *name, const char *value)
{
    struct gost_field f = {gost_bytes_str(name), gost_bytes_str(value)};

    return f;
}

static struct gost_bytes get(const struct gost_head *h, const char *name)
{
    uint32_t i;

    for (i = 0; i < h->n_fields; i++)
        if (gost_bytes_eq(h->fields[i].name, gost_bytes_str(name)))
            return h->fields[i].value;
    return gost_bytes(NULL, 0);
}

static int is_grpc(struct gost_bytes type)
{
    size_t n = sizeof CONTENT_TYPE - 1;

    return type.n >= n && memcmp(type.p, CONTENT_TYPE, n) == 0 &&
           (type.n == n || type.p[n] == '+' || type.p[n] == ';');
}

/* ---- client ---- */

static int ask(const struct grpc_conf *c, struct gost_io *io)
{
    const struct gost_field f[] = {field("content-type", CONTENT_TYPE),
                                   field("user-agent", USER_AGENT), field("te", "trailers")};
    struct gost_head h = {.size = sizeof h, .fields = f, .n_fields = 3};
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(&gost_target(io)->addr, host, sizeof host);

    h.method = gost_bytes_str("POST");
    h.scheme = gost_bytes_str(gost_flow(io)->secure ? "https" : "http");
    h.path = gost_bytes_str(c->method);
    h.authority = c->host && *c->host ? gost_bytes_str(c->host) : gost_bytes(host, n);
    return gost_head_send(io, &h);
}

/* The call goes out at once; the answer's head comes with the first message. */
static int client_handshake(struct grpc *g, const struct grpc_conf *c, struct gost_io *io)
{
    int r;

    if (g->asked)
        return GOST_OK;
    g->asked = 1;
    r = ask(c, io);
    return r == GOST_OK ? GOST_OK : gost_fail(io, r, "the call could not be sent");
}

/* How the server ended the call: nothing to complain of, or its own words. */
static int check_status(struct gost_io *io, const struct gost_head *h)
{
    struct gost_bytes status = get(h, "grpc-status"), text = get(h, "grpc-message");

    if (status.n == 0 || gost_bytes_eq(status, gost_bytes_str("0")))
        return GOST_OK;
    return gost_fail(
        io, GOST_EPEER, "the server ended the call with status %.*s: %.*s%s",
        (int)(status.n < 8 ? status.n : 8), (const char *)status.p,
        (int)(text.n < 120 ? text.n : 120), (const char *)text.p,
        gost_bytes_eq(status, gost_bytes_str("12")) ? " (is the path the same at both ends?)" : "");
}

static int got_head(struct grpc *g, struct gost_io *io, const struct gost_head *h)
{
    if (h->flags & GOST_HEAD_INTERIM)
        return GOST_OK;
    if (g->got_head)
        return check_status(io, h);
    g->got_head = 1;
    if (h->status != 200)
        return gost_fail(io, GOST_EPEER, "the server answered %u to the call: it serves no gRPC",
                         (unsigned)h->status);
    if (!is_grpc(get(h, "content-type")))
        return gost_fail(io, GOST_EPROTO, "the server's answer to the call is no gRPC");
    return check_status(io, h);
}

/* ---- server ---- */

static int refuse(struct grpc *g, struct gost_io *io, uint32_t status, const char *code,
                  const char *text)
{
    const struct gost_field f[] = {field("content-type", CONTENT_TYPE), field("grpc-status", code),
                                   field("grpc-message", text)};
    struct gost_head h = {
        .size = sizeof h, .status = status, .fields = f, .n_fields = 3, .flags = GOST_HEAD_NO_BODY};
    int r = gost_head_send(io, &h);

    if (r != GOST_OK)
        return gost_fail(io, r, "the call could not be answered");
    /* The answer has to get out: the user above sees an end, and whatever it says is dropped. */
    gost_log(io, GOST_LOG_INFO, "answered %u: %s", (unsigned)status, text);
    g->refused = 1;
    gost_shut(io);
    return GOST_OK;
}

static int refuse_method(struct grpc *g, struct gost_io *io, const struct grpc_conf *c,
                         struct gost_bytes path)
{
    char text[400], name[160];
    char *slash;
    size_t n = path.n && path.p[0] == '/' ? path.n - 1 : path.n;
    size_t service;

    snprintf(name, sizeof name, "%.*s", (int)(n < 150 ? n : 150),
             (const char *)path.p + (path.n - n));
    slash = strrchr(name, '/');
    if (!slash) {
        snprintf(text, sizeof text, "malformed method name: \"/%s\"", name);
        return refuse(g, io, 200, "12", text);
    }
    *slash = '\0';
    service = strcspn(c->method + 1, "/");
    if (strlen(name) == service && strncmp(name, c->method + 1, service) == 0)
        snprintf(text, sizeof text, "unknown method %s for service %s", slash + 1, name);
    else
        snprintf(text, sizeof text, "unknown service %s", name);
    return refuse(g, io, 200, "12", text);
}

static int check_call(struct grpc *g, const struct grpc_conf *c, struct gost_io *io,
                      const struct gost_head *h)
{
    char text[200];
    struct gost_bytes type = get(h, "content-type");

    if (!is_grpc(type)) {
        snprintf(text, sizeof text, "invalid gRPC request content-type \"%.*s\"",
                 (int)(type.n < 100 ? type.n : 100), (const char *)type.p);
        return refuse(g, io, 415, "3", text);
    }
    if (!gost_bytes_eq(h->method, gost_bytes_str("POST"))) {
        snprintf(text, sizeof text,
                 "Received a HEADERS frame with :method \"%.*s\" which should be POST",
                 (int)(h->method.n < 30 ? h->method.n : 30), (const char *)h->method.p);
        return refuse(g, io, 405, "13", text);
    }
    if (!gost_bytes_eq(h->path, gost_bytes_str(c->method)))
        return refuse_method(g, io, c, h->path);
    return GOST_OK;
}

static int server_handshake(struct grpc *g, const struct grpc_conf *c, struct gost_io *io)
{
    struct gost_head h;
    int r;

    r = gost_head_recv(io, &h);
    if (r == GOST_OK)
        return check_call(g, c, io, &h);
    return r == GOST_END ? gost_fail(io, GOST_ECLOSED, "no call came") : GOST_AGAIN;
}

static int grpc_handshake(void *state, const void *conf, struct gost_io *io)
{
    gost_phase(io, "the gRPC call");
    return gost_flow(io)->role == GOST_CLIENT ? client_handshake(state, conf, io)
                                              : server_handshake(state, conf, io);
}

/* ---- messages ---- */

static int bad_message(struct gost_io *io, int code)
{
    switch (code) {
    case GOST_EUNSUPPORTED:
        return gost_fail(io, code, "the peer compresses its messages");
    case GOST_ETOOBIG:
        return gost_fail(io, code, "a message is longer than %u bytes", GRPC_MESSAGE_MAX);
    default:
        return gost_fail(io, code, "a message is no Chunk of GOST's tunnel");
    }
}

static int heads(struct grpc *g, struct gost_io *io)
{
    struct gost_head h;
    int r = GOST_OK, client = gost_flow(io)->role == GOST_CLIENT;

    while (r == GOST_OK && gost_head_recv(io, &h) == GOST_OK)
        r = client ? got_head(g, io, &h) : GOST_OK;
    return r;
}

static int grpc_decode(void *state, const void *conf, struct gost_io *io)
{
    struct grpc *g = state;
    struct gost_io *app = gost_app(io);
    int r = heads(g, io);
    size_t n;

    if (g->refused) {
        gost_shut(app);
        gost_consume(io, gost_rx_len(io));
        return GOST_AGAIN;
    }
    if (r != GOST_OK)
        return r;
    while (gost_rx_len(io) > 0) {
        if (gost_tx_room(app) == 0)
            return GOST_FULL;
        n = grpc_data(&g->in);
        if (n == 0) {
            r = grpc_feed(&g->in, gost_rx(io));
            if (r < 0)
                return bad_message(io, r);
            gost_consume(io, (size_t)r);
            continue;
        }
        n = gost_move(app, io, n < gost_rx_len(io) ? n : gost_rx_len(io));
        if (n == 0) { /* nobody listens any more */
            n = gost_rx_len(io);
            n = n < grpc_data(&g->in) ? n : grpc_data(&g->in);
            gost_consume(io, n);
        }
        grpc_pass(&g->in, (uint32_t)n);
    }
    r = heads(g, io);
    if (r == GOST_OK && gost_rx_eof(io) && !grpc_between(&g->in))
        r = gost_fail(io, GOST_ECLOSED, "the call ended in the middle of a message");
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int send_head(struct grpc *g, struct gost_io *io)
{
    const struct gost_field f = field("content-type", CONTENT_TYPE);
    struct gost_head h = {.size = sizeof h, .status = 200, .fields = &f, .n_fields = 1};

    g->head_sent = 1;
    return gost_head_send(io, &h);
}

static int grpc_encode(void *state, const void *conf, struct gost_io *io)
{
    struct grpc *g = state;
    struct gost_io *app = gost_app(io);
    uint8_t prefix[GRPC_PREFIX_MAX];
    size_t n;

    if (g->refused)
        gost_consume(app, gost_rx_len(app));
    while ((n = gost_rx_len(app)) > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        if (gost_flow(io)->role == GOST_SERVER && !g->head_sent && send_head(g, io) != GOST_OK)
            return gost_fail(io, GOST_ECLOSED, "the call has ended");
        n = n < GRPC_CHUNK_MAX ? n : GRPC_CHUNK_MAX;
        if (gost_send(io, prefix, grpc_prefix(prefix, (uint32_t)n)) != GOST_OK)
            return GOST_AGAIN;
        gost_move(io, app, n);
    }
    return GOST_AGAIN;
}

/* Our end: END_STREAM of a client, the status of a server. */
static int grpc_shut(void *state, const void *conf, struct gost_io *io)
{
    struct grpc *g = state;
    const struct gost_field f[] = {field("content-type", CONTENT_TYPE), field("grpc-status", "0"),
                                   field("grpc-message", "")};
    struct gost_head h = {.size = sizeof h, .fields = f, .n_fields = 3};

    if (gost_flow(io)->role == GOST_SERVER && !g->refused) {
        if (g->head_sent) {
            h.flags = GOST_HEAD_TRAILERS;
            h.fields = f + 1;
            h.n_fields = 2;
        } else { /* all in one */
            h.status = 200;
            h.flags = GOST_HEAD_NO_BODY;
        }
        (void)gost_head_send(io, &h);
    }
    gost_shut(io);
    return GOST_OK;
}

const struct gost_layer_ops grpc_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_EXCHANGE,
    .above = GOST_STREAM,
    .handshake = grpc_handshake,
    .decode = grpc_decode,
    .encode = grpc_encode,
    .shut = grpc_shut,
};
