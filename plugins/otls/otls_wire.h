/* otls_wire.h - the records of otls as pure functions over bytes. */
/* SPDX-License-Identifier: MIT */
#ifndef OTLS_WIRE_H
#define OTLS_WIRE_H

#include <gost/base.h>

#define OTLS_RECORD_HEAD 5
#define OTLS_RECORD_MAX  16384 /* longest body that we send */
#define OTLS_RECORD_TAKE 65531 /* longest body that we take: older clients hide 32 KiB in one */
#define OTLS_ID          32    /* bytes of a random and of a session id */
#define OTLS_HOST_MAX    255
#define OTLS_HELLO_BASE  212  /* body of a client's hello without payload and host */
#define OTLS_FIRST_MAX   1024 /* most of the data that our hello hides */
#define OTLS_SERVER_SIZE 102  /* both records that begin a server's direction */

enum otls_type {
    OTLS_CHANGE_CIPHER = 0x14,
    OTLS_ALERT = 0x15,
    OTLS_HANDSHAKE = 0x16,
    OTLS_DATA = 0x17
};

struct otls_random {
    uint8_t random[OTLS_ID], id[OTLS_ID];
};

struct otls_record {
    uint32_t type, version, length;
};

/* The five bytes before a body. */
struct otls_record otls_record_parse(const uint8_t *p);
uint8_t *otls_record_put(uint8_t *p, uint32_t type, uint32_t version, uint32_t length);

/*
 * A client's hello with its record head, in two parts with the payload between them. Both return
 * the bytes written: at most OTLS_HELLO_BASE + OTLS_RECORD_HEAD + host.n together.
 */
size_t otls_hello_begin(uint8_t *to, const struct otls_random *r, size_t payload_n,
                        struct gost_bytes host);
size_t otls_hello_end(uint8_t *to, struct gost_bytes host);

/*
 * Read the body of a client's hello record. GOST_OK: *ret_payload points into it (empty when there
 * is none), id is the session id to echo, *ret_id_n its length. GOST_EPROTO: *ret_why says what it
 * is not.
 */
int otls_hello_parse(struct gost_bytes body, struct gost_bytes *ret_payload, uint8_t id[OTLS_ID],
                     size_t *ret_id_n, const char **ret_why);

/* ServerHello and ChangeCipherSpec, OTLS_SERVER_SIZE bytes. */
void otls_server_put(uint8_t to[OTLS_SERVER_SIZE], const struct otls_random *r);

#endif
