/* hosts.h - a table of names and their addresses, without the plugin around it. */
/* SPDX-License-Identifier: MIT */
#ifndef HOSTS_H
#define HOSTS_H

#include <gost/policy.h>

struct hosts_table;

struct hosts_table *hosts_new(void); /* NULL: no memory */

/* Add "ip name name ...": '#' starts a comment; what has no name is skipped. GOST_OK, GOST_ENOMEM,
 * GOST_EPROTO when the first word is no IP address. */
int hosts_add(struct hosts_table *t, struct gost_bytes line);
void hosts_sort(struct hosts_table *t); /* after the last add */

/* The addresses of a name: of itself, then of ".name", ".parent", ... and at last of ".". The first
 * of these that is there counts, even if it has no address of the family (0: any, 4, 6). [any] */
void hosts_find(const struct hosts_table *t, struct gost_bytes name, uint32_t family,
                struct gost_a_addrs *answer);

void hosts_free(struct hosts_table *t); /* NULL is fine */

#endif
