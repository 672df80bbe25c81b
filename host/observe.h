/* observe.h - observers: what they are told of a service's state and statistics. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_OBSERVE_H
#define GH_OBSERVE_H

#include "service.h"

/* A service with an observer begins: it is told, and statistics follow if it enables them. NULL:
 * it has no observer. [main] */
struct gh_observed *gh_observe(struct gh_service *s);

/* The service ends: the observer is told. NULL is fine. [main] */
void gh_observe_end(struct gh_observed *o);

#endif
