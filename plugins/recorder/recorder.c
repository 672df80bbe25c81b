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
    GOST_POST_OPT_URL(struct recorder_http_conf, "URL that each record is posted to"),
    GOST_OPT_MAP(struct recorder_http_conf, header, "header", GOST_OPT_CLIENT,
                 "fields of the requests"),
    GOST_OPT_LAST};

static const struct gost_opt observer_options[] = {
    GOST_POST_OPT_URL(struct recorder_http_conf, "URL that events are posted to"),
    GOST_POST_OPT_TOKEN(struct recorder_http_conf), GOST_OPT_LAST};

static int http_prepare(void *conf, struct gost_prepare *p)
{
    const struct recorder_http_conf *cf = conf;
    const struct gost_post_request request = {
        .url = cf->url, .header = &cf->header, .token = cf->token};

    return gost_post_prepare(&request, p);
}

static int observer_prepare(void *conf, struct gost_prepare *p)
{
    ((struct recorder_http_conf *)conf)->must_say_ok = 1;
    return http_prepare(conf, p);
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
