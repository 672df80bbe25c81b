/* bind.h - the listening ports of a task: here, or at the end of the chain. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_BIND_H
#define GH_BIND_H

#include "action.h"

struct gh_ear; /* one listening port of an agent */

/* BIND of a stream network. `remote`: through the chain. [worker] */
void gh_ear_open(struct gh_agent *agent, const struct gost_act_bind *a, bool remote);

/* ACCEPT on port `from`: false when that is no listening port. [worker] */
bool gh_ear_accept(struct gh_agent *agent, const struct gost_act_accept *a);

/* Closes all of an agent's. [worker] */
void gh_ears_close(struct gh_agent *agent);

#endif
