/* socks5.c - the plugin: options and components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "socks5.h"
#include "udpframe.h"

#define SERVER struct socks5_handler_conf
#define CLIENT struct socks5_connector_conf

static const struct gost_opt handler_options[] = {
    GOST_OPT_DURATION(SERVER, read_timeout, "readTimeout", "15s", 0, 86400000, GOST_OPT_SERVER,
                      "Time for greeting, authentication and request together; 0: no limit"),
    GOST_OPT_BOOL(SERVER, notls, "notls", "false", GOST_OPT_SERVER,
                  "Do not offer GOST's TLS methods 0x80 and 0x82"),
    GOST_OPT_BOOL(SERVER, bind, "bind", "false", GOST_OPT_SERVER,
                  "Allow BIND, of one connection or many"),
    GOST_OPT_BOOL(SERVER, comp, "comp", "false", GOST_OPT_SERVER,
                  "MUX BIND as GOST version 2: streams do not begin with who came"),
    GOST_OPT_BOOL(SERVER, udp, "udp", "false", GOST_OPT_SERVER, "Allow UDP ASSOCIATE and UDP-TUN"),
    GOST_OPT_INT(SERVER, port_min, "udp.bindRange.min udp.minPort", NULL, 0, 65535, NULL,
                 GOST_OPT_SERVER, "Lowest port of UDP ASSOCIATE; 0: any"),
    GOST_OPT_INT(SERVER, port_max, "udp.bindRange.max udp.maxPort", NULL, 0, 65535, NULL,
                 GOST_OPT_SERVER, "Highest port of UDP ASSOCIATE; 0: any"),
    GOST_OPT_STRING(SERVER, public_addr, "socks.publicAddr publicAddr", NULL, GOST_OPT_SERVER,
                    "Address that clients are told to use instead of the one they reached"),
    GOST_OPT_SIZE(SERVER, buffer_size, "udp.bufferSize udpBufferSize", "4096", 0, 1048576,
                  GOST_OPT_SERVER, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_BOOL(SERVER, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "Ask the bypass about the host that a client's TLS or HTTP names, too"),
    GOST_OPT_LAST,
};

static const struct gost_opt connector_options[] = {
    GOST_OPT_SECRET(CLIENT, user, "auth.username", 255, GOST_OPT_CLIENT,
                    "User name; also offers method 2"),
    GOST_OPT_SECRET(CLIENT, password, "auth.password", 255, GOST_OPT_CLIENT, "Password"),
    GOST_OPT_DURATION(CLIENT, timeout, "timeout", NULL, 0, 86400000, GOST_OPT_CLIENT,
                      "Limit for the whole negotiation; 0: that of the router"),
    GOST_OPT_BOOL(CLIENT, notls, "notls", "false", GOST_OPT_CLIENT,
                  "Do not offer GOST's TLS methods 0x80 and 0x82"),
    GOST_OPT_ENUM(CLIENT, relay, "relay", "tun", "tun udp", GOST_OPT_CLIENT,
                  "How datagrams reach the proxy: on the stream (GOST), or by UDP (RFC 1928)"),
    GOST_OPT_ENUM(CLIENT, bind_plain, "bind", "mux", "mux plain", GOST_OPT_CLIENT,
                  "BIND as GOST does it, or one connection only (RFC 1928)"),
    GOST_OPT_SIZE(CLIENT, buffer_size, "udp.bufferSize udpBufferSize", "4096", 0, 1048576,
                  GOST_OPT_CLIENT, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_LAST,
};

int socks5_handler_prepare(void *conf, struct gost_prepare *p)
{
    SERVER *c = conf;

    if (c->port_min > c->port_max) {
        snprintf(p->error, p->error_size, "udp.bindRange.min %lld is above udp.bindRange.max %lld",
                 (long long)c->port_min, (long long)c->port_max);
        return GOST_EPROTO;
    }
    if (c->public_addr && gost_addr_set_host(&c->public_parsed, c->public_addr,
                                             strlen(c->public_addr), 0) != GOST_OK) {
        snprintf(p->error, p->error_size, "publicAddr \"%s\" is no host name or address",
                 c->public_addr);
        return GOST_EPROTO;
    }
    return GOST_OK;
}

static const struct gost_component components[] = {
    {GOST_KIND_HANDLER, 0, "socks5", "socks", "SOCKS5 proxy server", &socks5_handler_ops,
     handler_options, sizeof(SERVER), SOCKS5_HANDLER_STATE, socks5_handler_prepare, NULL,
     "inspector:sniff?sniffing layer:smux"},
    {GOST_KIND_CONNECTOR, 0, "socks5", "socks", "SOCKS5 proxy client", &socks5_connector_ops,
     connector_options, sizeof(CLIENT), SOCKS5_CONNECTOR_STATE, NULL, NULL, "layer:smux"},
    {GOST_KIND_HANDLER, 0, "socks5.visitor", NULL, "one connection to a bound port",
     &socks5_visitor_ops, NULL, 0, 0, NULL, NULL},
    {GOST_KIND_LAYER, 0, "socks5.udp", NULL, "SOCKS5 headers on datagrams", &socks5_udp_layer, NULL,
     0, sizeof(struct socks5_udp_state), NULL, NULL},
    {GOST_KIND_LAYER, 0, "socks5.tun", NULL, "datagrams on a stream, GOST's UDP-TUN",
     &gost_udptun_layer, NULL, 0, sizeof(struct gost_udpframe_state), NULL, NULL},
};

GOST_PLUGIN("socks5", "1.0", "MIT", "SOCKS5 server and client", components,
            "handler:socks5 handler:socks connector:socks5 connector:socks layer:socks5.udp "
            "layer:socks5.tun");
