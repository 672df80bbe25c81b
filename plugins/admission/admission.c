/* admission.c - policy index: which clients may connect. */
/* SPDX-License-Identifier: MIT */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <gost/plugin.h>

#include "admission.h"

struct admission_conf {
    struct gost_list matchers;
    uint32_t whitelist, reverse;
};

struct admission_index {
    struct admission_set *set;
    uint32_t whitelist;
};

/* What was left out, for the warning. */
struct skipped {
    uint32_t n;
    char first[200];
};

static void destroy(void *index)
{
    struct admission_index *x = index;

    admission_free(x->set);
    free(x);
}

/* build() is off the loops: here the system may be asked and waited for. IPv4 first, as GOST. */
static int resolve(const char *name, struct gost_addr *ret_addr)
{
    struct addrinfo hints, *list = NULL, *a;
    struct addrinfo *best = NULL;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(name, NULL, &hints, &list) != 0)
        return -1;
    for (a = list; a; a = a->ai_next)
        if (!best || (best->ai_family != AF_INET && a->ai_family == AF_INET))
            best = a;
    if (best && best->ai_family == AF_INET)
        gost_addr_set_ip(ret_addr, (uint8_t *)&((struct sockaddr_in *)best->ai_addr)->sin_addr, 4,
                         0);
    else if (best && best->ai_family == AF_INET6)
        gost_addr_set_ip(ret_addr, (uint8_t *)&((struct sockaddr_in6 *)best->ai_addr)->sin6_addr,
                         16, 0);
    freeaddrinfo(list);
    return best ? 0 : -1;
}

static void skip(struct skipped *s, struct gost_bytes text)
{
    if (s->n++ == 0)
        snprintf(s->first, sizeof s->first, "\"%.*s\"", (int)(text.n < 120 ? text.n : 120),
                 (const char *)text.p);
}

static int add_all(struct admission_index *x, const struct admission_conf *cf,
                   const struct gost_line *lines, uint32_t n, char *error, size_t error_size)
{
    struct skipped skipped = {0, ""};
    uint32_t i, total = cf->matchers.n + n;

    for (i = 0; i < total; i++) {
        int is_inline = i < cf->matchers.n;
        struct gost_bytes text =
            is_inline ? gost_bytes_str(cf->matchers.v[i]) : lines[i - cf->matchers.n].text;
        int r = admission_add(x->set, text, resolve);

        if (r == GOST_EPROTO && is_inline) {
            snprintf(error, error_size,
                     "\"%.80s\" is no pattern of clients: write an IP, a CIDR or a host name",
                     cf->matchers.v[i]);
            return r;
        }
        if (r == GOST_EPROTO || r == GOST_ERESOLVE)
            skip(&skipped, text);
        else if (r != GOST_OK)
            return r;
    }
    if (skipped.n)
        snprintf(error, error_size,
                 "%u patterns are no IP, CIDR or name with an address and are skipped, the first "
                 "is %s",
                 skipped.n, skipped.first);
    return GOST_OK;
}

static int build(void **ret_index, const void *conf, const struct gost_line *lines, uint32_t n,
                 char *error, size_t error_size)
{
    const struct admission_conf *cf = conf;
    struct admission_index *x = calloc(1, sizeof *x);
    int r;

    if (!x || !(x->set = admission_new())) {
        free(x);
        return GOST_ENOMEM;
    }
    x->whitelist = cf->whitelist || cf->reverse;
    r = add_all(x, cf, lines, n, error, error_size);
    if (r != GOST_OK) {
        destroy(x);
        return r;
    }
    admission_sort(x->set);
    *ret_index = x;
    return GOST_OK;
}

static int query(const void *index, const void *question, void *answer)
{
    const struct admission_index *x = index;
    const struct gost_q_target *q = question;
    struct gost_a_verdict *a = answer;
    int matches;

    a->flags = x->whitelist ? GOST_VERDICT_WHITELIST : 0;
    a->match = 1;
    if (!q->addr || q->addr->family == GOST_AF_NONE)
        return GOST_OK;
    matches = admission_match(x->set, q->addr);
    a->match = x->whitelist ? matches != 0 : !matches;
    return GOST_OK;
}

static const struct gost_opt options[] = {
    GOST_OPT_LIST(struct admission_conf, matchers, "matchers", NULL, GOST_OPT_SERVER,
                  "IP, CIDR or host name of clients"),
    GOST_OPT_BOOL(struct admission_conf, whitelist, "whitelist", "false", GOST_OPT_SERVER,
                  "admit only what matches"),
    GOST_OPT_BOOL(struct admission_conf, reverse, "reverse", "false", GOST_OPT_SERVER,
                  "the old name of whitelist"),
    GOST_OPT_LAST};

static const struct gost_index_ops ops = {sizeof ops, GOST_POLICY_ADMISSION, build, query, destroy};

static const struct gost_component components[] = {
    {GOST_KIND_INDEX, 0, "admission", NULL, "clients that may connect", &ops, options,
     sizeof(struct admission_conf), 0, NULL, NULL},
};

GOST_PLUGIN("admission", "1.0", "MIT", "clients that may connect", components, "index:admission");
