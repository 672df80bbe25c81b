/* source.h - what the files of this plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef SOURCE_H
#define SOURCE_H

#include <gost/http1.h>
#include <gost/plugin.h>

#define SOURCE_DATA_MAX (64u << 20) /* bytes of one fetch */

struct source_file_conf {
    const char *path;
};

struct source_http_conf {
    const char *url;
};

/* "http://user:pass@host:port/path?query". Views point into the text. */
struct source_url {
    int tls;
    struct gost_bytes user, secret; /* of the authority; .p is NULL when there is none */
    struct gost_bytes authority;    /* "host:port" as written, for the Host field */
    struct gost_bytes target;       /* "/path?query"; may be empty */
    struct gost_addr addr;
};

/* GOST_OK, or GOST_EPROTO: no http or https URL. [any] */
int source_url_parse(struct source_url *ret_url, struct gost_bytes text);

/* An answer as it comes in. Zeroed: at its start. */
struct source_answer {
    int has_head, redirect;
    uint32_t status;
    struct gost_http1_body body;
    uint8_t *data; /* *owned* */
    size_t n, room;
    char location[1024]; /* of a redirect */
};

/*
 * Read from the start of `in`: *ret_used bytes are no longer needed. GOST_OK: complete; GOST_AGAIN:
 * show more (all that was not used, and what follows it); else an error with a literal *ret_why.
 */
int source_answer_feed(struct source_answer *a, struct gost_bytes in, size_t *ret_used,
                       const char **ret_why);
int source_answer_end(struct source_answer *a); /* the connection ended */
void source_answer_free(struct source_answer *a);

struct source_http {
    char url[2048];
    unsigned hops;
    struct source_answer answer;
};

extern const struct gost_source_ops source_file_ops, source_http_ops;

#endif
