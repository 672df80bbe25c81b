/* pht.c - the pht plugin: options, the layer with its two handlers, listeners and dialers. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "http1_fields.h"
#include "pht.h"

static const struct gost_opt pht_options[] = {
    GOST_OPT_STRING(struct pht_conf, authorize, "authorizePath", "/authorize", 0,
                    "where a token is given out"),
    GOST_OPT_STRING(struct pht_conf, push, "pushPath", "/push", 0, "where a client sends"),
    GOST_OPT_STRING(struct pht_conf, pull, "pullPath", "/pull", 0, "where a client receives"),
    GOST_OPT_STRING(struct pht_conf, host, "host", "", GOST_OPT_CLIENT,
                    "name of the server in requests; else the node's host"),
    GOST_OPT_MAP(struct pht_conf, header, "header", GOST_OPT_CLIENT, "fields added to requests"),
    GOST_OPT_INT(struct pht_conf, max_tunnels, "pht.maxTunnels", "4096", 1, 65536, NULL,
                 GOST_OPT_SERVER, "tunnels of one worker at a time; more are answered 429"),
    GOST_OPT_DURATION(struct pht_conf, heartbeat, "pht.heartbeat", "10s", 0, 0, GOST_OPT_SERVER,
                      "an empty line goes to a client after this silence; 0: none"),
    GOST_OPT_DURATION(struct pht_conf, timeout, "pht.timeout", "60s", 100, 0, GOST_OPT_SERVER,
                      "a tunnel that nobody pulls from ends after this time"),
    GOST_OPT_DURATION(struct pht_conf, remember, "pht.remember", "5m", 1000, 0, GOST_OPT_SERVER,
                      "how long the token of a tunnel that ended makes no new one"),
    GOST_OPT_LAST,
};

/* A value without a leading slash counts as none, as in GOST. */
static void fix_path(const char **path, const char *otherwise)
{
    if (!*path || **path != '/')
        *path = otherwise;
}

static int pht_prepare(void *conf, struct gost_prepare *p)
{
    struct pht_conf *c = conf;
    const char *why = gost_http1_map_check(&c->header);

    fix_path(&c->authorize, "/authorize");
    fix_path(&c->push, "/push");
    fix_path(&c->pull, "/pull");
    if (why)
        snprintf(p->error, p->error_size, "%s", why);
    else if (strlen(c->authorize) > 1000 || strlen(c->push) > 1000 || strlen(c->pull) > 1000)
        snprintf(p->error, p->error_size, "a path has more than 1000 bytes; make it shorter");
    else if (!strcmp(c->push, c->pull) || !strcmp(c->push, c->authorize) ||
             !strcmp(c->pull, c->authorize))
        snprintf(p->error, p->error_size,
                 "authorizePath \"%s\", pushPath \"%s\" and pullPath \"%s\" must differ",
                 c->authorize, c->push, c->pull);
    else
        return GOST_OK;
    return GOST_EPROTO;
}

/* ---- the handlers ---- */

static int server_step(void *state, const void *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    struct pht_server *s = state;

    if (ev->type == GOST_EV_START)
        s->is_tunnel = gost_io_type(io) == GOST_STREAM;
    return s->is_tunnel ? pht_tunnel_step(&s->u.tunnel, conf, io, ev)
                        : pht_gate_step(&s->u.gate, conf, io, ev);
}

static void server_destroy(void *state)
{
    struct pht_server *s = state;

    if (s->is_tunnel)
        pht_tunnel_gone(&s->u.tunnel);
}

static int client_step(void *state, const void *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    return pht_client_step(state, conf, io, ev);
}

static const struct gost_handler_ops server_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_EXCHANGE | GOST_STREAM,
    .step = server_step,
    .destroy = server_destroy,
};

static const struct gost_handler_ops client_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = client_step,
};

const struct gost_component pht_server = {
    .kind = GOST_KIND_HANDLER,
    .name = "pht",
    .summary = "exchanges of tunnels",
    .ops = &server_ops,
    .conf_size = sizeof(struct pht_conf),
    .state_size = sizeof(struct pht_server),
};

const struct gost_component pht_client = {
    .kind = GOST_KIND_HANDLER,
    .name = "pht",
    .summary = "a tunnel",
    .ops = &client_ops,
    .conf_size = sizeof(struct pht_conf),
    .state_size = sizeof(struct pht_client),
};

static const struct gost_gather_ops gather = {
    .size = sizeof(struct gost_gather_ops),
    .server = &pht_server,
    .client = &pht_client,
};

static const struct gost_layer_ops layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_EXCHANGE,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_NO_HALF_CLOSE,
    .gather = &gather,
};

/* ---- the plugin ---- */

static const struct gost_stack_ops pht_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/h1/pht",
    .defaults = "carrier.idle=90s",
};

static const struct gost_stack_ops phts_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls/h1/pht",
    .defaults = "carrier.idle=90s tls.options.alpn=http/1.1",
};

/* GOST's name for it; what it calls http3 is a proxy. */
static const struct gost_stack_ops h3_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "udp/quic/h3/pht",
    .defaults = "tls.options.alpn=h3 keepAlive=false maxIdleTimeout=30s",
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_LAYER,
        .name = "pht",
        .summary = "one stream in many HTTP exchanges: push and pull",
        .ops = &layer_ops,
        .options = pht_options,
        .conf_size = sizeof(struct pht_conf),
        .prepare = pht_prepare,
    },
    {.kind = GOST_KIND_STACK,
     .name = "pht",
     .summary = "streams in plain HTTP requests",
     .ops = &pht_stack},
    {.kind = GOST_KIND_STACK,
     .name = "h3",
     .summary = "streams in HTTP/3 requests",
     .ops = &h3_stack},
    {.kind = GOST_KIND_STACK,
     .name = "phts",
     .summary = "streams in HTTP requests over TLS",
     .ops = &phts_stack},
};

static int worker_init(void **ret_worker)
{
    *ret_worker = calloc(1, sizeof(struct pht_worker));
    return *ret_worker ? GOST_OK : GOST_ENOMEM;
}

static void worker_fini(void *data)
{
    free(data);
}

GOST_PLUGIN_FULL("pht", "1.0", "MIT", "GOST's plain HTTP tunnel: layer, listeners and dialers",
                 components,
                 "layer:pht listener:pht dialer:pht listener:phts dialer:phts "
                 "listener:h3 dialer:h3",
                 NULL, worker_init, worker_fini);
