/* http1.h - what the files of the HTTP/1 helpers share with each other only. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HELPERS_HTTP1_H
#define GOST_HELPERS_HTTP1_H

#include <gost/base.h>

/* Without blanks and tabs at both ends. */
struct gost_bytes gost_http1_trim(struct gost_bytes b);

#endif
