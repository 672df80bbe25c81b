/* http1_client.h - URLs and whole answers of web servers (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_CLIENT_H
#define GOST_HTTP1_CLIENT_H

#include <gost/http1.h>

#define GOST_ANSWER_MAX (64u << 20) /* bytes of a body */

/* "http://user:pass@host:port/path?query". Views point into the text. */
struct gost_url {
    int tls;
    struct gost_bytes user, secret; /* of the authority; .p is NULL when there is none */
    struct gost_bytes authority;    /* "host:port" as written, for the Host field */
    struct gost_bytes target;       /* "/path?query"; may be empty */
    struct gost_addr addr;
};

/* GOST_OK, or GOST_EPROTO: no http or https URL. [any] */
int gost_url_parse(struct gost_url *ret_url, struct gost_bytes text);

/* The same of what follows "http://", or "https://" when tls is 1. [any] */
int gost_url_parse_rest(struct gost_url *ret_url, struct gost_bytes text, int tls);

/* The first two lines of a request: METHOD and target, Host. [any] */
void gost_url_put(struct gost_http1_out *out, const char *method, const struct gost_url *url);

/* An answer as it comes in. Zeroed: at its start. */
struct gost_answer {
    int has_head, redirect;
    uint32_t status;
    struct gost_http1_body body;
    uint8_t *data;       /* *owned* */
    size_t n, room, max; /* max: bytes at most, 0: GOST_ANSWER_MAX */
    char location[1024]; /* of a redirect */
};

/*
 * Read from the start of `in`: *ret_used bytes are no longer needed. GOST_OK: complete; GOST_AGAIN:
 * show more (all that was not used, and what follows it); else an error with a literal *ret_why.
 */
int gost_answer_feed(struct gost_answer *a, struct gost_bytes in, size_t *ret_used,
                     const char **ret_why);

/* The same of all that a port has (NULL: nothing); GOST_AGAIN: call again when it has more. */
int gost_answer_read(struct gost_answer *a, struct gost_io *wire, const char **ret_why);
int gost_answer_end(struct gost_answer *a); /* the connection ended */
void gost_answer_free(struct gost_answer *a);

#endif
