/* http.h - the http plugin: configuration, state of one connection, and who does what. */
/* SPDX-License-Identifier: MIT */
#ifndef HTTP_H
#define HTTP_H

#include <gost/http1.h>
#include <gost/plugin.h>

#include "decoy.h"
#include "http1_fields.h"

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

#define HTTP_CLIENT   0u
#define HTTP_UPSTREAM 1u

/* How far the head at the front of a port has been looked at. */
struct http_reader {
    uint32_t line_ok; /* its first line is fine */
    size_t scanned;
};

/* One connection. */
struct http_state {
    uint8_t phase;     /* enum http_phase */
    uint8_t authed;    /* credentials were accepted: asked once a connection */
    uint8_t ended;     /* bit n: port n sends no more */
    uint8_t gone;      /* bit n: port n is closed in both directions */
    uint8_t connected; /* port 1 is open to `upstream` */
    uint8_t reused;    /* this request went to an upstream that had served another one */
    uint8_t kept;      /* the request's head is still queued */
    uint8_t minor;     /* HTTP version of the request */
    uint8_t is_head, is_connect;
    uint8_t persistent; /* the client wants to send more requests */
    uint8_t closing;    /* no further request is served */
    uint8_t got_head;   /* the response's head has gone to the client */
    uint8_t strip;      /* chunk frames are taken off: the client speaks HTTP/1.0 */
    uint8_t keep_upstream;
    uint8_t pumping;   /* bit n: a pump from port n is under way */
    uint8_t decoy;     /* the exchange is with a decoy server */
    uint8_t udp_ready; /* results seen: associate and codec */
    uint32_t head_n;   /* bytes of the request's head */
    struct http_reader reader;
    struct gost_http1_body up, down;
    struct gost_addr upstream; /* what port 1 is, or is to be, connected to */
    char upgrade[40];          /* the protocol asked for with Upgrade */
};

/* One CONNECT of the connector. */
struct http_connector_state {
    uint32_t udp;
    struct http_reader reader;
};

/* A request's target, taken apart. Views point into the head. */
struct http_target {
    struct gost_bytes authority, path;
    struct gost_addr addr; /* CONNECT and absolute form */
};

/* http_request.c: pure */
int http_target_parse(struct http_target *ret_target, const struct gost_http1_head *head);
struct gost_bytes http_request_host(const struct gost_http1_head *head);

#define HTTP_PUT_CLOSE   1u /* add Connection: close */
#define HTTP_PUT_KEEP    2u /* add Connection: keep-alive */
#define HTTP_PUT_UPGRADE 4u /* pass Upgrade on */
#define HTTP_PUT_STRIP   8u /* without Transfer-Encoding */
void http_put_request(struct gost_http1_out *out, const struct gost_http1_head *head,
                      const struct http_target *target, uint32_t flags);
void http_put_response(struct gost_http1_out *out, const struct gost_http1_head *head,
                       uint32_t minor, uint32_t flags);

/* http_reply.c: pure, but for http_out_new and http_out_send */
#define HTTP_REPLY_AGENT   1u /* with Proxy-Agent */
#define HTTP_REPLY_HEADERS 2u /* with the configured header fields */
#define HTTP_REPLY_EMPTY   4u /* Content-Length: 0 instead of Connection: close */
void http_put_reply(struct gost_http1_out *out, const struct http_conf *conf, uint32_t minor,
                    uint32_t status, uint32_t flags);
void http_put_established(struct gost_http1_out *out, const struct http_conf *conf);
void http_put_407(struct gost_http1_out *out, const struct http_conf *conf, int proxy_connection);
void http_put_decoy_code(struct gost_http1_out *out, uint32_t status);
void http_put_decoy_file(struct gost_http1_out *out, size_t length);

int http_out_new(struct gost_http1_out *out, size_t size);
int http_out_send(struct gost_io *io, struct gost_http1_out *out);
int http_reply(struct gost_io *io, const struct http_conf *conf, uint32_t minor, uint32_t status,
               uint32_t flags);

/* http_handler.c */
int http_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
int http_read_head(struct gost_io *io, struct http_reader *reader, int is_response,
                   struct gost_http1_head *ret_head, const char **ret_why);
int http_request_again(struct http_state *s, struct gost_io *io, struct gost_http1_head *ret_head);
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
void http_exchange_begin(struct http_state *s, const struct http_conf *conf, struct gost_io *io);
int http_exchange(struct http_state *s, const struct http_conf *conf, struct gost_io *io);
int http_pumped(struct http_state *s, struct gost_io *io, const struct gost_event *ev);

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
