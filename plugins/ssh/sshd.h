/* sshd.h - the connector and the handler sshd. */
/* SPDX-License-Identifier: MIT */
#ifndef SSHD_H
#define SSHD_H

#include "ssh_wire.h"

#include <gost/host.h>

struct sshd_conf {
    uint32_t sniffing;
    uint64_t read_timeout_ns;
};

struct sshd_connector {
    uint32_t asked;
};

#define SSHD_KEY 33 /* the name of a session among endpoints, with its final zero */

/* The session of one client. */
struct sshd_handler {
    char key[SSHD_KEY];
};

/* One connection, or one listening port. */
struct sshd_channel {
    uint32_t phase, said;
    struct gost_addr visitor;
    uint32_t bound_port;
};

extern const struct gost_connector_ops sshd_connector_ops;
extern const struct gost_handler_ops sshd_handler_ops, sshd_channel_ops, sshd_visitor_ops;

/* ---- sshd_addr.c ---- */

/* What a channel of type direct-tcpip reaches: string host, u32 port, from where. */
int sshd_get_target(struct gost_bytes data, struct gost_addr *ret_addr);
/* Where tcpip-forward listens: string address, u32 port. GOST_EUNSUPPORTED: a name that is neither
 * an address nor localhost. */
int sshd_get_bind(struct gost_bytes data, struct gost_addr *ret_addr);
/* string(channel type) and data, for the target. GOST_EUNSUPPORTED: not this network. */
int sshd_put_target(struct ssh_out *o, uint32_t network, const struct gost_addr *addr);
/* The same for a visitor of the listening address in data. */
void sshd_put_visitor(struct ssh_out *o, struct gost_bytes data, uint32_t bound_port,
                      const struct gost_addr *visitor);

#endif
