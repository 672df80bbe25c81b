/* conf_check.c - what types cannot say: names and references. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_meta.h"
#include "conf_schema.h"

struct checker {
    const struct gh_value *root;
    bool compat_gost;
    struct gh_conf_errors *errs;
};

/* What GOST notices too late or never. */
static enum gh_severity late(const struct checker *c)
{
    return c->compat_gost ? GH_WARNING : GH_ERROR;
}

/* What a dangling reference does in GOST, for the message. */
static const char *gost_does(const char *section)
{
    static const struct {
        const char *section, *text;
    } rows[] = {
        {"authers", "GOST would accept every credential"},
        {"admissions", "GOST would deny everybody"},
        {"bypasses", "GOST would never match"},
        {"chains", "GOST would connect directly"},
        {"hops", "GOST would end the route there"},
        {"limiters", "GOST would not limit"},
        {"climiters", "GOST would not limit"},
        {"rlimiters", "GOST would not limit"},
        {"quotas", "GOST would not limit"},
        {"ingresses", "GOST would find no rule"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].section, section) == 0)
            return rows[i].text;
    return "GOST would ignore it";
}

/* Copies a name without the blanks around it. Names that do not fit exist nowhere. */
static const char *trimmed(const char *name, char *buf, size_t size)
{
    while (isspace((unsigned char)*name))
        name++;
    size_t len = strlen(name);
    while (len > 0 && isspace((unsigned char)name[len - 1]))
        len--;
    if (len >= size)
        return name;
    memcpy(buf, name, len);
    buf[len] = '\0';
    return buf;
}

static void check_reference(const struct checker *c, const char *key, const struct gh_value *value,
                            const char *section)
{
    char buf[256];
    const char *name = trimmed(value->u.s.text, buf, sizeof(buf));
    const struct gh_value *objects = gh_get(c->root, section);
    const struct gh_value *object;
    if (*name == '\0' || gh_named(objects, name) != NULL)
        return;
    struct gh_suggest suggest;
    char hint[300];
    size_t pos = 0;
    gh_suggest_start(&suggest, name);
    while ((object = gh_next(objects, &pos)) != NULL)
        gh_suggest_offer(&suggest, gh_str(object, "name", ""));
    gh_errors_at(
        c->errs, late(c), value,
        "%s: there is no \"%.80s\" among the %s%s; add it there or remove the reference (%s)", key,
        name, section, gh_suggest_text(&suggest, hint, sizeof(hint)), gost_does(section));
}

static void check_object(const struct checker *c, const struct gh_object *object,
                         const struct gh_value *value);

/* A hop of a chain with neither nodes nor plugin is a reference by its name. */
static void check_hop(const struct checker *c, const struct gh_field *field,
                      const struct gh_value *hop)
{
    const struct gh_value *name = gh_get(hop, "name");
    if (gh_get(hop, "nodes") != NULL || gh_get(hop, "plugin") != NULL)
        return;
    bool loads =
        gh_get(hop, "file") != NULL || gh_get(hop, "redis") != NULL || gh_get(hop, "http") != NULL;
    if (*gh_str(hop, "name", "") == '\0') {
        gh_errors_at(c->errs, late(c), hop,
                     "a hop of a chain needs nodes, a plugin or the name of one of the hops "
                     "(GOST would skip it)");
    } else if (loads && gh_named(gh_get(c->root, "hops"), name->u.s.text) == NULL) {
        gh_errors_at(
            c->errs, late(c), hop,
            "the hop \"%.80s\" only loads nodes, so it is taken for a reference to the hops; "
            "add \"nodes: []\"",
            name->u.s.text);
    } else {
        check_reference(c, field->key, name, "hops");
    }
}

static void check_field(const struct checker *c, const struct gh_field *field,
                        const struct gh_value *value)
{
    if (field->ref != NULL && value->type == GH_STRING)
        check_reference(c, field->key, value, field->ref);
    for (size_t i = 0; field->ref != NULL && i < gh_count(value); i++)
        check_reference(c, field->key, gh_item(value, i), field->ref);
    if (field->type == GH_FIELD_OBJECT)
        check_object(c, field->sub, value);
    if (field->type != GH_FIELD_OBJECTS)
        return;
    const struct gh_value *item;
    size_t pos = 0;
    while ((item = gh_next(value, &pos)) != NULL) {
        check_object(c, field->sub, item);
        if (field->flags & GH_HOP_REF)
            check_hop(c, field, item);
    }
}

