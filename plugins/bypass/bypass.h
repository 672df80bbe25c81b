/* bypass.h - a set of address patterns, without the plugin around it. */
/* SPDX-License-Identifier: MIT */
#ifndef BYPASS_H
#define BYPASS_H

#include <gost/addr.h>

struct bypass_set;

struct bypass_set *bypass_new(void);

/*
 * Add one pattern: a CIDR; a glob when it has '*' or '?'; an IP or a range "IP-IP"; else "host",
 * ".host", each with an optional ":port" or ":min-max" (not for CIDR and IP ranges). '#' starts a
 * comment; an empty line is skipped. GOST_OK, GOST_ENOMEM, GOST_EPROTO for a pattern of no such
 * form.
 */
int bypass_add(struct bypass_set *s, struct gost_bytes line);
int bypass_sort(struct bypass_set *s); /* after the last add */
int bypass_empty(const struct bypass_set *s);

/* 1: some pattern matches. Names are never resolved. [any] */
int bypass_match(const struct bypass_set *s, const struct gost_addr *addr);

void bypass_free(struct bypass_set *s);

/* Glob over text without regard to case: * ? [a-z] [!a] {x,y} and \ escapes. [any] */
int bypass_glob(struct gost_bytes pattern, struct gost_bytes text);

#endif
