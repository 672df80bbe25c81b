/* socks4.h - SOCKS4 and SOCKS4a messages, without state. */
/* SPDX-License-Identifier: MIT */
#ifndef SOCKS4_H
#define SOCKS4_H

#include <gost/addr.h>

enum socks4_command { SOCKS4_CONNECT = 1, SOCKS4_BIND = 2 };
enum socks4_reply { SOCKS4_OK = 90, SOCKS4_FAILED = 91, SOCKS4_REJECTED = 92, SOCKS4_AUTH = 93 };

/* "04 CMD PORT IP USERID 00 [HOST 00]": bytes used, 0: more are needed, GOST_EPROTO. The view of
 * the user id points into the input. [any] */
#define SOCKS4_REQUEST_MAX (8 + 256 + 256)
int socks4_parse_request(struct gost_bytes in, uint8_t *ret_command, struct gost_bytes *ret_user,
                         struct gost_addr *ret_addr);

/* The request for addr; always_4a: names and addresses alike go as text behind 0.0.0.1, as GOST
 * does.
 * Returns the length; 0: not possible (a name or IPv6 without 4a, a user id that is too long). */
size_t socks4_put_request(uint8_t buf[SOCKS4_REQUEST_MAX], const struct gost_addr *addr,
                          const char *user, int use_4a);

#endif
