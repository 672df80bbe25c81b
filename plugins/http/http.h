/* http.h - the http plugin: configuration, state of one connection, and who does what. */
/* SPDX-License-Identifier: MIT */
#ifndef HTTP_H
#define HTTP_H

#include <gost/http1.h>
#include <gost/plugin.h>

#include "decoy.h"
#include "http1_fields.h"
#include "http1_port.h"

/* Configuration of the handler. */
struct http_conf {
    uint64_t read_timeout, idle_timeout; /* ns */
    struct gost_map header;
    const char *proxy_agent, *realm, *probe_resist, *knock;
    uint32_t keepalive, udp, sniffing;
    /* made by prepare() */
    uint32_t decoy;                                /* enum http_decoy_kind */
    uint32_t decoy_code;                           /* CODE */
    uint32_t decoy_tls;                            /* WEB: https */
    const char *decoy_value;                       /* borrowed from probe_resist: a path */
    struct gost_bytes decoy_authority, decoy_path; /* WEB */
    struct gost_addr decoy_addr;                   /* WEB, HOST */
};

/* Configuration of the connector. */
struct http_connector_conf {
    uint64_t timeout; /* ns */
    struct gost_map header;
    const char *username;
    struct gost_bytes password;
};

enum http_phase {
    HTTP_REQUEST = 0, /* reading a request head */
    HTTP_AUTH,
    HTTP_DIAL,     /* for CONNECT or a forwarded request */
    HTTP_EXCHANGE, /* request sent; bodies and response are moved */
    HTTP_DECOY,    /* a decoy file is read or a decoy server is dialed */
    HTTP_UDP,
    HTTP_TUNNEL /* handed to the relay */
};

enum http_tag {
    HTTP_TAG_AUTH = 1,
    HTTP_TAG_DIAL,
    HTTP_TAG_PUMP_UP,
    HTTP_TAG_PUMP_DOWN,
    HTTP_TAG_FILE,
    HTTP_TAG_DECOY_DIAL,
    HTTP_TAG_DECOY_TLS,
    HTTP_TAG_ASSOCIATE,
    HTTP_TAG_CODEC,
    HTTP_TAG_INSPECT
};

#define HTTP_CLIENT   GOST_HTTP1_CLIENT
#define HTTP_UPSTREAM GOST_HTTP1_UPSTREAM

/* One connection. */
struct http_state {
    uint8_t phase;     /* enum http_phase */
    uint8_t authed;    /* credentials were accepted: asked once a connection */
    uint8_t connected; /* port 1 is open to `upstream` */
    uint8_t is_connect;
    uint8_t udp_ready;         /* results seen: associate and codec */
    struct gost_addr upstream; /* what port 1 is, or is to be, connected to */
    struct gost_http1_exchange x;
};

/* One CONNECT of the connector. */
struct http_connector_state {
    uint32_t udp;
    struct gost_http1_reader reader;
};

/* A request's target, taken apart. Views point into the head. */
struct http_target {
    struct gost_bytes authority, path;
    struct gost_addr addr; /* CONNECT and absolute form */
};

/* http_request.c: pure */
int http_target_parse(struct http_target *ret_target, const struct gost_http1_head *head);
struct gost_bytes http_request_host(const struct gost_http1_head *head);

void http_put_request(struct gost_http1_out *out, const struct gost_http1_head *head,
                      const struct http_target *target, uint32_t flags);

/* http_reply.c: pure, but for http_reply */
#define HTTP_REPLY_AGENT   1u /* with Proxy-Agent */
#define HTTP_REPLY_HEADERS 2u /* with the configured header fields */
#define HTTP_REPLY_EMPTY   4u /* Content-Length: 0 instead of Connection: close */
void http_put_reply(struct gost_http1_out *out, const struct http_conf *conf, uint32_t minor,
                    uint32_t status, uint32_t flags);
void http_put_established(struct gost_http1_out *out, const struct http_conf *conf);
void http_put_407(struct gost_http1_out *out, const struct http_conf *conf, int proxy_connection);
void http_put_decoy_code(struct gost_http1_out *out, uint32_t status);
void http_put_decoy_file(struct gost_http1_out *out, size_t length);

int http_reply(struct gost_io *io, const struct http_conf *conf, uint32_t minor, uint32_t status,
               uint32_t flags);

/* http_handler.c */
int http_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
int http_next_request(struct http_state *s, const struct http_conf *conf, struct gost_io *io);

/* http_forward.c */
int http_forward(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                 const struct gost_http1_head *head, const struct http_target *target);
int http_forward_dialed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                        const struct gost_event *ev);
void http_upstream_close(struct http_state *s, struct gost_io *io);
int http_forward_repeat(struct http_state *s, struct gost_io *io);
int http_forward_failed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                        int code, const char *text);

/* http_exchange.c */
struct gost_http1_how http_how(struct http_state *s, const struct http_conf *conf);
int http_exchange(struct http_state *s, const struct http_conf *conf, struct gost_io *io);

/* http_decoy.c */
int http_auth_failed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                     const struct gost_event *ev);
int http_decoy_result(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                      const struct gost_event *ev);
int http_decoy_503(struct gost_io *io, const struct http_conf *conf);
int http_decoy_prepare(struct http_conf *conf, struct gost_prepare *p);

/* http_udp.c */
int http_udp_start(struct http_state *s, const struct http_conf *conf, struct gost_io *io);
int http_udp_result(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                    const struct gost_event *ev);

/* http_connector.c */
extern const struct gost_connector_ops http_connector_ops;
int http_connector_prepare(void *conf, struct gost_prepare *p);
void http_put_connect(struct gost_http1_out *out, const struct http_connector_conf *conf,
                      const char *authority, int udp);

#endif
