/* ssh.c - the ssh plugin: layers, the stacks ssh and sshd, connector and handler sshd. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"
#include "sshd.h"

/* On dialers keepalive is SSH's, on listeners it stays TCP's own. */
#define RENAMES ">keepalive=ssh.keepalive >keepalive.interval=ssh.keepalive.interval"

static const struct gost_stack_ops tunnel_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/ssh",
    .renames = RENAMES,
};

static const struct gost_stack_ops forward_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_SERVER | GOST_CLIENT,
    .layers = "tcp/sshd",
    .renames = RENAMES,
};

static const struct gost_opt sshd_options[] = {
    GOST_OPT_BOOL(struct sshd_conf, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "ask the bypass about the host that a client's TLS or HTTP names, too"),
    GOST_OPT_DURATION(struct sshd_conf, read_timeout_ns, "readTimeout", "15s", 0, 86400000,
                      GOST_OPT_SERVER, "accepted for GOST's sake: there is no request to wait for"),
    GOST_OPT_LAST,
};

static const struct gost_component components[] = {
    {.kind = GOST_KIND_LAYER,
     .name = "ssh",
     .summary = "many streams in one SSH session, between GOSTs",
     .ops = &ssh_layer_ops,
     .options = ssh_options,
     .conf_size = sizeof(struct ssh_conf),
     .state_size = sizeof(struct ssh_state),
     .prepare = ssh_prepare_tunnel,
     .release = ssh_release},
    {.kind = GOST_KIND_LAYER,
     .name = "sshd",
     .summary = "port forwarding in an SSH session, with any SSH at the other end",
     .ops = &ssh_layer_ops,
     .options = ssh_options,
     .conf_size = sizeof(struct ssh_conf),
     .state_size = sizeof(struct ssh_state),
     .prepare = ssh_prepare_forward,
     .release = ssh_release},
    {.kind = GOST_KIND_STACK, .name = "ssh", .summary = "ssh over TCP", .ops = &tunnel_stack},
    {.kind = GOST_KIND_STACK, .name = "sshd", .summary = "sshd over TCP", .ops = &forward_stack},
    {.kind = GOST_KIND_CONNECTOR,
     .name = "sshd",
     .summary = "targets through an SSH server (direct-tcpip); on the dialer sshd only",
     .ops = &sshd_connector_ops,
     .state_size = sizeof(struct sshd_connector)},
    {.kind = GOST_KIND_HANDLER,
     .name = "sshd",
     .summary = "what ssh -L, -D, -W and -R ask for; on the listener sshd only",
     .ops = &sshd_handler_ops,
     .options = sshd_options,
     .conf_size = sizeof(struct sshd_conf),
     .state_size = sizeof(struct sshd_handler),
     .uses = "inspector:sniff?sniffing"},
    {.kind = GOST_KIND_HANDLER,
     .name = "sshd.channel",
     .summary = "one connection or one listening port of an SSH client",
     .ops = &sshd_channel_ops,
     .options = sshd_options,
     .conf_size = sizeof(struct sshd_conf),
     .state_size = sizeof(struct sshd_channel),
     .uses = "inspector:sniff?sniffing"},
    {.kind = GOST_KIND_HANDLER,
     .name = "sshd.visitor",
     .summary = "one connection to a port that an SSH client has us listen at",
     .ops = &sshd_visitor_ops},
};

GOST_PLUGIN("ssh", "0.1.0", "MIT", "SSH: the transport ssh, and port forwarding as sshd",
            components,
            "layer:ssh layer:sshd listener:ssh dialer:ssh listener:sshd dialer:sshd "
            "connector:sshd handler:sshd");
