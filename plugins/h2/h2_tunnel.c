/* h2_tunnel.c - the layer h2tunnel: a stream in the two bodies of one exchange, as GOST's h2. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "exchange.h"
#include "h2.h"

#define FIELDS_MAX 64u

const struct gost_opt h2_tunnel_options[] = {
    GOST_OPT_STRING(struct h2_tunnel_conf, path, "path", "", 0,
                    "path of the request; without one the method is CONNECT. Both ends need "
                    "the same"),
    GOST_OPT_STRING(struct h2_tunnel_conf, host, "host", "", GOST_OPT_CLIENT,
                    "name of the server in the request; else the node's address"),
    GOST_OPT_MAP(struct h2_tunnel_conf, header, "header", GOST_OPT_CLIENT,
                 "fields added to the request"),
    GOST_OPT_LAST,
};

int h2_tunnel_prepare(void *conf, struct gost_prepare *p)
{
    struct h2_tunnel_conf *c = conf;

    if (!c->path)
        c->path = "";
    if (*c->path && *c->path != '/')
        snprintf(p->error, p->error_size, "path \"%s\" must begin with /", c->path);
    else if (c->header.n > FIELDS_MAX - 2)
        snprintf(p->error, p->error_size, "header has more than %u fields", FIELDS_MAX - 2);
    else
        return GOST_OK;
    return GOST_EPROTO;
}

/* ---- client ---- */

/* Names of fields are lower case in HTTP/2. */
static size_t lower(char *to, size_t room, const char *name)
{
    size_t n = 0;

    for (; name[n] && n < room; n++)
        to[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    return n;
}

static int ask(const struct h2_tunnel_conf *c, struct gost_io *io)
{
    struct gost_field f[FIELDS_MAX];
    char names[FIELDS_MAX][64], host[GOST_ADDR_TEXT];
    struct gost_head h = {.size = sizeof h, .fields = f};
    uint32_t i;

    gost_addr_format(&gost_target(io)->addr, host, sizeof host);
    h.authority = gost_bytes_str(c->host && *c->host ? c->host : host);
    h.method = gost_bytes_str(*c->path ? "GET" : "CONNECT");
    if (*c->path) {
        h.path = gost_bytes_str(c->path);
        h.scheme = gost_bytes_str(gost_flow(io)->secure ? "https" : "http");
    }
    for (i = 0; i < c->header.n; i++) {
        size_t n = lower(names[i], sizeof names[i], c->header.v[i].key);

        f[h.n_fields].name = gost_bytes(names[i], n);
        f[h.n_fields++].value = gost_bytes_str(c->header.v[i].value);
    }
    f[h.n_fields].name = gost_bytes_str("accept-encoding");
    f[h.n_fields++].value = gost_bytes_str("gzip");
    f[h.n_fields].name = gost_bytes_str("user-agent");
    f[h.n_fields++].value = gost_bytes_str("Go-http-client/2.0");
    return gost_head_send(io, &h);
}

static int client_handshake(struct h2_tunnel *t, const struct h2_tunnel_conf *c, struct gost_io *io)
{
    struct gost_head h;
    int r;

    gost_phase(io, "the answer to the tunnel's request");
    if (!t->asked) {
        t->asked = 1;
        r = ask(c, io);
        if (r != GOST_OK)
            return gost_fail(io, r, "the tunnel's request could not be sent");
    }
    while ((r = gost_head_recv(io, &h)) == GOST_OK) {
        if (h.flags & GOST_HEAD_INTERIM)
            continue;
        if (h.status == 200)
            return GOST_OK;
        return gost_fail(
            io, GOST_EPEER, "the server answered %u to the tunnel's request%s", (unsigned)h.status,
            h.status == 400 || h.status == 405 ? ": is the path the same at both ends?" : "");
    }
    if (r == GOST_END)
        return gost_fail(io, GOST_ECLOSED, "the server ended the stream without an answer");
    return GOST_AGAIN;
}

/* ---- server ---- */

static int answer(struct gost_io *io, uint32_t status)
{
    struct gost_head h = {.size = sizeof h, .status = status};

    h.flags = status == 200 ? 0 : GOST_HEAD_NO_BODY;
    return gost_head_send(io, &h);
}

static int is_connect(const struct gost_head *h)
{
    return gost_bytes_eq(h->method, gost_bytes_str("CONNECT"));
}

static int server_handshake(struct h2_tunnel *t, const struct h2_tunnel_conf *c, struct gost_io *io)
{
    struct gost_head h;
    uint32_t status;
    int r;

    gost_phase(io, "the tunnel's request");
    r = gost_head_recv(io, &h);
    if (r != GOST_OK)
        return r == GOST_END ? gost_fail(io, GOST_ECLOSED, "no request came") : GOST_AGAIN;
    if (*c->path)
        status = gost_bytes_eq(h.path, gost_bytes_str(c->path)) ? 200 : 400;
    else
        status = is_connect(&h) && !h.protocol.n ? 200 : 405;
    r = answer(io, status);
    if (r != GOST_OK)
        return gost_fail(io, r, "the request could not be answered");
    if (status == 200)
        return GOST_OK;
    /* The answer has to get out: the user above sees an end, and whatever it says is dropped. */
    gost_log(io, GOST_LOG_INFO, "answered %u: the request was no tunnel, its %s is not ours",
             (unsigned)status, *c->path ? "path" : "method");
    t->refused = 1;
    gost_shut(io);
    return GOST_OK;
}

static int tunnel_handshake(void *state, const void *conf, struct gost_io *io)
{
    return gost_flow(io)->role == GOST_CLIENT ? client_handshake(state, conf, io)
                                              : server_handshake(state, conf, io);
}

/* ---- bytes ---- */

static int drop(struct gost_io *io)
{
    gost_consume(io, gost_rx_len(io));
    return GOST_AGAIN;
}

static int tunnel_decode(void *state, const void *conf, struct gost_io *io)
{
    const struct h2_tunnel *t = state;

    if (!t->refused)
        return gost_exchange_pass(io, gost_app(io));
    gost_shut(gost_app(io));
    return drop(io);
}

static int tunnel_encode(void *state, const void *conf, struct gost_io *io)
{
    const struct h2_tunnel *t = state;

    return t->refused ? drop(gost_app(io)) : gost_exchange_pass(gost_app(io), io);
}

const struct gost_layer_ops h2_tunnel_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_EXCHANGE,
    .above = GOST_STREAM,
    .handshake = tunnel_handshake,
    .decode = tunnel_decode,
    .encode = tunnel_encode,
};
