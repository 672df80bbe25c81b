/* http2.h - the http2 plugin: a proxy whose requests are exchanges of HTTP/2. */
/* SPDX-License-Identifier: MIT */
#ifndef HTTP2_H
#define HTTP2_H

#include <gost/http1.h>
#include <gost/plugin.h>

#include "decoy.h"
#include "exchange.h"
#include "exchange_proxy.h"
#include "headblock.h"
#include "http1_fields.h"

#define HTTP2_FIELDS_MAX 512u
#define HTTP2_CLIENT     0u
#define HTTP2_UPSTREAM   1u

/* Fields of a configuration's map in the form of HTTP/2: names in lower case. */
struct http2_list {
    struct gost_field *v; /* owned, texts included */
    uint32_t n;
};

struct http2_conf {
    struct gost_map header;
    const char *realm, *probe_resist, *knock;
    uint64_t read_timeout; /* ns */
    /* made by prepare() */
    struct http2_list fields;
    char *challenge; /* owned: the value of proxy-authenticate */
    struct gost_decoy decoy;
};

struct http2_connector_conf {
    uint64_t timeout; /* ns */
    struct gost_map header;
    const char *username;
    struct gost_bytes password;
    struct http2_list fields; /* made by prepare() */
};

enum http2_phase {
    HTTP2_REQUEST = 0,
    HTTP2_AUTH,
    HTTP2_DIAL,
    HTTP2_CODEC, /* HTTP/1 is put on the upstream */
    HTTP2_DECOY,
    HTTP2_RELAY
};

enum http2_tag {
    HTTP2_TAG_AUTH = 1,
    HTTP2_TAG_DIAL,
    HTTP2_TAG_CODEC,
    HTTP2_TAG_FILE,
    HTTP2_TAG_DECOY_DIAL,
    HTTP2_TAG_DECOY_TLS
};

/* One request. */
struct http2_state {
    struct gost_head head; /* its views live until the next head is taken: never, here */
    struct gost_addr target;
    uint32_t phase; /* enum http2_phase */
    uint32_t is_connect;
    uint32_t page; /* the upstream is asked for a decoy's page, not for what the client wants */
};

/* http2_request.c: pure */
int http2_target(const struct gost_head *h, struct gost_addr *ret_addr);
int http2_is_hop_field(struct gost_bytes name);
int http2_list_make(struct http2_list *ret_list, const struct gost_map *map);
void http2_list_free(struct http2_list *list);
const char *http2_map_check(const struct gost_map *map);
uint32_t http2_status_of(int error);

/* http2_handler.c */
int http2_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
int http2_reply(struct gost_io *io, const struct http2_conf *conf, uint32_t status,
                int with_fields);
int http2_put_codec_on(struct http2_state *s, struct gost_io *io);

/* http2_forward.c */
int http2_forward(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io);

/* http2_decoy.c */
int http2_decoy_prepare(struct http2_conf *conf, struct gost_prepare *p);
int http2_refused(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io);
int http2_decoy_result(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                       const struct gost_event *ev);

/* http2_connector.c */
extern const struct gost_connector_ops http2_connector_ops;
int http2_connector_prepare(void *conf, struct gost_prepare *p);
void http2_connector_release(void *conf);

/* http2_upstream.c: the codec http2.upstream, one request of HTTP/1 on a stream */
struct http2_upstream {
    struct gost_http1_body body; /* of the response */
    size_t scanned;
    uint32_t asked, chunked; /* of the request */
    uint32_t got_head, done; /* of the response */
    char method[8];          /* HEAD and CONNECT matter: longer ones are cut */
};
extern const struct gost_layer_ops http2_upstream_ops;

#endif
