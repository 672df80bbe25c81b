/* conf_tree.c - the value tree: making, copying, comparing and changing. */
/* SPDX-License-Identifier: MIT */
#include "conf_tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct gh_source {
    atomic_uint refs;
    char name[];
};

struct gh_source *gh_source_new(const char *name)
{
    size_t size = strlen(name) + 1;
    struct gh_source *source = malloc(sizeof(*source) + size);
    if (source == NULL)
        return NULL;
    atomic_init(&source->refs, 1);
    memcpy(source->name, name, size);
    return source;
}

struct gh_source *gh_source_ref(struct gh_source *source)
{
    if (source != NULL)
        atomic_fetch_add_explicit(&source->refs, 1, memory_order_relaxed);
    return source;
}

void gh_source_unref(struct gh_source *source)
{
    if (source != NULL && atomic_fetch_sub_explicit(&source->refs, 1, memory_order_acq_rel) == 1)
        free(source);
}

const char *gh_source_name(const struct gh_source *source)
{
    return source != NULL ? source->name : "";
}

static struct gh_value *value_new(enum gh_type type)
{
    struct gh_value *value = calloc(1, sizeof(*value));
    if (value != NULL)
        value->type = type;
    return value;
}

struct gh_value *gh_null(void)
{
    return value_new(GH_NULL);
}

struct gh_value *gh_bool_new(bool b)
{
    struct gh_value *value = value_new(GH_BOOL);
    if (value != NULL)
        value->u.b = b;
    return value;
}

struct gh_value *gh_int_new(int64_t i)
{
    struct gh_value *value = value_new(GH_INT);
    if (value != NULL)
        value->u.i = i;
    return value;
}

struct gh_value *gh_double_new(double d)
{
    struct gh_value *value = value_new(GH_DOUBLE);
    if (value != NULL)
        value->u.d = d;
    return value;
}

struct gh_value *gh_string_new_len(const char *text, size_t len)
{
    struct gh_value *value = value_new(GH_STRING);
    if (value == NULL)
        return NULL;
    value->u.s.text = malloc(len + 1);
    if (value->u.s.text == NULL) {
        free(value);
        return NULL;
    }
    if (len != 0)
        memcpy(value->u.s.text, text, len);
    value->u.s.text[len] = '\0';
    value->u.s.len = len;
    return value;
}

struct gh_value *gh_string_new(const char *text)
{
    return gh_string_new_len(text, strlen(text));
}

struct gh_value *gh_list_new(void)
{
    return value_new(GH_LIST);
}

struct gh_value *gh_map_new(void)
{
    return value_new(GH_MAP);
}

void gh_value_free(struct gh_value *value)
{
    if (value == NULL)
        return;
    switch (value->type) {
    case GH_STRING:
        explicit_bzero(value->u.s.text, value->u.s.len);
        free(value->u.s.text);
        break;
    case GH_LIST:
        for (size_t i = 0; i < value->u.list.count; i++)
            gh_value_free(value->u.list.items[i]);
        free(value->u.list.items);
        break;
    case GH_MAP:
        for (size_t i = 0; i < value->u.map.count; i++) {
            free(value->u.map.members[i].key);
            gh_value_free(value->u.map.members[i].value);
        }
        free(value->u.map.members);
        break;
    default:
        break;
    }
    gh_source_unref(value->source);
    free(value);
}

/* Copies the content of a container into the empty one `to`. */
static int copy_content(struct gh_value *to, const struct gh_value *from)
{
    if (from->type == GH_LIST) {
        for (size_t i = 0; i < from->u.list.count; i++)
            if (gh_list_append(to, gh_value_copy(from->u.list.items[i])) != 0)
                return -ENOMEM;
    } else if (from->type == GH_MAP) {
        for (size_t i = 0; i < from->u.map.count; i++) {
            const struct gh_member *m = &from->u.map.members[i];
            if (gh_map_append(to, m->key, gh_value_copy(m->value)) != 0)
                return -ENOMEM;
        }
    }
    return 0;
}

