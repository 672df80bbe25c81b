/* icmp.h - GOST's frame of a packet in an ICMP echo message. */
/* SPDX-License-Identifier: MIT */
#ifndef ICMP_H
#define ICMP_H

#include <gost/transport.h>

#define ICMP_HEAD 18u /* type, code, checksum, id, number; magic, flags, reserved, length */

enum icmp_family { ICMP_V4, ICMP_V6 };

/* A message around data: a request of a client, with its id, or the reply of a server. out has room
 * for ICMP_HEAD + data.n; returns the size. The checksum of ICMPv6 is the kernel's business. */
size_t icmp_put(enum icmp_family family, const struct gost_frame *frame, struct gost_bytes data,
                uint8_t *out);
/* What is in a message for this end, as the raw socket gives it: ICMPv4 with its IP header.
 * GOST_OK: ret_data is a view, ret_port the id. GOST_EPROTO: it is none of ours. */
int icmp_get(enum icmp_family family, const struct gost_frame *frame, struct gost_bytes message,
             struct gost_bytes *ret_data, uint16_t *ret_port);

#endif
