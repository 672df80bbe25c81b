/* limits.h - limiters: the balances that flows share, kept by rule and client. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_LIMITS_H
#define GH_LIMITS_H

#include <stdbool.h>

#include "engine.h"

struct gh_limits; /* the balances of one limiter object; outlive a reload. Counted */
struct gh_limit;  /* one balance that a flow holds */
struct gh_policy;

enum { GH_LIMITS_FLOW = 6 }; /* balances a flow may hold */

/* What a flow holds; zeroed: nothing. */
struct gh_limits_held {
    struct gh_limit *v[GH_LIMITS_FLOW];
    unsigned n;
};

/* Which of the rules of a limiter a flow takes part in. */
enum gh_limits_scope { GH_SCOPE_BOTH, GH_SCOPE_SERVICE, GH_SCOPE_CONNECTION };

/*
 * The limiters of a service by name; NULL names and unknown ones limit nothing: a service finds its
 * own until a reload takes them away. What a flow holds it gives back with gh_limits_release(),
 * after its tasks are gone. attach, false: no memory, and the flow would not be limited. [worker]
 */
bool gh_limits_attach(struct gh_limits_held *held, const char *limiter, enum gh_limits_scope scope,
                      struct ge_flow *flow, bool packets);
bool gh_limits_connect(struct gh_limits_held *held, const char *climiter,
                       const struct gost_addr *client); /* false: one too many */
bool gh_limits_request(const char *rlimiter, const struct gost_addr *client, uint64_t now);
void gh_limits_release(struct gh_limits_held *held);

struct gh_limits *gh_limits_new(void);
struct gh_limits *gh_limits_ref(struct gh_limits *l);
void gh_limits_unref(struct gh_limits *l);

/* The rules of `p` may have changed: its live balances follow. Afterwards nothing limits what no
 * rule covers. NULL index: no rule does. [main] */
void gh_limits_update(const struct gh_policy *p, const void *index, struct gh_limits *limits);

#endif
