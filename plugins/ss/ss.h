/* ss.h - Shadowsocks: what handlers, connectors and codecs share. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_H
#define SS_H

#include <gost/action.h>
#include <gost/component.h>

#include "ss_crypto.h"
#include "ss_keys.h"

/* The configuration of every component of this plugin. */
struct ss_conf {
    uint64_t timeout, buffer_size;
    uint32_t method; /* place in SS_METHODS */
    uint32_t sniffing;
    struct gost_bytes password, key;
    struct gost_map users;
    struct ss_keys *made; /* by prepare */
};

/*
 * The argument of both codecs: the keys, borrowed (a configuration outlives its flows), the limit
 * of a server's handshake, and for a client the address its header names.
 */
struct ss_arg {
    const struct ss_keys *keys;
    uint64_t timeout_ns;
    uint32_t addr_n;
    uint8_t addr[GOST_SOCKS_ADDR_MAX];
};

/* UPGRADE port 0 to one of the codecs. GOST_AGAIN, or an error. [worker] */
int ss_upgrade(struct gost_io *io, uint32_t tag, uint32_t role, const char *codec,
               const struct ss_arg *arg);

/* Read the argument in a codec's open(). GOST_OK or GOST_EINTERNAL, told. [worker] */
int ss_arg_read(struct gost_io *io, struct ss_arg *ret_arg);

/* The state of a handler or connector is its phase. */
struct ss_step {
    uint32_t phase;
    struct gost_addr target;
};

extern const struct gost_handler_ops ss_handler_ops, ssu_handler_ops;
extern const struct gost_connector_ops ss_connector_ops, ssu_connector_ops;
extern const struct gost_layer_ops ss_stream_layer, ss_packet_layer;

#endif
