/* conf_emit_yaml.c - configurations as block YAML. */
/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_emit.h"
#include "conf_emit_internal.h"
#include "conf_number.h"

enum { SIMPLE_KEY_MAX = 128 };

/* Where a value is put: behind a key, behind a dash, or at the start of the document. */
enum position { AFTER_KEY, AFTER_DASH, AT_START };

static int compare_keys(const void *a, const void *b)
{
    const struct gh_member *const *m = a, *const *n = b;
    return gh_yaml_key_order((*m)->key, (*n)->key);
}

static void yaml_scalar(struct gh_text *to, const struct gh_field *field,
                        const struct gh_value *value, size_t indent)
{
    char buf[GH_NUMBER_MAX];
    switch (value->type) {
    case GH_BOOL:
        gh_text_str(to, value->u.b ? "true" : "false");
        break;
    case GH_INT:
        if (field != NULL && field->type == GH_FIELD_DURATION)
            gh_text_str(to, gh_format_duration(value->u.i, buf));
        else if (field == NULL && (value->flags & GH_VALUE_JSON))
            gh_text_str(to, gh_format_double((double)value->u.i, GH_FLOAT_G, buf));
        else
            gh_text_printf(to, "%" PRId64, value->u.i);
        break;
    case GH_DOUBLE:
        gh_text_str(to, gh_format_double(value->u.d, GH_FLOAT_G, buf));
        break;
    case GH_STRING:
        if (value->flags & GH_VALUE_TIMESTAMP)
            gh_text_add(to, value->u.s.text, value->u.s.len);
        else
            gh_yaml_string(to, value->u.s.text, value->u.s.len, indent, false);
        break;
    default:
        gh_text_str(to, "null");
    }
}

/* Appends the value and ends its last line. `indent` is that of the value's own lines. */
static void yaml_value(struct gh_text *to, const struct gh_field *field,
                       const struct gh_value *value, size_t indent, enum position position);

/* Ends the line of the key, or goes on behind the dash for the first line. */
static void begin_line(struct gh_text *to, size_t indent, enum position position, bool first)
{
    if (first && position == AFTER_KEY)
        gh_text_char(to, '\n');
    if (!first || position == AFTER_KEY)
        gh_text_fill(to, ' ', indent);
}

static void yaml_key(struct gh_text *to, const char *key, size_t indent)
{
    size_t len = strlen(key);
    if (len > SIMPLE_KEY_MAX) {
        gh_text_str(to, "? ");
        gh_yaml_string(to, key, len, indent, true);
        gh_text_char(to, '\n');
        gh_text_fill(to, ' ', indent);
    } else {
        gh_yaml_string(to, key, len, indent, true);
    }
    gh_text_char(to, ':');
}

static void yaml_list(struct gh_text *to, const struct gh_field *field, const struct gh_value *list,
                      size_t indent, enum position position)
{
    if (list->u.list.count == 0) {
        gh_text_str(to, position == AFTER_KEY ? " []\n" : "[]\n");
        return;
    }
    for (size_t i = 0; i < list->u.list.count; i++) {
        begin_line(to, indent, position, i == 0);
        gh_text_str(to, "- ");
        yaml_value(to, field, list->u.list.items[i], indent + 2, AFTER_DASH);
    }
}

static void yaml_map(struct gh_text *to, const struct gh_value *map, size_t indent,
                     enum position position)
{
    if (map->u.map.count == 0) {
        gh_text_str(to, position == AFTER_KEY ? " {}\n" : "{}\n");
        return;
    }
    const struct gh_member **sorted = gh_emit_sorted(to, map, compare_keys);
    if (sorted == NULL)
        return;
    for (size_t i = 0; i < map->u.map.count; i++) {
        begin_line(to, indent, position, i == 0);
        yaml_key(to, sorted[i]->key, indent);
        yaml_value(to, NULL, sorted[i]->value, indent + 2, AFTER_KEY);
    }
    free(sorted);
}

/* The zero of a field that is always printed. */
static void yaml_zero(struct gh_text *to, const struct gh_field *field)
{
    static const char *const zeros[] = {
        [GH_FIELD_STRING] = " \"\"\n", [GH_FIELD_INT] = " 0\n",      [GH_FIELD_BOOL] = " false\n",
        [GH_FIELD_DURATION] = " 0s\n", [GH_FIELD_STRINGS] = " []\n", [GH_FIELD_OBJECT] = " null\n",
        [GH_FIELD_OBJECTS] = " []\n",  [GH_FIELD_TEXTMAP] = " {}\n", [GH_FIELD_FREE] = " {}\n",
    };
    gh_text_str(to, zeros[field->type]);
}

static void yaml_object(struct gh_text *to, const struct gh_object *object,
                        const struct gh_value *value, size_t indent, enum position position)
{
    bool first = true;
    for (const struct gh_field *f = object->fields; f->key != NULL; f++) {
        const struct gh_value *member = gh_get(value, f->key);
        if (gh_emit_is_empty(f, member) && !(f->flags & (GH_ALWAYS | GH_ALWAYS_YAML)))
            continue;
        begin_line(to, indent, position, first);
        first = false;
        yaml_key(to, f->yaml_key != NULL ? f->yaml_key : f->key, indent);
        if (member != NULL)
            yaml_value(to, f, member, indent + 2, AFTER_KEY);
        else
            yaml_zero(to, f);
    }
    if (first)
        gh_text_str(to, position == AFTER_KEY ? " {}\n" : "{}\n");
}

static void yaml_value(struct gh_text *to, const struct gh_field *field,
                       const struct gh_value *value, size_t indent, enum position position)
{
    if (value->type == GH_LIST) {
        yaml_list(to, field, value, indent, position);
    } else if (value->type == GH_MAP && field != NULL && field->sub != NULL) {
        yaml_object(to, field->sub, value, indent, position);
    } else if (value->type == GH_MAP) {
        yaml_map(to, value, indent, position);
    } else {
        if (position == AFTER_KEY)
            gh_text_char(to, ' ');
        yaml_scalar(to, field, value, indent);
        if (!to->failed && to->data[to->len - 1] != '\n')
            gh_text_char(to, '\n');
    }
}

void gh_emit_yaml(struct gh_text *to, const struct gh_object *object, const struct gh_value *value)
{
    struct gh_field field = {.type = GH_FIELD_OBJECT, .sub = object};
    yaml_value(to, object != NULL ? &field : NULL, value, 0, AT_START);
}
