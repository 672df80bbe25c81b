/* remote.h - services whose listener is at the end of a chain: rtcp, rudp. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_REMOTE_H
#define GH_REMOTE_H

#include "service.h"

struct gh_remote;

/* Whether the service's listener is of that kind. [any] */
bool gh_remote_is(const struct gh_service *s);

/* Binds through the listener's chain, again and again, and serves what arrives. NULL: no memory.
 * [main] */
struct gh_remote *gh_remote_start(struct gh_service *s);

/* A service that differs in nothing that the listening depends on takes its place. [main] */
void gh_remote_retarget(struct gh_remote *r, struct gh_service *s);

/* Listens no more; what arrived before goes on. [main] */
void gh_remote_stop(struct gh_remote *r);

#endif
