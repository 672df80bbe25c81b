/* reload.c - loading a configuration and making it the one that runs. */
/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include <string.h>

#include "carrier.h"
#include "log.h"
#include "plugin.h"
#include "running.h"
#include "sdnotify.h"

static const struct gh_cli *cli;

void gh_reload_init(const struct gh_cli *the_cli)
{
    cli = the_cli;
}

static void warn(void *arg, const char *text)
{
    gh_log(GOST_LOG_WARN, "%s", text);
}

void gh_reload_scan(void)
{
    if (gh_plugins_scan((const char *const *)cli->plugin_dirs.items,
                        (unsigned)cli->plugin_dirs.count, warn, NULL) < 0)
        gh_log(GOST_LOG_ERROR, "out of memory while looking for plugins");
}

static int is_known(void *ctx, enum gh_kind kind, const char *name)
{
    switch (kind) {
    case GH_KIND_HANDLER:
        return gh_component_known(GOST_KIND_HANDLER, name);
    case GH_KIND_CONNECTOR:
        return gh_component_known(GOST_KIND_CONNECTOR, name);
    case GH_KIND_LISTENER:
        return gh_stack_known(name, GOST_SERVER);
    case GH_KIND_DIALER:
        return gh_stack_known(name, GOST_CLIENT);
    case GH_KIND_LAYER:
        return gh_component_known(GOST_KIND_LAYER, name);
    default:
        return 0;
    }
}

struct gh_conf *gh_reload_read(struct gh_conf_errors *errs)
{
    struct gh_conf_hooks hooks = {.known = is_known, .default_confdir = GH_CONF_DIR};
    struct gh_conf *conf = NULL;

    return gh_conf_load(cli, &hooks, &conf, errs) == 0 ? conf : NULL;
}

/* Parts of the whole that this version does not have. */
static bool refuse_absent(const struct gh_value *root, struct gh_conf_errors *errs)
{
    static const char *const keys[] = {"api", "metrics", "profiling"};
    bool ok = true;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct gh_value *v = gh_get(root, keys[i]);

        if (v == NULL)
            continue;
        gh_errors_at(errs, cli->compat_gost ? GH_WARNING : GH_ERROR, v,
                     "\"%s\" is not available in this version%s", keys[i],
                     cli->compat_gost ? " and has no effect" : "; remove it");
        ok = ok && cli->compat_gost;
    }
    return ok;
}

int gh_reload_load(struct gh_loaded *ret, struct gh_conf_errors *errs)
{
    struct gh_loaded l = {0};
    bool ok;

    l.conf = gh_reload_read(errs);
    if (l.conf == NULL)
        return -1;
    ok = refuse_absent(gh_conf_root(l.conf), errs);
    l.policies = gh_policies_build(l.conf, cli->compat_gost, errs);
    ok = l.policies != NULL && ok;
    ok = gh_generation_build(l.conf, cli->compat_gost, cli->strict, &l.services, errs) == 0 && ok;
    ok = ok && gh_policies_bind(l.policies, l.services.generation, errs);
    if (ok) {
        *ret = l;
        return 0;
    }
    gh_loaded_free(&l);
    return -1;
}

void gh_loaded_free(struct gh_loaded *loaded)
{
    gh_services_free(&loaded->services);
    gh_policies_unref(loaded->policies);
    gh_conf_unref(loaded->conf);
    memset(loaded, 0, sizeof *loaded);
}

int gh_reload_apply(struct gh_loaded *loaded, struct gh_conf_errors *errs)
{
    struct gh_running_change change;
    char error[512];
    struct gh_value *log = (struct gh_value *)gh_get(gh_conf_root(loaded->conf), "log");

    if (gh_running_apply(&loaded->services, loaded->policies, &change, errs) != 0) {
        gh_loaded_free(loaded);
        return -1;
    }
    loaded->policies = NULL;
    gh_running_observe();
    gh_carriers_reload();
    if (gh_log_configure(log, error, sizeof error) != 0)
        gh_errors_at(errs, GH_WARNING, log, "%s; the log goes on as before", error);
    gh_log(GOST_LOG_DEBUG, "services: %u opened, %u changed, %u closed, %u as before",
           change.opened, change.changed, change.closed, change.kept);
    gh_loaded_free(loaded);
    return 0;
}

void gh_reload_log(const struct gh_conf_errors *errs, int error_level)
{
    for (size_t i = 0; i < errs->count; i++) {
        const struct gh_conf_error *e = &errs->items[i];

        gh_log(e->severity == GH_ERROR ? error_level : GOST_LOG_WARN, "%s%s%s", e->position,
               *e->position != '\0' ? ": " : "", e->message);
    }
    if (errs->dropped != 0)
        gh_log(error_level, "and %zu more", errs->dropped);
    if (errs->no_memory)
        gh_log(error_level, "out of memory");
}

void gh_reload(bool periodic)
{
    struct gh_conf_errors errs = {0};
    struct gh_loaded loaded;
    bool ok;

    gh_sd_reloading();
    gh_log_reopen();
    gh_reload_scan();
    ok = gh_reload_load(&loaded, &errs) == 0 && gh_reload_apply(&loaded, &errs) == 0;
    gh_reload_log(&errs, GOST_LOG_ERROR);
    gh_errors_free(&errs);
    if (ok)
        gh_log(periodic ? GOST_LOG_DEBUG : GOST_LOG_INFO,
               periodic ? "config auto reloaded" : "config reloaded");
    else
        gh_log(GOST_LOG_ERROR, "the configuration was not reloaded: everything goes on as before");
    gh_sd_notify("READY=1");
}
