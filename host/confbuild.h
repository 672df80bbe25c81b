/* confbuild.h - a generation: services, chains and hops made from one configuration. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONFBUILD_H
#define GH_CONFBUILD_H

#include "conf_load.h"
#include "service.h"

/* What services of one configuration share. Immutable; lives while a service of it does. */
struct gh_generation {
    _Atomic uint32_t refs;
    struct gh_conf *conf; /* counted */
    struct gh_hop **hops; /* all of them, inline ones too; *owned* */
    unsigned n_hops, room_hops, n_named_hops;
    struct gh_chain **chains; /* *owned* */
    unsigned n_chains;
    struct gh_confset *plain;             /* options of dials that take no chain: all defaults */
    struct gh_stack_part direct_tcp, direct_unix; /* component NULL: no plugin provides it */
};

/* What a build gives. The caller owns the array and one reference to each service, and to what they
 * share. */
struct gh_services {
    struct gh_service **v;
    unsigned n;
    struct gh_generation *generation;
};

/* Builds all services of a configuration; opens nothing. 0, or -1: `errs` says why. [main] */
int gh_generation_build(struct gh_conf *conf, bool compat_gost, bool strict,
                        struct gh_services *ret_services, struct gh_conf_errors *errs);
void gh_services_free(struct gh_services *services);
void gh_generation_unref(struct gh_generation *g); /* [any] */

/* Parts of a generation by name; NULL: none. */
struct gh_chain *gh_generation_chain(struct gh_generation *g, const char *name);
struct gh_hop *gh_generation_hop(struct gh_generation *g, const char *name);

#endif
