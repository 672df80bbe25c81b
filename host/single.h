/* single.h - handlers whose instances all live on one worker. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SINGLE_H
#define GH_SINGLE_H

#include "flow.h"

/* Whether the handler has a home, and it is another worker. */
bool gh_single_is_elsewhere(const struct gh_flow *f, const struct gost_component *handler);

/* Brings the flow's client to the handler's home over a bridge: there another flow of the service
 * runs the handler, here this one moves bytes. False: it cannot, and the flow has ended. Owns
 * `stack`. */
bool gh_single_send(struct gh_flow *f, struct ge_stack *stack, const struct gost_component *handler,
                    const void *conf, struct gost_bytes arg);

#endif
