/* relay.h - GOST's relay protocol, version 1: messages without state. */
/* SPDX-License-Identifier: MIT */
#ifndef RELAY_H
#define RELAY_H

#include <gost/action.h>
#include <gost/component.h>

enum relay_command {
    RELAY_CONNECT = 1,
    RELAY_BIND = 2,
    RELAY_ASSOCIATE = 3,
    RELAY_UDP_FLAG = 0x80
};

enum relay_status {
    RELAY_OK = 0,
    RELAY_BAD_REQUEST = 1,
    RELAY_UNAUTHORIZED = 2,
    RELAY_FORBIDDEN = 3,
    RELAY_TIMEOUT = 4,
    RELAY_UNAVAILABLE = 5,
    RELAY_HOST_UNREACHABLE = 6,
    RELAY_NET_UNREACHABLE = 7,
    RELAY_INTERNAL = 8
};

enum relay_network {
    RELAY_TCP = 0,
    RELAY_UDP = 1,
    RELAY_IP = 2,
    RELAY_UNIX = 0x10,
    RELAY_SERIAL = 0x11
};

/* A request or a response; the first code is the command or the status. */
struct relay_message {
    uint8_t code;
    uint8_t has_addr, has_auth, has_network;
    uint16_t network;
    struct gost_addr addr;            /* NONE with a port when the host is empty */
    struct gost_bytes user, password; /* views into the input */
};

#define RELAY_HEAD 4

/* The four bytes of a head: length of the features behind it, or GOST_EPROTO. [any] */
int relay_head(const uint8_t head[RELAY_HEAD]);

/* The features, all of them. GOST_OK or GOST_EPROTO. Unknown features are passed over. [any] */
int relay_features(struct relay_message *m, struct gost_bytes features);

/* Write a request as GOST orders it: Network (only when not TCP), UserAuth, Addr. Returns the
 * length. bind: UserAuth before Network, and Network always. */
#define RELAY_REQUEST_MAX (4 + 5 + 3 + 2 + 510 + 3 + GOST_SOCKS_ADDR_MAX)
size_t relay_put_request(uint8_t buf[RELAY_REQUEST_MAX], const struct relay_message *m, int bind);

/* Write a response with an address feature, or without (addr NULL). */
#define RELAY_RESPONSE_MAX (4 + 3 + GOST_SOCKS_ADDR_MAX)
size_t relay_put_response(uint8_t buf[RELAY_RESPONSE_MAX], uint8_t status,
                          const struct gost_addr *addr);

int relay_error_of(uint8_t status);
const char *relay_status_text(uint8_t status);
uint32_t relay_to_network(const struct relay_message *m); /* enum gost_network */

/* Codecs that hold a message back until the first bytes go their way, then are identity. */
extern const struct gost_layer_ops relay_request_layer, relay_response_layer;
struct relay_lazy {
    uint8_t sent, answered;
};

extern const struct gost_handler_ops relay_handler_ops;
extern const struct gost_connector_ops relay_connector_ops;

struct relay_server_conf {
    uint64_t timeout, buffer_size;
    uint32_t bind, nodelay, sniffing;
};

struct relay_client_conf {
    uint64_t timeout;
    uint32_t nodelay;
    struct gost_bytes user, password;
};

struct relay_server {
    uint8_t phase, command, forward;
    uint16_t network;
    struct gost_addr target; /* BIND: of the last visitor, later */
    int has_addr;
};

struct relay_client {
    uint8_t phase, udp;
};

/* Takes exactly one response from the input: what follows it is somebody else's. GOST_OK: it is in
 * *ret_message. GOST_AGAIN: not there yet. Else it is none; nothing is recorded. */
int relay_take(struct gost_io *io, struct relay_message *ret_message);

/* The same for an answer that must be success; else failed, with a text. */
int relay_answer(struct gost_io *io, struct relay_message *ret_message);

/* BIND of streams (relay_bind.c). Server: begin, and what the actions gave; `peer` is memory of the
 * instance. Client: the connector's step. */
int relay_bind_start(struct gost_io *io, uint32_t network, const struct gost_addr *addr);
int relay_bind_result(struct gost_addr *peer, struct gost_io *io, const struct gost_event *ev);
int relay_bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
extern const struct gost_handler_ops relay_visitor_ops;

#endif
