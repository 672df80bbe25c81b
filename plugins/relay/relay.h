/* relay.h - GOST's relay protocol, version 1: messages without state. */
/* SPDX-License-Identifier: MIT */
#ifndef RELAY_H
#define RELAY_H

#include <gost/action.h>
#include <gost/component.h>

#include "relay_message.h"

/* Write a request as GOST orders it: Network (only when not TCP), UserAuth, Addr. Returns the
 * length. bind: UserAuth before Network, and Network always. */
size_t relay_put_request(uint8_t buf[GOST_RELAY_REQUEST_MAX], const struct gost_relay_message *m,
                         int bind);

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
    uint8_t phase;
    struct gost_relay_binder binder;
};

/* BIND of streams (relay_bind.c). Server: begin, and what the actions gave; `peer` is memory of the
 * instance. Client: the connector's step. */
int relay_bind_start(struct gost_io *io, uint32_t network, const struct gost_addr *addr);
int relay_bind_result(struct gost_addr *peer, struct gost_io *io, const struct gost_event *ev);
int relay_bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
extern const struct gost_handler_ops relay_visitor_ops;

#endif
