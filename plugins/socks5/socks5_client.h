/* socks5_client.h - between the files of the connector. */
/* SPDX-License-Identifier: MIT */
#ifndef SOCKS5_CLIENT_H
#define SOCKS5_CLIENT_H

#include <gost/host.h>

#include "socks5.h"

enum socks5_client_phase {
    SOCKS5_CLIENT_OFFER,
    SOCKS5_CLIENT_METHOD,
    SOCKS5_CLIENT_TLS,
    SOCKS5_CLIENT_USERPASS,
    SOCKS5_CLIENT_AUTH_REPLY,
    SOCKS5_CLIENT_REQUEST,
    SOCKS5_CLIENT_REPLY,
    SOCKS5_CLIENT_CODEC,
    SOCKS5_CLIENT_UDP_DIAL,
    SOCKS5_CLIENT_SECOND_REPLY, /* BIND of one stream */
    SOCKS5_CLIENT_SESSION,      /* BIND of many: the session's handshake */
    SOCKS5_CLIENT_STREAMS
};

enum socks5_client_port { SOCKS5_PROXY = 0, SOCKS5_UDP_PORT = 1 };

/* Common to all verbs: deadlines and failures. GOST_OK: go on with the phase. */
int socks5_client_common(struct socks5_client *c, const struct socks5_connector_conf *cf,
                         struct gost_io *io, const struct gost_event *ev);

/* Everything up to the request. GOST_OK: it may be sent. */
int socks5_client_negotiate(struct socks5_client *c, const struct socks5_connector_conf *cf,
                            struct gost_io *io);
void socks5_client_request(struct socks5_client *c, struct gost_io *io, uint8_t command,
                           const struct gost_addr *to);

/* Takes exactly the reply, which must be success; its address is c->bound then. */
int socks5_client_reply(struct socks5_client *c, struct gost_io *io);

/* Takes exactly one reply. GOST_OK; GOST_AGAIN: not there yet; GOST_EPROTO, GOST_ECLOSED: it is
 * none, and nothing is recorded. */
int socks5_take_reply(struct gost_io *io, uint8_t *ret_code, struct gost_addr *ret_addr);

int socks5_bind_step(void *state, const void *conf, struct gost_io *io,
                     const struct gost_event *ev);

#endif
