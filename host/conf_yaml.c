/* conf_yaml.c - YAML to value trees, on libyaml's events. */
/* SPDX-License-Identifier: MIT */
#include "conf_parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "conf_number.h"

enum { MERGE_MAX = 16 * 1024 * 1024 }; /* comparisons that one "<<" may need */

/* A named node. It owns a copy, so that merging may take the original apart. */
struct anchor {
    char *name;
    struct gh_value *value; /* NULL while the node is still being read */
    struct anchor *next;
};

struct reader {
    yaml_parser_t parser;
    struct gh_source *source;
    struct gh_conf_errors *errs;
    struct anchor *anchors;
    size_t values;   /* made so far */
    size_t expanded; /* of them by aliases */
};

static void fail(struct reader *r, const yaml_mark_t *mark, const char *message, const char *detail)
{
    struct gh_value at = {.source = r->source};
    at.line = (uint32_t)mark->line + 1;
    at.column = (uint32_t)mark->column + 1;
    gh_errors_at(r->errs, GH_ERROR, &at, "%s%s%s", message, detail != NULL ? ": " : "",
                 detail != NULL ? detail : "");
}

static void fail_parser(struct reader *r)
{
    yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        r->errs->no_memory = true;
        return;
    }
    /* Errors of the reader come before any mark; their place is a byte. */
    if (p->error == YAML_READER_ERROR) {
        gh_errors_add(r->errs, GH_ERROR, gh_source_name(r->source),
                      "this is not YAML text: %s at byte %zu; save the file as UTF-8",
                      p->problem != NULL ? p->problem : "bad bytes", p->problem_offset);
        return;
    }
    fail(r, &p->problem_mark, p->problem != NULL ? p->problem : "this is not YAML", p->context);
}

/* Next event, to be deleted by the caller. False: already reported. */
static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    fail_parser(r);
    return false;
}

static size_t count_values(const struct gh_value *value)
{
    size_t count = 1;
    if (value->type == GH_LIST) {
        for (size_t i = 0; i < value->u.list.count; i++)
            count += count_values(value->u.list.items[i]);
    } else if (value->type == GH_MAP) {
        for (size_t i = 0; i < value->u.map.count; i++)
            count += count_values(value->u.map.members[i].value);
    }
    return count;
}

/* Opens an anchor; it is filled when its node is complete. */
static bool anchor_open(struct reader *r, const char *name)
{
    struct anchor *anchor = calloc(1, sizeof(*anchor));
    if (anchor == NULL || (anchor->name = strdup(name)) == NULL) {
        free(anchor);
        r->errs->no_memory = true;
        return false;
    }
    anchor->next = r->anchors;
    r->anchors = anchor;
    return true;
}

static struct anchor *anchor_find(struct reader *r, const char *name)
{
    for (struct anchor *a = r->anchors; a != NULL; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* A copy of what an alias stands for. */
static struct gh_value *read_alias(struct reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct anchor *anchor = anchor_find(r, name);
    if (anchor == NULL || anchor->value == NULL) {
        fail(r, &event->start_mark,
             anchor == NULL ? "no anchor of this name above" : "an anchor cannot contain itself",
             name);
        return NULL;
    }
    size_t more = count_values(anchor->value);
    if (more > GH_PARSE_EXPANDED - r->expanded) {
        fail(r, &event->start_mark, "aliases make the document too large", name);
        return NULL;
    }
    r->expanded += more;
    struct gh_value *copy = gh_value_copy(anchor->value);
    if (copy == NULL)
        r->errs->no_memory = true;
    return copy;
}

static bool tag_is(const yaml_char_t *tag, const char *name)
{
    return strcmp((const char *)tag, name) == 0;
}

/* A scalar with an explicit tag must be what the tag says. */
static struct gh_value *tagged_scalar(struct reader *r, const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (tag_is(tag, YAML_STR_TAG) || tag_is(tag, "!"))
        return gh_string_new_len(text, len);
    struct gh_value *value = gh_yaml_resolve(text, len);
    if (value == NULL)
        return NULL;
    bool time = value->type == GH_STRING && (value->flags & GH_VALUE_TIMESTAMP);
    if (tag_is(tag, YAML_FLOAT_TAG) && value->type == GH_INT) {
        value->type = GH_DOUBLE;
        value->u.d = (double)value->u.i;
    }
    bool fits = (tag_is(tag, YAML_NULL_TAG) && value->type == GH_NULL) ||
                (tag_is(tag, YAML_BOOL_TAG) && value->type == GH_BOOL) ||
                (tag_is(tag, YAML_INT_TAG) && value->type == GH_INT) ||
                (tag_is(tag, YAML_FLOAT_TAG) && value->type == GH_DOUBLE) ||
                (tag_is(tag, YAML_TIMESTAMP_TAG) && time);
    if (!fits) {
        gh_value_free(value);
        fail(r, &event->start_mark, "the value does not fit its tag, or the tag is unknown",
             (const char *)tag);
        return NULL;
    }
    return value;
}

static struct gh_value *read_scalar(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    size_t reported = r->errs->errors;
    struct gh_value *value;
    if (event->data.scalar.tag != NULL && !event->data.scalar.plain_implicit)
        value = tagged_scalar(r, event);
    else if (event->data.scalar.plain_implicit)
        value = gh_yaml_resolve(text, len);
    else
        value = gh_string_new_len(text, len);
    if (value == NULL && r->errs->errors == reported)
        r->errs->no_memory = true;
    return value;
}

static struct gh_value *read_node(struct reader *r, yaml_event_t *event, unsigned depth);

static bool read_items(struct reader *r, struct gh_value *list, unsigned depth)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        struct gh_value *item = end ? NULL : read_node(r, &event, depth);
        yaml_event_delete(&event);
        if (end)
            return true;
        if (item == NULL)
            return false;
        if (gh_list_append(list, item) != 0) {
            r->errs->no_memory = true;
            return false;
        }
    }
}

