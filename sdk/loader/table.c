/* table.c - checks a plugin's object, and copies its tables into this program's layout. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "../engine/options.h"
#include "loader.h"

#define COMPONENTS_MAX 256u
#define OPTIONS_MAX    1024u
#define STRUCT_MAX     4096u /* larger sizes of our structs are damage, not progress */

/* What the first published form had; less cannot be a plugin. */
#define PLUGIN_SIZE_MIN    offsetof(struct gost_plugin, init)
#define COMPONENT_SIZE_MIN offsetof(struct gost_component, prepare)
#define OPT_SIZE_MIN       sizeof(struct gost_opt)

static int refuse(char *why, size_t n, const char *fmt, ...) GOST_PRINTF(3, 4);
static int refuse(char *why, size_t n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, n, fmt, ap);
    va_end(ap);
    return GOST_EPROTO;
}

int ge_component_is(const struct gost_component *c, const char *name, size_t n)
{
    return (strlen(c->name) == n && strncasecmp(c->name, name, n) == 0) ||
           ge_opt_word(c->aliases, name, n);
}

uint32_t ge_component_roles(const struct gost_component *c)
{
    const struct gost_stack_ops *ops = c->ops;

    return c->kind == GOST_KIND_STACK ? ops->roles & (GOST_SERVER | GOST_CLIENT) : 0;
}

/* Components that only their own plugin uses may be left out of the note. */
static int is_internal(const struct gost_component *c)
{
    const struct gost_layer_ops *ops = c->ops;

    if (strchr(c->name, '.'))
        return 1;
    return c->kind == GOST_KIND_LAYER && ops->size >= offsetof(struct gost_layer_ops, open) &&
           (ops->flags & GOST_LAYER_CODEC);
}

/* ---- sizes and versions ---- */

static int check_head(const struct gost_plugin *p, char *why, size_t n)
{
    if (p->magic != GOST_MAGIC)
        return refuse(
            why, n, "has a wrong magic number (%08x): build it with GOST_PLUGIN() of these headers",
            p->magic);
    if (p->size < PLUGIN_SIZE_MIN || p->size > STRUCT_MAX)
        return refuse(why, n, "says that its struct gost_plugin has %u bytes: build it again",
                      p->size);
    if (p->need_minor > GOST_ABI_MINOR)
        return refuse(
            why, n,
            "needs interface %d.%u, this program has %d.%d: install a newer gost-host or an "
            "older build of the plugin",
            GOST_ABI_MAJOR, p->need_minor, GOST_ABI_MAJOR, GOST_ABI_MINOR);
    if (p->component_size < COMPONENT_SIZE_MIN || p->component_size > STRUCT_MAX)
        return refuse(why, n, "says that its struct gost_component has %u bytes: build it again",
                      p->component_size);
    if (p->opt_size < OPT_SIZE_MIN || p->opt_size > STRUCT_MAX)
        return refuse(why, n, "says that its struct gost_opt has %u bytes: build it again",
                      p->opt_size);
    if (!p->name || !*p->name || !p->version || !p->host)
        return refuse(
            why, n,
            "has no name, version or place for the host's table: build it with GOST_PLUGIN()");
    if (p->n_components == 0 || p->n_components > COMPONENTS_MAX || !p->components)
        return refuse(why, n, "has %u components, from 1 to %u are allowed", p->n_components,
                      COMPONENTS_MAX);
    return GOST_OK;
}

/* ---- options ---- */

