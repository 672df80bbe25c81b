/* auther.c - policy index: user names and passwords. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <gost/plugin.h>

#include "auther.h"

struct auther_conf {
    struct gost_list auths;
};

static int auther_build(void **ret_index, const void *conf, const struct gost_line *lines,
                        uint32_t n, char *error, size_t error_size)
{
    const struct auther_conf *cf = conf;
    struct auther_table *t = auther_new(cf->auths.n + n);
    uint32_t i;
    int r = t ? GOST_OK : GOST_ENOMEM;

    for (i = 0; r == GOST_OK && i < cf->auths.n; i++)
        r = auther_add(t, gost_bytes_str(cf->auths.v[i]));
    for (i = 0; r == GOST_OK && i < n; i++)
        r = auther_add(t, lines[i].text);
    if (r != GOST_OK) {
        auther_free(t);
        snprintf(error, error_size, "out of memory for %u users", cf->auths.n + n);
        return r;
    }
    auther_sort(t);
    *ret_index = t;
    return GOST_OK;
}

static int auther_query(const void *index, const void *question, void *answer)
{
    const struct gost_q_auth *q = question;
    struct gost_a_auth *a = answer;

    a->ok = (uint32_t)auther_check(index, q->user, q->secret);
    a->id[0] = 0;
    if (a->ok && q->user.n < sizeof a->id) {
        memcpy(a->id, q->user.p, q->user.n);
        a->id[q->user.n] = 0;
    }
    return GOST_OK;
}

static void auther_destroy(void *index)
{
    auther_free(index);
}

static const struct gost_opt options[] = {
    GOST_OPT_LIST(struct auther_conf, auths, "auths", NULL, GOST_OPT_SERVER,
                  "users, each \"name password\"; an empty password accepts any"),
    GOST_OPT_LAST};

static const struct gost_index_ops ops = {sizeof ops, GOST_POLICY_AUTHER, auther_build,
                                          auther_query, auther_destroy};

static const struct gost_component components[] = {
    {GOST_KIND_INDEX, 0, "auther", NULL, "user names and passwords", &ops, options,
     sizeof(struct auther_conf), 0, NULL, NULL},
};

GOST_PLUGIN("auther", "1.0", "MIT", "users and passwords from the configuration", components,
            "index:auther");
