/* index_leaks.c - a policy index that is never freed. */
/* SPDX-License-Identifier: MIT */
#define PROBE_COMPONENTS                                                                 \
    {                                                                                    \
        .kind = GOST_KIND_INDEX, .name = "probe", .summary = "a list", .ops = &index_ops \
    }
#define PROBE_NOTE "index:probe"
#define PROBE_UNUSED_HANDLER
#include <stdlib.h>

#include <gost/policy.h>

static int probe_build(void **ret_index, const void *conf, const struct gost_line *lines,
                       uint32_t n, char *error, size_t error_size)
{
    *ret_index = calloc(1, 100);
    return *ret_index ? GOST_OK : GOST_ENOMEM;
}

static int probe_query(const void *index, const void *question, void *answer)
{
    return GOST_OK;
}

static void probe_forget(void *index)
{
}

static const struct gost_index_ops index_ops = {sizeof(struct gost_index_ops), GOST_POLICY_BYPASS,
                                                probe_build, probe_query, probe_forget};

#include "common.h"
