/* tunnel.c - the plugin: options and components. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "tunnel.h"
#include "tunnel_entry.h"
#include "udpframe.h"

#define SERVER struct tunnel_server_conf
#define CLIENT struct tunnel_client_conf

static const struct gost_opt server_options[] = {
    GOST_OPT_DURATION(SERVER, timeout, "readTimeout", "0", 0, 86400000, GOST_OPT_SERVER,
                      "Time for the request; 0: no limit"),
    GOST_OPT_STRING(SERVER, entrypoint, "entrypoint", NULL, GOST_OPT_SERVER | GOST_OPT_LISTEN,
                    "Address of a public entry point: HTTP and TLS by the name of the host"),
    GOST_OPT_LIST(SERVER, entrypoints, "entrypoints", NULL, GOST_OPT_SERVER | GOST_OPT_LISTEN,
                  "More of them, each {addr, ingress}"),
    GOST_OPT_STRING(SERVER, entry_id_text, "entrypoint.id", NULL, GOST_OPT_SERVER,
                    "UUID of visitors who may reach every public tunnel by the name of its host"),
    GOST_OPT_INT(SERVER, proxy_protocol, "entrypoint.proxyProtocol", "0", 0, 2, NULL,
                 GOST_OPT_SERVER, "Above 0: clients of entrypoint begin with a PROXY header"),
    GOST_OPT_BOOL(SERVER, keepalive, "entrypoint.keepalive", "false", GOST_OPT_SERVER,
                  "Send further requests of a client on the same stream to the tunnel"),
    GOST_OPT_DURATION(SERVER, entry_timeout, "entrypoint.readTimeout", "15s", 0, 86400000,
                      GOST_OPT_SERVER, "Time for the first byte and for a response's head"),
    GOST_OPT_DURATION(SERVER, ttl, "tunnel.ttl", "15s", 0, 86400000, GOST_OPT_SERVER,
                      "Accepted for GOST's sake: a client that left is forgotten at once"),
    GOST_OPT_BOOL(SERVER, direct, "tunnel.direct", "false", GOST_OPT_SERVER,
                  "Let visitors of a tunnel reach it under any host name"),
    GOST_OPT_LIST(SERVER, tunnels, "tunnel", NULL, GOST_OPT_SERVER,
                  "Rules HOST:UUID, unless ingress names others; $UUID: not for the public"),
    GOST_OPT_STRING(SERVER, ingress, "ingress", NULL, GOST_OPT_SERVER,
                    "The ingress that says where host names lead"),
    GOST_OPT_LAST,
};

static const struct gost_opt client_options[] = {
    GOST_OPT_SECRET(CLIENT, user, "auth.username", 255, GOST_OPT_CLIENT, "User name"),
    GOST_OPT_SECRET(CLIENT, password, "auth.password", 255, GOST_OPT_CLIENT, "Password"),
    GOST_OPT_DURATION(CLIENT, timeout, "connectTimeout", NULL, 0, 86400000, GOST_OPT_CLIENT,
                      "Limit for the server's answer; 0: that of the router"),
    GOST_OPT_STRING(CLIENT, id_text, "tunnelID tunnel.id", NULL, GOST_OPT_CLIENT,
                    "UUID of the tunnel; none: one by chance for this process"),
    GOST_OPT_INT(CLIENT, weight, "tunnel.weight", "0", 0, 255, NULL, GOST_OPT_CLIENT,
                 "Share of the visitors among the clients of a tunnel; 255: all of them"),
    GOST_OPT_LAST,
};

static const struct gost_opt ingress_options[] = {
    GOST_OPT_LIST(struct tunnel_ingress_conf, rules, "rules", NULL, GOST_OPT_SERVER,
                  "rules, each \"hostname endpoint\""),
    GOST_OPT_LAST,
};

static int read_id(struct tunnel_id *ret_id, const char *key, const char *text,
                   struct gost_prepare *p)
{
    if (!text || !*text || tunnel_id_parse(ret_id, gost_bytes_str(text)) == GOST_OK)
        return GOST_OK;
    snprintf(p->error, p->error_size,
             "%s \"%.60s\" is no UUID; write it as 4d21094e-b74c-4916-86c1-d9fa36ea677b", key,
             text);
    return GOST_EPROTO;
}

/* "host:UUID": the host may have colons. */
static int add_tunnel(struct tunnel_rules *rules, const char *text, struct gost_prepare *p)
{
    const char *colon = strrchr(text, ':');
    struct tunnel_id id;

    if (!colon || colon == text || tunnel_id_parse(&id, gost_bytes_str(colon + 1)) != GOST_OK) {
        snprintf(p->error, p->error_size,
                 "tunnel \"%.80s\": write HOST:UUID, as a.example:4d21094e-b74c-4916-86c1-"
                 "d9fa36ea677b",
                 text);
        return GOST_EPROTO;
    }
    return tunnel_rules_add(rules, gost_bytes(text, (size_t)(colon - text)),
                            gost_bytes_str(colon + 1));
}

static int prepare_server(void *conf, struct gost_prepare *p)
{
    SERVER *c = conf;
    uint32_t i;
    int r = read_id(&c->entry_id, "entrypoint.id", c->entry_id_text, p);

    if (r != GOST_OK || !c->tunnels.n)
        return r;
    c->rules = tunnel_rules_new();
    if (!c->rules)
        return GOST_ENOMEM;
    for (i = 0; i < c->tunnels.n && r == GOST_OK; i++)
        r = add_tunnel(c->rules, c->tunnels.v[i], p);
    if (r == GOST_OK)
        tunnel_rules_sort(c->rules);
    else
        tunnel_rules_free(c->rules); /* release() comes only after success */
    return r;
}

static void release_server(void *conf)
{
    tunnel_rules_free(((SERVER *)conf)->rules);
}

static int prepare_client(void *conf, struct gost_prepare *p)
{
    CLIENT *c = conf;

    return read_id(&c->id, "tunnel.id", c->id_text, p);
}

static const struct gost_component components[] = {
    {.kind = GOST_KIND_HANDLER,
     .name = "tunnel",
     .summary = "server of reverse tunnels",
     .ops = &tunnel_handler_ops,
     .options = server_options,
     .conf_size = sizeof(SERVER),
     .state_size = sizeof(union tunnel_flow),
     .prepare = prepare_server,
     .release = release_server,
     .uses = "layer:smux inspector:sniff?entrypoint inspector:sniff?entrypoints"},
    {.kind = GOST_KIND_CONNECTOR,
     .name = "tunnel",
     .summary = "client of reverse tunnels",
     .ops = &tunnel_connector_ops,
     .options = client_options,
     .conf_size = sizeof(CLIENT),
     .state_size = sizeof(struct tunnel_client),
     .prepare = prepare_client,
     .uses = "layer:smux"},
    {.kind = GOST_KIND_INDEX,
     .name = "ingress",
     .summary = "host names and the tunnels they lead to",
     .ops = &tunnel_ingress_ops,
     .options = ingress_options,
     .conf_size = sizeof(struct tunnel_ingress_conf)},
    {.kind = GOST_KIND_LAYER,
     .name = "tunnel.udp",
     .summary = "datagrams with a length, to one peer",
     .ops = &gost_udplen_layer,
     .state_size = sizeof(struct gost_udpframe_state)},
};

GOST_PLUGIN("tunnel", "1.0", "MIT", "Reverse tunnels, server and client", components,
            "handler:tunnel connector:tunnel index:ingress layer:tunnel.udp");
