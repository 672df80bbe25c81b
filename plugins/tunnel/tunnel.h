/* tunnel.h - GOST's reverse tunnel: ids, rules of the ingress, server and client. */
/* SPDX-License-Identifier: MIT */
#ifndef TUNNEL_H
#define TUNNEL_H

#include <gost/component.h>
#include <gost/options.h>
#include <gost/policy.h>

#include "relay_message.h"

/* The argument of the layer smux: version 2 with 1 MiB for a stream, unless mux.* say another. */
#define TUNNEL_MUX "2 1048576"

/* ---- tunnel_id.c: ids, pure ---- */

#define TUNNEL_UUID_TEXT 37   /* with the final zero */
#define TUNNEL_PRIVATE   0x80 /* flag of a tunnel's id: not for the public */
#define TUNNEL_UDP       0x01 /* flag of a client's id */

struct tunnel_id {
    uint8_t b[GOST_RELAY_ID]; /* UUID, flags, two zeros, weight */
};

enum { TUNNEL_FLAGS = 16, TUNNEL_WEIGHT = 19 }; /* places in it */

/* "UUID", or "$UUID" for a private one. GOST_OK or GOST_EPROTO. */
int tunnel_id_parse(struct tunnel_id *ret_id, struct gost_bytes text);
void tunnel_uuid_text(char text[TUNNEL_UUID_TEXT], const uint8_t uuid[16]);
int tunnel_id_same(const struct tunnel_id *a, const struct tunnel_id *b);
int tunnel_id_none(const struct tunnel_id *id);
/* A random UUID, version 4. */
void tunnel_uuid_random(uint8_t uuid[16]);
/* The name a tunnel has when its client asks for none: 16 hexadecimal digits, a final zero.
 * GOST_OK; GOST_EUNSUPPORTED: OpenSSL is told to have no MD5. */
#define TUNNEL_NAME 17
int tunnel_name(char name[TUNNEL_NAME], const struct tunnel_id *id);

/* ---- tunnel_rules.c: host names and what they lead to ---- */

struct tunnel_rules;
struct tunnel_rules *tunnel_rules_new(void); /* NULL: no memory */
void tunnel_rules_free(struct tunnel_rules *r);
/* A later rule for a host replaces an earlier one. GOST_OK or GOST_ENOMEM. */
int tunnel_rules_add(struct tunnel_rules *r, struct gost_bytes host, struct gost_bytes endpoint);
/* "host endpoint" of a file; blank lines and comments add nothing. GOST_EPROTO: only one word. */
int tunnel_rules_add_line(struct tunnel_rules *r, struct gost_bytes line);
/* Once, before the first find. */
void tunnel_rules_sort(struct tunnel_rules *r);
/* host without its port: as it is, then ".host", then each parent ".b.c", ".c". .n 0: no rule. */
struct gost_bytes tunnel_rules_find(const struct tunnel_rules *r, struct gost_bytes host);

extern const struct gost_index_ops tunnel_ingress_ops; /* tunnel_ingress.c */
struct tunnel_ingress_conf {
    struct gost_list rules; /* "host endpoint" */
};

/* ---- configuration ---- */

struct tunnel_server_conf {
    uint64_t timeout, ttl, entry_timeout;
    uint32_t direct, keepalive;
    int64_t proxy_protocol;
    const char *entrypoint, *entry_id_text, *ingress;
    struct gost_list entrypoints, tunnels;
    /* made by prepare() */
    struct tunnel_id entry_id;
    struct tunnel_rules *rules; /* of the option tunnel; NULL: not given. *owned* */
};

struct tunnel_client_conf {
    uint64_t timeout;
    const char *id_text;
    int64_t weight;
    struct gost_bytes user, password;
    struct tunnel_id id; /* made by prepare(); none: that of the process */
};

/* ---- what the server's two sides share: tunnel_visit.c ---- */

enum { TUNNEL_CLIENT = 0, TUNNEL_FAR = 1 }; /* ports: who came, and the stream to the tunnel */

/* The way to a tunnel. */
struct tunnel_visit {
    struct tunnel_id id;
    uint8_t udp;
    uint8_t second; /* clients of the other network are asked */
    struct gost_addr source, target;
};

/* This service's own id: the same in all its flows. GOST_OK, or failed. */
int tunnel_node(struct gost_io *io, uint8_t ret_uuid[16]);
/* Offers the session at port 0 to visitors. What gost_endpoint_add() gives, or failed. */
int tunnel_offer(struct gost_io *io, const struct tunnel_id *id, int udp);
/* Asks where `host` leads by the service's rules; the RESULT goes to tunnel_ingress_result(). */
int tunnel_ask_ingress(const struct tunnel_server_conf *cf, struct gost_io *io, uint32_t tag,
                       const struct gost_addr *host, struct tunnel_id *ret_id);
/* Whether there are rules at all. */
int tunnel_has_ingress(const struct tunnel_server_conf *cf, struct gost_io *io);
void tunnel_ingress_result(const struct gost_event *ev, struct tunnel_id *ret_id);
/* Dials a client of the tunnel: RESULT with `tag`. */
int tunnel_visit(struct tunnel_visit *v, struct gost_io *io, uint32_t tag);
/* The RESULT. GOST_OK: connected, and the client is told who comes; GOST_AGAIN: asked again. */
int tunnel_visited(struct tunnel_visit *v, struct gost_io *io, const struct gost_event *ev);

/* ---- the components ---- */

struct tunnel_server {
    uint8_t phase, command;
    struct tunnel_visit visit;
};

struct tunnel_client {
    uint8_t phase;
    struct gost_relay_binder binder;
};

extern const struct gost_handler_ops tunnel_handler_ops;
extern const struct gost_connector_ops tunnel_connector_ops;

#endif
