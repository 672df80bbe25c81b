/* source.h - what the files of this plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef SOURCE_H
#define SOURCE_H

#include <gost/plugin.h>

#include "http1_client.h"

#define SOURCE_DATA_MAX GOST_ANSWER_MAX /* bytes of one fetch */

struct source_file_conf {
    const char *path;
};

struct source_http_conf {
    const char *url;
};

struct source_http {
    char url[2048];
    unsigned hops;
    struct gost_answer answer;
};

extern const struct gost_source_ops source_file_ops, source_http_ops;

#endif
