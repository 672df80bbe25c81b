/* http2_request.c - what a request asks for, and fields of configurations. Pure. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http2.h"

static int has_blank(struct gost_bytes b)
{
    size_t i;

    for (i = 0; i < b.n; i++)
        if (b.p[i] <= ' ' || b.p[i] == 0x7f)
            return 1;
    return 0;
}

static int parse_addr(struct gost_addr *ret_addr, struct gost_bytes text, uint16_t port)
{
    struct gost_addr a;

    if (text.n == 0 || has_blank(text) || memchr(text.p, '@', text.n) ||
        gost_addr_parse(&a, (const char *)text.p, text.n, port) != GOST_OK ||
        a.family == GOST_AF_NONE || a.port == 0)
        return GOST_EPROTO;
    *ret_addr = a;
    return GOST_OK;
}

/* A name hidden in Gost-Target replaces the host. */
static void reveal(const struct gost_head *h, struct gost_addr *addr, uint16_t port)
{
    static const char *const names[] = {"gost-target", "x-gost-target"};
    char name[GOST_HTTP1_TARGET_MAX];
    struct gost_bytes v;
    size_t i, n;

    for (i = 0; i < 2; i++) {
        v = gost_head_get(h, names[i]);
        if (v.n == 0 || gost_http1_target_decode(name, sizeof name, &n, v) != GOST_OK)
            continue;
        (void)parse_addr(addr, gost_bytes(name, n), port);
        return;
    }
}

/* Where a request is to go. GOST_OK or GOST_EPROTO: no proxy can serve it. */
int http2_target(const struct gost_head *h, struct gost_addr *ret_addr)
{
    int https = gost_http1_is(h->scheme, "https");
    uint16_t port = https ? 443 : 80;
    int r;

    if (gost_bytes_eq(h->method, gost_bytes_str("CONNECT"))) {
        port = 443;
        if (h->protocol.n)
            return GOST_EPROTO;
    } else if (https || !gost_http1_is(h->scheme, "http") || h->path.n == 0 || has_blank(h->path) ||
               !gost_http1_valid_name(h->method)) {
        return GOST_EPROTO;
    }
    r = parse_addr(ret_addr, h->authority, port);
    if (r == GOST_OK)
        reveal(h, ret_addr, port);
    return r;
}

/* Fields that are between the client and us, and those that we write ourselves. */
int http2_is_hop_field(struct gost_bytes name)
{
    static const char *const names[] = {"host",
                                        "connection",
                                        "keep-alive",
                                        "proxy-connection",
                                        "proxy-authorization",
                                        "te",
                                        "upgrade",
                                        "gost-target",
                                        "transfer-encoding",
                                        "http2-settings",
                                        "trailer",
                                        "gost-record",
                                        "x-gost-target",
                                        NULL};
    const char *const *n;

    for (n = names; *n; n++)
        if (gost_bytes_eq(name, gost_bytes_str(*n)))
            return 1;
    return 0;
}

/* ---- maps of configurations ---- */

/* NULL, or what is wrong with it. */
const char *http2_map_check(const struct gost_map *map)
{
    uint32_t i;

    if (map->n > 64)
        return "header has more than 64 fields";
    for (i = 0; i < map->n; i++) {
        if (!gost_http1_valid_name(gost_bytes_str(map->v[i].key)))
            return "header holds a name that is no field name";
        if (!gost_http1_valid_value(gost_bytes_str(map->v[i].value)))
            return "header holds a value with a control character";
    }
    return NULL;
}

static struct gost_bytes copy(const char *text, int lower)
{
    size_t n = strlen(text), i;
    char *p = malloc(n + 1);

    if (!p)
        return gost_bytes(NULL, 0);
    for (i = 0; i <= n; i++)
        p[i] = lower && text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    return gost_bytes(p, n);
}

void http2_list_free(struct http2_list *list)
{
    uint32_t i;

    for (i = 0; i < list->n; i++) {
        free((void *)(uintptr_t)list->v[i].name.p);
        free((void *)(uintptr_t)list->v[i].value.p);
    }
    free(list->v);
    list->v = NULL;
    list->n = 0;
}

/* GOST_OK or GOST_ENOMEM. */
int http2_list_make(struct http2_list *ret_list, const struct gost_map *map)
{
    struct http2_list l = {calloc(map->n + 1u, sizeof *l.v), map->n};
    uint32_t i;
    int ok = l.v != NULL;

    for (i = 0; ok && i < map->n; i++) {
        l.v[i].name = copy(map->v[i].key, 1);
        l.v[i].value = copy(map->v[i].value, 0);
        ok = l.v[i].name.p && l.v[i].value.p;
    }
    if (!ok) {
        l.n = l.v ? l.n : 0;
        http2_list_free(&l);
        return GOST_ENOMEM;
    }
    *ret_list = l;
    return GOST_OK;
}

/* ---- errors ---- */

/* What a client is told. */
uint32_t http2_status_of(int error)
{
    return error == GOST_EDENIED ? 403 : 503;
}
