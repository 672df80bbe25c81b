/* resolver.h - what the files of this plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <gost/plugin.h>

#include "http1_client.h"

enum resolver_scheme { RESOLVER_UDP, RESOLVER_TCP, RESOLVER_TLS, RESOLVER_HTTPS };

/* A name server: "[scheme://]host[:port][/path]". */
struct resolver_server {
    uint32_t scheme; /* enum resolver_scheme */
    struct gost_addr addr;
    char authority[300], path[512]; /* https */
};

/* GOST_OK or GOST_EPROTO. [any] */
int resolver_server_parse(struct resolver_server *ret_server, const char *text);

/* ---- messages (RFC 1035), pure. [any] ---- */

#define RESOLVER_QUERY_MAX 512

/* What is asked: a name and the type of its addresses. */
struct resolver_question {
    uint16_t id;
    uint32_t family; /* 4: A, 6: AAAA */
    struct gost_bytes name;
    const struct gost_addr *subnet; /* of the client, NULL: do not tell (RFC 7871) */
};

/* Writes a query. Its length, or 0: the name cannot be asked for. */
size_t resolver_query_put(uint8_t buf[RESOLVER_QUERY_MAX], const struct resolver_question *q);

struct resolver_reply {
    uint32_t rcode;
    int truncated;
    uint32_t ttl; /* seconds; the least of all records, 0: there are none */
    uint32_t n;
    struct gost_addr addr[GOST_ADDRS_MAX];
};

/* GOST_OK; GOST_AGAIN: no reply to this question; GOST_EPROTO: malformed. */
int resolver_reply_parse(struct resolver_reply *ret_reply, struct gost_bytes message,
                         const struct resolver_question *q);

#endif
