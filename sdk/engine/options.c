/* options.c - binds what a configuration gives to a component's option table. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "options.h"

struct ge_opt_block {
    struct ge_opt_block *next;
    size_t n;
    max_align_t data[];
};

struct ge_conf {
    struct gost_component component; /* its tables stay: plugins are never unloaded */
    struct ge_opt_arena arena;
    void *data;
};

/* Where a run of ge_conf_new() stands. */
struct binding {
    struct ge_conf *conf;
    const char *object;
    uint32_t role;
    struct ge_kv *kv;
    uint32_t n;
    void (*report)(void *arg, int status, const char *text);
    void *arg;
    int status; /* first error */
};

void *ge_opt_alloc(struct ge_opt_arena *a, size_t n)
{
    struct ge_opt_block *b = calloc(1, sizeof *b + n);

    if (!b)
        return NULL;
    b->n = n;
    b->next = a->blocks;
    a->blocks = b;
    return b->data;
}

char *ge_opt_copy(struct ge_opt_arena *a, const char *text, size_t n)
{
    char *copy = ge_opt_alloc(a, n + 1);

    if (copy)
        memcpy(copy, text, n);
    return copy;
}

void ge_opt_arena_free(struct ge_opt_arena *a)
{
    struct ge_opt_block *b;

    while ((b = a->blocks)) {
        a->blocks = b->next;
        gost_wipe(b->data, b->n);
        free(b);
    }
}

const char *ge_opt_name(const struct gost_opt *o, char *buf, size_t n)
{
    snprintf(buf, n, "%.*s", (int)strcspn(o->names, " "), o->names);
    return buf;
}

int ge_opt_word(const char *words, const char *word, size_t n)
{
    const char *p = words ? words : "";

    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        if (len == n && strncasecmp(p, word, n) == 0)
            return 1;
        p += len;
    }
    return 0;
}

/* ---- reports ---- */

static void tell(struct binding *b, int status, const char *place, const char *key, const char *why)
{
    char text[1024];
    const char *object = b->object ? b->object : "";

    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", place ? place : "", place ? ": " : "", object,
             *object ? ": " : "", key ? "option " : "", key ? key : "", key ? " " : "", why);
    if (b->report)
        b->report(b->arg, status, text);
    if (status && !b->status)
        b->status = status;
}

/* ---- one option ---- */

static int is_for(uint32_t role, uint32_t flags)
{
    uint32_t only = flags & (GOST_OPT_SERVER | GOST_OPT_CLIENT);

    if (!only || !role)
        return 1;
    return role == GOST_SERVER ? (only & GOST_OPT_SERVER) != 0 : (only & GOST_OPT_CLIENT) != 0;
}

/* The given value that counts: of the first name present, the last one given. All that use one of
 * the names are marked as used. */
static struct ge_kv *find_given(struct binding *b, const struct gost_opt *o)
{
    const char *p = o->names;
    struct ge_kv *found = NULL;
    uint32_t i;

    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        struct ge_kv *mine = NULL;

        for (i = 0; i < b->n; i++) {
            if (strlen(b->kv[i].key) == len && strncasecmp(b->kv[i].key, p, len) == 0) {
                mine = &b->kv[i];
                mine->used = 1;
            }
        }
        if (!found)
            found = mine;
        p += len;
    }
    return found;
}

static void store_default(struct binding *b, const struct gost_opt *o, void *field)
{
    struct ge_kv kv;
    char why[700], key[128];
    int r;

    if (!o->def)
        return;
    memset(&kv, 0, sizeof kv);
    kv.text = o->def;
    r = ge_opt_store(&b->conf->arena, o, &kv, field, why, sizeof why);
    if (r == GOST_ENOMEM)
        b->status = GOST_ENOMEM;
    else if (r)
        tell(b, GOST_EINTERNAL, "default of the plugin", ge_opt_name(o, key, sizeof key), why);
}

static void tell_missing(struct binding *b, const struct gost_opt *o)
{
    char why[700], key[128];

    ge_opt_name(o, key, sizeof key);
    snprintf(why, sizeof why, "is required and not given: add %s (%s: %s)", key,
             ge_opt_type_name(o->type), o->summary ? o->summary : "");
    tell(b, GOST_EPROTO, NULL, key, why);
}

