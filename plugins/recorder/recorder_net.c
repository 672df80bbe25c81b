/* recorder_net.c - a record sent over TCP, or posted to a web server. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "recorder.h"

enum { WIRE = 1, TAG_DIAL = 1, TAG_TLS = 2 };

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

static void put_fields(const struct recorder_http_conf *cf, struct gost_http1_out *out)
{
    int has_type = 0;
    uint32_t i;

    for (i = 0; i < cf->header.n; i++) {
        struct gost_bytes name = gost_bytes_str(cf->header.v[i].key);

        gost_http1_put_field(out, name, gost_bytes_str(cf->header.v[i].value));
        has_type |= gost_http1_is(name, "content-type");
    }
    if (cf->token.n) {
        gost_http1_put_str(out, "Authorization: Bearer ");
        gost_http1_put(out, cf->token);
        gost_http1_put_str(out, "\r\n");
    }
    if (!has_type)
        gost_http1_put_str(out, "Content-Type: application/json\r\n");
}

static int post(const struct recorder_http_conf *cf, const struct gost_url *url,
                const struct gost_q_record *q, struct gost_io *io, struct gost_io *wire)
{
    uint8_t buf[8192];
    char length[24];
    struct gost_http1_out out = {buf, 0, sizeof buf, 0};

    snprintf(length, sizeof length, "%zu", q->data.n);
    gost_url_put(&out, "POST", url);
    gost_http1_put_str(&out, "Content-Length: ");
    gost_http1_put_str(&out, length);
    gost_http1_put_str(&out, "\r\nConnection: close\r\n");
    put_fields(cf, &out);
    gost_http1_put_str(&out, "\r\n");
    if (out.full)
        return gost_fail(io, GOST_ETOOBIG, "the header is too long");
    (void)gost_send(wire, buf, out.n);
    (void)gost_send(wire, q->data.p, q->data.n);
    gost_phase(io, "the answer");
    return GOST_AGAIN;
}

static int opened(const struct recorder_http_conf *cf, struct gost_io *io,
                  const struct gost_event *ev)
{
    const struct gost_q_record *q = recorder_question(io);
    struct gost_io *wire = gost_port(io, WIRE);
    struct gost_url url;

    if (!q || gost_url_parse(&url, gost_bytes_str(cf->url)) != GOST_OK)
        return GOST_EINTERNAL;
    if (ev->status != GOST_OK || !wire)
        return refused(io, ev);
    if (url.tls && ev->tag == TAG_DIAL)
        return gost_asked(gost_start_tls(io, TAG_TLS, WIRE, &url.addr));
    return post(cf, &url, q, io, wire);
}

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
    if (s->answer.status >= 400 || (cf->must_say_ok && s->answer.status != 200))
        return gost_fail(io, GOST_EPEER, "the server answered with status %u", s->answer.status);
    if (cf->must_say_ok && !says_ok(gost_bytes(s->answer.data, s->answer.n)))
        return gost_fail(io, GOST_EPEER, "the server did not answer {\"ok\":true}");
    return GOST_OK;
}

static int read_answer(struct recorder_http *s, const struct recorder_http_conf *cf,
                       struct gost_io *io, int ended)
{
    const char *why = NULL;
    int r = gost_answer_read(&s->answer, gost_port(io, WIRE), &why);

    if (r != GOST_OK && r != GOST_AGAIN)
        return gost_fail(io, r, "%s", why);
    if (r == GOST_OK || (s->answer.has_head && (ended || !cf->must_say_ok)))
        return judge(s, cf, io);
    return ended ? gost_fail(io, GOST_ECLOSED, "the connection ended without an answer")
                 : GOST_AGAIN;
}

static int http_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct recorder_http_conf *cf = conf;
    struct recorder_http *s = state;
    struct gost_url url;

    switch (ev->type) {
    case GOST_EV_START:
        s->answer.max = 65536;
        if (gost_url_parse(&url, gost_bytes_str(cf->url)) != GOST_OK)
            return gost_fail(io, GOST_EPROTO, "the url is none");
        (void)gost_dial(io, TAG_DIAL, WIRE, GOST_NET_TCP, &url.addr);
        return GOST_AGAIN;
    case GOST_EV_RESULT:
        return opened(cf, io, ev);
    case GOST_EV_READABLE:
        return ev->port == WIRE ? read_answer(s, cf, io, 0) : GOST_AGAIN;
    case GOST_EV_EOF:
        return ev->port == WIRE ? read_answer(s, cf, io, 1) : GOST_AGAIN;
    case GOST_EV_CLOSED:
        return ev->port == WIRE ? gost_fail(io, GOST_ECLOSED, "the connection was lost")
                                : GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

static void http_destroy(void *state)
{
    gost_answer_free(&((struct recorder_http *)state)->answer);
}

const struct gost_remote_ops recorder_http_ops = {.size = sizeof recorder_http_ops,
                                                  .policy = GOST_POLICY_RECORDER,
                                                  .step = http_step,
                                                  .destroy = http_destroy};
