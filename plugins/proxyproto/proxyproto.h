/* proxyproto.h - the PROXY protocol header, versions 1 and 2, without state. */
/* SPDX-License-Identifier: MIT */
#ifndef PROXYPROTO_H
#define PROXYPROTO_H

#include <gost/action.h>
#include <gost/addr.h>

#define PROXYPROTO_V1_MAX     107
#define PROXYPROTO_V2_MAX     (16 + 4096) /* with TLVs; longer ones are refused */
#define PROXYPROTO_HEADER_MAX 128         /* of what proxyproto_put() writes */

struct proxyproto_header {
    int has_addresses; /* 0: LOCAL, UNKNOWN: the addresses of the connection stand */
    struct gost_addr source, destination;
};

/*
 * Parse what a client sent first. Bytes of the header (> 0), 0: there is none (the bytes are
 * the client's own), PROXYPROTO_MORE: more are needed to say, GOST_EPROTO: a broken header.
 * end: no more will come.
 */
#define PROXYPROTO_MORE (-1)
int proxyproto_parse(struct gost_bytes in, int end, struct proxyproto_header *ret_header);

/*
 * Write a header as GOST does: version 1 or 2 (anything else means 2), no TLVs. Returns the
 * length, 0
 * when there is nothing to send: an address is missing, or they are of families that do not fit.
 */
size_t proxyproto_put(uint8_t buf[PROXYPROTO_HEADER_MAX], int version, uint32_t network,
                      const struct gost_addr *source, const struct gost_addr *destination);

#endif
