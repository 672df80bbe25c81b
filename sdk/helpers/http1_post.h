/* http1_post.h - a request to a web server and its answer, as steps (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_POST_H
#define GOST_HTTP1_POST_H

#include "http1_client.h"

/* What to send. All is *borrowed* and the same in each step. */
struct gost_post_request {
    const char *url;               /* gost_url_parse() takes it */
    const struct gost_map *header; /* NULL: none. Content-Type is added where it is not there */
    struct gost_bytes token;       /* Authorization: Bearer; empty: none */
    struct gost_bytes body;
    int head_is_enough; /* the body of the answer does not matter */
};

/* One under way. Zeroed: at its start; answer.max may be set. */
struct gost_post {
    struct gost_answer answer;
};

/* A step of it, on port 1. GOST_OK: post->answer is there; GOST_AGAIN; else it has failed. */
int gost_post_step(struct gost_post *post, const struct gost_post_request *request,
                   struct gost_io *io, const struct gost_event *ev);
void gost_post_free(struct gost_post *post);

/* What is wrong with url, header and token; NULL: nothing. [any] */
const char *gost_post_check(const struct gost_post_request *request, char *buf, size_t size);

#endif
