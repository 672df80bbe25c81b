/* gather.h - streams that a dialer's layer makes of many exchanges. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_GATHER_H
#define GH_GATHER_H

#include "route.h"

/*
 * The client handler of a gathering layer at work: a flow of its own, which ends after the stream
 * it gives. Its exchanges are routes through the same nodes that stop below that layer, so those of
 * a session come from the pool. All calls are [worker].
 */
struct gh_gather;

/* Starts the layer of the node r->at; r->stack becomes the stream. gh_route_gathered() follows when
 * the node is reached, else the attempt fails. */
void gh_gather_begin(struct gh_route *r);

/* The route is given up. NULL: nothing happens. */
void gh_gather_cancel(struct gh_gather *g);

/* Its flow ends. NULL: nothing happens. */
void gh_gather_lost(struct gh_gather *g);

/* DIAL to GOST_NET_BELOW. */
void gh_gather_dial(struct gh_agent *agent, const struct gost_act_dial *a);

#endif
