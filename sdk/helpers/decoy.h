/* decoy.h - probe resistance: what a failed login sees in place of 407 (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_DECOY_H
#define GOST_DECOY_H

#include <gost/component.h>

enum gost_decoy_kind {
    GOST_DECOY_OFF = 0, /* no probe resistance: a failed login gets 407 */
    GOST_DECOY_CODE,
    GOST_DECOY_WEB,
    GOST_DECOY_HOST,
    GOST_DECOY_FILE,
    GOST_DECOY_UNKNOWN /* any other type: 503 */
};

#define GOST_DECOY_TIMEOUT  (15 * GOST_S)
#define GOST_DECOY_FILE_MAX (4u * 1024 * 1024)

/* The option probeResist, taken apart. Views point into its text. */
struct gost_decoy {
    uint32_t kind;                     /* enum gost_decoy_kind */
    uint32_t code;                     /* CODE: 100 to 999; 0: it names no status */
    uint32_t tls;                      /* WEB: https */
    const char *value;                 /* behind the type; FILE: a path */
    struct gost_bytes authority, path; /* WEB; the path may be empty */
    struct gost_addr addr;             /* WEB, HOST */
};

/* Take "type:value" apart; NULL or "" is OFF. GOST_OK, or GOST_EPROTO with p->error: WEB or HOST
 * without an address. [main] */
int gost_decoy_parse(struct gost_decoy *ret_decoy, const char *text, struct gost_prepare *p);

/* Connect `port` to the server that is shown: not through the chain, no policy is asked. What
 * gost_act() gave. [worker] */
int gost_decoy_dial(struct gost_io *io, uint32_t tag, uint32_t port, const struct gost_addr *addr);

/* 1: the comma-separated list (the option knock; may be NULL) holds the host, in any case. [any] */
int gost_decoy_knocked(const char *list, struct gost_bytes host);

#endif
