/* bypass.c - policy index: which targets are refused or skipped. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <gost/plugin.h>

#include "bypass.h"
#include "policy_text.h"

enum { NET_ANY, NET_TCP, NET_UDP };

struct bypass_conf {
    struct gost_list matchers;
    uint32_t whitelist, reverse, network;
};

struct bypass_index {
    struct bypass_set *set;
    uint32_t whitelist, network;
};

static void destroy(void *index)
{
    struct bypass_index *x = index;

    bypass_free(x->set);
    free(x);
}

/* Inline patterns must be right; of a file a line that is none is skipped. */
static int add_inline(struct bypass_index *x, struct gost_bytes text, char *error, size_t n)
{
    int r = bypass_add(x->set, text);

    if (r == GOST_EPROTO)
        snprintf(error, n,
                 "\"%.*s\" is no address pattern: write an IP, a CIDR, a range IP-IP, a host name "
                 "or a glob",
                 (int)(text.n < 80 ? text.n : 80), (const char *)text.p);
    return r;
}

static int add_line(void *set, struct gost_bytes text)
{
    return bypass_add(set, text);
}

static int build(void **ret_index, const void *conf, const struct gost_line *lines, uint32_t n,
                 char *error, size_t error_size)
{
    const struct bypass_conf *cf = conf;
    struct bypass_index *x = calloc(1, sizeof *x);
    uint32_t i;
    int r = GOST_OK;

    if (!x || !(x->set = bypass_new())) {
        free(x);
        return GOST_ENOMEM;
    }
    x->whitelist = cf->whitelist || cf->reverse;
    x->network = cf->network;
    for (i = 0; r == GOST_OK && i < cf->matchers.n; i++)
        r = add_inline(x, gost_bytes_str(cf->matchers.v[i]), error, error_size);
    if (r == GOST_OK)
        r = gost_lines_add(lines, n, add_line, x->set, "are no address patterns", error,
                           error_size);
    if (r != GOST_OK) {
        destroy(x);
        return r;
    }
    (void)bypass_sort(x->set);
    *ret_index = x;
    return GOST_OK;
}

static int query(const void *index, const void *question, void *answer)
{
    const struct bypass_index *x = index;
    const struct gost_q_target *q = question;
    struct gost_a_verdict *a = answer;
    uint32_t net = q->network == GOST_NET_UDP ? NET_UDP : NET_TCP;

    a->match = 0;
    a->flags = x->whitelist ? GOST_VERDICT_WHITELIST : 0;
    if (x->network != NET_ANY && x->network != net)
        return GOST_OK;
    if (!q->addr || q->addr->family == GOST_AF_NONE)
        return GOST_OK;
    if (bypass_empty(x->set)) {
        a->match = x->network != NET_ANY && !x->whitelist;
        a->flags |= GOST_VERDICT_EMPTY;
    } else {
        a->match = bypass_match(x->set, q->addr) ? !x->whitelist : x->whitelist != 0;
    }
    return GOST_OK;
}

static const struct gost_opt options[] = {
    GOST_OPT_LIST(struct bypass_conf, matchers, "matchers", NULL, GOST_OPT_SERVER,
                  "IP, CIDR, IP-IP, host, .domain or glob; hosts and globs with :port or :min-max"),
    GOST_OPT_BOOL(struct bypass_conf, whitelist, "whitelist", "false", GOST_OPT_SERVER,
                  "bypass what does not match"),
    GOST_OPT_BOOL(struct bypass_conf, reverse, "reverse", "false", GOST_OPT_SERVER,
                  "the old name of whitelist"),
    GOST_OPT_ENUM(struct bypass_conf, network, "network", "any", "any tcp udp", GOST_OPT_SERVER,
                  "only for this network"),
    GOST_OPT_LAST};

static const struct gost_index_ops ops = {sizeof ops, GOST_POLICY_BYPASS, build, query, destroy};

static const struct gost_component components[] = {
    {GOST_KIND_INDEX, 0, "bypass", NULL, "targets that are refused or skipped", &ops, options,
     sizeof(struct bypass_conf), 0, NULL, NULL},
};

GOST_PLUGIN("bypass", "1.0", "MIT", "address patterns from the configuration", components,
            "index:bypass");
