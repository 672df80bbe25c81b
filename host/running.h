/* running.h - the services that run, each with its listening descriptor. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_RUNNING_H
#define GH_RUNNING_H

#include "confbuild.h"
#include "policy.h"

/* What changed by gh_running_apply(). */
struct gh_running_change {
    unsigned opened, kept, changed, closed;
};

/*
 * Makes these services the ones that run: equal ones stay as they are, changed ones keep their
 * descriptor if the address is the same, new ones are opened, others are closed. All descriptors
 * are opened before anything is changed; 0, or -1 with `errs` and nothing changed. The services are
 * taken over in both cases. The policies are taken over and published with 0: before the first new
 * service accepts, as one that found no limiter of its would not be limited. [main]
 */
int gh_running_apply(struct gh_services *services, struct gh_policies *policies,
                     struct gh_running_change *ret_change, struct gh_conf_errors *errs);

/* Tells the observers of what began. After the policies of this configuration were published: it is
 * through them that they are told. [main] */
void gh_running_observe(void);

/* Stops accepting and closes all listeners; live flows go on. [main] */
void gh_running_close(void);

/* Iterates over the running services; NULL: no more. [main] */
struct gh_service *gh_running_service(unsigned i);

#endif
