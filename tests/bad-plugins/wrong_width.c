/* wrong_width.c - binds an option to a field of another type. */
/* SPDX-License-Identifier: MIT */
#define PROBE_OPTIONS
#include <gost/options.h>

struct probe_conf;
static const struct gost_opt probe_options[];
#include "common.h"

static const struct gost_opt probe_options[] = {
    {GOST_OPT_T_ADDRESS, 0, 0, sizeof(const char *), "suffix", NULL, NULL, 0, 0, NULL,
     "an address"},
    GOST_OPT_LAST,
};
