/* ss_packet.h - one association's packets: sealing and opening, by family of methods. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_PACKET_H
#define SS_PACKET_H

#include <gost/host.h>

#include "ss.h"
#include "ss_header.h"

#define SS_DATAGRAM_MAX 65507u /* the largest UDP payload on IPv4 */
#define SS_PACKET_MAX   65536u

/* A session of the server's, as its client sees it. */
struct ss_remote {
    uint8_t id[SS_SESSION_ID];
    uint8_t known;
    struct ss_window window;
};

struct ss_packet {
    struct ss_arg arg;
    struct gost_addr peer;          /* client: the only target; NONE: packets say theirs */
    uint8_t reversed;               /* server: the client is an older GOST */
    const struct ss_key *key;       /* server: of the last authentic packet. borrowed */
    uint8_t session[SS_SESSION_ID]; /* the client's; in the server of the last authentic packet */
    uint64_t sent;                  /* client: number of the next packet */
    uint8_t heard;                  /* server: there was an authentic packet */
    uint64_t changed_ns;            /* client: when the server's session changed last */
    struct ss_remote remote[2];     /* client: the server's session, and the one before */
};

/* What a datagram holds; a view into buf. buf has SS_PACKET_MAX bytes. GOST_OK, or an error, with
 * *ret_why saying what is wrong with it. */
int ss_packet_open(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                   struct gost_addr *ret_addr, struct gost_bytes *ret_data, const char **ret_why);

/* The datagram to send, a view into buf. GOST_OK; GOST_ETOOBIG: no datagram holds it. */
int ss_packet_seal(struct ss_packet *s, int server, const struct gost_addr *addr,
                   struct gost_bytes data, uint8_t *buf, struct gost_bytes *ret_out);

/* The methods of 2022. */
int ss_packet22_open(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                     struct gost_addr *ret_addr, struct gost_bytes *ret_data, const char **ret_why);
int ss_packet22_seal(struct ss_packet *s, int server, const struct gost_addr *addr,
                     struct gost_bytes data, uint8_t *buf, struct gost_bytes *ret_out);

#endif
