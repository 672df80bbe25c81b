/* endpoint.h - what a task offers to visitors of any worker: kind, key, weight. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ENDPOINT_H
#define GH_ENDPOINT_H

#include "action.h"

struct gh_endpoint; /* one offer, of an agent */
struct gh_visit;    /* one dial to an offer, under way */

/* gost_endpoint_add() and gost_endpoint_remove() of host.h. [worker] */
int gh_endpoint_add(struct gost_io *io, const char *kind, struct gost_bytes key, uint32_t weight);
void gh_endpoint_remove(struct gost_io *io, const char *kind, struct gost_bytes key);

/* All of an agent's are gone; visitors that wait are told so. [worker] */
void gh_endpoints_leave(struct gh_agent *agent);

/* DIAL to a.name "kind/key", and giving it up. [worker] */
void gh_act_visit(struct gh_agent *agent, const struct gost_act_dial *a);
void gh_visit_cancel(struct gh_visit *v);

/* ACCEPT: whether port `from` of the agent has visitors; then a visitor, or the action waits. */
bool gh_endpoint_accepts(const struct gh_agent *agent, uint32_t from);
void gh_endpoint_accept(struct gh_agent *agent, const struct gost_act_accept *a);

#endif
