/* plugin_load.c - loads a plugin file once, and remembers which component came from where. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../sdk/engine/engine.h"
#include "../sdk/loader/loader.h"
#include "plugin.h"

#define LOADED_MAX 512 /* each replaced file counts again */

/* Appended to by the main thread, read without a lock, also after a crash. */
static const struct ge_plugin *loaded[LOADED_MAX];
static atomic_uint n_loaded;

static const struct ge_plugin *loaded_at(unsigned i)
{
    return i < atomic_load_explicit(&n_loaded, memory_order_acquire) ? loaded[i] : NULL;
}

const struct gost_plugin *gh_plugin_loaded(unsigned i)
{
    const struct ge_plugin *p = loaded_at(i);

    return p ? p->object : NULL;
}

const char *gh_plugin_loaded_path(unsigned i)
{
    const struct ge_plugin *p = loaded_at(i);

    return p ? p->path : NULL;
}

const char *gh_component_plugin(const struct gost_component *c)
{
    const struct ge_plugin *p;
    unsigned i;

    for (i = 0; (p = loaded_at(i)) != NULL; i++) {
        if (c >= p->components && c < p->components + p->n_components)
            return p->path;
    }
    return "";
}

/* The newest wins: a replaced file was loaded later. */
const struct gost_component *gh_component_loaded(enum gost_kind kind, const char *name, size_t n)
{
    unsigned i = atomic_load_explicit(&n_loaded, memory_order_acquire);
    uint32_t k;

    while (i-- > 0) {
        for (k = 0; k < loaded[i]->n_components; k++) {
            const struct gost_component *c = &loaded[i]->components[k];

            if (c->kind == (uint32_t)kind && ge_component_is(c, name, n))
                return c;
        }
    }
    return NULL;
}

struct ge_plugin *gh_plugin_file_load(struct gh_plugin_file *f)
{
    unsigned count = atomic_load_explicit(&n_loaded, memory_order_relaxed);
    char why[600] = "cannot be loaded: too many plugin files were replaced; restart the program";

    if (f->plugin || f->broken)
        return f->plugin;
    if (count < LOADED_MAX &&
        ge_plugin_load(&f->plugin, f->path, ge_host_table(), why, sizeof why) == GOST_OK) {
        loaded[count] = f->plugin;
        atomic_store_explicit(&n_loaded, count + 1, memory_order_release);
        return f->plugin;
    }
    f->broken = strdup(why);
    return NULL;
}
