/* pin.h - a layer of the host: packets for anybody become packets for one peer. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_PIN_H
#define GH_PIN_H

#include "engine.h"

struct gh_service;

/* Once, before any worker runs. [main] */
void gh_pin_init(void);

/* Puts it on a datagram stack: every packet goes to `peer` from now on. Engine's result.
 * [worker] */
int gh_pin_push(struct ge_stack *stack, const struct gost_addr *peer);

/* Puts a layer on a datagram stack that drops packets to and from addresses that the service's
 * bypass forbids. [worker] */
int gh_guard_push(struct ge_stack *stack, const struct gh_service *service);

#endif
