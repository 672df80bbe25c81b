/* grpc_frame.c - messages of a call: gRPC's length and the one field of protobuf. Pure. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "grpc.h"

#define HEAD_N     5u
#define DATA_FIELD 0x0au /* field 1, bytes */

enum { WIRE_NUMBER = 0, WIRE_8 = 1, WIRE_BYTES = 2, WIRE_4 = 5 };

/* Bytes of the stream that come next as they are. */
uint32_t grpc_data(const struct grpc_reader *r)
{
    return r->phase == GRPC_DATA ? r->data : 0;
}

static void next_field(struct grpc_reader *r)
{
    r->phase = r->left > 0 ? GRPC_TAG : GRPC_HEAD;
    r->number = r->digits = 0;
    if (r->left == 0)
        r->seen = 0;
}

/* n of them (at most grpc_data()) were taken. */
void grpc_pass(struct grpc_reader *r, uint32_t n)
{
    r->data -= n;
    r->left -= n;
    if (r->data == 0)
        next_field(r);
}

/* 1: no message is under way. */
int grpc_between(const struct grpc_reader *r)
{
    return r->phase == GRPC_HEAD && r->digits == 0;
}

/* Numbers of more than 32 bits have no meaning here. 1: complete, 0: more follows. */
static int number(struct grpc_reader *r, uint8_t byte)
{
    if (r->digits >= 5 || (r->digits == 4 && (byte & 0x7f) > 0x0f))
        return GOST_EPROTO;
    r->number |= (uint32_t)(byte & 0x7f) << (7 * r->digits++);
    return (byte & 0x80) == 0;
}

static int head_byte(struct grpc_reader *r, uint8_t byte)
{
    if (r->digits == 0 && byte != 0)
        return GOST_EUNSUPPORTED; /* compressed */
    if (r->digits++ > 0)
        r->left = r->left << 8 | byte;
    else
        r->left = 0;
    if (r->digits < HEAD_N)
        return GOST_OK;
    if (r->left > GRPC_MESSAGE_MAX)
        return GOST_ETOOBIG;
    next_field(r);
    return GOST_OK;
}

/* A field of n bytes begins. */
static int begin_bytes(struct grpc_reader *r, enum grpc_phase phase, uint32_t n)
{
    if (n > r->left)
        return GOST_EPROTO;
    r->phase = phase;
    r->data = n;
    if (n == 0)
        next_field(r);
    return GOST_OK;
}

static int begin_field(struct grpc_reader *r)
{
    uint32_t tag = r->number;

    r->number = r->digits = 0;
    if (tag >> 3 == 0)
        return GOST_EPROTO;
    switch (tag & 7) {
    case WIRE_NUMBER:
        r->phase = GRPC_SKIP_NUMBER;
        return GOST_OK;
    case WIRE_8:
        return begin_bytes(r, GRPC_SKIP, 8);
    case WIRE_4:
        return begin_bytes(r, GRPC_SKIP, 4);
    case WIRE_BYTES:
        if (tag == DATA_FIELD && r->seen)
            return GOST_EPROTO; /* the last one would count, and the first is gone */
        r->seen |= tag == DATA_FIELD;
        r->skip = tag != DATA_FIELD;
        r->phase = GRPC_LENGTH;
        return GOST_OK;
    default:
        return GOST_EPROTO;
    }
}

static int message_byte(struct grpc_reader *r, uint8_t byte)
{
    int n;

    if (r->left-- == 0)
        return GOST_EPROTO;
    if (r->phase == GRPC_SKIP) {
        if (--r->data == 0)
            next_field(r);
        return GOST_OK;
    }
    if (r->phase == GRPC_SKIP_NUMBER) { /* of 64 bits, for all we know */
        if (++r->digits > 10)
            return GOST_EPROTO;
        if (!(byte & 0x80))
            next_field(r);
        return r->left == 0 && r->phase == GRPC_SKIP_NUMBER ? GOST_EPROTO : GOST_OK;
    }
    n = number(r, byte);
    if (n < 0 || (n == 0 && r->left == 0))
        return GOST_EPROTO;
    if (n == 0)
        return GOST_OK;
    if (r->phase == GRPC_LENGTH)
        return begin_bytes(r, r->skip ? GRPC_SKIP : GRPC_DATA, r->number);
    return r->left == 0 ? GOST_EPROTO : begin_field(r);
}

/* Read what stands around the stream's bytes; stops at them. Bytes used, or an error. */
int grpc_feed(struct grpc_reader *r, struct gost_bytes in)
{
    size_t i;
    int rc;

    for (i = 0; i < in.n && i < GOST_PEEK_MAX && !grpc_data(r); i++) {
        rc = r->phase == GRPC_HEAD ? head_byte(r, in.p[i]) : message_byte(r, in.p[i]);
        if (rc != GOST_OK)
            return rc;
    }
    return (int)i;
}

/* What stands before n > 0 bytes of the stream; `to` has room for GRPC_PREFIX_MAX. Its length. */
size_t grpc_prefix(uint8_t *to, uint32_t n)
{
    uint8_t field[6] = {DATA_FIELD};
    size_t k = 1;
    uint32_t v;

    for (v = n; v > 0x7f; v >>= 7)
        field[k++] = (uint8_t)(v | 0x80);
    field[k++] = (uint8_t)v;
    to[0] = 0;
    gost_put32(to + 1, (uint32_t)k + n);
    memcpy(to + HEAD_N, field, k);
    return HEAD_N + k;
}

/* GOST's reading of a path: "a/b/c" is method b-c of service a. The length; 0: too long. */
size_t grpc_method(char *to, size_t size, const char *path)
{
    size_t n, i, service;
    int k;

    while (path && *path == '/')
        path++;
    n = path ? strlen(path) : 0;
    while (n > 0 && path[n - 1] == '/')
        n--;
    service = n;
    for (i = 0; i < n && service == n; i++)
        if (path[i] == '/')
            service = i;
    if (n == 0)
        k = snprintf(to, size, "/GostTunel/Tunnel");
    else if (service == n)
        k = snprintf(to, size, "/%.*s/Tunnel", (int)n, path);
    else
        k = snprintf(to, size, "/%.*s", (int)n, path);
    if (k < 0 || (size_t)k >= size)
        return 0;
    if (service < n)
        for (i = service + 2; to[i]; i++) /* behind the slash that ends the service */
            to[i] = to[i] == '/' ? '-' : to[i];
    return (size_t)k;
}
