/* auth.h - AUTH: who asks the authers of a service, one after the other. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_AUTH_H
#define GH_AUTH_H

#include "action.h"

/* Authers that a web service decides are asked by errands; only who asked waits. [worker] */
struct gh_auth;

void gh_auth_start(struct gh_agent *agent, const struct gost_act_auth *a);
void gh_auth_cancel(struct gh_auth *auth); /* the action is forgotten. NULL is fine */

#endif
