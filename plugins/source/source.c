/* source.c - plugin: where policies get their data from. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "source.h"

static const struct gost_opt file_options[] = {
    GOST_OPT_STRING(struct source_file_conf, path, "path", NULL,
                    GOST_OPT_REQUIRED | GOST_OPT_CLIENT, "the file; one entry a line"),
    GOST_OPT_LAST};

static const struct gost_opt http_options[] = {
    GOST_OPT_STRING(struct source_http_conf, url, "url", NULL, GOST_OPT_REQUIRED | GOST_OPT_CLIENT,
                    "http or https URL; one entry a line"),
    GOST_OPT_LAST};

static int http_prepare(void *conf, struct gost_prepare *p)
{
    const struct source_http_conf *cf = conf;
    struct gost_url url;

    if (strlen(cf->url) < sizeof((struct source_http *)0)->url &&
        gost_url_parse(&url, gost_bytes_str(cf->url)) == GOST_OK)
        return GOST_OK;
    snprintf(p->error, p->error_size,
             "the url of the source is none, or longer than 2047 bytes: write "
             "http://host:port/path or https://host/path");
    return GOST_EPROTO;
}

static const struct gost_component components[] = {
    {GOST_KIND_SOURCE, 0, "file", NULL, "policy data from a file", &source_file_ops, file_options,
     sizeof(struct source_file_conf), 0, NULL, NULL},
    {GOST_KIND_SOURCE, 0, "http", NULL, "policy data from a web server", &source_http_ops,
     http_options, sizeof(struct source_http_conf), sizeof(struct source_http), http_prepare, NULL},
};

GOST_PLUGIN("source", "1.0", "MIT", "policy data from files and web servers", components,
            "source:file source:http");
