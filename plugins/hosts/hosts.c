/* hosts.c - policy index: names with fixed addresses. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "hosts.h"
#include "policy_text.h"

struct hosts_conf {
    struct gost_list mappings;
};

static int add_line(void *table, struct gost_bytes text)
{
    return hosts_add(table, text);
}

static int add_all(struct hosts_table *t, const struct hosts_conf *cf,
                   const struct gost_line *lines, uint32_t n, char *error, size_t error_size)
{
    int r = gost_texts_add(&cf->mappings, add_line, t, "the ip of a mapping must be an IP address",
                           error, error_size);

    if (r != GOST_OK)
        return r;
    return gost_lines_add(lines, n, add_line, t, "begin with no IP address", error, error_size);
}

static int build(void **ret_index, const void *conf, const struct gost_line *lines, uint32_t n,
                 char *error, size_t error_size)
{
    struct hosts_table *t = hosts_new();
    int r = t ? add_all(t, conf, lines, n, error, error_size) : GOST_ENOMEM;

    if (r != GOST_OK) {
        hosts_free(t);
        return r;
    }
    hosts_sort(t);
    *ret_index = t;
    return GOST_OK;
}

static int query(const void *index, const void *question, void *answer)
{
    const struct gost_q_name *q = question;

    hosts_find(index, q->name, q->family, answer);
    return GOST_OK;
}

static void destroy(void *index)
{
    hosts_free(index);
}

static const struct gost_opt options[] = {GOST_OPT_LIST(struct hosts_conf, mappings, "mappings",
                                                        NULL, GOST_OPT_SERVER,
                                                        "mappings, each \"ip name alias ...\""),
                                          GOST_OPT_LAST};

static const struct gost_index_ops ops = {sizeof ops, GOST_POLICY_HOSTS, build, query, destroy};

static const struct gost_component components[] = {
    {GOST_KIND_INDEX, 0, "hosts", NULL, "names with fixed addresses", &ops, options,
     sizeof(struct hosts_conf), 0, NULL, NULL},
};

GOST_PLUGIN("hosts", "1.0", "MIT", "names with fixed addresses", components, "index:hosts");