/* The text of a key: scalars only; numbers in their usual form. *Owned*; NULL: reported. */
static char *read_key(struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT) {
        fail(r, &event->start_mark, "a key must be plain text", NULL);
        return NULL;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        fail(r, &event->start_mark, "a key cannot contain a NUL character", NULL);
        return NULL;
    }
    char number[32];
    if (event->data.scalar.plain_implicit) {
        struct gh_value *value = gh_yaml_resolve(text, event->data.scalar.length);
        if (value != NULL && value->type == GH_INT) {
            snprintf(number, sizeof(number), "%" PRId64, value->u.i);
            text = number;
        }
        gh_value_free(value);
    }
    char *key = strdup(text);
    if (key == NULL)
        r->errs->no_memory = true;
    return key;
}

/* Adds the members of `from` that `map` does not have yet. */
static bool merge_map(struct reader *r, struct gh_value *map, struct gh_value *from)
{
    if (map->u.map.count * from->u.map.count > MERGE_MAX) {
        gh_errors_at(r->errs, GH_ERROR, from, "the maps are too large for \"<<\"");
        return false;
    }
    for (size_t i = 0; i < from->u.map.count; i++) {
        struct gh_member *m = &from->u.map.members[i];
        bool have = false;
        for (size_t j = 0; j < map->u.map.count && !have; j++)
            have = strcmp(map->u.map.members[j].key, m->key) == 0;
        if (have)
            continue;
        struct gh_value *value = m->value;
        m->value = NULL;
        if (gh_map_append(map, m->key, value) != 0) {
            r->errs->no_memory = true;
            return false;
        }
    }
    return true;
}

/* Handles "<<": a map or a list of maps. Takes `merge` over. */
static bool apply_merge(struct reader *r, struct gh_value *map, struct gh_value *merge)
{
    size_t before = r->errs->errors;
    bool ok = merge->type == GH_MAP;
    if (ok)
        ok = merge_map(r, map, merge);
    else if (merge->type == GH_LIST) {
        ok = true;
        for (size_t i = 0; i < merge->u.list.count && ok; i++) {
            ok = merge->u.list.items[i]->type == GH_MAP;
            ok = ok && merge_map(r, map, merge->u.list.items[i]);
        }
    }
    if (!ok && !r->errs->no_memory && r->errs->errors == before)
        gh_errors_at(r->errs, GH_ERROR, merge, "\"<<\" needs a map or a list of maps");
    gh_value_free(merge);
    return ok;
}

/* Reads one key and its value into `map`, or into *merge for "<<". */
static bool read_member(struct reader *r, yaml_event_t *event, struct gh_value *map,
                        struct gh_value **merge, unsigned depth)
{
    bool is_merge = event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit &&
                    strcmp((const char *)event->data.scalar.value, "<<") == 0;
    char *key = read_key(r, event);
    if (key == NULL)
        return false;
    yaml_event_t next;
    if (!next_event(r, &next)) {
        free(key);
        return false;
    }
    struct gh_value *value = read_node(r, &next, depth);
    yaml_event_delete(&next);
    bool ok = value != NULL;
    if (ok && is_merge && *merge == NULL) {
        *merge = value;
    } else if (ok && gh_map_append(map, key, value) != 0) {
        r->errs->no_memory = true;
        ok = false;
    }
    free(key);
    return ok;
}

