/* conf_access.c - reading values out of the tree. */
/* SPDX-License-Identifier: MIT */
#include "conf_tree.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf_number.h"

static struct gh_member *find_member(const struct gh_value *map, const char *key, size_t len)
{
    if (map == NULL || map->type != GH_MAP)
        return NULL;
    for (size_t i = 0; i < map->u.map.count; i++) {
        struct gh_member *m = &map->u.map.members[i];
        if (strncasecmp(m->key, key, len) == 0 && m->key[len] == '\0')
            return m;
    }
    return NULL;
}

const struct gh_value *gh_get(const struct gh_value *map, const char *key)
{
    const struct gh_member *m = find_member(map, key, strlen(key));
    return m != NULL ? m->value : NULL;
}

struct gh_value *gh_get_mutable(struct gh_value *map, const char *key)
{
    struct gh_member *m = find_member(map, key, strlen(key));
    return m != NULL ? m->value : NULL;
}

const struct gh_value *gh_path(const struct gh_value *map, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");
        const struct gh_member *m = find_member(map, path, len);
        if (m == NULL)
            return NULL;
        if (path[len] == '\0')
            return m->value;
        map = m->value;
        path += len + 1;
    }
}

const char *gh_text_of(const struct gh_value *value)
{
    return value != NULL && value->type == GH_STRING ? value->u.s.text : NULL;
}

const char *gh_str(const struct gh_value *map, const char *key, const char *otherwise)
{
    const char *text = gh_text_of(gh_get(map, key));
    return text != NULL && *text != '\0' ? text : otherwise;
}

/* Truncates without leaving the range of the type. */
static int64_t int_of_double(double d, int64_t otherwise)
{
    return d >= -9.2e18 && d <= 9.2e18 ? (int64_t)d : otherwise;
}

int64_t gh_int(const struct gh_value *map, const char *key, int64_t otherwise)
{
    const struct gh_value *value = gh_get(map, key);
    if (value == NULL)
        return otherwise;
    int64_t parsed;
    switch (value->type) {
    case GH_INT:
        return value->u.i;
    case GH_BOOL:
        return value->u.b;
    case GH_DOUBLE:
        return int_of_double(value->u.d, otherwise);
    case GH_STRING:
        return gh_parse_int(value->u.s.text, 10, &parsed) ? parsed : otherwise;
    default:
        return otherwise;
    }
}

bool gh_bool(const struct gh_value *map, const char *key, bool otherwise)
{
    const struct gh_value *value = gh_get(map, key);
    if (value == NULL)
        return otherwise;
    bool parsed;
    switch (value->type) {
    case GH_BOOL:
        return value->u.b;
    case GH_INT:
        return value->u.i != 0;
    case GH_DOUBLE:
        return value->u.d != 0;
    case GH_STRING:
        return gh_parse_bool(value->u.s.text, &parsed) ? parsed : otherwise;
    default:
        return otherwise;
    }
}

int64_t gh_duration_ns(const struct gh_value *map, const char *key, int64_t otherwise)
{
    const struct gh_value *value = gh_get(map, key);
    int64_t parsed;
    if (value != NULL && value->type == GH_INT)
        return value->u.i;
    if (value != NULL && value->type == GH_DOUBLE)
        return int_of_double(value->u.d, otherwise);
    if (value != NULL && value->type == GH_STRING && gh_parse_duration(value->u.s.text, &parsed))
        return parsed;
    return otherwise;
}

int64_t gh_duration_ms(const struct gh_value *map, const char *key, int64_t otherwise)
{
    if (gh_get(map, key) == NULL)
        return otherwise;
    int64_t ns = gh_duration_ns(map, key, INT64_MIN);
    if (ns == INT64_MIN)
        return otherwise;
    return ns / 1000000 + (ns > 0 && ns % 1000000 != 0);
}

bool gh_is_map(const struct gh_value *value)
{
    return value != NULL && value->type == GH_MAP;
}

bool gh_is_list(const struct gh_value *value)
{
    return value != NULL && value->type == GH_LIST;
}

size_t gh_count(const struct gh_value *value)
{
    return gh_is_list(value) ? value->u.list.count : gh_is_map(value) ? value->u.map.count : 0;
}

const struct gh_value *gh_item(const struct gh_value *list, size_t index)
{
    return gh_is_list(list) && index < list->u.list.count ? list->u.list.items[index] : NULL;
}

const struct gh_value *gh_next(const struct gh_value *list, size_t *pos)
{
    if (!gh_is_list(list))
        return NULL;
    while (*pos < list->u.list.count) {
        const struct gh_value *item = list->u.list.items[(*pos)++];
        if (item->type != GH_NULL)
            return item;
    }
    return NULL;
}

const struct gh_member *gh_next_member(const struct gh_value *map, size_t *pos)
{
    if (!gh_is_map(map) || *pos >= map->u.map.count)
        return NULL;
    return &map->u.map.members[(*pos)++];
}

const struct gh_value *gh_named(const struct gh_value *list, const char *name)
{
    const struct gh_value *item;
    size_t pos = 0;
    while ((item = gh_next(list, &pos)) != NULL) {
        const char *text = gh_text_of(gh_get(item, "name"));
        if (text != NULL && strcmp(text, name) == 0)
            return item;
    }
    return NULL;
}

const char *gh_pos_text(const struct gh_value *value, char buf[GH_POS_MAX])
{
    buf[0] = '\0';
    if (value == NULL || value->source == NULL)
        return buf;
    const char *name = gh_source_name(value->source);
    if (value->line == 0)
        snprintf(buf, GH_POS_MAX, "%s", name);
    else if (value->column == 0)
        snprintf(buf, GH_POS_MAX, "%.280s:%u", name, value->line);
    else
        snprintf(buf, GH_POS_MAX, "%.280s:%u:%u", name, value->line, value->column);
    return buf;
}
