/* sniff.h - what a connection's first bytes say about it. */
/* SPDX-License-Identifier: MIT */
#ifndef SNIFF_H
#define SNIFF_H

#include <gost/base.h>

#define SNIFF_HOST_MAX 272 /* "name:port" and a final zero */

/* More of a first message is not looked at. */
#define SNIFF_LIMIT 32768

enum sniff_protocol { SNIFF_UNKNOWN, SNIFF_TLS, SNIFF_HTTP, SNIFF_SSH, SNIFF_REDIS };

/* Which protocol it is. GOST_OK, or GOST_AGAIN: five bytes are needed. [any], pure */
int sniff_detect(struct gost_bytes in, enum sniff_protocol *ret_protocol);

/* "tls", "http", ...; "" for SNIFF_UNKNOWN. [any], pure */
const char *sniff_protocol_name(enum sniff_protocol protocol);

/*
 * The server name of the ClientHello at the start of `in`, over as many records as it takes.
 * GOST_OK: host is "name:443", "" when there is none. GOST_AGAIN: *ret_need bytes in total come
 * next. GOST_EPROTO. [any], pure
 */
int sniff_tls_host(struct gost_bytes in, size_t *ret_need, char host[SNIFF_HOST_MAX]);

/* The same for an HTTP request head: the target's own authority, else Host; port 80 when it names
 * none. [any], pure */
int sniff_http_host(struct gost_bytes in, size_t *ret_need, char host[SNIFF_HOST_MAX]);

#endif
