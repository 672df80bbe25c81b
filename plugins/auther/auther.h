/* auther.h - the table of users, without the plugin around it. */
/* SPDX-License-Identifier: MIT */
#ifndef AUTHER_H
#define AUTHER_H

#include <gost/base.h>

struct auther_table;

/* Room for n users. NULL: no memory. */
struct auther_table *auther_new(uint32_t n);

/* Add "name password": the first blank or tab ends the name; a line without name, or one that
 * starts
 * with '#', is skipped; a later line for the same name wins. The bytes are copied. */
int auther_add(struct auther_table *t, struct gost_bytes line);

/* After the last add, before the first check. */
void auther_sort(struct auther_table *t);

/* 1: known, and the password is right or the configured one is empty. [any] */
int auther_check(const struct auther_table *t, struct gost_bytes user, struct gost_bytes password);

void auther_free(struct auther_table *t); /* wipes; NULL is fine */

#endif
