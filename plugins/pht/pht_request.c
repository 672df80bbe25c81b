/* pht_request.c - what a client asks, in the fields and order of GOST. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http1_fields.h"
#include "pht.h"

#define FIELDS_MAX (GOST_HTTP1_MAP_MAX + 4)

/* The name of the server with the node's port, as GOST makes it. */
static size_t authority(char *to, size_t size, const struct pht_conf *c,
                        const struct gost_addr *node)
{
    struct gost_addr a = *node;
    const char *host = c->host ? c->host : "", *colon = strrchr(host, ':');
    int n;

    if (!*host)
        return (size_t)gost_addr_format(&a, to, size);
    if (colon && *host != '[' && strchr(host, ':') != colon)
        colon = NULL; /* an IPv6 address without brackets */
    if (colon && *host == '[' && colon[-1] != ']')
        colon = NULL;
    n = snprintf(to, size, "%.*s:%u", colon ? (int)(colon - host) : (int)strlen(host), host,
                 (unsigned)a.port);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void add(struct gost_head *h, struct gost_field *f, const char *name, const char *value)
{
    f[h->n_fields].name = gost_bytes_str(name);
    f[h->n_fields++].value = gost_bytes_str(value);
}

static size_t lower(char *to, size_t room, const char *name)
{
    size_t n = 0;

    for (; name[n] && n < room; n++)
        to[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    return n;
}

/* Those of the configuration but for Host and User-Agent, sorted, as Go writes them. */
static void add_map(struct gost_head *h, struct gost_field *f, char (*names)[64],
                    const struct pht_conf *c)
{
    struct gost_http1_list list = {0};
    uint32_t i;

    gost_http1_list_add_rest(&list, &c->header);
    for (i = 0; i < list.n; i++) {
        f[h->n_fields].name = gost_bytes(names[i], lower(names[i], 64, list.v[i].key));
        f[h->n_fields++].value = gost_bytes_str(list.v[i].value);
    }
}

int pht_request(struct gost_io *to, const struct pht_conf *c, enum pht_ask what,
                struct gost_bytes token, size_t length)
{
    const char *path = what == PHT_ASK_TOKEN  ? c->authorize
                       : what == PHT_ASK_PULL ? c->pull
                                              : c->push;
    const char *agent = gost_http1_map_get(&c->header, "User-Agent");
    char host[GOST_ADDR_TEXT + 300], target[1200], size[24], names[GOST_HTTP1_MAP_MAX][64];
    struct gost_field f[FIELDS_MAX];
    struct gost_head h = {.size = sizeof h, .fields = f};
    int n;

    if (token.n)
        n = snprintf(target, sizeof target, "%.1000s?token=%.*s", path, (int)token.n,
                     (const char *)token.p);
    else
        n = snprintf(target, sizeof target, "%.1000s", path);
    h.method = gost_bytes_str(what == PHT_ASK_PUSH ? "POST" : "GET");
    h.scheme = gost_bytes_str(gost_flow(to)->secure ? "https" : "http");
    h.path = gost_bytes(target, (size_t)n);
    h.authority = gost_bytes(host, authority(host, sizeof host, c, &gost_target(to)->addr));
    add(&h, f, "user-agent", agent ? agent : "Go-http-client/1.1");
    snprintf(size, sizeof size, "%zu", length);
    if (what == PHT_ASK_PUSH)
        add(&h, f, "content-length", size);
    add_map(&h, f, names, c);
    if (!gost_http1_map_get(&c->header, "Accept-Encoding"))
        add(&h, f, "accept-encoding", "gzip");
    h.flags = what != PHT_ASK_PUSH || length == 0 ? GOST_HEAD_NO_BODY : 0;
    return gost_head_send(to, &h);
}