static bool read_members(struct reader *r, struct gh_value *map, unsigned depth)
{
    struct gh_value *merge = NULL;
    bool end = false;
    while (!end) {
        yaml_event_t event;
        if (!next_event(r, &event))
            break;
        end = event.type == YAML_MAPPING_END_EVENT;
        bool ok = end || read_member(r, &event, map, &merge, depth);
        yaml_event_delete(&event);
        if (!ok)
            break;
    }
    if (!end) {
        gh_value_free(merge);
        return false;
    }
    size_t twice = gh_map_duplicate(map, false);
    if (twice < map->u.map.count) {
        gh_errors_at(r->errs, GH_ERROR, map->u.map.members[twice].value,
                     "the key \"%s\" appears twice in one map; keep one of them",
                     map->u.map.members[twice].key);
        gh_value_free(merge);
        return false;
    }
    return merge == NULL || apply_merge(r, map, merge);
}

/* Reads lists and maps. */
static struct gh_value *read_container(struct reader *r, const yaml_event_t *event, unsigned depth)
{
    if (depth >= GH_PARSE_DEPTH) {
        fail(r, &event->start_mark, "too many levels of maps and lists inside each other", NULL);
        return NULL;
    }
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    struct gh_value *value = list ? gh_list_new() : gh_map_new();
    if (value == NULL) {
        r->errs->no_memory = true;
        return NULL;
    }
    if (list ? !read_items(r, value, depth + 1) : !read_members(r, value, depth + 1)) {
        gh_value_free(value);
        return NULL;
    }
    return value;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* Reads the node that begins with `event`. *Owned*; NULL: reported. */
static struct gh_value *read_node(struct reader *r, yaml_event_t *event, unsigned depth)
{
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(r, event);
    if (r->values++ >= GH_PARSE_VALUES) {
        fail(r, &event->start_mark, "the document has too many values", NULL);
        return NULL;
    }
    const char *name = (const char *)event_anchor(event);
    if (name != NULL && !anchor_open(r, name))
        return NULL;
    struct anchor *anchor = name != NULL ? r->anchors : NULL;
    struct gh_value *value =
        event->type == YAML_SCALAR_EVENT ? read_scalar(r, event) : read_container(r, event, depth);
    gh_value_place(value, r->source, (uint32_t)event->start_mark.line + 1,
                   (uint32_t)event->start_mark.column + 1);
    if (value != NULL && anchor != NULL) {
        /* The copy counts too: anchors around anchors would multiply otherwise. */
        size_t more = count_values(value);
        if (more > GH_PARSE_VALUES - r->values) {
            fail(r, &event->start_mark, "the document has too many values", NULL);
            gh_value_free(value);
            return NULL;
        }
        r->values += more;
        anchor->value = gh_value_copy(value);
        if (anchor->value == NULL) {
            r->errs->no_memory = true;
            gh_value_free(value);
            return NULL;
        }
    }
    return value;
}

static struct gh_value *read_document(struct reader *r)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return NULL;
        struct gh_value *value = NULL;
        bool more =
            event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT;
        bool empty = event.type == YAML_STREAM_END_EVENT;
        if (!more && !empty)
            value = read_node(r, &event, 0);
        yaml_event_delete(&event);
        if (empty)
            return gh_value_place(gh_null(), r->source, 0, 0);
        if (!more)
            return value;
    }
}

struct gh_value *gh_yaml_parse(const char *data, size_t len, struct gh_source *source,
                               struct gh_conf_errors *errs)
{
    struct reader r = {.source = source, .errs = errs};
    if (len > GH_PARSE_BYTES) {
        gh_errors_add(errs, GH_ERROR, gh_source_name(source), "larger than %d MiB",
                      GH_PARSE_BYTES / (1024 * 1024));
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        errs->no_memory = true;
        return NULL;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, len);
    size_t before = errs->errors;
    struct gh_value *value = read_document(&r);
    if (value == NULL && errs->errors == before)
        errs->no_memory = true;
    yaml_parser_delete(&r.parser);
    while (r.anchors != NULL) {
        struct anchor *next = r.anchors->next;
        free(r.anchors->name);
        gh_value_free(r.anchors->value);
        free(r.anchors);
        r.anchors = next;
    }
    return value;
}
