/* plugin_registry.c - the index of plugin files by their notes, and finding a component in it. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../sdk/loader/loader.h"
#include "conf_errors.h"
#include "plugin.h"

#ifndef GH_PLUGIN_DIR
#define GH_PLUGIN_DIR "/usr/local/lib/gost-host/plugins"
#endif

#define FILES_MAX 1024

static struct {
    struct gh_plugin_file *files[FILES_MAX];
    unsigned n;
    char where[PATH_MAX]; /* the directories, for messages */
} registry;

/* One run of gh_plugins_scan(). */
struct scan {
    struct gh_plugin_file *found[FILES_MAX];
    unsigned n;
    void (*warn)(void *arg, const char *text);
    void *arg;
};

static void complain(struct scan *s, const char *path, const char *why)
{
    char text[PATH_MAX + 700];

    if (!s->warn)
        return;
    snprintf(text, sizeof text, "plugin %.4000s %.600s; it is skipped", path, why);
    s->warn(s->arg, text);
}

struct gh_plugin_file *const *gh_plugin_files(unsigned *ret_n)
{
    *ret_n = registry.n;
    return registry.files;
}

/* ---- scanning ---- */

static int same_name(const struct ge_note_word *a, const struct ge_note_word *b)
{
    return a->kind == b->kind && a->role == b->role && a->n == b->n &&
           strncasecmp(a->name, b->name, a->n) == 0;
}

/* 1: the note has this word. */
static int offers(const char *note, const struct ge_note_word *want)
{
    struct ge_note_word w;

    while (ge_note_next(&note, &w) == GOST_OK) {
        if (same_name(&w, want))
            return 1;
    }
    return 0;
}

/* A word that stands twice in the note, or that a file found before has. NULL: fine. */
static const char *find_clash(const struct scan *s, const struct gh_plugin_file *f, char *why,
                              size_t n)
{
    const char *text = f->note;
    struct ge_note_word w;
    unsigned i;

    while (ge_note_next(&text, &w) == GOST_OK) {
        if (offers(text, &w)) {
            snprintf(why, n, "names %s:%.*s twice: build the plugin again",
                     ge_kind_word(w.kind, w.role), (int)w.n, w.name);
            return why;
        }
        for (i = 0; i < s->n; i++) {
            if (!offers(s->found[i]->note, &w))
                continue;
            snprintf(why, n, "offers %s:%.*s, which %s found before has: remove one of the files",
                     ge_kind_word(w.kind, w.role), (int)w.n, w.name, s->found[i]->path);
            return why;
        }
    }
    return NULL;
}

/* The file as it was known before, when it is still the same. */
static struct gh_plugin_file *find_old(const struct gh_plugin_file *f)
{
    unsigned i;

    for (i = 0; i < registry.n; i++) {
        struct gh_plugin_file *o = registry.files[i];

        if (o->device == f->device && o->inode == f->inode && o->size == f->size &&
            o->changed_ns == f->changed_ns && strcmp(o->path, f->path) == 0)
            return o;
    }
    return NULL;
}

static int is_found(const struct scan *s, const struct gh_plugin_file *f)
{
    unsigned i;

    for (i = 0; i < s->n; i++) {
        if (s->found[i]->device == f->device && s->found[i]->inode == f->inode)
            return 1;
    }
    return 0;
}

static void scan_file(struct scan *s, const char *path)
{
    struct gh_plugin_file *f = calloc(1, sizeof *f), *old;
    char why[PATH_MAX + 300];
    int r;

    if (!f)
        return;
    r = gh_plugin_file_read(f, path, why, sizeof why);
    if (r == GOST_OK && is_found(s, f)) {
        gh_plugin_file_free(f); /* its directory was given twice */
        return;
    }
    if (r || find_clash(s, f, why, sizeof why)) {
        complain(s, path, why);
        gh_plugin_file_free(f);
        return;
    }
    old = find_old(f);
    if (old) {
        gh_plugin_file_free(f);
        f = old;
    }
    f->listed = 1;
    s->found[s->n++] = f;
}

static int is_plugin_name(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 3 && strcmp(entry->d_name + n - 3, ".so") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void scan_dir(struct scan *s, const char *dir, int asked_for)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    int count = scandir(dir, &entries, is_plugin_name, by_bytes), i;
    size_t used = strlen(registry.where);

    snprintf(registry.where + used, sizeof registry.where - used, "%s%s", used ? ":" : "", dir);
    if (count < 0 && s->warn && (asked_for || errno != ENOENT)) {
        snprintf(path, sizeof path, "plugin directory %s cannot be read: %s", dir, strerror(errno));
        s->warn(s->arg, path);
    }
    for (i = 0; i < count; i++) {
        if (snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name) >= (int)sizeof path)
            complain(s, entries[i]->d_name, "has too long a path");
        else if (s->n == FILES_MAX)
            complain(s, path, "is one too many");
        else
            scan_file(s, path);
        free(entries[i]);
    }
    free(entries);
}

