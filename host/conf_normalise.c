/* conf_normalise.c - from what a parser gave to canonical keys and exact types. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_meta.h"
#include "conf_number.h"
#include "conf_schema.h"

/* Where in the tree the work is: "services[0].handler". Lives on the stack. */
struct place {
    const struct place *up;
    const char *key; /* NULL: an index */
    size_t index;
};

struct context {
    const struct gh_normalise *how;
    struct gh_conf_errors *errs;
};

static size_t place_text(const struct place *place, char *buf, size_t size)
{
    size_t at = place->up != NULL ? place_text(place->up, buf, size) : 0;
    if (at >= size)
        return at;
    int len = place->key == NULL
                  ? snprintf(buf + at, size - at, "[%zu]", place->index)
                  : snprintf(buf + at, size - at, "%s%s", at != 0 ? "." : "", place->key);
    return at + (size_t)len;
}

/* Whether a value there may be or hold a secret, also where it stands in place of an object. */
static bool is_secret(const struct place *place)
{
    static const char *const keys[] = {"password", "token", "key", "auth", "auths"};

    for (; place != NULL; place = place->up)
        for (size_t i = 0; place->key != NULL && i < sizeof keys / sizeof keys[0]; i++)
            if (strcmp(place->key, keys[i]) == 0)
                return true;
    return false;
}

/* Reports "services[0].handler.retries: TEXT is no integer; write ...". */
static void reject(const struct context *c, const struct gh_value *raw, const struct place *place,
                   const char *expected)
{
    char where[256] = "";
    static const char *const nouns[] = {"null",   "a truth value", "a number", "a number",
                                        "a text", "a list",        "a map"};
    place_text(place, where, sizeof(where));
    char *text = is_secret(place) ? NULL : gh_value_text(raw);
    if (text != NULL && strlen(text) <= 60)
        gh_errors_at(c->errs, GH_ERROR, raw, "%s: \"%s\" does not fit; %s", where, text, expected);
    else
        gh_errors_at(c->errs, GH_ERROR, raw, "%s: %s does not fit; %s", where, nouns[raw->type],
                     expected);
    free(text);
}

static void warn(const struct context *c, const struct gh_value *raw, const struct place *place,
                 const char *message)
{
    char where[256] = "";
    place_text(place, where, sizeof(where));
    gh_errors_at(c->errs, GH_WARNING, raw, "%s: %s", where, message);
}

static bool weak(const struct context *c)
{
    return c->how->rules == GH_RULES_FILE;
}

/* Gives a converted value the place of its raw one. */
static struct gh_value *placed(const struct context *c, struct gh_value *value,
                               const struct gh_value *raw)
{
    if (value == NULL)
        c->errs->no_memory = true;
    return gh_value_place(value, raw->source, raw->line, raw->column);
}

/* All converters: *owned* result; NULL: absent, or reported. */

static struct gh_value *to_string(const struct context *c, const struct gh_value *raw,
                                  const struct place *place)
{
    if (raw->type == GH_STRING) {
        if (strlen(raw->u.s.text) != raw->u.s.len) {
            reject(c, raw, place, "a text cannot contain NUL characters");
            return NULL;
        }
        return placed(c, gh_string_new_len(raw->u.s.text, raw->u.s.len), raw);
    }
    if (!weak(c) || raw->type == GH_LIST || raw->type == GH_MAP) {
        reject(c, raw, place, "write a text in double quotes");
        return NULL;
    }
    if (raw->type == GH_BOOL)
        return placed(c, gh_string_new(raw->u.b ? "1" : "0"), raw);
    char *text = gh_value_text(raw);
    struct gh_value *value = text != NULL ? gh_string_new(text) : NULL;
    free(text);
    return placed(c, value, raw);
}

