/* ssh_wire.h - the data types of RFC 4251: a reader over a view, a writer over a growing buffer. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_WIRE_H
#define SSH_WIRE_H

#include <gost/base.h>

/* ---- reading: once something is missing, bad is set and all further values are empty ---- */

struct ssh_in {
    const uint8_t *p;
    size_t n; /* left */
    int bad;
};

struct ssh_in ssh_in(struct gost_bytes b);
uint8_t ssh_get_u8(struct ssh_in *in);
uint32_t ssh_get_u32(struct ssh_in *in);
struct gost_bytes ssh_get_bytes(struct ssh_in *in, size_t n);
struct gost_bytes ssh_get_string(struct ssh_in *in);
/* The number of an mpint without leading zeros; negative numbers are bad. */
struct gost_bytes ssh_get_mpint(struct ssh_in *in);

int ssh_is(struct gost_bytes b, const char *text);
/* 1: the comma-separated list holds the word. */
int ssh_has_name(struct gost_bytes list, const char *word);

/* ---- writing: without memory, bad is set and the rest is dropped ---- */

struct ssh_out {
    uint8_t *p;
    size_t n, cap;
    int bad;
};

void ssh_put(struct ssh_out *o, const void *p, size_t n);
void ssh_put_u8(struct ssh_out *o, uint8_t v);
void ssh_put_u32(struct ssh_out *o, uint32_t v);
void ssh_put_string(struct ssh_out *o, struct gost_bytes b);
void ssh_put_text(struct ssh_out *o, const char *text);
void ssh_put_mpint(struct ssh_out *o, struct gost_bytes number);
struct gost_bytes ssh_out_bytes(const struct ssh_out *o);
void ssh_out_free(struct ssh_out *o); /* wipes it; usable again afterwards */

/* Decodes base64 without regard to white space. At most room bytes; GOST_EPROTO: it is none. */
int ssh_base64(struct gost_bytes text, uint8_t *out, size_t room, size_t *ret_n);

#endif
