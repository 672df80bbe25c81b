/* conf_load.c - from command line, files and environment to one validated configuration. */
/* SPDX-License-Identifier: MIT */
#include "conf_load.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_load_internal.h"
#include "conf_url.h"

struct gh_conf {
    atomic_uint refs;
    struct gh_value *root;
};

struct gh_conf *gh_conf_new(struct gh_value *root)
{
    struct gh_conf *conf = malloc(sizeof(*conf));
    if (conf == NULL || root == NULL) {
        free(conf);
        gh_value_free(root);
        return NULL;
    }
    atomic_init(&conf->refs, 1);
    conf->root = root;
    return conf;
}

struct gh_conf *gh_conf_ref(struct gh_conf *conf)
{
    if (conf != NULL)
        atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
    return conf;
}

void gh_conf_unref(struct gh_conf *conf)
{
    if (conf == NULL || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
        return;
    gh_value_free(conf->root);
    free(conf);
}

const struct gh_value *gh_conf_root(const struct gh_conf *conf)
{
    return conf->root;
}

const struct gh_value *gh_conf_section(const struct gh_conf *conf, const char *section)
{
    return gh_get(conf->root, section);
}

const char *gh_loader_env(const struct gh_loader *l, const char *name)
{
    const char *value =
        l->hooks->getenv != NULL ? l->hooks->getenv(l->hooks->ctx, name) : getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static void load_urls(struct gh_loader *l)
{
    char prefix[64] = "";
    const char *id = gh_loader_env(l, "_GOST_ID");
    if (id != NULL)
        snprintf(prefix, sizeof(prefix), "go-%.50s@", id);
    struct gh_url_rules rules = {.known = l->hooks->known,
                                 .ctx = l->hooks->ctx,
                                 .compat_gost = l->cli->compat_gost,
                                 .target_prefix = prefix};
    gh_merge(l, gh_conf_from_urls(l->cli->services.items, l->cli->services.count,
                                  l->cli->nodes.items, l->cli->nodes.count, &rules, l->errs));
}

/* Whether nothing was asked for that could be served. */
static bool nothing_to_do(const struct gh_loader *l)
{
    return gh_count(gh_get(l->root, "services")) == 0 && l->cli->api == NULL &&
           gh_get(l->root, "api") == NULL && l->cli->configs.count == 0 && l->cli->confdir == NULL;
}

static void load_default(struct gh_loader *l)
{
    const char *dir = l->hooks->default_confdir;
    const char *home = gh_loader_env(l, "HOME");
    char cwd[1024];
    if (gh_read_default(l)) {
        if (dir != NULL && l->cli->nodes.count == 0 && gh_count_dir(dir) > 0)
            gh_errors_add(
                l->errs, GH_WARNING, dir,
                "is not read, because there is a file where gost looks for one; name both "
                "with -C and --confdir to join them");
        return;
    }
    if (dir != NULL && l->cli->nodes.count == 0 && gh_read_dir(l, dir, false) > 0)
        return;
    gh_errors_add(
        l->errs, GH_ERROR, NULL,
        "nothing to do: no -L, -C or --confdir, and no gost.json, gost.yaml or gost.yml in "
        "/etc/gost, %s/.gost or %s%s%s; try gost-host -L :8080, or -h",
        home != NULL ? home : "", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : ".",
        dir != NULL ? ", and none in " : "", dir != NULL ? dir : "");
}

static void apply_environment(struct gh_loader *l)
{
    static const char *const rows[][3] = {{"GOST_LOGGER_LEVEL", "log", "level"},
                                          {"GOST_API", "api", "addr"},
                                          {"GOST_METRICS", "metrics", "addr"},
                                          {"GOST_PROFILING", "profiling", "addr"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char source[64];
        const char *value = gh_loader_env(l, rows[i][0]);
        if (value == NULL)
            continue;
        snprintf(source, sizeof(source), "environment %s", rows[i][0]);
        gh_merge_set(l, rows[i][1], rows[i][2], value, source);
    }
}

/* -api and -metrics replace the whole section. */
static void apply_address(struct gh_loader *l, const char *section, const char *text,
                          const char *flag)
{
    if (text == NULL)
        return;
    struct gh_source *source = gh_source_new(flag);
    struct gh_value *object = gh_conf_from_address(text, strcmp(section, "metrics") == 0);
    gh_value_place_all(object, source);
    if (source == NULL)
        l->errs->no_memory = true;
    gh_source_unref(source);
    if (gh_map_set(l->root, section, object) != 0)
        l->errs->no_memory = true;
}

static void apply_flags(struct gh_loader *l)
{
    if (l->cli->trace)
        gh_merge_set(l, "log", "level", "trace", "-DD");
    else if (l->cli->debug)
        gh_merge_set(l, "log", "level", "debug", "-D");
    apply_address(l, "api", l->cli->api, "-api");
    apply_address(l, "metrics", l->cli->metrics, "-metrics");
}

static void load_all(struct gh_loader *l)
{
    if (l->cli->confdir != NULL)
        gh_read_dir(l, l->cli->confdir, true);
    for (size_t i = 0; i < l->cli->configs.count; i++)
        gh_read_source(l, l->cli->configs.items[i], i + 1);
    load_urls(l);
    /* What failed would look like nothing asked for. */
    if (!gh_errors_failed(l->errs) && nothing_to_do(l))
        load_default(l);
    apply_environment(l);
    apply_flags(l);
}

int gh_conf_load(const struct gh_cli *cli, const struct gh_conf_hooks *hooks, struct gh_conf **ret,
                 struct gh_conf_errors *errs)
{
    static const struct gh_conf_hooks none;
    struct gh_conf_errors found = {0};
    struct gh_loader l = {cli, hooks != NULL ? hooks : &none, &found, gh_map_new()};
    if (l.root == NULL)
        found.no_memory = true;
    else
        load_all(&l);
    if (!gh_errors_failed(&found) && cli->mode != GH_CLI_OUTPUT)
        gh_conf_check(l.root, cli->compat_gost, &found);
    struct gh_conf *conf = gh_errors_failed(&found) ? NULL : gh_conf_new(l.root);
    if (conf == NULL && !gh_errors_failed(&found))
        found.no_memory = true;
    else if (conf == NULL)
        gh_value_free(l.root);
    gh_errors_move(errs, &found);
    if (conf == NULL)
        return -1;
    *ret = conf;
    return 0;
}
