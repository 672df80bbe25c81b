/* ss.c - the plugin: options and components. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "ss_packet.h"
#include "ss_stream.h"
#include "udpframe.h"

#define CONF struct ss_conf

#define KEYS(role)                                                                              \
    GOST_OPT_ENUM(CONF, method, "auth.username", NULL, SS_METHODS, GOST_OPT_REQUIRED | (role),  \
                  "Method of encryption"),                                                      \
        GOST_OPT_SECRET(CONF, password, "auth.password", 4096, role,                            \
                        "Password; for the methods of 2022 the key in base64, for a client of " \
                        "a server with users iPSK:uPSK"),                                       \
        GOST_OPT_SECRET(CONF, key, "key", 4096, GOST_OPT_OLD | (role),                          \
                        "not used, as in GOST: keys are made of auth.password")

static const struct gost_opt server_options[] = {
    KEYS(GOST_OPT_SERVER),
    GOST_OPT_DURATION(CONF, timeout, "readTimeout", "15s", 0, 86400000, GOST_OPT_SERVER,
                      "Time for the header, also how long strangers are listened to; 0: no limit"),
    GOST_OPT_MAP(CONF, users, "users", GOST_OPT_SERVER,
                 "Names and keys (base64) of the users of a 2022-blake3-aes method"),
    GOST_OPT_BOOL(CONF, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "Ask the bypass about the host that a client's TLS or HTTP names, too"),
    GOST_OPT_LAST,
};

static const struct gost_opt packet_server_options[] = {
    KEYS(GOST_OPT_SERVER),
    GOST_OPT_DURATION(CONF, timeout, "readTimeout", "60s", 0, 86400000, GOST_OPT_SERVER,
                      "On streams: time for the header; 0: no limit"),
    GOST_OPT_MAP(CONF, users, "users", GOST_OPT_SERVER,
                 "Names and keys (base64) of the users of a 2022-blake3-aes method"),
    GOST_OPT_SIZE(CONF, buffer_size, "udpBufferSize udp.bufferSize", "4096", 0, 1048576,
                  GOST_OPT_SERVER, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_LAST,
};

static const struct gost_opt client_options[] = {
    KEYS(GOST_OPT_CLIENT),
    GOST_OPT_DURATION(CONF, timeout, "timeout connectTimeout", NULL, 0, 86400000, GOST_OPT_CLIENT,
                      "Accepted for GOST's sake: the protocol has no answer to wait for"),
    GOST_OPT_SIZE(CONF, buffer_size, "udpBufferSize udp.bufferSize", "4096", 0, 1048576,
                  GOST_OPT_CLIENT, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_LAST,
};

#define SERVER(name, text, ops, options, needs)                             \
    {                                                                       \
        GOST_KIND_HANDLER, 0, name, NULL, text, ops, options, sizeof(CONF), \
            sizeof(struct ss_step), ss_prepare, ss_release, needs           \
    }
#define CLIENT(name, text, ops)                                                      \
    {                                                                                \
        GOST_KIND_CONNECTOR, 0, name, NULL, text, ops, client_options, sizeof(CONF), \
            sizeof(struct ss_step), ss_prepare, ss_release                           \
    }
#define CODEC(name, text, ops, state)                                                 \
    {                                                                                 \
        GOST_KIND_LAYER, 0, name, NULL, text, ops, NULL, 0, sizeof(state), NULL, NULL \
    }

static const struct gost_component components[] = {
    SERVER("ss", "Shadowsocks server for TCP", &ss_handler_ops, server_options,
           "inspector:sniff?sniffing"),
    SERVER("ssu", "Shadowsocks server for UDP", &ssu_handler_ops, packet_server_options, NULL),
    CLIENT("ss", "Shadowsocks client for TCP", &ss_connector_ops),
    CLIENT("ssu", "Shadowsocks client for UDP", &ssu_connector_ops),
    CODEC("ss.stream", "sealed chunks", &ss_stream_layer, struct ss_stream),
    CODEC("ss.packet", "sealed packets", &ss_packet_layer, struct ss_packet),
    CODEC("ss.frames", "datagrams with addresses inside a stream", &gost_udptun_layer,
          struct gost_udpframe_state),
};

GOST_PLUGIN("ss", "1.0", "MIT", "Shadowsocks, methods of 2017 and 2022, server and client",
            components,
            "handler:ss handler:ssu connector:ss connector:ssu layer:ss.stream layer:ss.packet "
            "layer:ss.frames");