static int check_option(const struct gost_component *c, const struct gost_opt *o, char *why,
                        size_t n)
{
    size_t width = ge_opt_width(o->type);
    const char *kind = ge_kind_word(c->kind, 0);

    if (!o->names || !*o->names)
        return refuse(why, n, "has an option without a name in %s:%s", kind, c->name);
    if (!width)
        return refuse(why, n, "has the option %s of the unknown type %u in %s:%s", o->names,
                      o->type, kind, c->name);
    if (o->width != width || o->offset > c->conf_size || width > c->conf_size - o->offset)
        return refuse(
            why, n,
            "binds the option %s of %s:%s to %u bytes at offset %u of a struct of %u bytes, "
            "its type needs %zu: correct its row of the option table",
            o->names, kind, c->name, o->width, o->offset, c->conf_size, width);
    if (o->type == GOST_OPT_T_ENUM && (!o->choices || !*o->choices))
        return refuse(why, n, "has the option %s without choices in %s:%s", o->names, kind,
                      c->name);
    return GOST_OK;
}

/* The option table in our layout: owned by nobody, plugins stay for good. */
static int copy_options(struct gost_component *c, uint32_t stride, char *why, size_t n)
{
    const uint8_t *from = (const uint8_t *)c->options;
    struct gost_opt *to;
    uint32_t count = 0, i;
    int r = GOST_OK;

    while (count <= OPTIONS_MAX && ((const struct gost_opt *)(from + (size_t)count * stride))->type)
        count++;
    if (count > OPTIONS_MAX)
        return refuse(why, n, "has an option table without GOST_OPT_LAST in %s:%s",
                      ge_kind_word(c->kind, 0), c->name);
    to = calloc(count + 1, sizeof *to);
    if (!to)
        return GOST_ENOMEM;
    for (i = 0; i < count && r == GOST_OK; i++) {
        memcpy(&to[i], from + (size_t)i * stride, stride < sizeof *to ? stride : sizeof *to);
        r = check_option(c, &to[i], why, n);
    }
    if (r)
        free(to);
    else
        c->options = to;
    return r;
}

/* ---- components ---- */

static int check_component(const struct gost_component *c, char *why, size_t n)
{
    const uint32_t *size = c->ops;

    if (!c->name || !*c->name)
        return refuse(why, n, "has a component without a name");
    if (c->kind < GOST_KIND_TRANSPORT || c->kind > GOST_KIND_REMOTE)
        return refuse(why, n, "has the component %s of the unknown kind %u", c->name, c->kind);
    if (!size || *size < 2 * sizeof(uint32_t))
        return refuse(why, n, "has no table of operations for %s:%s", ge_kind_word(c->kind, 0),
                      c->name);
    if (c->kind == GOST_KIND_STACK && (*size < offsetof(struct gost_stack_ops, renames) ||
                                       !((const struct gost_stack_ops *)c->ops)->layers))
        return refuse(why, n, "has the stack %s without layers", c->name);
    if (c->options && !c->conf_size)
        return refuse(why, n, "has options but conf_size 0 in %s:%s", ge_kind_word(c->kind, 0),
                      c->name);
    return GOST_OK;
}

/* Two components of one kind (and a common role) with a common name. */
static int collide(const struct gost_component *a, const struct gost_component *b, const char *name,
                   size_t len)
{
    if (a->kind != b->kind)
        return 0;
    if (a->kind == GOST_KIND_STACK && !(ge_component_roles(a) & ge_component_roles(b)))
        return 0;
    return ge_component_is(b, name, len);
}

static int check_names(const struct gost_component *all, uint32_t i, char *why, size_t n)
{
    const char *p = all[i].aliases ? all[i].aliases : "";
    uint32_t k;

    for (k = 0; k < i; k++) {
        if (collide(&all[i], &all[k], all[i].name, strlen(all[i].name)))
            return refuse(why, n, "names %s:%s twice",
                          ge_kind_word(all[i].kind, ge_component_roles(&all[i]) & 1), all[i].name);
    }
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        for (k = 0; k < i; k++) {
            if (collide(&all[i], &all[k], p, len))
                return refuse(why, n, "names %s:%.*s twice, once as an alias of %s",
                              ge_kind_word(all[i].kind, ge_component_roles(&all[i]) & 1), (int)len,
                              p, all[i].name);
        }
        p += len;
    }
    return GOST_OK;
}

/* ---- note against table ---- */

