/* pin.h - a layer of the host: packets for anybody become packets for one peer. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_PIN_H
#define GH_PIN_H

#include "engine.h"

/* Once, before any worker runs. [main] */
void gh_pin_init(void);

/* Puts it on a datagram stack: every packet goes to `peer` from now on. Engine's result.
 * [worker] */
int gh_pin_push(struct ge_stack *stack, const struct gost_addr *peer);

#endif
