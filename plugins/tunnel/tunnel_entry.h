/* tunnel_entry.h - the public entry points of a tunnel server: one connection that came there. */
/* SPDX-License-Identifier: MIT */
#ifndef TUNNEL_ENTRY_H
#define TUNNEL_ENTRY_H

#include "http1_port.h"
#include "tunnel.h"

/* Phases, and tags of what is asked for in them. */
enum tunnel_entry_phase {
    TUNNEL_ENTRY_FIRST = 1, /* the first byte */
    TUNNEL_ENTRY_REDIRECT,  /* a request of another server */
    TUNNEL_ENTRY_SNIFF,     /* TLS: the name it asks for */
    TUNNEL_ENTRY_RELAYING,
    TUNNEL_ENTRY_HTTP,     /* between requests */
    TUNNEL_ENTRY_EXCHANGE, /* request and response */
    TUNNEL_ENTRY_INGRESS,  /* asked where the host leads */
    TUNNEL_ENTRY_VISIT,
    TUNNEL_ENTRY_PUMP_UP, /* tags only */
    TUNNEL_ENTRY_PUMP_DOWN
};

struct tunnel_entry {
    uint8_t phase;     /* enum tunnel_entry_phase */
    uint8_t kind;      /* what the first byte said: one of the first three with their own phases */
    uint8_t connected; /* HTTP: port 1 is open, to visit.id */
    struct gost_addr asked; /* whom the request, or TLS, is for */
    struct tunnel_visit visit;
    struct gost_http1_exchange x;
};

int tunnel_entry_step(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io, const struct gost_event *ev);

/* Find out where e->asked leads, and go there. */
int tunnel_entry_lead(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io);

/* tunnel_http.c: requests of web clients. `to` is where the host leads; `ev` the result of a visit.
 */
int tunnel_http_intake(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                       struct gost_io *io);
int tunnel_http_led(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io,
                    const struct tunnel_id *to);
int tunnel_http_visited(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                        struct gost_io *io, int status, const char *text);
int tunnel_http_step(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                     struct gost_io *io, const struct gost_event *ev);

/* tunnel_http_head.c: pure. The host and path that a request is for, and the request as the tunnel
 * gets it. */
struct tunnel_request {
    struct gost_bytes authority, path; /* views into the head */
    struct gost_addr addr;             /* with port 80 when it names none */
};

/* GOST_OK, or GOST_EPROTO: it names no host. */
int tunnel_request_parse(struct tunnel_request *ret, const struct gost_http1_head *head);

#define TUNNEL_SID 21 /* text with its final zero */
void tunnel_request_put(struct gost_http1_out *out, const struct gost_http1_head *head,
                        const struct tunnel_request *req, const char *node, const char *sid,
                        uint32_t flags);
/* 1: the request went through the node already. */
int tunnel_request_loops(const struct gost_http1_head *head, const char *node);
/* Gost's session ids: 12 bytes as 20 letters. */
void tunnel_sid_text(char text[TUNNEL_SID], const uint8_t id[12]);

/* The state of a flow of the handler: at the service's own address, or at an entry point. */
union tunnel_flow {
    struct tunnel_server server;
    struct tunnel_entry entry;
};

#endif
