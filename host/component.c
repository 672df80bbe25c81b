/* component.c - finding components from any thread. */
/* SPDX-License-Identifier: MIT */
#include "component.h"

#include <pthread.h>

#include "plugin.h"

/* Configuration is read and plugins are loaded by one thread at a time. Workers come here once for
 * each layer that a handler upgrades to. */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

void gh_registry_lock(void)
{
    pthread_mutex_lock(&registry);
}

void gh_registry_unlock(void)
{
    pthread_mutex_unlock(&registry);
}

void gh_report_unknown(struct gh_conf_errors *errs, const char *noun, const char *name,
                       const char *object, const struct gh_value *at, const char *why)
{
    char pos[GH_POS_MAX];

    gh_pos_text(at, pos);
    gh_errors_add(errs, GH_ERROR, "", "unknown %s \"%s\" (%s%s%s): %s", noun, name, object,
                  *pos != '\0' ? ", " : "", pos, why);
}

const struct gost_component *gh_find_component(enum gost_kind kind, const char *name, char *why,
                                               size_t why_size)
{
    const struct gost_component *c;

    gh_registry_lock();
    c = gh_component(kind, name, why, why_size);
    gh_registry_unlock();
    gh_plugins_catch_up();
    return c;
}

const struct gost_component *gh_find_stack(const char *name, uint32_t role, char *why,
                                           size_t why_size)
{
    const struct gost_component *c;

    gh_registry_lock();
    c = gh_stack(name, role, why, why_size);
    gh_registry_unlock();
    return c;
}
