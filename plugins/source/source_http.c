/* source_http.c - policy source: one GET, redirects followed. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "source.h"

enum { REDIRECTS_MAX = 10, TAG_DIAL = 1, TAG_TLS = 2, WIRE = 1 };

static int dial(struct source_http *s, struct gost_io *io)
{
    struct gost_url url;

    if (gost_url_parse(&url, gost_bytes_str(s->url)) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "it was sent on to what is no http or https URL");
    gost_phase(io, "the web server");
    gost_answer_free(&s->answer);
    (void)gost_dial(io, TAG_DIAL, WIRE, GOST_NET_TCP, &url.addr);
    return GOST_AGAIN;
}

static int send_request(const struct gost_url *url, struct gost_io *io)
{
    uint8_t buf[4096];
    struct gost_http1_out out = {buf, 0, sizeof buf, 0};
    struct gost_io *wire = gost_port(io, WIRE);

    if (!wire)
        return gost_fail(io, GOST_ECLOSED, "the connection is gone");
    gost_url_put(&out, "GET", url);
    gost_http1_put_str(&out, "Connection: close\r\n");
    if (url->user.p) {
        gost_http1_put_str(&out, "Authorization: ");
        gost_http1_put_basic(&out, url->user, url->secret);
        gost_http1_put_str(&out, "\r\n");
    }
    gost_http1_put_str(&out, "\r\n");
    if (out.full)
        return gost_fail(io, GOST_ETOOBIG, "the URL is too long");
    (void)gost_send(wire, buf, out.n);
    gost_phase(io, "the answer");
    return GOST_AGAIN;
}

static int opened(struct source_http *s, struct gost_io *io, const struct gost_event *ev)
{
    struct gost_url url;

    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "it cannot be reached");
    if (gost_url_parse(&url, gost_bytes_str(s->url)) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the URL is none");
    if (url.tls && ev->tag == TAG_DIAL)
        return gost_asked(gost_start_tls(io, TAG_TLS, WIRE, &url.addr));
    return send_request(&url, io);
}

/* The URL that a redirect names; a path stays at its server. */
static int follow(struct source_http *s, struct gost_io *io)
{
    const char *to = s->answer.location;
    struct gost_url url;
    char next[sizeof s->url];
    int n;

    if (++s->hops > REDIRECTS_MAX)
        return gost_fail(io, GOST_EPROTO, "more than %d redirects", REDIRECTS_MAX);
    if (gost_url_parse(&url, gost_bytes_str(s->url)) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the URL is none");
    if (to[0] == '/' && to[1] == '/')
        n = snprintf(next, sizeof next, "%s%s", url.tls ? "https:" : "http:", to);
    else if (to[0] == '/')
        n = snprintf(next, sizeof next, "%s://%.*s%s", url.tls ? "https" : "http",
                     (int)url.authority.n, (const char *)url.authority.p, to);
    else
        n = snprintf(next, sizeof next, "%s", to);
    if (n < 0 || (size_t)n >= sizeof next)
        return gost_fail(io, GOST_ETOOBIG, "the redirect is too long");
    memcpy(s->url, next, (size_t)n + 1);
    return dial(s, io);
}

static int complete(struct source_http *s, struct gost_io *io)
{
    if (s->answer.redirect)
        return follow(s, io);
    if (s->answer.status != 200)
        return gost_fail(io, GOST_EPEER, "the server answered with status %u, not 200",
                         s->answer.status);
    gost_source_data(io, gost_bytes(s->answer.data, s->answer.n));
    return GOST_OK;
}

static int read_answer(struct source_http *s, struct gost_io *io, int ended)
{
    const char *why = NULL;
    int r = gost_answer_read(&s->answer, gost_port(io, WIRE), &why);

    if (r == GOST_OK)
        return complete(s, io);
    if (r != GOST_AGAIN)
        return gost_fail(io, r, "%s", why);
    if (!ended)
        return GOST_AGAIN;
    if (gost_answer_end(&s->answer) != GOST_OK)
        return gost_fail(io, GOST_ECLOSED, "the connection ended before the answer was complete");
    return complete(s, io);
}

static int http_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct source_http_conf *cf = conf;
    struct source_http *s = state;

    switch (ev->type) {
    case GOST_EV_START:
        snprintf(s->url, sizeof s->url, "%s", cf->url);
        return dial(s, io);
    case GOST_EV_RESULT:
        return opened(s, io, ev);
    case GOST_EV_READABLE:
        return ev->port == WIRE ? read_answer(s, io, 0) : GOST_AGAIN;
    case GOST_EV_EOF:
        return ev->port == WIRE ? read_answer(s, io, 1) : GOST_AGAIN;
    case GOST_EV_CLOSED:
        return ev->port == WIRE ? gost_fail(io, GOST_ECLOSED, "the connection was lost")
                                : GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

static void http_destroy(void *state)
{
    gost_answer_free(&((struct source_http *)state)->answer);
}

const struct gost_source_ops source_http_ops = {
    .size = sizeof source_http_ops, .step = http_step, .destroy = http_destroy};
