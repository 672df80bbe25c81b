/* policy.h - authers, admissions and bypasses: built from the configuration, looked up by name. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_POLICY_H
#define GH_POLICY_H

#include <stdbool.h>

#include "conf_load.h"
#include "confset.h"
#include "engine.h"

struct gh_policy;   /* one object; immutable */
struct gh_policies; /* all of a configuration; immutable, counted */
struct gh_generation;

/* The names an object refers to: the singular key first, then the list. */
struct gh_names {
    const char **v; /* *owned* array of *borrowed* texts */
    unsigned n;
};

/* Reads "bypass" and "bypasses". 0 or -ENOMEM. */
int gh_names_read(struct gh_names *ret_names, const struct gh_value *object, const char *one,
                  const char *many);
void gh_names_free(struct gh_names *names);

/* Builds all policies of a configuration; a reference is kept. NULL: `errs` says why. [main] */
struct gh_policies *gh_policies_build(struct gh_conf *conf, bool compat_gost,
                                      struct gh_conf_errors *errs);
void gh_policies_unref(struct gh_policies *p);

/* Gives those that dial what dials need. After the chains were built. [main] */
bool gh_policies_bind(struct gh_policies *all, struct gh_generation *generation,
                      struct gh_conf_errors *errs);

/* Makes `p` the current set, taking the reference over; NULL at the end of the process, when no
 * worker runs any more. [main] */
void gh_policies_publish(struct gh_policies *p);

/* Stops all fetching: the program ends. [main] */
void gh_policies_stop(void);

/* One user given where it is used ("handler.auth"). NULL with *ret_ok: there is none. [main] */
struct gh_policy *gh_policy_inline_auther(const struct gh_value *auth, const char *object,
                                          struct gh_conf_errors *errs, bool *ret_ok);
void gh_policy_unref(struct gh_policy *policy); /* [any] */

/*
 * Questions, to the current set. [any]
 */

/* Whether any of the authers from *ret_stopped on accepts; `id` gets the client's id. `own` is
 * asked only when no names are given. Without both: accepted. False with *ret_stopped < names->n:
 * that one has to be asked by an errand (auth.h) before the others. */
bool gh_policy_auth(const struct gh_names *names, const struct gh_policy *own,
                    const struct gost_q_auth *q, char id[256], unsigned *ret_stopped);

/* Whether all admissions admit. */
bool gh_policy_admit(const struct gh_names *names, const struct gost_q_target *q);

/* What a host name leads to by the ingress `name`. False: nothing. */
bool gh_policy_ingress(const char *name, const struct gost_addr *host, struct gost_a_value *ret);

/* Whether the target is to be bypassed (refused). */
bool gh_policy_bypass(const struct gh_names *names, const struct gost_q_target *q);

#endif