static void check_object(const struct checker *c, const struct gh_object *object,
                         const struct gh_value *value)
{
    for (const struct gh_field *f = object->fields; f->key != NULL; f++) {
        const struct gh_value *member = gh_get(value, f->key);
        if (member != NULL)
            check_field(c, f, member);
    }
    const struct gh_value *forwarder = gh_get(value, "forwarder");
    if (*gh_str(forwarder, "name", "") != '\0' && gh_count(gh_get(forwarder, "nodes")) != 0)
        gh_errors_at(c->errs, GH_WARNING, gh_get(forwarder, "name"),
                     "a forwarder with a name uses the hop of that name and ignores its nodes; "
                     "remove the name to use the nodes");
}

static void check_ingress(const struct checker *c, const struct gh_value *map)
{
    const struct gh_value *name = gh_meta_get(map, "ingress");

    if (name != NULL && name->type == GH_STRING)
        check_reference(c, "ingress", name, "ingresses");
}

/* Metadata are free; these keys name objects whatever the handler is. */
static void check_metadata(const struct checker *c)
{
    const struct gh_value *services = gh_get(c->root, "services"), *service;
    size_t pos = 0;

    while ((service = gh_next(services, &pos)) != NULL) {
        const struct gh_value *meta = gh_path(service, "handler.metadata"), *item;
        const struct gh_value *entries = gh_meta_get(meta, "entrypoints");
        size_t at = 0;

        check_ingress(c, meta);
        while (gh_is_list(entries) && (item = gh_next(entries, &at)) != NULL)
            if (gh_is_map(item))
                check_ingress(c, item);
    }
}

static void check_name(const struct checker *c, const char *section, const struct gh_value *object)
{
    if (*gh_str(object, "name", "") != '\0')
        return;
    bool service = strcmp(section, "services") == 0;
    gh_errors_at(c->errs, service ? late(c) : GH_WARNING, object,
                 "%s: an object without a name %s; add a name", section,
                 service ? "never serves" : "cannot be used");
}

struct named {
    const char *name;
    const struct gh_value *object;
    size_t index;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *m = a, *n = b;
    int order = strcmp(m->name, n->name);
    return order != 0 ? order : (m->index > n->index) - (m->index < n->index);
}

/* Names are unique in their section. */
static void check_unique(const struct checker *c, const char *section,
                         const struct gh_value *objects)
{
    size_t count = 0, pos = 0;
    const struct gh_value *object;
    struct named *all = gh_count(objects) != 0 ? calloc(gh_count(objects), sizeof(*all)) : NULL;
    if (all == NULL) {
        c->errs->no_memory = c->errs->no_memory || gh_count(objects) != 0;
        return;
    }
    while ((object = gh_next(objects, &pos)) != NULL) {
        check_name(c, section, object);
        const char *name = gh_str(object, "name", NULL);
        if (name != NULL) {
            all[count] = (struct named){name, object, count};
            count++;
        }
    }
    qsort(all, count, sizeof(*all), compare_named);
    for (size_t i = 1; i < count; i++) {
        char first[GH_POS_MAX];
        if (strcmp(all[i].name, all[i - 1].name) == 0)
            gh_errors_at(c->errs, GH_ERROR, all[i].object,
                         "%s: the name \"%.80s\" is used twice, first at %s; rename one of them",
                         section, all[i].name, gh_pos_text(all[i - 1].object, first));
    }
    free(all);
}

void gh_conf_check(const struct gh_value *root, bool compat_gost, struct gh_conf_errors *errs)
{
    struct checker c = {root, compat_gost, errs};
    for (const struct gh_field *f = gh_schema_root()->fields; f->key != NULL; f++) {
        const struct gh_value *value = gh_get(root, f->key);
        if (value == NULL)
            continue;
        if (f->type == GH_FIELD_OBJECTS)
            check_unique(&c, f->key, value);
        check_field(&c, f, value);
    }
    check_metadata(&c);
}
