/* http2_decoy.c - a failed login: 407, or an answer that does not look like a proxy's. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http2.h"

static int shown(struct gost_io *io)
{
    return gost_fail(io, GOST_EAUTH, "the client gave no or wrong credentials");
}

static int show_503(const struct http2_conf *conf, struct gost_io *io)
{
    (void)http2_reply(io, conf, 503, 0);
    return gost_fail(io, GOST_EAUTH, "login failed, and the probeResist decoy '%s' cannot be shown",
                     conf->probe_resist);
}

/* The login failed. */
int http2_refused(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io)
{
    char name[GOST_ADDR_TEXT];
    struct gost_bytes host = gost_bytes(name, gost_addr_host(&s->target, name, sizeof name));
    uint32_t kind = gost_decoy_knocked(conf->knock, host) ? GOST_DECOY_OFF : conf->decoy.kind;
    int r;

    s->phase = HTTP2_DECOY;
    gost_phase(io, "the probeResist decoy");
    switch (kind) {
    case GOST_DECOY_OFF:
        (void)http2_reply(io, conf, 407, 0);
        return shown(io);
    case GOST_DECOY_CODE:
        (void)http2_reply(io, conf, conf->decoy.code, 0);
        return shown(io);
    case GOST_DECOY_FILE:
        r = gost_file_read(io, HTTP2_TAG_FILE, gost_bytes_str(conf->decoy.value),
                           GOST_DECOY_FILE_MAX);
        break;
    case GOST_DECOY_WEB:
    case GOST_DECOY_HOST:
        s->page = kind == GOST_DECOY_WEB;
        r = gost_decoy_dial(io, HTTP2_TAG_DECOY_DIAL, HTTP2_UPSTREAM, &conf->decoy.addr);
        break;
    default:
        return show_503(conf, io);
    }
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int show_file(struct gost_io *io, const struct gost_result_file *file)
{
    char length[24];
    int n = snprintf(length, sizeof length, "%zu", file->data.n);
    const struct gost_field f[] = {
        {gost_bytes_str("content-type"), gost_bytes_str("text/html")},
        {gost_bytes_str("content-length"), gost_bytes(length, (size_t)n)},
    };
    struct gost_head h = {.size = sizeof h, .status = 200, .fields = f, .n_fields = 2};

    if (gost_head_send(io, &h) == GOST_OK) {
        gost_send(io, file->data.p, file->data.n);
        gost_shut(io);
    }
    return shown(io);
}

static int start_tls(const struct http2_conf *conf, struct gost_io *io)
{
    int r = gost_start_tls(io, HTTP2_TAG_DECOY_TLS, HTTP2_UPSTREAM, &conf->decoy.addr);

    return r == GOST_OK ? GOST_AGAIN : r;
}

int http2_decoy_result(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    if (ev->status != GOST_OK)
        return show_503(conf, io);
    if (ev->tag == HTTP2_TAG_FILE)
        return show_file(io, ev->result);
    if (ev->tag == HTTP2_TAG_DECOY_DIAL && conf->decoy.kind == GOST_DECOY_WEB && conf->decoy.tls)
        return start_tls(conf, io);
    return http2_put_codec_on(s, io);
}

int http2_decoy_prepare(struct http2_conf *conf, struct gost_prepare *p)
{
    int r = gost_decoy_parse(&conf->decoy, conf->probe_resist, p);

    if (r != GOST_OK)
        return r;
    if (conf->decoy.kind == GOST_DECOY_CODE && conf->decoy.code < 200)
        conf->decoy.kind = GOST_DECOY_OFF; /* 407, as gost answers */
    if (conf->decoy.path.n == 0 || conf->decoy.path.p[0] != '/')
        conf->decoy.path = gost_bytes_str("/");
    return GOST_OK;
}
