/* unix.c - the components of the unix plugin. */
/* SPDX-License-Identifier: MIT */
#include "unix.h"

/* The node is the target: nothing is said to it. */
static int pass_connect(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    return GOST_OK;
}

static const struct gost_connector_ops unix_connector = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UNIX,
    .connect = pass_connect,
    .flags = GOST_CONNECTOR_PASS,
};

static const struct gost_stack_ops unix_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "unix",
};

static const struct gost_component unix_components[] = {
    {.kind = GOST_KIND_TRANSPORT,
     .name = "unix",
     .summary = "stream sockets in the file system",
     .ops = &unix_transport,
     .options = unix_options,
     .conf_size = sizeof(struct unix_conf),
     .prepare = unix_prepare},
    {.kind = GOST_KIND_STACK, .name = "unix", .summary = "a unix socket", .ops = &unix_stack},
    {.kind = GOST_KIND_HANDLER,
     .name = "unix",
     .summary = "forwards to the unix sockets of the forwarder",
     .ops = &unix_handler,
     .state_size = sizeof(struct unix_state)},
    {.kind = GOST_KIND_CONNECTOR,
     .name = "unix",
     .summary = "the node's socket is the target itself",
     .ops = &unix_connector},
};

GOST_PLUGIN("unix", "0.1.0", "MIT", "Unix sockets", unix_components,
            "transport:unix listener:unix dialer:unix handler:unix connector:unix");
