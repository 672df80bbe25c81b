/* relay.c - the plugin: options and components. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "relay.h"
#include "udpframe.h"

#define SERVER struct relay_server_conf
#define CLIENT struct relay_client_conf

static const struct gost_opt server_options[] = {
    GOST_OPT_DURATION(SERVER, timeout, "readTimeout", "15s", 0, 86400000, GOST_OPT_SERVER,
                      "Time for the request; 0: no limit"),
    GOST_OPT_BOOL(SERVER, nodelay, "nodelay", "false", GOST_OPT_SERVER,
                  "Answer a request at once instead of with the target's first bytes"),
    GOST_OPT_BOOL(SERVER, bind, "bind", "false", GOST_OPT_SERVER,
                  "Allow BIND, and UDP associations with it"),
    GOST_OPT_SIZE(SERVER, buffer_size, "udp.bufferSize udpBufferSize", "4096", 0, 1048576,
                  GOST_OPT_SERVER, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_BOOL(SERVER, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "Ask the bypass about the host that a client's TLS or HTTP names, too"),
    GOST_OPT_LAST,
};

static const struct gost_opt client_options[] = {
    GOST_OPT_SECRET(CLIENT, user, "auth.username", 255, GOST_OPT_CLIENT, "User name"),
    GOST_OPT_SECRET(CLIENT, password, "auth.password", 255, GOST_OPT_CLIENT, "Password"),
    GOST_OPT_DURATION(CLIENT, timeout, "connectTimeout", NULL, 0, 86400000, GOST_OPT_CLIENT,
                      "Limit for the relay's answer; 0: that of the router"),
    GOST_OPT_BOOL(
        CLIENT, nodelay, "nodelay", "false", GOST_OPT_CLIENT,
        "Send the request at once and wait for the answer, instead of with the first bytes"),
    GOST_OPT_LAST,
};

#define CODEC(name, text, ops, state)                                                 \
    {                                                                                 \
        GOST_KIND_LAYER, 0, name, NULL, text, ops, NULL, 0, sizeof(state), NULL, NULL \
    }

static const struct gost_component components[] = {
    {GOST_KIND_HANDLER, 0, "relay", NULL, "GOST relay server", &relay_handler_ops, server_options,
     sizeof(SERVER), sizeof(struct relay_server), NULL, NULL,
     "inspector:sniff?sniffing layer:smux"},
    {GOST_KIND_CONNECTOR, 0, "relay", NULL, "GOST relay client", &relay_connector_ops,
     client_options, sizeof(CLIENT), sizeof(struct relay_client), NULL, NULL, "layer:smux"},
    {GOST_KIND_HANDLER, 0, "relay.visitor", NULL, "one connection to a bound port",
     &relay_visitor_ops, NULL, 0, 0, NULL, NULL},
    CODEC("relay.request", "holds the request back for the first bytes", &relay_request_layer,
          struct relay_lazy),
    CODEC("relay.response", "holds the response back for the first bytes", &relay_response_layer,
          struct relay_lazy),
    CODEC("relay.udp", "datagrams with a length, to one peer", &gost_udplen_layer,
          struct gost_udpframe_state),
    CODEC("relay.tun", "datagrams with addresses", &gost_udptun_layer, struct gost_udpframe_state),
};

GOST_PLUGIN("relay", "1.0", "MIT", "GOST's relay protocol, server and client", components,
            "handler:relay connector:relay layer:relay.request layer:relay.response "
            "layer:relay.udp layer:relay.tun");
