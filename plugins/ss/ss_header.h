/* ss_header.h - the headers of Shadowsocks 2022 streams, and its packets' bodies: bytes alone. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_HEADER_H
#define SS_HEADER_H

#include <gost/addr.h>

#define SS_PADDING_MAX 900u
#define SS_SKEW_S      30u /* how far apart clocks may be */

#define SS_REQUEST_FIXED     11u                        /* type, time, length */
#define SS_RESPONSE_FIXED(m) (1u + 8u + (m)->salt + 2u) /* and the request's salt */
#define SS_RESPONSE_MAX      (1u + 8u + 32u + 2u)
#define SS_VARIABLE_MAX      (GOST_SOCKS_ADDR_MAX + 2u + SS_PADDING_MAX) /* before the payload */

enum ss_type { SS_FROM_CLIENT = 0, SS_FROM_SERVER = 1 };

/* Type and time, the first nine bytes of every header. GOST_OK; GOST_EPROTO: the other type, or too
 * far from now; *ret_why says what. [any], pure */
int ss_stamp_check(const uint8_t stamp[9], enum ss_type type, uint64_t unix_s,
                   const char **ret_why);
void ss_stamp_put(uint8_t stamp[9], enum ss_type type, uint64_t unix_s);

/* The variable header of a request: the address with its bytes, and what follows the padding.
 * GOST_OK; GOST_EPROTO: cut off, or there is neither padding nor payload. [any], pure */
struct ss_variable {
    struct gost_bytes addr, payload; /* views into the input */
};
int ss_variable_parse(struct ss_variable *ret_header, struct gost_bytes in);

/* A packet's body behind its time: for packets of a server the client's session, then padding,
 * address and payload. GOST_OK or GOST_EPROTO. [any], pure */
struct ss_body {
    const uint8_t *session; /* 8 bytes, of the client; NULL in packets from clients */
    struct gost_addr addr;
    struct gost_bytes payload;
};
int ss_body_parse(struct ss_body *ret_body, enum ss_type type, struct gost_bytes in);

#endif
