/* bridge.h - a pair of stacks inside the process, one end on each of two workers. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_BRIDGE_H
#define GH_BRIDGE_H

#include <stdbool.h>

#include "net.h"

/*
 * What one end sends the other receives: bytes with half-close, or packets with addresses. Chunks
 * and packets are handed over, not copied. Between the two stacks each direction holds one queue
 * above its high mark at most; then the writer's own queue fills and its producer stops, as before
 * a slow socket. Per direction at most one message to the other worker is under way.
 *
 * An end is the bottom of an ordinary stack. Letting go of one before it has sent its end, or with
 * unsent output, is a reset: the other end reads what came before, then fails with GOST_ECLOSED and
 * the code of gost_abort(). Both ends may be freed in any order, at any time.
 */
struct gh_bridge_end; /* an end without a stack yet; belongs to its worker */

/* Makes a bridge from the calling worker to `to` (it may be the same). *ret_near is the near end,
 * in use at once. *ret_far is to be brought to its worker by a message, and given there to
 * gh_bridge_attach() or gh_bridge_refuse(). False: no memory. [worker] */
bool gh_bridge_open(struct ge_flow *flow, uint32_t type, struct gh_worker *to,
                    struct ge_stack **ret_near, struct gh_bridge_end **ret_far);

/* The far end as a stack; NULL: no memory, and it was refused. Owns `end`. [its worker] */
struct ge_stack *gh_bridge_attach(struct gh_bridge_end *end, struct ge_flow *flow);

/* Nobody takes it: the near end fails with `status`. Owns `end`. [its worker] */
void gh_bridge_refuse(struct gh_bridge_end *end, int status);

/* Frees what is left of this worker's ends: its loop has ended. [worker] */
void gh_bridges_end(struct gh_worker *w);

#endif
