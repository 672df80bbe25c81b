/* tunnel_ingress.c - policy index: which tunnel a public host name leads to. */
/* SPDX-License-Identifier: MIT */
#include "policy_text.h"
#include "tunnel.h"

static int add_line(void *rules, struct gost_bytes text)
{
    return tunnel_rules_add_line(rules, text);
}

static int add_all(struct tunnel_rules *t, const struct tunnel_ingress_conf *cf,
                   const struct gost_line *lines, uint32_t n, char *error, size_t error_size)
{
    int r = gost_texts_add(&cf->rules, add_line, t, "a rule needs hostname and endpoint", error,
                           error_size);

    if (r != GOST_OK)
        return r;
    return gost_lines_add(lines, n, add_line, t, "have no endpoint", error, error_size);
}

static int build(void **ret_index, const void *conf, const struct gost_line *lines, uint32_t n,
                 char *error, size_t error_size)
{
    struct tunnel_rules *t = tunnel_rules_new();
    int r = t ? add_all(t, conf, lines, n, error, error_size) : GOST_ENOMEM;

    if (r != GOST_OK) {
        tunnel_rules_free(t);
        return r;
    }
    tunnel_rules_sort(t);
    *ret_index = t;
    return GOST_OK;
}

static int query(const void *index, const void *question, void *answer)
{
    const struct gost_q_name *q = question;
    struct gost_bytes found = tunnel_rules_find(index, q->name);
    struct gost_a_value *a = answer;

    a->n = found.n < sizeof a->text ? (uint32_t)found.n : 0;
    if (a->n)
        memcpy(a->text, found.p, a->n);
    return GOST_OK;
}

static void destroy(void *index)
{
    tunnel_rules_free(index);
}

const struct gost_index_ops tunnel_ingress_ops = {
    .size = sizeof(struct gost_index_ops),
    .policy = GOST_POLICY_INGRESS,
    .build = build,
    .query = query,
    .destroy = destroy,
};
