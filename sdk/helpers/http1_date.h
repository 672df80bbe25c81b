/* http1_date.h - the date of a message (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_DATE_H
#define GOST_HTTP1_DATE_H

#include <stdint.h>

#define GOST_HTTP1_DATE 40

/* "Mon, 23 Nov 2026 07:20:30 GMT" of seconds since 1970; `to` has room for GOST_HTTP1_DATE.
 * [any], pure */
void gost_http1_date(char *to, uint64_t seconds);

#endif
