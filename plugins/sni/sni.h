/* sni.h - the sni plugin: names in ClientHellos and HTTP heads, and hiding them. */
/* SPDX-License-Identifier: MIT */
#ifndef SNI_H
#define SNI_H

#include <gost/http1.h>

#define SNI_NAME_MAX 256 /* room for a name and its final zero */

/*
 * Find the server name in a TLS ClientHello that starts at `in` and may span records. GOST_OK: name
 * is filled, "" when the client sent none. GOST_AGAIN: *ret_need bytes in total are needed next.
 * GOST_EPROTO. [any], pure
 */
int sni_hello_name(struct gost_bytes in, size_t *ret_need, char name[SNI_NAME_MAX]);

/*
 * Write the ClientHello at the start of `in` to out with the server name `host` and the real one in
 * extension 0xfffe. GOST_OK: *ret_used bytes of `in` were used. GOST_AGAIN: as above.
 * GOST_EUNSUPPORTED: it has no server name. GOST_EPROTO; GOST_ETOOBIG: it does not fit. [any], pure
 */
int sni_hello_cover(struct gost_http1_out *out, struct gost_bytes in, struct gost_bytes host,
                    size_t *ret_used, size_t *ret_need);

/* 1: may be the start of an HTTP request (so far). [any], pure */
int sni_http_likely(struct gost_bytes in);

/* The same for an HTTP request head: Host becomes `host`, Gost-Target the real one. */
int sni_http_cover(struct gost_http1_out *out, struct gost_bytes in, struct gost_bytes host,
                   size_t *ret_used);

/* Bytes a cover adds at most. */
#define SNI_COVER_EXTRA (1024 + 2 * SNI_NAME_MAX)

struct sni_connector_conf {
    const char *host;
};

extern const struct gost_connector_ops sni_connector_ops;
extern const struct gost_layer_ops sni_cover_ops;

struct sni_connector_state {
    uint32_t upgrading;
};

struct sni_cover_state {
    uint32_t over;    /* the first bytes have gone */
    uint32_t waiting; /* for the rest of them, with a deadline */
};

#endif