static int in_table(const struct ge_plugin *p, const struct ge_note_word *w)
{
    uint32_t i;

    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];

        if (c->kind == w->kind && (!w->role || (ge_component_roles(c) & w->role)) &&
            ge_component_is(c, w->name, w->n))
            return 1;
    }
    return 0;
}

static int in_note(const char *note, uint32_t kind, uint32_t role, const char *name, size_t n)
{
    struct ge_note_word w;

    while (ge_note_next(&note, &w) == GOST_OK) {
        if (w.kind == kind && w.role == role && w.n == n && strncasecmp(w.name, name, n) == 0)
            return 1;
    }
    return 0;
}

/* One name of a component, in each of its roles. */
static int name_in_note(const char *note, const struct gost_component *c, const char *name,
                        size_t len, char *why, size_t n)
{
    static const uint32_t both[] = {GOST_SERVER, GOST_CLIENT};
    uint32_t i;

    if (c->kind != GOST_KIND_STACK) {
        if (in_note(note, c->kind, 0, name, len))
            return GOST_OK;
        return refuse(why, n,
                      "has %s:%.*s in its table but not in its note: add it to GOST_PLUGIN()",
                      ge_kind_word(c->kind, 0), (int)len, name);
    }
    for (i = 0; i < 2; i++) {
        if ((ge_component_roles(c) & both[i]) && !in_note(note, c->kind, both[i], name, len))
            return refuse(why, n,
                          "has %s:%.*s in its table but not in its note: add it to GOST_PLUGIN()",
                          ge_kind_word(c->kind, both[i]), (int)len, name);
    }
    return GOST_OK;
}

static int check_note(const struct ge_plugin *p, char *why, size_t n)
{
    const char *text = p->note, *a;
    struct ge_note_word w;
    uint32_t i;
    int r;

    while ((r = ge_note_next(&text, &w)) == GOST_OK) {
        if (!in_table(p, &w))
            return refuse(why, n, "has %s:%.*s in its note but not in its table",
                          ge_kind_word(w.kind, w.role), (int)w.n, w.name);
    }
    if (r != GOST_END)
        return refuse(why, n, "has a note with a malformed word at \"%.40s\"", text);
    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];

        if (is_internal(c))
            continue;
        r = name_in_note(p->note, c, c->name, strlen(c->name), why, n);
        a = c->aliases ? c->aliases : "";
        for (a += strspn(a, " "); !r && *a; a += strspn(a, " ")) {
            size_t len = strcspn(a, " ");

            r = name_in_note(p->note, c, a, len, why, n);
            a += len;
        }
        if (r)
            return r;
    }
    return GOST_OK;
}

int ge_plugin_check(struct ge_plugin *ret_plugin, const struct gost_plugin *object,
                    const char *note, char *why, size_t n)
{
    struct ge_plugin *p = ret_plugin;
    const uint8_t *from;
    uint32_t i;
    int r = check_head(object, why, n);

    if (r)
        return r;
    p->object = object;
    p->name = object->name;
    p->version = object->version;
    p->license = object->license ? object->license : "";
    p->summary = object->summary ? object->summary : "";
    snprintf(p->note, sizeof p->note, "%s", note ? note : "");
    p->components = calloc(object->n_components, sizeof *p->components);
    if (!p->components)
        return GOST_ENOMEM;
    from = (const uint8_t *)object->components;
    for (i = 0; i < object->n_components && r == GOST_OK; i++) {
        struct gost_component *c = &p->components[i];

        memcpy(c, from + (size_t)i * object->component_size,
               object->component_size < sizeof *c ? object->component_size : sizeof *c);
        r = check_component(c, why, n);
        if (r == GOST_OK)
            r = check_names(p->components, i, why, n);
        if (r == GOST_OK && c->options)
            r = copy_options(c, object->opt_size, why, n);
        p->n_components = i + 1;
    }
    return r || !note ? r : check_note(p, why, n);
}
