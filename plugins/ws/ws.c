/* ws.c - the ws plugin: its options, its layer and the stacks on it. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <gost/plugin.h>

#include "ws.h"

static const struct gost_opt ws_options[] = {
    GOST_OPT_STRING(struct ws_conf, path, "ws.path path", "/ws", 0,
                    "path of the request; a server takes all below one that ends in '/'"),
    GOST_OPT_STRING(struct ws_conf, host, "ws.host host", NULL, GOST_OPT_CLIENT,
                    "the Host field; else the node's address with its port"),
    GOST_OPT_MAP(struct ws_conf, header, "ws.header header", 0,
                 "more fields of the request (client) or the answer (server)"),
    GOST_OPT_DURATION(struct ws_conf, handshake_timeout, "ws.handshakeTimeout handshakeTimeout",
                      "0", 0, 86400000, 0,
                      "longest time for the handshake; 0: no limit of its own"),
    GOST_OPT_DURATION(struct ws_conf, read_header_timeout, "ws.readHeaderTimeout readHeaderTimeout",
                      "0", 0, 86400000, GOST_OPT_SERVER,
                      "longest time until the request is there; 0: no limit of its own"),
    GOST_OPT_SIZE(struct ws_conf, read_size, "ws.readBufferSize readBufferSize", "4096", 0, 1 << 30,
                  0, "of no effect: reading uses the host's buffers"),
    GOST_OPT_SIZE(struct ws_conf, write_size, "ws.writeBufferSize writeBufferSize", "4096", 0,
                  1 << 30, 0,
                  "longest payload of a client's frame and of a compressed one; 0: 4096"),
    GOST_OPT_BOOL(struct ws_conf, compression, "ws.enableCompression enableCompression", "false", 0,
                  "offer or accept permessage-deflate"),
    GOST_OPT_BOOL(struct ws_conf, ping, "ws.keepalive", "false", GOST_OPT_CLIENT,
                  "send pings; the dialers call it keepalive"),
    GOST_OPT_DURATION(struct ws_conf, ping_interval, "ttl ws.keepalive.interval", "15s", 0,
                      86400000, GOST_OPT_CLIENT,
                      "time between pings; after two without a sign of life the server is gone"),
    GOST_OPT_INT(struct ws_conf, backlog, "ws.backlog backlog", "128", 0, 65536, "connections",
                 GOST_OPT_SERVER, "of no effect: connections do not wait in a queue"),
    GOST_OPT_LAST,
};

/* ---- preparing [main] ---- */

static int refuse(struct gost_prepare *p, const char *text)
{
    snprintf(p->error, p->error_size, "%s", text);
    return GOST_EPROTO;
}

/* Fields that the handshake itself writes. */
static int is_reserved(const char *name)
{
    static const char *const names[] = {"Upgrade",
                                        "Connection",
                                        "Sec-WebSocket-Key",
                                        "Sec-WebSocket-Version",
                                        "Sec-WebSocket-Extensions",
                                        "Sec-WebSocket-Accept",
                                        "Sec-WebSocket-Protocol"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static int check_header(const struct ws_conf *c, struct gost_prepare *p)
{
    uint32_t i;

    if (c->header.n > GOST_HTTP1_MAP_MAX)
        return refuse(p, "ws.header holds more than 56 fields; remove some");
    if (c->host && !gost_http1_valid_value(gost_bytes_str(c->host)))
        return refuse(p, "ws.host holds a control character; write a host name");
    for (i = 0; i < c->header.n; i++) {
        const struct gost_pair *f = &c->header.v[i];

        if (!gost_http1_valid_name(gost_bytes_str(f->key)) || strlen(f->key) > 255)
            return refuse(p, "ws.header holds a name that is not a field name; use letters, digits "
                             "and '-'");
        if (!gost_http1_valid_value(gost_bytes_str(f->value)))
            return refuse(p, "ws.header holds a value with a control character; remove it");
        if (is_reserved(f->key))
            return refuse(p, "ws.header sets a field that the handshake itself needs (Upgrade, "
                             "Connection, Sec-WebSocket-...); remove it");
    }
    return GOST_OK;
}

static int make_path(struct ws_conf *c, struct gost_prepare *p)
{
    const char *path = c->path && c->path[0] ? c->path : "/ws";

    if (strlen(path) >= WS_PATH_MAX - 1)
        return refuse(p, "ws.path is longer than 2046 bytes");
    snprintf(c->made->path, sizeof c->made->path, "%s%s", path[0] == '/' ? "" : "/", path);
    if (ws_path_escape(c->made->target, sizeof c->made->target, c->made->path) == 0)
        return refuse(p, "ws.path is longer than a request can carry");
    return GOST_OK;
}

static void ws_release(void *conf)
{
    struct ws_conf *c = conf;

    free(c->made);
    c->made = NULL;
}

static int ws_prepare(void *conf, struct gost_prepare *p)
{
    struct ws_conf *c = conf;
    int r;

    c->made = calloc(1, sizeof *c->made);
    if (!c->made)
        return refuse(p, "out of memory");
    if (c->write_size == 0)
        c->write_size = 4096;
    if (c->ping_interval == 0)
        c->ping_interval = 15 * GOST_S;
    r = make_path(c, p);
    if (r == GOST_OK)
        r = check_header(c, p);
    if (r != GOST_OK)
        ws_release(c);
    return r;
}

/* ---- components ---- */

/* On dialers `keepalive` is a ping, on listeners it stays TCP's own. */
#define RENAMES ">keepalive=ws.keepalive >keepalive.interval=ws.keepalive.interval"

#define STACK(var, text, version)                                                    \
    static const struct gost_stack_ops var = {.size = sizeof(struct gost_stack_ops), \
                                              .roles = GOST_SERVER | GOST_CLIENT,    \
                                              .layers = text,                        \
                                              .renames = RENAMES,                    \
                                              .defaults = version}

STACK(ws_stack, "tcp/ws", NULL);
STACK(wss_stack, "tcp/tls/ws", NULL);
STACK(mws_stack, "tcp/ws/smux", "mux.version=1");
STACK(mwss_stack, "tcp/tls/ws/smux", "mux.version=1");

static const struct gost_component ws_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "ws",
     .summary = "WebSocket, both roles",
     .ops = &ws_layer_ops,
     .options = ws_options,
     .conf_size = sizeof(struct ws_conf),
     .state_size = sizeof(struct ws_state),
     .prepare = ws_prepare,
     .release = ws_release},
    {.kind = GOST_KIND_STACK, .name = "ws", .summary = "WebSocket over TCP", .ops = &ws_stack},
    {.kind = GOST_KIND_STACK, .name = "wss", .summary = "WebSocket over TLS", .ops = &wss_stack},
    {.kind = GOST_KIND_STACK,
     .name = "mws",
     .summary = "many streams in one WebSocket over TCP",
     .ops = &mws_stack},
    {.kind = GOST_KIND_STACK,
     .name = "mwss",
     .summary = "many streams in one WebSocket over TLS",
     .ops = &mwss_stack},
};

GOST_PLUGIN("ws", "0.1.0", "MIT", "The ws layer and the listeners and dialers on it", ws_components,
            "layer:ws listener:ws dialer:ws listener:wss dialer:wss listener:mws dialer:mws "
            "listener:mwss dialer:mwss");
