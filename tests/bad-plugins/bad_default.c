/* bad_default.c - has a default outside of its own range. */
/* SPDX-License-Identifier: MIT */
#define PROBE_OPTIONS
#include <gost/options.h>

struct probe_conf;
static const struct gost_opt probe_options[];
#include "common.h"

static const struct gost_opt probe_options[] = {
    GOST_OPT_STRING(struct probe_conf, suffix, "suffix", "!", 0, "what the answer ends with"),
    GOST_OPT_INT(struct probe_conf, limit, "limit", "1000", 1, 200, NULL, 0, "longest name"),
    GOST_OPT_LAST,
};