static void scan_list(struct scan *s, const char *list)
{
    char dir[PATH_MAX];

    while (*list) {
        size_t n = strcspn(list, ":");

        if (n && n < sizeof dir) {
            memcpy(dir, list, n);
            dir[n] = 0;
            scan_dir(s, dir, 1);
        }
        list += n + (list[n] == ':');
    }
}

/* Files that are no longer there. A loaded one is kept: flows may still run on it. */
static void retire(void)
{
    unsigned i;

    for (i = 0; i < registry.n; i++) {
        if (!registry.files[i]->listed)
            gh_plugin_file_free(registry.files[i]);
    }
}

int gh_plugins_scan(const char *const *dirs, unsigned n, void (*warn)(void *arg, const char *text),
                    void *arg)
{
    struct scan *s = calloc(1, sizeof *s);
    const char *list = getenv("GOST_PLUGIN_DIR");
    unsigned i;

    if (!s)
        return GOST_ENOMEM;
    s->warn = warn;
    s->arg = arg;
    registry.where[0] = 0;
    for (i = 0; i < registry.n; i++)
        registry.files[i]->listed = 0;
    for (i = 0; i < n; i++)
        scan_dir(s, dirs[i], 1);
    if (!n && list && *list)
        scan_list(s, list);
    else if (!n)
        scan_dir(s, GH_PLUGIN_DIR, 0);
    retire();
    memcpy(registry.files, s->found, sizeof registry.files);
    registry.n = s->n;
    free(s);
    return (int)registry.n;
}

/* ---- finding ---- */

static struct gh_plugin_file *find_file(uint32_t kind, uint32_t role, const char *name)
{
    struct ge_note_word want = {kind, role, name, strlen(name)};
    unsigned i;

    for (i = 0; i < registry.n; i++) {
        if (kind == GOST_KIND_STACK && !role) {
            want.role = GOST_SERVER;
            if (offers(registry.files[i]->note, &want))
                return registry.files[i];
            want.role = GOST_CLIENT;
        }
        if (offers(registry.files[i]->note, &want))
            return registry.files[i];
    }
    return NULL;
}

static const struct gost_component *in_plugin(const struct ge_plugin *p, uint32_t kind,
                                              uint32_t role, const char *name)
{
    uint32_t i;

    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];

        if (c->kind == kind && (!role || (ge_component_roles(c) & role)) &&
            ge_component_is(c, name, strlen(name)))
            return c;
    }
    return NULL;
}

static void tell_unknown(uint32_t kind, uint32_t role, const char *name, char *why, size_t n)
{
    const char *word =
        kind == GOST_KIND_STACK && !role ? "listener or dialer" : ge_kind_word(kind, role);
    const char *close = gh_component_suggest((enum gost_kind)kind, name);

    snprintf(why, n, "no plugin offers the %s %s%s%s%s (looked in %s; --list shows what there is)",
             word, name, close ? "; did you mean " : "", close ? close : "", close ? "?" : "",
             registry.where);
}

static const struct gost_component *find(uint32_t kind, uint32_t role, const char *name, char *why,
                                         size_t n)
{
    struct gh_plugin_file *f = find_file(kind, role, name);
    struct ge_plugin *p;
    const struct gost_component *c;

    if (!f) {
        /* what a plugin keeps for itself is in no note, but is there once it is loaded */
        c = role ? NULL : gh_component_loaded((enum gost_kind)kind, name, strlen(name));
        if (!c)
            tell_unknown(kind, role, name, why, n);
        return c;
    }
    p = gh_plugin_file_load(f);
    c = p ? in_plugin(p, kind, role, name) : NULL;
    if (!c)
        snprintf(why, n, "the %s %s is not usable: plugin %s %s", ge_kind_word(kind, role), name,
                 f->path, f->broken ? f->broken : "lost it");
    return c;
}

const struct gost_component *gh_component(enum gost_kind kind, const char *name, char *why,
                                          size_t n)
{
    return find((uint32_t)kind, 0, name, why, n);
}

const struct gost_component *gh_stack(const char *name, uint32_t role, char *why, size_t n)
{
    return find(GOST_KIND_STACK, role, name, why, n);
}

int gh_component_known(enum gost_kind kind, const char *name)
{
    return find_file((uint32_t)kind, 0, name) != NULL;
}

int gh_stack_known(const char *name, uint32_t role)
{
    return find_file(GOST_KIND_STACK, role, name) != NULL;
}

/* ---- did you mean ---- */

const char *gh_component_suggest(enum gost_kind kind, const char *name)
{
    static char best[64];
    struct gh_suggest s;
    char word[64];
    struct ge_note_word w;
    unsigned i;

    best[0] = 0;
    gh_suggest_start(&s, name);
    for (i = 0; i < registry.n; i++) {
        const char *text = registry.files[i]->note;

        while (ge_note_next(&text, &w) == GOST_OK) {
            if (w.kind != (uint32_t)kind || w.n >= sizeof word)
                continue;
            snprintf(word, sizeof word, "%.*s", (int)w.n, w.name);
            gh_suggest_offer(&s, word);
            if (s.best == word) { /* the closest so far: the words of a note are no strings */
                memcpy(best, word, sizeof best);
                s.best = best;
            }
        }
    }
    return s.best;
}
