/* http_reply.c - the proxy's own answers, and header fields in gost's order. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "http.h"

/* A later field of the same name goes behind the earlier one. More than fit are refused by
 * http_map_check() when the configuration is read. */
void http_list_add(struct http_list *list, const char *name, const char *value)
{
    uint32_t i;

    if (list->n == HTTP_LIST_MAX)
        return;
    for (i = list->n; i > 0 && strcasecmp(list->v[i - 1].key, name) > 0; i--)
        list->v[i] = list->v[i - 1];
    list->v[i].key = name;
    list->v[i].value = value;
    list->n++;
}

void http_list_add_map(struct http_list *list, const struct gost_map *map)
{
    uint32_t i;

    for (i = 0; i < map->n; i++)
        http_list_add(list, map->v[i].key, map->v[i].value);
}

/* "x-a-b" as "X-A-B". */
static void put_canonical(struct gost_http1_out *out, const char *name)
{
    char c;
    int start = 1;

    for (; *name; name++) {
        c = *name;
        if (start && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (!start && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        gost_http1_put(out, gost_bytes(&c, 1));
        start = c == '-';
    }
}

void http_put_list(struct gost_http1_out *out, const struct http_list *list)
{
    uint32_t i;

    for (i = 0; i < list->n; i++) {
        put_canonical(out, list->v[i].key);
        gost_http1_put_str(out, ": ");
        gost_http1_put_str(out, list->v[i].value);
        gost_http1_put_str(out, "\r\n");
    }
}

/* Bytes the fields take when written. */
size_t http_map_size(const struct gost_map *map)
{
    size_t size = 0;
    uint32_t i;

    for (i = 0; i < map->n; i++)
        size += strlen(map->v[i].key) + strlen(map->v[i].value) + 4;
    return size;
}

/* NULL, or what is wrong with the configured fields. */
const char *http_map_check(const struct gost_map *map)
{
    uint32_t i;

    if (map->n > HTTP_LIST_MAX - 8)
        return "header holds more than 56 fields; remove some";
    for (i = 0; i < map->n; i++) {
        if (!gost_http1_valid_name(gost_bytes_str(map->v[i].key)))
            return "header holds a name that is not a field name; use letters, digits and '-'";
        if (!gost_http1_valid_value(gost_bytes_str(map->v[i].value)))
            return "header holds a value with a control character; remove it";
    }
    return NULL;
}

void http_put_reply(struct gost_http1_out *out, const struct http_conf *conf, uint32_t minor,
                    uint32_t status, uint32_t flags)
{
    struct http_list list;

    list.n = 0;
    if (flags & HTTP_REPLY_AGENT)
        http_list_add(&list, "Proxy-Agent", conf->proxy_agent);
    if (flags & HTTP_REPLY_HEADERS)
        http_list_add_map(&list, &conf->header);
    gost_http1_put_status(out, minor, status, gost_bytes(NULL, 0));
    if (!(flags & HTTP_REPLY_EMPTY))
        gost_http1_put_str(out, "Connection: close\r\n");
    http_put_list(out, &list);
    gost_http1_put_str(out, flags & HTTP_REPLY_EMPTY ? "Content-Length: 0\r\n\r\n" : "\r\n");
}

void http_put_established(struct gost_http1_out *out, const struct http_conf *conf)
{
    gost_http1_put_status(out, 1, 200, gost_bytes_str("Connection established"));
    gost_http1_put_field(out, gost_bytes_str("Proxy-Agent"), gost_bytes_str(conf->proxy_agent));
    gost_http1_put_str(out, "\r\n");
}

void http_put_407(struct gost_http1_out *out, const struct http_conf *conf, int proxy_connection)
{
    gost_http1_put_status(out, 1, 407, gost_bytes(NULL, 0));
    gost_http1_put_str(out, "Connection: close\r\nProxy-Authenticate: Basic realm=\"");
    gost_http1_put_str(out, conf->realm);
    gost_http1_put_str(out, "\"\r\n");
    if (proxy_connection)
        gost_http1_put_str(out, "Proxy-Connection: close\r\n");
    gost_http1_put_str(out, "\r\n");
}

void http_put_decoy_code(struct gost_http1_out *out, uint32_t status)
{
    gost_http1_put_status(out, 1, status, gost_bytes(NULL, 0));
    gost_http1_put_str(out, "Connection: close\r\n");
    if (status == 200)
        gost_http1_put_str(out, "Connection: keep-alive\r\n");
    gost_http1_put_str(out, "\r\n");
}

void http_put_decoy_file(struct gost_http1_out *out, size_t length)
{
    char text[32];

    snprintf(text, sizeof text, "%zu", length);
    gost_http1_put_status(out, 1, 200, gost_bytes(NULL, 0));
    gost_http1_put_field(out, gost_bytes_str("Content-Length"), gost_bytes_str(text));
    gost_http1_put_str(out, "Connection: keep-alive\r\nContent-Type: text/html\r\n\r\n");
}

/* Memory for a text of at most size bytes; http_out_send() frees it. */
int http_out_new(struct gost_http1_out *out, size_t size)
{
    memset(out, 0, sizeof *out);
    out->p = malloc(size);
    if (!out->p)
        return GOST_ENOMEM;
    out->size = size;
    return GOST_OK;
}

/* Send what was built, wipe and free it. */
int http_out_send(struct gost_io *io, struct gost_http1_out *out)
{
    int r = out->full ? GOST_EINTERNAL : gost_send(io, out->p, out->n);

    gost_wipe(out->p, out->n);
    free(out->p);
    out->p = NULL;
    return r;
}

/* Send one of our own answers. */
int http_reply(struct gost_io *io, const struct http_conf *conf, uint32_t minor, uint32_t status,
               uint32_t flags)
{
    struct gost_http1_out out;
    int r = http_out_new(&out, 256 + strlen(conf->proxy_agent) + http_map_size(&conf->header));

    if (r != GOST_OK)
        return r;
    http_put_reply(&out, conf, minor, status, flags);
    return http_out_send(io, &out);
}
