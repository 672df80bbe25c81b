/* http2_decoy.c - a failed login: 407, or an answer that does not look like a proxy's. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "http2.h"

#define DECOY_TIMEOUT  (15 * GOST_S)
#define DECOY_FILE_MAX (4u * 1024 * 1024)

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

static int dial_decoy(const struct http2_conf *conf, struct gost_io *io)
{
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, HTTP2_TAG_DECOY_DIAL, HTTP2_UPSTREAM);
    a.network = GOST_NET_TCP;
    a.flags = GOST_DIAL_DIRECT | GOST_DIAL_NO_POLICY;
    a.addr = conf->decoy_addr;
    a.timeout_ns = DECOY_TIMEOUT;
    return gost_act(io, &a.head);
}

/* The login failed. */
int http2_refused(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io)
{
    uint32_t kind = http2_knocked(conf->knock, &s->target) ? HTTP2_DECOY_OFF : conf->decoy;
    int r;

    s->phase = HTTP2_DECOY;
    gost_phase(io, "the probeResist decoy");
    switch (kind) {
    case HTTP2_DECOY_OFF:
        (void)http2_reply(io, conf, 407, 0);
        return shown(io);
    case HTTP2_DECOY_CODE:
        (void)http2_reply(io, conf, conf->decoy_code, 0);
        return shown(io);
    case HTTP2_DECOY_FILE:
        r = gost_file_read(io, HTTP2_TAG_FILE, conf->decoy_value, DECOY_FILE_MAX);
        break;
    case HTTP2_DECOY_WEB:
    case HTTP2_DECOY_HOST:
        s->page = kind == HTTP2_DECOY_WEB;
        r = dial_decoy(conf, io);
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
    int r = gost_start_tls(io, HTTP2_TAG_DECOY_TLS, HTTP2_UPSTREAM, &conf->decoy_addr);

    return r == GOST_OK ? GOST_AGAIN : r;
}

int http2_decoy_result(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    if (ev->status != GOST_OK)
        return show_503(conf, io);
    if (ev->tag == HTTP2_TAG_FILE)
        return show_file(io, ev->result);
    if (ev->tag == HTTP2_TAG_DECOY_DIAL && conf->decoy == HTTP2_DECOY_WEB && conf->decoy_tls)
        return start_tls(conf, io);
    return http2_put_codec_on(s, io);
}

/* ---- configuration ---- */

static int split_url(struct http2_conf *conf)
{
    struct gost_bytes rest = conf->decoy_value;
    size_t i = 0;

    if (rest.n >= 8 && memcmp(rest.p, "https://", 8) == 0) {
        conf->decoy_tls = 1;
        rest = gost_bytes(rest.p + 8, rest.n - 8);
    } else if (rest.n >= 7 && memcmp(rest.p, "http://", 7) == 0) {
        rest = gost_bytes(rest.p + 7, rest.n - 7);
    }
    while (i < rest.n && rest.p[i] != '/' && rest.p[i] != '?')
        i++;
    conf->decoy_authority = gost_bytes(rest.p, i);
    conf->decoy_path =
        i < rest.n && rest.p[i] == '/' ? gost_bytes(rest.p + i, rest.n - i) : gost_bytes_str("/");
    if (!gost_http1_valid_value(conf->decoy_path) ||
        memchr(conf->decoy_path.p, ' ', conf->decoy_path.n))
        return GOST_EPROTO;
    return gost_addr_parse(&conf->decoy_addr, (const char *)rest.p, i, conf->decoy_tls ? 443 : 80);
}

static int prepare_address(struct http2_conf *conf, struct gost_prepare *p)
{
    int r = conf->decoy == HTTP2_DECOY_WEB
                ? split_url(conf)
                : gost_addr_parse(&conf->decoy_addr, (const char *)conf->decoy_value.p,
                                  conf->decoy_value.n, 80);

    if (r == GOST_OK && conf->decoy_addr.family != GOST_AF_NONE && conf->decoy_addr.port)
        return GOST_OK;
    snprintf(p->error, p->error_size, "probeResist '%s' names no address; write %s",
             conf->probe_resist,
             conf->decoy == HTTP2_DECOY_WEB ? "web:http://host/path" : "host:name:port");
    return GOST_EPROTO;
}

/* Split "type:value". */
int http2_decoy_prepare(struct http2_conf *conf, struct gost_prepare *p)
{
    static const char *const types[] = {"code", "web", "host", "file"};
    const char *colon;
    size_t i, n;
    char *end;
    long code;

    conf->decoy = HTTP2_DECOY_OFF;
    if (!conf->probe_resist || !conf->probe_resist[0])
        return GOST_OK;
    colon = strchr(conf->probe_resist, ':');
    n = colon ? (size_t)(colon - conf->probe_resist) : strlen(conf->probe_resist);
    conf->decoy_value = gost_bytes_str(colon ? colon + 1 : "");
    conf->decoy = HTTP2_DECOY_UNKNOWN;
    for (i = 0; i < 4; i++)
        if (strlen(types[i]) == n && memcmp(types[i], conf->probe_resist, n) == 0)
            conf->decoy = HTTP2_DECOY_CODE + (uint32_t)i;
    if (conf->decoy == HTTP2_DECOY_WEB || conf->decoy == HTTP2_DECOY_HOST)
        return prepare_address(conf, p);
    if (conf->decoy == HTTP2_DECOY_CODE) {
        code = strtol((const char *)conf->decoy_value.p, &end, 10);
        if (*end || conf->decoy_value.n == 0 || code < 200 || code > 999)
            conf->decoy = HTTP2_DECOY_OFF; /* 407, as gost answers */
        conf->decoy_code = (uint32_t)code;
    }
    return GOST_OK;
}
