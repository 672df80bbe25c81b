/* naming.h - names to addresses by the policies hosts and resolver. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_NAMING_H
#define GH_NAMING_H

#include "net.h"

/* What an object says about names; NULL: nothing. *Borrowed*. */
struct gh_naming_by {
    const char *hosts, *resolver;
};

enum gh_naming_answer {
    GH_NAMING_NONE, /* not our business: the address is used as it is */
    GH_NAMING_DONE, /* `ret` is filled; empty: the name does not exist */
    GH_NAMING_WAIT  /* done() comes, never inside the call */
};

struct gh_naming; /* somebody who waits */

/*
 * Asks for a name: hosts first, then the resolver. Addresses get the port of `addr`. The one that
 * waits is put into *slot, which is NULL again when done() is called. `family`: 0, 4, 6. [worker]
 */
enum gh_naming_answer gh_naming_ask(struct gh_naming **slot, const struct gh_naming_by *by,
                                    const struct gost_addr *addr, uint32_t family,
                                    struct gost_a_addrs *ret,
                                    void (*done)(void *arg, int status, const char *text,
                                                 const struct gost_addr *v, unsigned n),
                                    void *arg);
void gh_naming_cancel(struct gh_naming *n); /* NULL is fine */

#endif
