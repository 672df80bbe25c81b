/* worker_plugins.c - what plugins keep per worker: worker_init, worker_fini and the pointer. */
/* SPDX-License-Identifier: MIT */
#include "log.h"
#include "net.h"
#include "plugin.h"

enum { PLUGINS_MAX = 512 };

/*
 * Plugins are loaded while workers run, by any thread. A worker catches up before it uses what may
 * be new: when it makes a flow and when it finds a component. So worker_init() needs no message,
 * and no instance is ever there before it.
 */
static _Thread_local unsigned seen;
static _Thread_local void *data[PLUGINS_MAX];

static bool has_worker(const struct gost_plugin *p)
{
    return p->size >= offsetof(struct gost_plugin, worker_fini) + sizeof p->worker_fini;
}

static void begin(const struct gost_plugin *p, unsigned i)
{
    int r;

    if (!has_worker(p) || p->worker_init == NULL)
        return;
    ge_running(p->name, 0, "worker_init");
    r = p->worker_init(&data[i]);
    ge_running_end();
    if (r >= 0)
        return;
    data[i] = NULL;
    gh_log(GOST_LOG_ERROR, "plugin %s: worker_init failed (%d): it may refuse to work", p->name, r);
}

void gh_plugins_catch_up(void)
{
    const struct gost_plugin *p;

    if (gh_worker_current() == NULL)
        return;
    while (seen < PLUGINS_MAX && (p = gh_plugin_loaded(seen)) != NULL) {
        seen++;
        begin(p, seen - 1);
    }
}

void gh_plugins_begin(struct gh_worker *w)
{
    gh_plugins_catch_up();
}

void gh_plugins_end(struct gh_worker *w)
{
    while (seen > 0) {
        const struct gost_plugin *p = gh_plugin_loaded(--seen);

        if (has_worker(p) && p->worker_fini != NULL && data[seen] != NULL) {
            ge_running(p->name, 0, "worker_fini");
            p->worker_fini(data[seen]);
            ge_running_end();
        }
        data[seen] = NULL;
    }
}

void *gh_plugin_worker_data(const struct gost_host *const *self)
{
    for (unsigned i = 0; i < seen; i++)
        if (gh_plugin_loaded(i)->host == (const struct gost_host **)self)
            return data[i];
    return NULL;
}
