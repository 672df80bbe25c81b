/* limiter.h - rules of limiters, without the plugin around them. */
/* SPDX-License-Identifier: MIT */
#ifndef LIMITER_H
#define LIMITER_H

#include <gost/policy.h>

enum limiter_kind { LIMITER_BYTES, LIMITER_CONNECTIONS, LIMITER_REQUESTS };

struct limiter_rules;

struct limiter_rules *limiter_new(enum limiter_kind kind); /* NULL: no memory */

/*
 * Add "scope in [out [burst]]" (bytes, "10MB") or "scope number". The scope is "$", "$$", an IP or
 * a CIDR; a later line for the same scope wins. '#' starts a comment; an empty line is skipped.
 * GOST_OK, GOST_ENOMEM, or GOST_EPROTO with *ret_why, a literal.
 */
int limiter_add(struct limiter_rules *r, struct gost_bytes line, const char **ret_why);
void limiter_sort(struct limiter_rules *r); /* after the last add */

/* The rules that hold for a client. [any] */
void limiter_find(const struct limiter_rules *r, const struct gost_addr *client,
                  struct gost_a_rate *answer);

void limiter_free(struct limiter_rules *r); /* NULL is fine */

/* "1MB512KB", "0.5GiB", "0". GOST_OK or GOST_EPROTO. [any] */
int limiter_bytes_parse(struct gost_bytes text, uint64_t *ret_bytes);

#endif