/* The whole number a value stands for. */
static bool whole_number(const struct context *c, const struct gh_value *raw, int64_t *ret)
{
    switch (raw->type) {
    case GH_INT:
        *ret = raw->u.i;
        return true;
    case GH_DOUBLE:
        if (!(raw->u.d >= -9.2e18 && raw->u.d <= 9.2e18))
            return false;
        *ret = (int64_t)raw->u.d;
        return (double)*ret == raw->u.d || (weak(c) && c->how->compat_gost);
    case GH_BOOL:
        *ret = raw->u.b;
        return weak(c);
    case GH_STRING:
        *ret = 0;
        return weak(c) && (raw->u.s.len == 0 || gh_parse_int(raw->u.s.text, 0, ret));
    default:
        return false;
    }
}

static struct gh_value *to_int(const struct context *c, const struct gh_value *raw,
                               const struct place *place)
{
    int64_t i;
    if (!whole_number(c, raw, &i)) {
        reject(c, raw, place, "write a whole number such as 10");
        return NULL;
    }
    return placed(c, gh_int_new(i), raw);
}

static struct gh_value *to_bool(const struct context *c, const struct gh_value *raw,
                                const struct place *place)
{
    bool b = false;
    bool ok = raw->type == GH_BOOL;
    if (ok)
        b = raw->u.b;
    else if (weak(c) && raw->type == GH_STRING)
        ok = raw->u.s.len == 0 || gh_parse_bool(raw->u.s.text, &b);
    else if (weak(c) && raw->type == GH_INT) {
        ok = true;
        b = raw->u.i != 0;
    } else if (weak(c) && raw->type == GH_DOUBLE) {
        ok = true;
        b = raw->u.d != 0;
    }
    if (!ok) {
        reject(c, raw, place, "write true or false");
        return NULL;
    }
    return placed(c, gh_bool_new(b), raw);
}

static struct gh_value *to_duration(const struct context *c, const struct gh_value *raw,
                                    const struct place *place)
{
    int64_t ns = 0;
    if (raw->type == GH_STRING && weak(c)) {
        if (!gh_parse_duration(raw->u.s.text, &ns)) {
            reject(c, raw, place, "write a duration with its unit, such as 30s or 1m30s");
            return NULL;
        }
        return placed(c, gh_int_new(ns), raw);
    }
    if ((raw->type != GH_INT && raw->type != GH_DOUBLE) || !whole_number(c, raw, &ns)) {
        reject(c, raw, place,
               weak(c) ? "write a duration with its unit, such as 30s"
                       : "in this place a duration is a number of nanoseconds: 30000000000 is 30s");
        return NULL;
    }
    if (ns > 0 && ns < 1000000)
        warn(c, raw, place,
             weak(c) ? "a duration without a unit is nanoseconds; write for instance 30s"
                     : "this duration is a number of nanoseconds and very short");
    return placed(c, gh_int_new(ns), raw);
}

/* Appends what a converter gave; NULL was absent or reported. */
static void append(const struct context *c, struct gh_value *list, struct gh_value *item)
{
    if (item != NULL && gh_list_append(list, item) != 0)
        c->errs->no_memory = true;
}

/* Adds a member; false: nothing was added, and `value` is gone. */
static bool put(const struct context *c, struct gh_value *map, const char *key,
                struct gh_value *value)
{
    if (value == NULL)
        return false;
    if (gh_map_append(map, key, value) != 0) {
        c->errs->no_memory = true;
        return false;
    }
    return true;
}

static struct gh_value *to_strings(const struct context *c, const struct gh_value *raw,
                                   const struct place *place)
{
    if (raw->type != GH_LIST && (!weak(c) || raw->type == GH_MAP)) {
        reject(c, raw, place, "write a list of texts");
        return NULL;
    }
    struct gh_value *list = placed(c, gh_list_new(), raw);
    if (list == NULL)
        return NULL;
    if (raw->type != GH_LIST) {
        append(c, list, to_string(c, raw, place));
        return list;
    }
    for (size_t i = 0; i < raw->u.list.count; i++) {
        const struct gh_value *item = raw->u.list.items[i];
        struct place at = {place, NULL, i};
        if (item->type == GH_NULL)
            append(c, list, placed(c, gh_string_new(""), item));
        else
            append(c, list, to_string(c, item, &at));
    }
    return list;
}

