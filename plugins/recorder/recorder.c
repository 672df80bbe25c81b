/* recorder.c - plugin: where records go. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "recorder.h"

static const struct gost_opt file_options[] = {
    GOST_OPT_STRING(struct recorder_file_conf, path, "path", NULL,
                    GOST_OPT_REQUIRED | GOST_OPT_CLIENT, "the file that records are appended to"),
    GOST_OPT_STRING(struct recorder_file_conf, sep, "sep", NULL, GOST_OPT_CLIENT,
                    "what is written behind each record"),
    GOST_OPT_LAST};

static const struct gost_opt tcp_options[] = {
    GOST_OPT_ADDRESS(struct recorder_tcp_conf, addr, "addr", NULL,
                     GOST_OPT_REQUIRED | GOST_OPT_CLIENT, "host:port that each record is sent to"),
    GOST_OPT_LAST};

static const struct gost_opt http_options[] = {
    GOST_OPT_STRING(struct recorder_http_conf, url, "url", NULL,
                    GOST_OPT_REQUIRED | GOST_OPT_CLIENT, "URL that each record is posted to"),
    GOST_OPT_MAP(struct recorder_http_conf, header, "header", GOST_OPT_CLIENT,
                 "fields of the requests"),
    GOST_OPT_LAST};

static const struct gost_opt observer_options[] = {
    GOST_OPT_STRING(struct recorder_http_conf, url, "url", NULL,
                    GOST_OPT_REQUIRED | GOST_OPT_CLIENT, "URL that events are posted to"),
    GOST_OPT_SECRET(struct recorder_http_conf, token, "token", 1000, GOST_OPT_CLIENT,
                    "sent as Authorization: Bearer"),
    GOST_OPT_LAST};

static int http_prepare(void *conf, struct gost_prepare *p)
{
    const struct recorder_http_conf *cf = conf;
    struct gost_url url;
    uint32_t i;

    if (strlen(cf->url) > 2000 || gost_url_parse(&url, gost_bytes_str(cf->url)) != GOST_OK) {
        snprintf(p->error, p->error_size,
                 "%s: the url is none, or longer than 2000 bytes: write http://host:port/path",
                 p->object);
        return GOST_EPROTO;
    }
    for (i = 0; i < cf->header.n; i++) {
        if (gost_http1_valid_name(gost_bytes_str(cf->header.v[i].key)) &&
            gost_http1_valid_value(gost_bytes_str(cf->header.v[i].value)))
            continue;
        snprintf(p->error, p->error_size, "%s: \"%.60s\" is no header field", p->object,
                 cf->header.v[i].key);
        return GOST_EPROTO;
    }
    return GOST_OK;
}

static int observer_prepare(void *conf, struct gost_prepare *p)
{
    struct recorder_http_conf *cf = conf;

    cf->must_say_ok = 1;
    if (gost_http1_valid_value(cf->token))
        return http_prepare(conf, p);
    snprintf(p->error, p->error_size, "%s: the token must be one line", p->object);
    return GOST_EPROTO;
}

const struct gost_q_record *recorder_question(struct gost_io *io)
{
    const struct gost_q_record *q = gost_question(io);

    if (!q)
        (void)gost_fail(io, GOST_EINTERNAL, "there is nothing to record");
    return q;
}

static const struct gost_component components[] = {
    {GOST_KIND_REMOTE, 0, "file-recorder", NULL, "records into a file", &recorder_file_ops,
     file_options, sizeof(struct recorder_file_conf), 0, NULL, NULL},
    {GOST_KIND_REMOTE, 0, "http-recorder", NULL, "records to a web server", &recorder_http_ops,
     http_options, sizeof(struct recorder_http_conf), sizeof(struct recorder_http), http_prepare,
     NULL},
    {GOST_KIND_REMOTE, 0, "http-observer", NULL, "events to a web server", &recorder_http_ops,
     observer_options, sizeof(struct recorder_http_conf), sizeof(struct recorder_http),
     observer_prepare, NULL},
    {GOST_KIND_REMOTE, 0, "tcp-recorder", NULL, "records to a TCP server", &recorder_tcp_ops,
     tcp_options, sizeof(struct recorder_tcp_conf), 0, NULL, NULL},
};

GOST_PLUGIN("recorder", "1.0", "MIT", "records into files and to servers, events to observers",
            components,
            "remote:file-recorder remote:http-recorder remote:http-observer remote:tcp-recorder");
