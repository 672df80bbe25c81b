/* remote_private.h - between the two files of remote listeners: streams and packets. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_REMOTE_PRIVATE_H
#define GH_REMOTE_PRIVATE_H

#include "flow.h"
#include "remote.h"

/* A new flow of the service for who came; NULL: no memory. [worker] */
struct gh_flow *gh_remote_flow(struct gh_worker *w, struct gh_service *s,
                               const struct gost_addr *peer, const struct gost_addr *local);

/* The peers of packets. */
struct gh_peers;
struct gh_peers *gh_peers_new(struct gh_worker *w, struct gh_service *s,
                              const struct gost_addr *local);
void gh_peers_retarget(struct gh_peers *p, struct gh_service *s);
/* All end. */
void gh_peers_free(struct gh_peers *p);
/* Takes what came to `io`, the packets port; makes associations, and starts their flows. */
void gh_peers_receive(struct gh_peers *p, struct gost_io *io);

#endif