struct gh_value *gh_value_copy(const struct gh_value *value)
{
    if (value == NULL)
        return NULL;
    struct gh_value *copy = value->type == GH_STRING
                                ? gh_string_new_len(value->u.s.text, value->u.s.len)
                                : value_new(value->type);
    if (copy == NULL)
        return NULL;
    if (value->type == GH_BOOL || value->type == GH_INT || value->type == GH_DOUBLE)
        copy->u = value->u;
    copy->flags = value->flags;
    gh_value_place(copy, value->source, value->line, value->column);
    if (copy_content(copy, value) != 0) {
        gh_value_free(copy);
        return NULL;
    }
    return copy;
}

static const struct gh_value *get_exact(const struct gh_value *map, const char *key)
{
    for (size_t i = 0; i < map->u.map.count; i++)
        if (strcmp(map->u.map.members[i].key, key) == 0)
            return map->u.map.members[i].value;
    return NULL;
}

static bool maps_equal(const struct gh_value *a, const struct gh_value *b)
{
    if (a->u.map.count != b->u.map.count)
        return false;
    for (size_t i = 0; i < a->u.map.count; i++) {
        /* Usually both were written in the same order. */
        const struct gh_member *m = &a->u.map.members[i];
        const struct gh_member *n = &b->u.map.members[i];
        const struct gh_value *other =
            strcmp(m->key, n->key) == 0 ? n->value : get_exact(b, m->key);
        if (other == NULL || !gh_value_equal(m->value, other))
            return false;
    }
    return true;
}

static bool lists_equal(const struct gh_value *a, const struct gh_value *b)
{
    if (a->u.list.count != b->u.list.count)
        return false;
    for (size_t i = 0; i < a->u.list.count; i++)
        if (!gh_value_equal(a->u.list.items[i], b->u.list.items[i]))
            return false;
    return true;
}

bool gh_value_equal(const struct gh_value *a, const struct gh_value *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->type != b->type)
        return false;
    switch (a->type) {
    case GH_BOOL:
        return a->u.b == b->u.b;
    case GH_INT:
        return a->u.i == b->u.i;
    case GH_DOUBLE:
        return a->u.d == b->u.d || (a->u.d != a->u.d && b->u.d != b->u.d);
    case GH_STRING:
        return a->u.s.len == b->u.s.len && memcmp(a->u.s.text, b->u.s.text, a->u.s.len) == 0;
    case GH_LIST:
        return lists_equal(a, b);
    case GH_MAP:
        return maps_equal(a, b);
    default:
        return true;
    }
}

struct gh_value *gh_value_place(struct gh_value *value, struct gh_source *source, uint32_t line,
                                uint32_t column)
{
    if (value == NULL)
        return NULL;
    struct gh_source *old = value->source;
    value->source = gh_source_ref(source);
    gh_source_unref(old);
    value->line = line;
    value->column = column;
    return value;
}

void gh_value_place_all(struct gh_value *value, struct gh_source *source)
{
    if (value == NULL)
        return;
    gh_value_place(value, source, 0, 0);
    if (value->type == GH_LIST) {
        for (size_t i = 0; i < value->u.list.count; i++)
            gh_value_place_all(value->u.list.items[i], source);
    } else if (value->type == GH_MAP) {
        for (size_t i = 0; i < value->u.map.count; i++)
            gh_value_place_all(value->u.map.members[i].value, source);
    }
}

/* Makes room for one more element of `size` bytes. */
static int make_room(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return 0;
    size_t next = *room != 0 ? *room * 2 : 4;
    void *grown = reallocarray(*items, next, size);
    if (grown == NULL)
        return -ENOMEM;
    *items = grown;
    *room = next;
    return 0;
}

int gh_map_append(struct gh_value *map, const char *key, struct gh_value *value)
{
    if (value == NULL)
        return -ENOMEM;
    void *members = map->u.map.members;
    int rc = make_room(&members, map->u.map.count, &map->u.map.room, sizeof(struct gh_member));
    map->u.map.members = members;
    char *copy = rc == 0 ? strdup(key) : NULL;
    if (copy == NULL) {
        gh_value_free(value);
        return -ENOMEM;
    }
    map->u.map.members[map->u.map.count++] = (struct gh_member){copy, value};
    return 0;
}

