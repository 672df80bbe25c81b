/* admission.h - a set of client addresses, without the plugin around it. */
/* SPDX-License-Identifier: MIT */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <gost/addr.h>

struct admission_set;

struct admission_set *admission_new(void); /* NULL: no memory */

/*
 * Add one pattern: an IP, a CIDR, or a host name, which `resolve` turns into one address (0: it
 * did). '#' starts a comment; an empty line is skipped. GOST_OK, GOST_ENOMEM, GOST_EPROTO for what
 * is neither, GOST_ERESOLVE for a name without an address.
 */
int admission_add(struct admission_set *s, struct gost_bytes line,
                  int (*resolve)(const char *name, struct gost_addr *ret_addr));
void admission_sort(struct admission_set *s); /* after the last add */

/* 1: some pattern matches. Ports are not looked at. [any] */
int admission_match(const struct admission_set *s, const struct gost_addr *addr);

void admission_free(struct admission_set *s); /* NULL is fine */

#endif
