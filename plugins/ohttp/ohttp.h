/* ohttp.h - what the files of the ohttp plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef OHTTP_H
#define OHTTP_H

#include <gost/host.h>
#include <gost/http1.h>

#include "http1_fields.h"

#define OHTTP_ACCEPT     28 /* base64 of a SHA-1 digest */

struct ohttp_conf {
    const char *host, *path;
    struct gost_map header;
};

/* One connection. */
struct ohttp_state {
    uint8_t client;
    uint8_t sent; /* our head went out */
    uint8_t got;  /* the peer's head is read */
    size_t scanned;
    char accept[OHTTP_ACCEPT]; /* server: for the answer that is held back */
};

/* ---- ohttp_head.c ---- [any] */

/* Bytes that a head needs at most. */
size_t ohttp_head_size(const struct ohttp_conf *c);
/* A request with a new random key. */
void ohttp_put_request(struct gost_http1_out *out, const struct ohttp_conf *c, const char *host);
/* The answer; `now` in ns since 1970. */
void ohttp_put_answer(struct gost_http1_out *out, const struct ohttp_conf *c,
                      const char accept[OHTTP_ACCEPT], uint64_t now);
void ohttp_put_refusal(struct gost_http1_out *out, uint64_t now);
/* What Sec-Websocket-Accept is to this key, however long that is. */
void ohttp_accept(char accept[OHTTP_ACCEPT], struct gost_bytes key);
/* 1: a request that asks for our stream. */
int ohttp_is_request(const struct gost_http1_head *head);

/* ---- ohttp_layer.c ---- */

extern const struct gost_layer_ops ohttp_layer_ops;

#endif
