/* recorder_net.c - a record sent over TCP, or posted to a web server. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "recorder.h"

enum { WIRE = 1, TAG_DIAL = 1 };

static int refused(struct gost_io *io, const struct gost_event *ev)
{
    return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "it cannot be reached");
}

/* ---- TCP ---- */

static int tcp_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct recorder_tcp_conf *cf = conf;
    const struct gost_q_record *q = recorder_question(io);
    struct gost_io *wire = gost_port(io, WIRE);

    if (!q)
        return GOST_EINTERNAL;
    if (ev->type == GOST_EV_START) {
        (void)gost_dial(io, TAG_DIAL, WIRE, GOST_NET_TCP, &cf->addr);
        return GOST_AGAIN;
    }
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status != GOST_OK || !wire)
        return refused(io, ev);
    (void)gost_send(wire, q->data.p, q->data.n);
    return GOST_OK; /* what is sent is flushed, then the connection ends */
}

const struct gost_remote_ops recorder_tcp_ops = {
    .size = sizeof recorder_tcp_ops, .policy = GOST_POLICY_RECORDER, .step = tcp_step};

/* ---- HTTP ---- */

/* {"ok":true}, with blanks wherever. */
static int says_ok(struct gost_bytes body)
{
    static const char want[] = "\"ok\":true";
    size_t i, matched = 0;

    for (i = 0; i < body.n && want[matched]; i++) {
        uint8_t c = body.p[i];

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c != (uint8_t)want[matched])
            matched = 0;
        matched += c == (uint8_t)want[matched];
    }
    return want[matched] == 0;
}

static int judge(const struct recorder_http *s, const struct recorder_http_conf *cf,
                 struct gost_io *io)
{
    if (s->post.answer.status >= 400 || (cf->must_say_ok && s->post.answer.status != 200))
        return gost_fail(io, GOST_EPEER, "the server answered with status %u",
                         s->post.answer.status);
    if (cf->must_say_ok && !says_ok(gost_bytes(s->post.answer.data, s->post.answer.n)))
        return gost_fail(io, GOST_EPEER, "the server did not answer {\"ok\":true}");
    return GOST_OK;
}

static int http_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct recorder_http_conf *cf = conf;
    const struct gost_q_record *q = recorder_question(io);
    struct gost_post_request request = {.url = cf->url, .header = &cf->header, .token = cf->token};
    struct recorder_http *s = state;
    int r;

    if (!q)
        return GOST_EINTERNAL;
    request.body = q->data;
    request.head_is_enough = !cf->must_say_ok;
    s->post.answer.max = 65536;
    r = gost_post_step(&s->post, &request, io, ev);
    return r == GOST_OK ? judge(s, cf, io) : r;
}

static void http_destroy(void *state)
{
    gost_post_free(&((struct recorder_http *)state)->post);
}

const struct gost_remote_ops recorder_http_ops = {.size = sizeof recorder_http_ops,
                                                  .policy = GOST_POLICY_RECORDER,
                                                  .step = http_step,
                                                  .destroy = http_destroy};
