/* conf_emit.c - what YAML and JSON output share, and JSON itself. */
/* SPDX-License-Identifier: MIT */
#include "conf_emit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_emit_internal.h"
#include "conf_number.h"

bool gh_emit_is_empty(const struct gh_field *field, const struct gh_value *value)
{
    if (value == NULL)
        return true;
    switch (value->type) {
    case GH_NULL:
        return true;
    case GH_BOOL:
        return !value->u.b;
    case GH_INT:
        return value->u.i == 0;
    case GH_DOUBLE:
        return value->u.d == 0;
    case GH_STRING:
        return value->u.s.len == 0;
    case GH_LIST:
        return value->u.list.count == 0;
    case GH_MAP:
        /* An object behind a pointer is printed as soon as it is there. */
        return field->type != GH_FIELD_OBJECT && value->u.map.count == 0;
    }
    return true;
}

/* ---- JSON ---- */

struct writer {
    struct gh_text *to;
    bool indent;
};

static void new_line(const struct writer *w, unsigned level)
{
    if (!w->indent)
        return;
    gh_text_char(w->to, '\n');
    gh_text_fill(w->to, ' ', (size_t)level * 2);
}

/* One character that cannot stand for itself. */
static void json_escape(struct gh_text *to, uint32_t code)
{
    switch (code) {
    case '"':
    case '\\':
        gh_text_printf(to, "\\%c", (char)code);
        break;
    case '\b':
        gh_text_str(to, "\\b");
        break;
    case '\f':
        gh_text_str(to, "\\f");
        break;
    case '\n':
        gh_text_str(to, "\\n");
        break;
    case '\r':
        gh_text_str(to, "\\r");
        break;
    case '\t':
        gh_text_str(to, "\\t");
        break;
    default:
        gh_text_printf(to, "\\u%04x", (unsigned)code);
    }
}

static bool json_needs_escape(uint32_t code)
{
    return code < 0x20 || code == '"' || code == '\\' || code == '<' || code == '>' ||
           code == '&' || code == 0x2028 || code == 0x2029;
}

static void json_string(struct gh_text *to, const char *text, size_t len)
{
    gh_text_char(to, '"');
    while (len > 0) {
        uint32_t code;
        unsigned size = gh_utf8_decode(text, len, &code);
        if (size == 0)
            gh_text_str(to, "\\ufffd");
        else if (json_needs_escape(code))
            json_escape(to, code);
        else
            gh_text_add(to, text, size);
        text += size != 0 ? size : 1;
        len -= size != 0 ? size : 1;
    }
    gh_text_char(to, '"');
}

static void json_scalar(struct gh_text *to, const struct gh_value *value)
{
    char buf[GH_NUMBER_MAX];
    switch (value->type) {
    case GH_BOOL:
        gh_text_str(to, value->u.b ? "true" : "false");
        break;
    case GH_INT:
        gh_text_printf(to, "%" PRId64, value->u.i);
        break;
    case GH_DOUBLE:
        /* JSON has no words for infinity and not-a-number. */
        if (value->u.d - value->u.d != 0)
            gh_text_str(to, "null");
        else
            gh_text_str(to, gh_format_double(value->u.d, GH_FLOAT_JSON, buf));
        break;
    case GH_STRING:
        json_string(to, value->u.s.text, value->u.s.len);
        break;
    default:
        gh_text_str(to, "null");
    }
}

static void json_value(const struct writer *w, const struct gh_field *field,
                       const struct gh_value *value, unsigned level);

static void json_list(const struct writer *w, const struct gh_field *field,
                      const struct gh_value *list, unsigned level)
{
    size_t count = list->u.list.count;
    gh_text_char(w->to, '[');
    for (size_t i = 0; i < count; i++) {
        new_line(w, level + 1);
        json_value(w, field, list->u.list.items[i], level + 1);
        if (i + 1 < count)
            gh_text_char(w->to, ',');
    }
    if (count != 0)
        new_line(w, level);
    gh_text_char(w->to, ']');
}

static void json_key(const struct writer *w, const char *key, bool first, unsigned level)
{
    if (!first)
        gh_text_char(w->to, ',');
    new_line(w, level);
    json_string(w->to, key, strlen(key));
    gh_text_str(w->to, w->indent ? ": " : ":");
}

static int compare_keys(const void *a, const void *b)
{
    const struct gh_member *const *m = a, *const *n = b;
    return strcmp((*m)->key, (*n)->key);
}

static void json_map(const struct writer *w, const struct gh_value *map, unsigned level)
{
    const struct gh_member **sorted = gh_emit_sorted(w->to, map, compare_keys);
    size_t count = map->u.map.count;
    if (sorted == NULL)
        return;
    gh_text_char(w->to, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(w, sorted[i]->key, i == 0, level + 1);
        json_value(w, NULL, sorted[i]->value, level + 1);
    }
    if (count != 0)
        new_line(w, level);
    gh_text_char(w->to, '}');
    free(sorted);
}

/* The zero of a field that is always printed. */
static void json_zero(const struct writer *w, const struct gh_field *field)
{
    static const char *const zeros[] = {
        [GH_FIELD_STRING] = "\"\"",  [GH_FIELD_INT] = "0",        [GH_FIELD_BOOL] = "false",
        [GH_FIELD_DURATION] = "0",   [GH_FIELD_STRINGS] = "null", [GH_FIELD_OBJECT] = "null",
        [GH_FIELD_OBJECTS] = "null", [GH_FIELD_TEXTMAP] = "null", [GH_FIELD_FREE] = "null",
    };
    gh_text_str(w->to, zeros[field->type]);
}

static void json_object(const struct writer *w, const struct gh_object *object,
                        const struct gh_value *value, unsigned level)
{
    bool first = true;
    gh_text_char(w->to, '{');
    for (const struct gh_field *f = object->fields; f->key != NULL; f++) {
        const struct gh_value *member = gh_get(value, f->key);
        if (gh_emit_is_empty(f, member) && !(f->flags & GH_ALWAYS))
            continue;
        json_key(w, f->json_key != NULL ? f->json_key : f->key, first, level + 1);
        first = false;
        if (member != NULL)
            json_value(w, f, member, level + 1);
        else
            json_zero(w, f);
    }
    if (!first)
        new_line(w, level);
    gh_text_char(w->to, '}');
}

static void json_value(const struct writer *w, const struct gh_field *field,
                       const struct gh_value *value, unsigned level)
{
    bool object = field != NULL && field->sub != NULL;
    if (value->type == GH_LIST)
        json_list(w, field, value, level);
    else if (value->type == GH_MAP && object)
        json_object(w, field->sub, value, level);
    else if (value->type == GH_MAP)
        json_map(w, value, level);
    else
        json_scalar(w->to, value);
}

void gh_emit_json(struct gh_text *to, const struct gh_object *object, const struct gh_value *value,
                  unsigned flags)
{
    struct writer w = {to, (flags & GH_JSON_INDENT) != 0};
    struct gh_field field = {.type = GH_FIELD_OBJECT, .sub = object};
    json_value(&w, &field, value, 0);
    if (w.indent)
        gh_text_char(to, '\n');
}

const struct gh_member **gh_emit_sorted(struct gh_text *to, const struct gh_value *map,
                                        int (*compare)(const void *, const void *))
{
    const struct gh_member **sorted = calloc(map->u.map.count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        to->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < map->u.map.count; i++)
        sorted[i] = &map->u.map.members[i];
    qsort(sorted, map->u.map.count, sizeof(*sorted), compare);
    return sorted;
}
