/* masque.h - the masque plugin: CONNECT and CONNECT-UDP (RFC 9298) on exchanges with datagrams. */
/* SPDX-License-Identifier: MIT */
#ifndef MASQUE_H
#define MASQUE_H

#include <gost/http1.h>
#include <gost/plugin.h>

#include "exchange.h"
#include "exchange_proxy.h"
#include "headblock.h"
#include "http1_fields.h"

#define MASQUE_CLIENT   0u
#define MASQUE_TARGET   1u
#define MASQUE_PACKETS  2u /* the datagrams of the client's stream */
#define MASQUE_PATH_MAX 1024u

struct masque_conf {
    const char *realm;
    uint64_t read_timeout; /* ns */
    char *challenge;       /* owned, made by prepare(): the value of proxy-authenticate */
};

struct masque_connector_conf {
    uint64_t timeout; /* ns */
    const char *host, *username;
    struct gost_bytes password;
};

enum masque_phase { MASQUE_REQUEST = 0, MASQUE_LOGIN, MASQUE_DIAL, MASQUE_CODEC, MASQUE_RELAY };

/* One request. */
struct masque_state {
    struct gost_head head; /* its views live until the next head is taken: never, here */
    struct gost_addr target;
    uint32_t phase; /* enum masque_phase */
    uint32_t udp;
};

/* A client's request while it is asked for. */
struct masque_client {
    char path[MASQUE_PATH_MAX], authority[GOST_ADDR_TEXT];
};

/* masque_path.c: pure */
int masque_path_parse(struct gost_bytes path, struct gost_addr *ret_target);
size_t masque_path_put(char *to, size_t size, const struct gost_addr *target);

/* masque_udp.c: the codec masque.udp, datagrams of context 0 */
extern const struct gost_layer_ops masque_udp_ops;

/* masque_handler.c */
int masque_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);

/* masque_connector.c */
extern const struct gost_connector_ops masque_connector_ops;

#endif
