/* recorder.h - what the files of this plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef RECORDER_H
#define RECORDER_H

#include <gost/plugin.h>

#include "http1_post.h"

struct recorder_file_conf {
    const char *path, *sep;
};

struct recorder_tcp_conf {
    struct gost_addr addr;
};

struct recorder_http_conf {
    const char *url;
    struct gost_map header;
    struct gost_bytes token; /* observers */
    uint32_t must_say_ok;    /* observers: the answer is {"ok":true} with status 200 */
};

struct recorder_http {
    struct gost_post post;
};

extern const struct gost_remote_ops recorder_file_ops, recorder_tcp_ops, recorder_http_ops;

/* The record of this instance, or NULL: the step has failed then. */
const struct gost_q_record *recorder_question(struct gost_io *io);

#endif
