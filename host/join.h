/* join.h - two stacks of one worker, relayed to each other until both have ended. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_JOIN_H
#define GH_JOIN_H

#include "net.h"

/* A handler that relays its ports 0 and 1. */
extern const struct gost_component gh_join_component;

/* Relays in the background: no flow record of the host, no line in the log. What breaks off on one
 * side is a reset, with its code, on the other where that can tell it. Owns both. [worker] */
void gh_join(struct gh_worker *w, struct ge_flow *flow, struct ge_stack *a, struct ge_stack *b);

/* Ends all of this worker. [worker] */
void gh_joins_end(struct gh_worker *w);

#endif
