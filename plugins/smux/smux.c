/* smux.c - the smux plugin: its options, its layer, the listeners and dialers on it. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "yamux.h"

#define DEFAULT_TIMEOUT        "30s"
#define DEFAULT_FRAME_SIZE     "32768"
#define DEFAULT_SESSION_BUFFER "4194304"
#define DEFAULT_STREAM_WINDOW  "262144"

static const struct gost_opt smux_options[] = {
    {GOST_OPT_T_ENUM, GOST_OPT_LAYER, GOST_FIELD(struct smux_conf, type, uint32_t), "mux.type",
     "smux", "smux yamux", 0, 0, NULL, "protocol of the session"},
    GOST_OPT_INT(struct smux_conf, version, "mux.version", NULL, 0, 2, NULL, 0,
                 "version of smux, the same at both ends; 0: 2 for mtcp, else 1"),
    GOST_OPT_BOOL(struct smux_conf, no_keepalive, "mux.keepaliveDisabled", "false", 0,
                  "neither send keep-alive frames nor expect any"),
    GOST_OPT_DURATION(struct smux_conf, interval_ns, "mux.keepaliveInterval", NULL, 0, 86400000, 0,
                      "time between keep-alive frames; 0: 10s, for yamux 30s"),
    GOST_OPT_DURATION(struct smux_conf, timeout_ns, "mux.keepaliveTimeout", DEFAULT_TIMEOUT, 0,
                      86400000, 0, "the session ends when nothing came for so long"),
    GOST_OPT_SIZE(struct smux_conf, frame_size, "mux.maxFrameSize", DEFAULT_FRAME_SIZE, 0,
                  SMUX_FRAME_MAX, 0, "longest payload of a frame we send"),
    GOST_OPT_SIZE(struct smux_conf, session_buffer, "mux.maxReceiveBuffer", DEFAULT_SESSION_BUFFER,
                  0, INT32_MAX, 0, "unread bytes of all streams at which reading stops"),
    GOST_OPT_SIZE(struct smux_conf, stream_buffer, "mux.maxStreamBuffer", NULL, 0, INT32_MAX, 0,
                  "window of a stream of version 2; 0: 65536, for tunnel 1048576"),
    GOST_OPT_SIZE(struct smux_conf, stream_window, "mux.maxStreamWindow", DEFAULT_STREAM_WINDOW, 0,
                  INT32_MAX, 0, "window of a stream of yamux, at least 262144"),
    GOST_OPT_LAST,
};

static int refuse(struct gost_prepare *p, const char *text)
{
    snprintf(p->error, p->error_size, "%s", text);
    return GOST_EUNSUPPORTED;
}

/* A zero is no value to GOST: its default holds. */
static void fill(struct smux_conf *c, uint64_t interval_ns)
{
    if (c->interval_ns == 0)
        c->interval_ns = interval_ns;
    if (c->timeout_ns == 0)
        c->timeout_ns = 30 * GOST_S;
    if (c->frame_size == 0)
        c->frame_size = 32768;
    if (c->session_buffer == 0)
        c->session_buffer = 4194304;
    if (c->stream_window == 0)
        c->stream_window = YAMUX_FIRST_WINDOW;
}

static int smux_prepare(void *conf, struct gost_prepare *p)
{
    struct smux_conf *c = conf;

    fill(c, 10 * GOST_S);
    if (!c->no_keepalive && c->timeout_ns < c->interval_ns)
        return refuse(p, "mux.keepaliveTimeout is below mux.keepaliveInterval: raise it, or no "
                         "session lives");
    if ((c->stream_buffer ? c->stream_buffer : SMUX_STREAM_BUFFER) > c->session_buffer)
        return refuse(p, "mux.maxStreamBuffer is above mux.maxReceiveBuffer: raise the latter");
    return GOST_OK;
}

static int yamux_prepare(void *conf, struct gost_prepare *p)
{
    struct smux_conf *c = conf;

    fill(c, 30 * GOST_S);
    if (c->stream_window < YAMUX_FIRST_WINDOW)
        return refuse(p, "mux.maxStreamWindow is below 262144, which every stream begins with");
    return GOST_OK;
}

static const struct gost_stack_ops mtcp_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/smux",
    .defaults = "mux.version=2",
};

static const struct gost_stack_ops mtls_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/tls/smux",
    .defaults = "mux.version=1",
};

static const struct gost_component smux_components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "smux",
     .summary = "many streams on one connection, as xtaci/smux does it",
     .ops = &smux_layer_ops,
     .options = smux_options,
     .conf_size = sizeof(struct smux_conf),
     .state_size = sizeof(struct smux_state),
     .prepare = smux_prepare},
    {.kind = GOST_KIND_LAYER,
     .name = "yamux",
     .summary = "many streams on one connection, as hashicorp/yamux does it",
     .ops = &yamux_layer_ops,
     .options = smux_options,
     .conf_size = sizeof(struct smux_conf),
     .state_size = sizeof(struct yamux_state),
     .prepare = yamux_prepare},
    {.kind = GOST_KIND_STACK, .name = "mtcp", .summary = "smux over TCP", .ops = &mtcp_stack},
    {.kind = GOST_KIND_STACK,
     .name = "mtls",
     .summary = "smux over TLS over TCP",
     .ops = &mtls_stack},
};

GOST_PLUGIN("smux", "0.1.0", "MIT",
            "The layers smux and yamux, the listeners and dialers mtcp and mtls", smux_components,
            "layer:smux layer:yamux listener:mtcp dialer:mtcp listener:mtls dialer:mtls");
