/* limiter.c - policy indexes: rates of bytes, connections and requests. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "limiter.h"
#include "policy_text.h"

struct limiter_conf {
    struct gost_list limits;
};

static int add_line(void *rules, struct gost_bytes text)
{
    const char *why;

    return limiter_add(rules, text, &why);
}

static int add_all(struct limiter_rules *r, const struct limiter_conf *cf,
                   const struct gost_line *lines, uint32_t n, char *error, size_t error_size)
{
    uint32_t i;
    const char *why = "";
    int status;

    for (i = 0; i < cf->limits.n; i++) {
        status = limiter_add(r, gost_bytes_str(cf->limits.v[i]), &why);
        if (status == GOST_EPROTO)
            snprintf(error, error_size, "\"%.80s\" is no limit: %s", cf->limits.v[i], why);
        if (status != GOST_OK)
            return status;
    }
    return gost_lines_add(lines, n, add_line, r, "are no limits", error, error_size);
}

static int build(enum limiter_kind kind, void **ret_index, const void *conf,
                 const struct gost_line *lines, uint32_t n, char *error, size_t error_size)
{
    struct limiter_rules *r = limiter_new(kind);
    int status = r ? add_all(r, conf, lines, n, error, error_size) : GOST_ENOMEM;

    if (status != GOST_OK) {
        limiter_free(r);
        return status;
    }
    limiter_sort(r);
    *ret_index = r;
    return GOST_OK;
}

static int build_bytes(void **ret_index, const void *conf, const struct gost_line *lines,
                       uint32_t n, char *error, size_t error_size)
{
    return build(LIMITER_BYTES, ret_index, conf, lines, n, error, error_size);
}

static int build_connections(void **ret_index, const void *conf, const struct gost_line *lines,
                             uint32_t n, char *error, size_t error_size)
{
    return build(LIMITER_CONNECTIONS, ret_index, conf, lines, n, error, error_size);
}

static int build_requests(void **ret_index, const void *conf, const struct gost_line *lines,
                          uint32_t n, char *error, size_t error_size)
{
    return build(LIMITER_REQUESTS, ret_index, conf, lines, n, error, error_size);
}

static int query(const void *index, const void *question, void *answer)
{
    static const struct gost_addr nobody;
    const struct gost_q_rate *q = question;

    limiter_find(index, q->client ? q->client : &nobody, answer);
    return GOST_OK;
}

static void destroy(void *index)
{
    limiter_free(index);
}

static const struct gost_opt bytes_options[] = {
    GOST_OPT_LIST(struct limiter_conf, limits, "limits", NULL, GOST_OPT_SERVER,
                  "\"scope in [out [burst]]\"; scope $, $$, IP or CIDR; rates as 10MB a second"),
    GOST_OPT_LAST};

static const struct gost_opt number_options[] = {
    GOST_OPT_LIST(struct limiter_conf, limits, "limits", NULL, GOST_OPT_SERVER,
                  "\"scope number\"; scope $, $$ (each client), IP or CIDR"),
    GOST_OPT_LAST};

static const struct gost_index_ops bytes_ops = {sizeof bytes_ops, GOST_POLICY_LIMITER, build_bytes,
                                                query, destroy};
static const struct gost_index_ops connections_ops = {sizeof connections_ops, GOST_POLICY_CLIMITER,
                                                      build_connections, query, destroy};
static const struct gost_index_ops requests_ops = {sizeof requests_ops, GOST_POLICY_RLIMITER,
                                                   build_requests, query, destroy};

static const struct gost_component components[] = {
    {GOST_KIND_INDEX, 0, "limiter", NULL, "bytes per second", &bytes_ops, bytes_options,
     sizeof(struct limiter_conf), 0, NULL, NULL},
    {GOST_KIND_INDEX, 0, "climiter", NULL, "connections at once", &connections_ops, number_options,
     sizeof(struct limiter_conf), 0, NULL, NULL},
    {GOST_KIND_INDEX, 0, "rlimiter", NULL, "requests per second", &requests_ops, number_options,
     sizeof(struct limiter_conf), 0, NULL, NULL},
};

GOST_PLUGIN("limiter", "1.0", "MIT", "rates of bytes, connections and requests", components,
            "index:limiter index:climiter index:rlimiter");
