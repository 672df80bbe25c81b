/* confset_use.c - options of the components that another one hands connections over to. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "confset_private.h"

enum { USES_DEPTH = 4 };

/* One word of gost_component.uses. */
struct use {
    enum gost_kind kind;
    char name[64], option[64]; /* option "": none */
};

static const char *next_use(const char *words, struct use *ret_use)
{
    static const struct {
        const char *name;
        enum gost_kind kind;
    } kinds[] = {{"handler", GOST_KIND_HANDLER},
                 {"inspector", GOST_KIND_INSPECTOR},
                 {"layer", GOST_KIND_LAYER}};
    size_t len = strcspn(words, " "), kind = strcspn(words, ": ");
    const char *name = words + kind + (words[kind] == ':');
    size_t n = strcspn(name, "? "), option = len - (size_t)(name + n - words);

    memset(ret_use, 0, sizeof *ret_use);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == kind && strncmp(kinds[i].name, words, kind) == 0)
            ret_use->kind = kinds[i].kind;
    snprintf(ret_use->name, sizeof ret_use->name, "%.*s", (int)n, name);
    if (option > 1)
        snprintf(ret_use->option, sizeof ret_use->option, "%.*s", (int)option - 1, name + n + 1);
    words += len;
    return words + strspn(words, " ");
}

/* Given, and not as false. */
static bool is_on(const struct gh_confset *set, const char *key)
{
    static const char *const off[] = {"", "0", "f", "false", "n", "no", "off"};

    for (uint32_t i = 0; i < set->n; i++) {
        const char *text = set->kv[i].text;
        size_t k = 0;

        if (text == NULL || strcasecmp(set->kv[i].key, key) != 0)
            continue;
        while (k < sizeof off / sizeof off[0] && strcasecmp(text, off[k]) != 0)
            k++;
        return k == sizeof off / sizeof off[0];
    }
    return false;
}

static bool has_unclaimed(const struct gh_confset *set)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (set->meta[i] && !set->kv[i].used)
            return true;
    return false;
}

static bool add_used(struct gh_confset *set, const struct gost_component *c,
                     struct gh_conf_errors *errs, int depth)
{
    const char *words = c->uses;
    bool ok = true;

    while (words != NULL && *words != '\0' && depth < USES_DEPTH) {
        const struct gost_component *used;
        char why[512] = "";
        const void *conf;
        struct use use;
        bool on;

        words = next_use(words, &use);
        on = use.option[0] != '\0' && is_on(set, use.option);
        if (use.kind == 0 || (use.option[0] != '\0' && !on && !has_unclaimed(set)))
            continue;
        used = gh_find_component(use.kind, use.name, why, sizeof why);
        if (used == NULL && on) {
            gh_errors_add(errs, GH_ERROR, "", "%s: %s is on, but %s", set->object, use.option, why);
            ok = false;
        }
        if (used != NULL)
            used = gh_confset_layer(set, used);
        if (used == NULL) /* missed only by a client that needs it, who is refused by name */
            continue;
        if (gh_confset_get(set, used, 0, NULL, errs, &conf, why, sizeof why) != 0)
            ok = false;
        ok = add_used(set, used, errs, depth + 1) && ok;
    }
    return ok;
}

bool gh_confset_add_used(struct gh_confset *set, const struct gost_component *c,
                         struct gh_conf_errors *errs)
{
    return add_used(set, c, errs, 0);
}