static void bind_option(struct binding *b, const struct gost_opt *o)
{
    void *field = (char *)b->conf->data + o->offset;
    struct ge_kv *kv = is_for(b->role, o->flags) ? find_given(b, o) : NULL;
    char why[700];
    int r;

    if (!kv) {
        if ((o->flags & GOST_OPT_REQUIRED) && is_for(b->role, o->flags))
            tell_missing(b, o);
        else
            store_default(b, o, field);
        return;
    }
    if (o->flags & GOST_OPT_OLD) {
        snprintf(why, sizeof why, "is old: %s", o->summary ? o->summary : "leave it out");
        tell(b, GOST_OK, kv->place, kv->key, why);
    }
    r = ge_opt_store(&b->conf->arena, o, kv, field, why, sizeof why);
    if (r == GOST_ENOMEM)
        b->status = GOST_ENOMEM;
    else if (r)
        tell(b, r, kv->place, kv->key, why);
}

/* A table that would write outside of the conf struct is the plugin's defect, not the user's. */
static int is_sound(struct binding *b, const struct gost_opt *o, uint32_t conf_size)
{
    char why[200];
    size_t width = ge_opt_width(o->type);

    if (o->names && *o->names && width && o->width == width && o->offset <= conf_size &&
        width <= conf_size - o->offset)
        return 1;
    snprintf(
        why, sizeof why,
        "has a field of %u bytes at %u in a struct of %u, its type %s needs %zu: the plugin is "
        "defective, install another build of it",
        o->width, o->offset, conf_size, ge_opt_type_name(o->type), width);
    tell(b, GOST_EINTERNAL, NULL, o->names ? o->names : "without a name", why);
    return 0;
}

/* ---- the whole object ---- */

/* Where the object is: at its first option that stands in a file or an argument. */
static const char *place_of(const struct binding *b)
{
    uint32_t i;

    for (i = 0; i < b->n; i++)
        if (b->kv[i].place && *b->kv[i].place)
            return b->kv[i].place;
    return NULL;
}

static void run_prepare(struct binding *b)
{
    struct gost_component *c = &b->conf->component;
    struct gost_prepare p;
    char error[512] = "";
    int r;

    if (!c->prepare)
        return;
    memset(&p, 0, sizeof p);
    p.size = (uint32_t)sizeof p;
    p.role = b->role;
    p.object = b->object ? b->object : "";
    p.error = error;
    p.error_size = (uint32_t)sizeof error;
    ge_running(c->name, c->kind, "prepare");
    r = c->prepare(b->conf->data, &p);
    ge_running_end();
    error[sizeof error - 1] = 0;
    if (r == GOST_OK) {
        if (*error)
            tell(b, GOST_OK, place_of(b), NULL, error);
        return;
    }
    tell(b, r < 0 ? r : GOST_EINTERNAL, place_of(b), NULL,
         *error ? error : "the component refused its options without a reason");
    c->release = NULL; /* a prepare that fails leaves nothing behind */
}

int ge_conf_new(struct ge_conf **ret_conf, const struct gost_component *c, uint32_t role,
                const char *object, struct ge_kv *kv, uint32_t n,
                void (*report)(void *arg, int status, const char *text), void *arg)
{
    struct binding b = {NULL, object, role, kv, n, report, arg, GOST_OK};
    const struct gost_opt *o;

    b.conf = calloc(1, sizeof *b.conf);
    if (!b.conf)
        return GOST_ENOMEM;
    b.conf->component = *c;
    b.conf->data = ge_opt_alloc(&b.conf->arena, c->conf_size ? c->conf_size : 1);
    if (!b.conf->data) {
        free(b.conf);
        return GOST_ENOMEM;
    }
    for (o = c->options; o && o->type != GOST_OPT_END; o++) {
        if (is_sound(&b, o, c->conf_size))
            bind_option(&b, o);
    }
    if (b.status)
        b.conf->component.release = NULL;
    else
        run_prepare(&b);
    if (b.status) {
        ge_conf_free(b.conf);
        return b.status;
    }
    *ret_conf = b.conf;
    return GOST_OK;
}

const void *ge_conf_data(const struct ge_conf *c)
{
    return c->data;
}

void ge_conf_free(struct ge_conf *c)
{
    if (!c)
        return;
    if (c->component.release)
        c->component.release(c->data);
    ge_opt_arena_free(&c->arena);
    free(c);
}

const void *ge_opt_field(const struct gost_component *c, const void *conf, const char *name,
                         uint32_t type)
{
    const struct gost_opt *o;
    size_t n = strlen(name);

    for (o = c->options; conf && o && o->type; o++)
        if (o->type == type && strncmp(o->names, name, n) == 0 && strchr(" ", o->names[n]))
            return (const char *)conf + o->offset;
    return NULL;
}
