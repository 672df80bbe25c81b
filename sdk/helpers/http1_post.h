/* http1_post.h - a request to a web server and its answer, as steps (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_POST_H
#define GOST_HTTP1_POST_H

#include <gost/component.h>
#include <gost/options.h>

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

/* Of what is posted to a web server: where to (`help` says what), and the login. */
#define GOST_POST_OPT_URL(type, help) \
    GOST_OPT_STRING(type, url, "url", NULL, GOST_OPT_REQUIRED | GOST_OPT_CLIENT, help)
#define GOST_POST_OPT_TOKEN(type) \
    GOST_OPT_SECRET(type, token, "token", 1000, GOST_OPT_CLIENT, "sent as Authorization: Bearer")

/* A prepare(): what is wrong with url, header and token is said in p->error. [main] */
int gost_post_prepare(const struct gost_post_request *request, struct gost_prepare *p);

#endif
