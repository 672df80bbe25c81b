/* webpolicy.c - plugin: policies that a web service decides. */
/* SPDX-License-Identifier: MIT */
#include "webpolicy.h"

#include <stdio.h>

static const struct gost_opt options[] = {
    GOST_POST_OPT_URL(struct webpolicy_conf, "URL that questions are posted to"),
    GOST_POST_OPT_TOKEN(struct webpolicy_conf), GOST_OPT_LAST};

static int prepare(void *conf, struct gost_prepare *p)
{
    const struct webpolicy_conf *c = conf;
    const struct gost_post_request request = {.url = c->url, .token = c->token};

    return gost_post_prepare(&request, p);
}

/* ---- auther ---- */

static int auth_begin(struct webpolicy *s, struct gost_io *io)
{
    const struct gost_q_auth *q = gost_question(io);
    size_t size;

    if (!q)
        return gost_fail(io, GOST_EINTERNAL, "there is no question");
    size = webpolicy_auth_size(q);
    s->body = gost_alloc(io, size);
    if (!s->body)
        return gost_fail(io, GOST_ETOOBIG, "the credentials are too long");
    s->body_n = webpolicy_auth_put(s->body, size, q);
    return s->body_n ? GOST_OK : gost_fail(io, GOST_ETOOBIG, "the credentials are too long");
}

static int auth_end(struct webpolicy *s, struct gost_io *io)
{
    struct gost_a_auth a = {.size = sizeof a};

    if (s->post.answer.status != 200)
        return gost_fail(io, GOST_EPEER, "the server answered with status %u",
                         (unsigned)s->post.answer.status);
    if (webpolicy_auth_read(gost_bytes(s->post.answer.data, s->post.answer.n), &a) != GOST_OK)
        return gost_fail(io, GOST_EPROTO,
                         "the server's answer is not {\"ok\":true,\"id\":\"...\"}");
    gost_answer(io, &a);
    return GOST_OK;
}

static int auth_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct webpolicy_conf *c = conf;
    struct gost_post_request request = {.url = c->url, .token = c->token};
    struct webpolicy *s = state;
    int r = ev->type == GOST_EV_START ? auth_begin(s, io) : GOST_OK;

    if (r != GOST_OK)
        return r;
    request.body = gost_bytes(s->body, s->body_n);
    s->post.answer.max = 65536;
    r = gost_post_step(&s->post, &request, io, ev);
    return r == GOST_OK ? auth_end(s, io) : r;
}

static void destroy(void *state)
{
    struct webpolicy *s = state;

    if (s->body)
        gost_wipe(s->body, s->body_n);
    gost_post_free(&s->post);
}

static const struct gost_remote_ops auther = {
    .size = sizeof auther, .policy = GOST_POLICY_AUTHER, .step = auth_step, .destroy = destroy};

static const struct gost_component components[] = {
    {GOST_KIND_REMOTE, 0, "http-auther", NULL, "users that a web service knows", &auther, options,
     sizeof(struct webpolicy_conf), sizeof(struct webpolicy), prepare, NULL, NULL},
};

GOST_PLUGIN("webpolicy", "1.0", "MIT", "policies that a web service decides", components,
            "remote:http-auther");
