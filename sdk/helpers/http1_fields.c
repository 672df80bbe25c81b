/* http1_fields.c - header fields and credentials of configurations in heads. */
/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "http1_fields.h"

/* ---- lists ---- */

void gost_http1_list_add(struct gost_http1_list *list, const char *name, const char *value)
{
    uint32_t i;

    if (list->n == GOST_HTTP1_LIST_MAX) /* gost_http1_map_check() has counted them */
        return;
    for (i = list->n; i > 0 && strcasecmp(list->v[i - 1].key, name) > 0; i--)
        list->v[i] = list->v[i - 1];
    list->v[i].key = name;
    list->v[i].value = value;
    list->n++;
}

int gost_http1_list_has(const struct gost_http1_list *list, const char *name)
{
    struct gost_map map = {list->v, list->n};

    return gost_http1_map_get(&map, name) != NULL;
}

void gost_http1_list_add_rest(struct gost_http1_list *list, const struct gost_map *map)
{
    uint32_t i;

    for (i = 0; i < map->n; i++)
        if (strcasecmp(map->v[i].key, "Host") != 0 && strcasecmp(map->v[i].key, "User-Agent") != 0)
            gost_http1_list_add(list, map->v[i].key, map->v[i].value);
}

void gost_http1_put_name(struct gost_http1_out *out, const char *name)
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

void gost_http1_put_list(struct gost_http1_out *out, const struct gost_http1_list *list)
{
    uint32_t i;

    for (i = 0; i < list->n; i++) {
        gost_http1_put_name(out, list->v[i].key);
        gost_http1_put_str(out, ": ");
        gost_http1_put_str(out, list->v[i].value);
        gost_http1_put_str(out, "\r\n");
    }
}

/* ---- maps ---- */

const char *gost_http1_map_get(const struct gost_map *map, const char *name)
{
    uint32_t i;

    for (i = 0; i < map->n; i++)
        if (strcasecmp(map->v[i].key, name) == 0)
            return map->v[i].value;
    return NULL;
}

size_t gost_http1_map_size(const struct gost_map *map)
{
    size_t size = 0;
    uint32_t i;

    for (i = 0; i < map->n; i++)
        size += strlen(map->v[i].key) + strlen(map->v[i].value) + 4;
    return size;
}

const char *gost_http1_map_check(const struct gost_map *map)
{
    uint32_t i;

    if (map->n > GOST_HTTP1_MAP_MAX)
        return "header holds more than 56 fields; remove some";
    for (i = 0; i < map->n; i++) {
        if (!gost_http1_valid_name(gost_bytes_str(map->v[i].key)))
            return "header holds a name that is not a field name; use letters, digits and '-'";
        if (!gost_http1_valid_value(gost_bytes_str(map->v[i].value)))
            return "header holds a value with a control character; remove it";
    }
    return NULL;
}

/* ---- credentials, answers ---- */

const char *gost_http1_basic_check(const char *user, struct gost_bytes secret)
{
    if ((user ? strlen(user) : 0) + 1 + secret.n > GOST_HTTP1_BASIC_MAX)
        return "auth.username and auth.password together are longer than 767 bytes";
    if (user && strchr(user, ':'))
        return "auth.username holds a ':', which HTTP basic authentication cannot carry";
    return NULL;
}

int gost_http1_error(uint32_t status)
{
    switch (status) {
    case 401:
    case 407:
        return GOST_EAUTH;
    case 403:
        return GOST_EDENIED;
    case 408:
    case 504:
        return GOST_ETIMEDOUT;
    case 429:
        return GOST_ELIMIT;
    default:
        return GOST_EPEER;
    }
}
