/* http1_post.c - a request to a web server and its answer, as steps. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "http1_post.h"

enum { WIRE = 1, TAG_DIAL = 1, TAG_TLS = 2 };

/* What is wrong; NULL: nothing. */
static const char *check(const struct gost_post_request *request, char *buf, size_t size)
{
    struct gost_url url;
    uint32_t i;

    if (strlen(request->url) > 2000 ||
        gost_url_parse(&url, gost_bytes_str(request->url)) != GOST_OK)
        return "the url is none, or longer than 2000 bytes: write http://host:port/path";
    for (i = 0; request->header && i < request->header->n; i++) {
        if (gost_http1_valid_name(gost_bytes_str(request->header->v[i].key)) &&
            gost_http1_valid_value(gost_bytes_str(request->header->v[i].value)))
            continue;
        snprintf(buf, size, "\"%.60s\" is no header field", request->header->v[i].key);
        return buf;
    }
    return gost_http1_valid_value(request->token) ? NULL : "the token must be one line";
}

int gost_post_prepare(const struct gost_post_request *request, struct gost_prepare *p)
{
    char buf[100];
    const char *why = check(request, buf, sizeof buf);

    if (!why)
        return GOST_OK;
    snprintf(p->error, p->error_size, "%s", why);
    return GOST_EPROTO;
}

static void put_fields(const struct gost_post_request *request, struct gost_http1_out *out)
{
    int has_type = 0;
    uint32_t i;

    for (i = 0; request->header && i < request->header->n; i++) {
        struct gost_bytes name = gost_bytes_str(request->header->v[i].key);

        gost_http1_put_field(out, name, gost_bytes_str(request->header->v[i].value));
        has_type |= gost_http1_is(name, "content-type");
    }
    if (request->token.n) {
        gost_http1_put_str(out, "Authorization: Bearer ");
        gost_http1_put(out, request->token);
        gost_http1_put_str(out, "\r\n");
    }
    if (!has_type)
        gost_http1_put_str(out, "Content-Type: application/json\r\n");
}

static int send_it(const struct gost_post_request *request, const struct gost_url *url,
                   struct gost_io *io, struct gost_io *wire)
{
    uint8_t buf[8192];
    char length[24];
    struct gost_http1_out out = {buf, 0, sizeof buf, 0};

    snprintf(length, sizeof length, "%zu", request->body.n);
    gost_url_put(&out, "POST", url);
    gost_http1_put_str(&out, "Content-Length: ");
    gost_http1_put_str(&out, length);
    gost_http1_put_str(&out, "\r\nConnection: close\r\n");
    put_fields(request, &out);
    gost_http1_put_str(&out, "\r\n");
    if (out.full)
        return gost_fail(io, GOST_ETOOBIG, "the header is too long");
    (void)gost_send(wire, buf, out.n);
    (void)gost_send(wire, request->body.p, request->body.n);
    gost_wipe(buf, out.n);
    gost_phase(io, "the answer");
    return GOST_AGAIN;
}

static int opened(const struct gost_post_request *request, struct gost_io *io,
                  const struct gost_event *ev)
{
    struct gost_io *wire = gost_port(io, WIRE);
    struct gost_url url;

    if (gost_url_parse(&url, gost_bytes_str(request->url)) != GOST_OK)
        return GOST_EINTERNAL;
    if (ev->status != GOST_OK || !wire)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "it cannot be reached");
    if (url.tls && ev->tag == TAG_DIAL)
        return gost_asked(gost_start_tls(io, TAG_TLS, WIRE, &url.addr));
    return send_it(request, &url, io, wire);
}

static int read_answer(struct gost_post *s, const struct gost_post_request *request,
                       struct gost_io *io, int ended)
{
    const char *why = NULL;
    int r = gost_answer_read(&s->answer, gost_port(io, WIRE), &why);

    if (r != GOST_OK && r != GOST_AGAIN)
        return gost_fail(io, r, "%s", why);
    if (r == GOST_OK || (s->answer.has_head && request->head_is_enough))
        return GOST_OK;
    if (!ended)
        return GOST_AGAIN;
    if (s->answer.has_head && gost_answer_end(&s->answer) == GOST_OK)
        return GOST_OK;
    return gost_fail(io, GOST_ECLOSED, "the connection ended without %s answer",
                     s->answer.has_head ? "the whole" : "an");
}

static int start(const struct gost_post_request *request, struct gost_io *io)
{
    struct gost_url url;

    if (gost_url_parse(&url, gost_bytes_str(request->url)) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the url is none");
    (void)gost_dial(io, TAG_DIAL, WIRE, GOST_NET_TCP, &url.addr);
    return GOST_AGAIN;
}

int gost_post_step(struct gost_post *post, const struct gost_post_request *request,
                   struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        return start(request, io);
    if (ev->type == GOST_EV_RESULT)
        return opened(request, io, ev);
    if (ev->port != WIRE)
        return GOST_AGAIN;
    switch (ev->type) {
    case GOST_EV_READABLE:
        return read_answer(post, request, io, 0);
    case GOST_EV_EOF:
        return read_answer(post, request, io, 1);
    case GOST_EV_CLOSED:
        return gost_fail(io, GOST_ECLOSED, "the connection was lost");
    default:
        return GOST_AGAIN;
    }
}

void gost_post_free(struct gost_post *post)
{
    gost_answer_free(&post->answer);
}