int gh_map_set(struct gh_value *map, const char *key, struct gh_value *value)
{
    if (value == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < map->u.map.count; i++) {
        if (strcmp(map->u.map.members[i].key, key) == 0) {
            gh_value_free(map->u.map.members[i].value);
            map->u.map.members[i].value = value;
            return 0;
        }
    }
    return gh_map_append(map, key, value);
}

static int compare_exact(const void *a, const void *b)
{
    const struct gh_member *const *m = a, *const *n = b;
    int order = strcmp((*m)->key, (*n)->key);
    return order != 0 ? order : (*m > *n) - (*m < *n);
}

static int compare_fold(const void *a, const void *b)
{
    const struct gh_member *const *m = a, *const *n = b;
    int order = strcasecmp((*m)->key, (*n)->key);
    return order != 0 ? order : (*m > *n) - (*m < *n);
}

/* Compares every pair. */
static size_t duplicate_slowly(const struct gh_value *map, bool fold)
{
    const struct gh_member *m = map->u.map.members;
    for (size_t i = 1; i < map->u.map.count; i++)
        for (size_t j = 0; j < i; j++)
            if ((fold ? strcasecmp(m[i].key, m[j].key) : strcmp(m[i].key, m[j].key)) == 0)
                return i;
    return map->u.map.count;
}

size_t gh_map_duplicate(const struct gh_value *map, bool fold)
{
    size_t count = map->u.map.count;
    size_t found = count;
    const struct gh_member **sorted =
        count > 16 ? reallocarray(NULL, count, sizeof(*sorted)) : NULL;
    if (sorted == NULL)
        return duplicate_slowly(map, fold);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &map->u.map.members[i];
    qsort(sorted, count, sizeof(*sorted), fold ? compare_fold : compare_exact);
    for (size_t i = 1; i < count; i++) {
        const char *a = sorted[i - 1]->key, *b = sorted[i]->key;
        size_t at = (size_t)(sorted[i] - map->u.map.members);
        if ((fold ? strcasecmp(a, b) : strcmp(a, b)) == 0 && at < found)
            found = at;
    }
    free(sorted);
    return found;
}

struct gh_value *gh_map_take(struct gh_value *map, const char *key)
{
    for (size_t i = 0; i < map->u.map.count; i++) {
        struct gh_member *m = &map->u.map.members[i];
        if (strcmp(m->key, key) == 0) {
            struct gh_value *value = m->value;
            free(m->key);
            map->u.map.count--;
            memmove(m, m + 1, (map->u.map.count - i) * sizeof(*m));
            return value;
        }
    }
    return NULL;
}

bool gh_map_delete(struct gh_value *map, const char *key)
{
    struct gh_value *value = gh_map_take(map, key);
    gh_value_free(value);
    return value != NULL;
}

int gh_list_append(struct gh_value *list, struct gh_value *value)
{
    if (value == NULL)
        return -ENOMEM;
    void *items = list->u.list.items;
    int rc = make_room(&items, list->u.list.count, &list->u.list.room, sizeof(value));
    list->u.list.items = items;
    if (rc != 0) {
        gh_value_free(value);
        return rc;
    }
    list->u.list.items[list->u.list.count++] = value;
    return 0;
}

void gh_list_delete(struct gh_value *list, size_t index)
{
    if (index >= list->u.list.count)
        return;
    gh_value_free(list->u.list.items[index]);
    list->u.list.count--;
    memmove(&list->u.list.items[index], &list->u.list.items[index + 1],
            (list->u.list.count - index) * sizeof(list->u.list.items[0]));
}

int gh_list_move(struct gh_value *to, struct gh_value *from)
{
    for (size_t i = 0; i < from->u.list.count; i++) {
        struct gh_value *item = from->u.list.items[i];
        from->u.list.items[i] = NULL;
        if (gh_list_append(to, item) != 0)
            return -ENOMEM;
    }
    from->u.list.count = 0;
    return 0;
}