/* The key as free-form maps keep it. *Owned*. */
static char *free_key(const struct context *c, const char *key)
{
    char *copy = strdup(key);
    if (copy == NULL) {
        c->errs->no_memory = true;
        return NULL;
    }
    /* Only ASCII letters: the bytes of others must stay intact. */
    for (char *p = copy; weak(c) && *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return copy;
}

/* Reports keys that became equal when their case was folded. */
static void check_folded(const struct context *c, const struct gh_value *map,
                         const struct place *place)
{
    size_t twice = gh_map_duplicate(map, false);
    if (twice < map->u.map.count) {
        char where[256] = "";
        place_text(place, where, sizeof(where));
        gh_errors_at(c->errs, GH_ERROR, map->u.map.members[twice].value,
                     "%s: the key \"%s\" appears twice (upper and lower case are equal here); "
                     "keep one of them",
                     where, map->u.map.members[twice].key);
    }
}

static struct gh_value *to_free(const struct context *c, const struct gh_value *raw,
                                const struct place *place)
{
    if (raw->type == GH_LIST) {
        struct gh_value *list = placed(c, gh_list_new(), raw);
        for (size_t i = 0; list != NULL && i < raw->u.list.count; i++) {
            struct place at = {place, NULL, i};
            append(c, list, to_free(c, raw->u.list.items[i], &at));
        }
        return list;
    }
    if (raw->type != GH_MAP) {
        struct gh_value *copy = gh_value_copy(raw);
        return placed(c, copy, raw);
    }
    struct gh_value *map = placed(c, gh_map_new(), raw);
    for (size_t i = 0; map != NULL && i < raw->u.map.count; i++) {
        const struct gh_member *m = &raw->u.map.members[i];
        struct place at = {place, m->key, 0};
        char *key = free_key(c, m->key);
        if (key != NULL)
            put(c, map, key, to_free(c, m->value, &at));
        free(key);
    }
    if (map != NULL)
        check_folded(c, map, place);
    return map;
}

/* The map a value stands for: a map, or by weak typing a list of maps joined. *Owned*. */
static struct gh_value *joined_maps(const struct context *c, const struct gh_value *raw,
                                    const struct place *place)
{
    bool ok = raw->type == GH_MAP || (weak(c) && raw->type == GH_LIST);
    for (size_t i = 0; ok && raw->type == GH_LIST && i < raw->u.list.count; i++)
        ok = raw->u.list.items[i]->type == GH_MAP;
    if (!ok) {
        reject(c, raw, place, "write a map of keys and values");
        return NULL;
    }
    if (raw->type == GH_MAP)
        return placed(c, gh_value_copy(raw), raw);
    struct gh_value *joined = placed(c, gh_map_new(), raw);
    for (size_t i = 0; joined != NULL && i < raw->u.list.count; i++) {
        const struct gh_value *part = raw->u.list.items[i];
        for (size_t j = 0; j < part->u.map.count; j++)
            if (gh_map_set(joined, part->u.map.members[j].key,
                           gh_value_copy(part->u.map.members[j].value)) != 0)
                c->errs->no_memory = true;
    }
    return joined;
}

static struct gh_value *to_freemap(const struct context *c, const struct gh_value *raw,
                                   const struct place *place)
{
    struct gh_value *joined = joined_maps(c, raw, place);
    struct gh_value *map = joined != NULL ? to_free(c, joined, place) : NULL;
    gh_value_free(joined);
    return map;
}

static struct gh_value *to_textmap(const struct context *c, const struct gh_value *raw,
                                   const struct place *place)
{
    struct gh_value *joined = joined_maps(c, raw, place);
    struct gh_value *map = joined != NULL ? placed(c, gh_map_new(), raw) : NULL;
    for (size_t i = 0; map != NULL && i < joined->u.map.count; i++) {
        const struct gh_member *m = &joined->u.map.members[i];
        struct place at = {place, m->key, 0};
        char *key = free_key(c, m->key);
        if (key != NULL && m->value->type == GH_NULL)
            put(c, map, key, placed(c, gh_string_new(""), m->value));
        else if (key != NULL)
            put(c, map, key, to_string(c, m->value, &at));
        free(key);
    }
    if (map != NULL)
        check_folded(c, map, place);
    gh_value_free(joined);
    return map;
}

static struct gh_value *to_object(const struct context *c, const struct gh_object *object,
                                  const struct gh_value *raw, const struct place *place);

static struct gh_value *to_item(const struct context *c, const struct gh_field *field,
                                const struct gh_value *raw, const struct place *place)
{
    if (raw->type == GH_NULL)
        return placed(c, gh_null(), raw);
    if ((field->flags & GH_CHAIN_REF) && weak(c) && raw->type == GH_STRING) {
        struct gh_value *map = placed(c, gh_map_new(), raw);
        if (map != NULL)
            put(c, map, "chain", to_string(c, raw, place));
        return map;
    }
    return to_object(c, field->sub, raw, place);
}

static struct gh_value *to_objects(const struct context *c, const struct gh_field *field,
                                   const struct gh_value *raw, const struct place *place)
{
    if (raw->type != GH_LIST && !weak(c)) {
        reject(c, raw, place, "write a list of objects: [{...}]");
        return NULL;
    }
    struct gh_value *list = placed(c, gh_list_new(), raw);
    if (list == NULL)
        return NULL;
    if (raw->type != GH_LIST) {
        append(c, list, to_item(c, field, raw, place));
        return list;
    }
    for (size_t i = 0; i < raw->u.list.count; i++) {
        struct place at = {place, NULL, i};
        append(c, list, to_item(c, field, raw->u.list.items[i], &at));
    }
    return list;
}

static struct gh_value *to_field(const struct context *c, const struct gh_field *field,
                                 const struct gh_value *raw, const struct place *place)
{
    if (raw->type == GH_NULL)
        return NULL;
    switch (field->type) {
    case GH_FIELD_STRING:
        return to_string(c, raw, place);
    case GH_FIELD_INT:
        return to_int(c, raw, place);
    case GH_FIELD_BOOL:
        return to_bool(c, raw, place);
    case GH_FIELD_DURATION:
        return to_duration(c, raw, place);
    case GH_FIELD_STRINGS:
        return to_strings(c, raw, place);
    case GH_FIELD_OBJECT:
        return to_object(c, field->sub, raw, place);
    case GH_FIELD_OBJECTS:
        return to_objects(c, field, raw, place);
    case GH_FIELD_TEXTMAP:
        return to_textmap(c, raw, place);
    case GH_FIELD_FREE:
        return to_freemap(c, raw, place);
    }
    return NULL;
}

static void report_unknown(const struct context *c, const struct gh_object *object,
                           const struct gh_member *m, const struct place *place)
{
    struct gh_suggest suggest;
    char where[256] = "", hint[80];
    /* A place to keep YAML anchors, by wide custom. */
    if (strncasecmp(m->key, "x-", 2) == 0)
        return;
    gh_suggest_start(&suggest, m->key);
    for (const struct gh_field *f = object->fields; f->key != NULL; f++)
        gh_suggest_offer(&suggest, f->key);
    place_text(place, where, sizeof(where));
    gh_errors_at(c->errs, c->how->strict ? GH_ERROR : GH_WARNING, m->value,
                 "%s%sunknown key \"%.80s\"%s", where, *where != '\0' ? ": " : "", m->key,
                 gh_suggest_text(&suggest, hint, sizeof(hint)));
}

/* The raw member for a field. Of several spellings JSON takes the last, as Go does. */
static const struct gh_value *raw_member(const struct context *c, const struct gh_value *raw,
                                         const struct gh_field *field, const struct place *place)
{
    const struct gh_value *found = NULL;
    for (size_t i = 0; i < raw->u.map.count; i++) {
        const struct gh_member *m = &raw->u.map.members[i];
        if (strcasecmp(m->key, field->key) != 0)
            continue;
        if (found != NULL)
            gh_errors_at(c->errs, weak(c) ? GH_ERROR : GH_WARNING, m->value,
                         "the key \"%s\" appears twice (upper and lower case are equal)", m->key);
        found = m->value;
    }
    return found;
}

static struct gh_value *to_object(const struct context *c, const struct gh_object *object,
                                  const struct gh_value *raw, const struct place *place)
{
    if (raw->type != GH_MAP) {
        reject(c, raw, place, "write a map of keys and values");
        return NULL;
    }
    for (size_t i = 0; i < raw->u.map.count; i++)
        if (gh_schema_field(object, raw->u.map.members[i].key) == NULL)
            report_unknown(c, object, &raw->u.map.members[i], place);
    struct gh_value *map = placed(c, gh_map_new(), raw);
    for (const struct gh_field *f = object->fields; map != NULL && f->key != NULL; f++) {
        struct place at = {place, f->key, 0};
        const struct gh_value *member = raw_member(c, raw, f, place);
        if (member != NULL)
            put(c, map, f->key, to_field(c, f, member, &at));
    }
    return map;
}

/* ---- the top level of files: dotted keys are nested, empty and null objects are absent ---- */

static struct gh_value *nest_map(const struct context *c, const struct gh_value *raw);

/* Puts `value` under a key that may have dots. Takes `value` over. */
static void nest_put(const struct context *c, struct gh_value *map, const char *key,
                     struct gh_value *value)
{
    size_t len = strcspn(key, ".");
    if (key[len] == '\0') {
        struct gh_value *old = gh_get_mutable(map, key);
        if (gh_is_map(old) && gh_is_map(value)) {
            for (size_t i = 0; i < value->u.map.count; i++) {
                struct gh_member *m = &value->u.map.members[i];
                put(c, old, m->key, m->value);
                m->value = NULL;
            }
            gh_value_free(value);
            return;
        }
        put(c, map, key, value);
        return;
    }
    char *head = strndup(key, len);
    struct gh_value *inner = head != NULL ? gh_get_mutable(map, head) : NULL;
    if (head != NULL && !gh_is_map(inner)) {
        inner = placed(c, gh_map_new(), value);
        if (!put(c, map, head, inner))
            inner = NULL;
    }
    free(head);
    if (inner != NULL)
        nest_put(c, inner, key + len + 1, value);
    else
        gh_value_free(value);
}

static struct gh_value *nest_map(const struct context *c, const struct gh_value *raw)
{
    struct gh_value *map = placed(c, gh_map_new(), raw);
    for (size_t i = 0; map != NULL && i < raw->u.map.count; i++) {
        const struct gh_member *m = &raw->u.map.members[i];
        if (m->value->type == GH_NULL)
            continue;
        struct gh_value *value = m->value->type == GH_MAP
                                     ? nest_map(c, m->value)
                                     : placed(c, gh_value_copy(m->value), m->value);
        if (gh_is_map(value) && gh_count(value) == 0)
            gh_value_free(value);
        else if (value != NULL)
            nest_put(c, map, m->key, value);
    }
    return map;
}

struct gh_value *gh_conf_normalise(const struct gh_object *object, const struct gh_value *raw,
                                   const struct gh_normalise *how)
{
    struct context c = {how, how->errs};
    struct place place = {NULL, "", 0};
    size_t before = how->errs->errors;
    bool root = object == gh_schema_root();
    struct gh_value *nested = NULL;
    struct gh_value *value = NULL;
    if (root && raw->type == GH_NULL) {
        value = placed(&c, gh_map_new(), raw);
    } else if (root && raw->type == GH_MAP && weak(&c)) {
        nested = nest_map(&c, raw);
        value = nested != NULL ? to_object(&c, object, nested, &place) : NULL;
    } else {
        value = to_object(&c, object, raw, &place);
    }
    gh_value_free(nested);
    if (how->errs->errors != before || how->errs->no_memory) {
        gh_value_free(value);
        return NULL;
    }
    return value;
}
