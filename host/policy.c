/* policy.c - the policies of a configuration: built, published, looked up by name. */
/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confbuild.h"
#include "net.h"
#include "policy_private.h"
#include "resolver.h"

enum { WORKERS_MAX = 256 };

static const struct gh_policy_section sections[] = {
    {"authers", "auther", GOST_POLICY_AUTHER, "auths", "username", "password", NULL, "hash",
     "hash ", false},
    {"admissions", "admission", GOST_POLICY_ADMISSION, NULL, NULL, NULL, NULL, "set", "set ",
     false},
    {"hosts", "hosts", GOST_POLICY_HOSTS, "mappings", "ip", "hostname", "aliases", "set",
     "set list ", false},
    {"ingresses", "ingress", GOST_POLICY_INGRESS, "rules", "hostname", "endpoint", NULL, "hash",
     "hash set ", false},
    {"limiters", "limiter", GOST_POLICY_LIMITER, NULL, NULL, NULL, NULL, "set", "set list ", false},
    {"climiters", "climiter", GOST_POLICY_CLIMITER, NULL, NULL, NULL, NULL, "set", "set list ",
     false},
    {"rlimiters", "rlimiter", GOST_POLICY_RLIMITER, NULL, NULL, NULL, NULL, "set", "set list ",
     false},
    {"recorders", "recorder", GOST_POLICY_RECORDER, NULL, NULL, NULL, NULL, NULL, NULL, false},
    {"observers", "observer", GOST_POLICY_OBSERVER, NULL, NULL, NULL, NULL, NULL, NULL, false},
    {"resolvers", "resolver", GOST_POLICY_RESOLVER, NULL, NULL, NULL, NULL, NULL, NULL, false},
    {"bypasses", "bypass", GOST_POLICY_BYPASS, NULL, NULL, NULL, NULL, "set", "set ", false},
};

/* The current set. Each worker holds a reference and looks for a newer set at each use. */
static struct {
    pthread_mutex_t lock;
    struct gh_policies *set;
    _Atomic uint64_t version;
} current = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
    struct gh_policies *set;
    uint64_t version;
} held[WORKERS_MAX];

/* ---- names ---- */

int gh_names_read(struct gh_names *ret_names, const struct gh_value *object, const char *one,
                  const char *many)
{
    const struct gh_value *list = gh_get(object, many);
    const char *first = gh_str(object, one, NULL);
    unsigned n = (unsigned)gh_count(list) + (first != NULL);
    const char **v;

    ret_names->v = NULL;
    ret_names->n = 0;
    if (n == 0)
        return 0;
    v = calloc(n, sizeof *v);
    if (v == NULL)
        return -ENOMEM;
    if (first != NULL)
        v[ret_names->n++] = first;
    for (size_t i = 0; i < gh_count(list); i++) {
        const char *text = gh_text_of(gh_item(list, i));

        if (text != NULL && *text != '\0')
            v[ret_names->n++] = text;
    }
    ret_names->v = v;
    return 0;
}

void gh_names_free(struct gh_names *names)
{
    free(names->v);
    names->v = NULL;
    names->n = 0;
}

/* ---- one policy ---- */

struct gh_policy *gh_policy_ref(struct gh_policy *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

static void policy_free(void *arg)
{
    struct gh_policy *p = arg;
    void *index = atomic_load(&p->index);

    gh_refresh_free(p->refresh);
    gh_resolver_free(p->resolver);
    gh_service_unref(p->service);
    gh_limits_unref(p->limits);
    if (index != NULL)
        ((const struct gost_index_ops *)p->component->ops)->destroy(index);
    gh_confset_free(p->set);
    gh_conf_unref(p->conf);
    free(p);
}

void gh_policy_unref(struct gh_policy *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    if (gh_worker_current() != NULL)
        gh_main_post(policy_free, p);
    else
        policy_free(p);
}

/* GOST's plugins are services of its own protocols. Of those only authers over HTTP are there. */
static bool is_web(const struct gh_policy_section *s, const struct gh_value *object)
{
    return s->kind == GOST_POLICY_AUTHER &&
           strcmp(gh_str(gh_get(object, "plugin"), "type", ""), "http") == 0;
}

static bool refuse_plugin(const struct gh_value *object, const char *what,
                          struct gh_conf_errors *errs)
{
    const struct gh_value *v = gh_get(object, "plugin");

    if (v == NULL)
        return false;
    gh_errors_at(errs, GH_ERROR, v,
                 "%s: a policy that a plugin service decides is not available; use file, redis or "
                 "http%s",
                 what, strncmp(what, "auther ", 7) == 0 ? ", or plugin.type http" : "");
    return true;
}

/* Those that others are asked for, or told. */
static bool is_remote(uint32_t kind)
{
    return kind == GOST_POLICY_RESOLVER || kind == GOST_POLICY_RECORDER ||
           kind == GOST_POLICY_OBSERVER;
}

bool gh_policy_is_remote(const struct gh_policy *p)
{
    return p->component->kind == GOST_KIND_REMOTE;
}

static enum gost_kind kind_of(const struct gh_policy_section *s)
{
    return s->remote || is_remote(s->kind) ? GOST_KIND_REMOTE : GOST_KIND_INDEX;
}

/* A policy without options and data yet; the caller fills `set`. NULL: reported. */
struct gh_policy *gh_policy_new(const struct gh_policy_section *s, const char *name,
                                const char *object, const struct gh_value *at,
                                struct gh_conf_errors *errs)
{
    char why[512] = "";
    const struct gost_component *c = gh_find_component(kind_of(s), s->component, why, sizeof why);
    struct gh_policy *p;

    if (c == NULL) {
        gh_errors_at(errs, GH_ERROR, at, "%s: no plugin provides %s: %s", object, s->section, why);
        return NULL;
    }
    p = calloc(1, sizeof *p);
    if (p != NULL) {
        atomic_init(&p->refs, 1);
        atomic_init(&p->index, NULL);
        atomic_init(&p->complete, true);
        p->object = at;
        p->name = name;
        p->kind = s->kind;
        p->component = c;
        p->set = gh_confset_new(GOST_SERVER, object);
    }
    if (p == NULL || p->set == NULL) {
        errs->no_memory = true;
        free(p);
        return NULL;
    }
    return p;
}

/* Options are bound and the index of what the configuration itself says is built. */
static bool finish_policy(struct gh_policy *p, struct gh_conf_errors *errs)
{
    char why[512] = "";

    return gh_confset_get(p->set, p->component, 0, NULL, errs, &p->options, why, sizeof why) == 0 &&
           gh_policy_build_inline(p, errs);
}

/* A line is "name value": the name cannot have blanks. */
static bool names_are_words(const struct gh_policy_section *s, const struct gh_value *object,
                            struct gh_conf_errors *errs)
{
    const struct gh_value *list = s->lines != NULL ? gh_get(object, s->lines) : NULL, *item;
    size_t pos = 0;

    while ((item = gh_next(list, &pos)) != NULL) {
        const char *name = gh_str(item, s->line_name, "");

        if (name[strcspn(name, " \t\r\n")] == '\0' && *name != '#')
            continue;
        gh_errors_at(errs, GH_ERROR, item,
                     "%s %s: the %s \"%s\" must have no blanks and no # in front", s->component,
                     gh_str(object, "name", ""), s->line_name, name);
        return false;
    }
    return true;
}

/* Keys of every object that the host itself reads. */
static bool is_common(const char *key)
{
    static const char *const common[] = {"name", "reload", "file", "redis", "http", "plugin"};

    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strcmp(key, common[i]) == 0)
            return true;
    return false;
}

static int fill_set(struct gh_policy *p, const struct gh_policy_section *s,
                    const struct gh_value *object)
{
    const struct gh_member *m;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (m = gh_next_member(object, &pos)) != NULL) {
        if (is_common(m->key))
            continue;
        if (s->lines != NULL && strcmp(m->key, s->lines) == 0)
            r = gh_confset_add_lines(p->set, m->key, m->value, s->line_name, s->line_value,
                                     s->line_more);
        else
            r = gh_confset_add_value(p->set, m->key, m->value);
    }
    return r;
}

static bool is_limiter(uint32_t kind)
{
    return kind == GOST_POLICY_LIMITER || kind == GOST_POLICY_CLIMITER ||
           kind == GOST_POLICY_RLIMITER;
}

/* A limiter goes on with the balances of the one that has its name now. */
static bool add_limits(struct gh_policy *p, struct gh_conf_errors *errs)
{
    const struct gh_policy *old = gh_policy_find(current.set, p->kind, p->name);

    if (!is_limiter(p->kind))
        return true;
    p->limits = old != NULL ? gh_limits_ref(old->limits) : gh_limits_new();
    errs->no_memory |= p->limits == NULL;
    return p->limits != NULL;
}

static struct gh_policy *build_policy(struct gh_conf *conf, const struct gh_policy_section *s,
                                      const struct gh_value *object, struct gh_conf_errors *errs)
{
    char what[300];
    struct gh_policy *p;
    const char *name = gh_str(object, "name", "");
    bool ok = false;

    snprintf(what, sizeof what, "%s %s", s->component, name);
    if (s->kind == GOST_POLICY_OBSERVER)
        return gh_observer_build(conf, s, object, what, errs);
    if (is_web(s, object))
        return gh_web_build(conf, s, object, what, "http-auther", errs);
    if (refuse_plugin(object, what, errs) || !names_are_words(s, object, errs))
        return NULL;
    if (s->kind == GOST_POLICY_RECORDER)
        return gh_recorder_build(conf, s, object, what, errs);
    p = gh_policy_new(s, name, what, object, errs);
    if (p == NULL)
        return NULL;
    p->conf = gh_conf_ref(conf);
    if (s->kind == GOST_POLICY_RESOLVER)
        ok = gh_resolver_new(p, errs);
    else if (fill_set(p, s, object) != 0)
        errs->no_memory = true;
    else
        ok = add_limits(p, errs) && gh_refresh_new(p, s, errs) && finish_policy(p, errs);
    if (ok)
        return p;
    gh_policy_unref(p);
    return NULL;
}

/* ---- all of them ---- */

static bool add(struct gh_policies *all, struct gh_policy *p)
{
    if (all->n == all->room) {
        unsigned room = all->room ? 2 * all->room : 16;
        struct gh_policy **more = realloc(all->v, room * sizeof *more);

        if (more == NULL)
            return false;
        all->v = more;
        all->room = room;
    }
    all->v[all->n++] = p;
    return true;
}

/* The running policy that this object describes too: it keeps its data. NULL: there is none. */
static struct gh_policy *unchanged(const struct gh_policy_section *s, const struct gh_value *object)
{
    struct gh_policy *p = gh_policy_find(current.set, s->kind, gh_str(object, "name", ""));
    char why[512];

    /* What a resolver's chains are may have changed. */
    if (p == NULL || p->refresh == NULL || !gh_value_equal(p->object, object) ||
        p->component != gh_find_component(kind_of(s), s->component, why, sizeof why))
        return NULL;
    return gh_policy_ref(p);
}

static bool build_section(struct gh_policies *all, struct gh_conf *conf,
                          const struct gh_policy_section *s, struct gh_conf_errors *errs)
{
    const struct gh_value *list = gh_conf_section(conf, s->section), *object;
    size_t pos = 0;
    bool ok = true;

    while ((object = gh_next(list, &pos)) != NULL) {
        struct gh_policy *p = unchanged(s, object);

        if (p == NULL)
            p = build_policy(conf, s, object, errs);
        if (p == NULL) {
            ok = false;
        } else if (!add(all, p)) {
            gh_policy_unref(p);
            errs->no_memory = true;
            ok = false;
        }
    }
    return ok;
}

struct gh_policies *gh_policies_build(struct gh_conf *conf, bool compat_gost,
                                      struct gh_conf_errors *errs)
{
    struct gh_policies *all = calloc(1, sizeof *all);
    bool ok = true;

    if (all == NULL) {
        errs->no_memory = true;
        return NULL;
    }
    atomic_init(&all->refs, 1);
    all->compat_gost = compat_gost;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        ok = build_section(all, conf, &sections[i], errs) && ok;
    if (ok)
        return all;
    gh_policies_unref(all);
    return NULL;
}

bool gh_policies_bind(struct gh_policies *all, struct gh_generation *generation,
                      struct gh_conf_errors *errs)
{
    struct gh_service *s = NULL;

    for (unsigned i = 0; i < all->n; i++) {
        if (all->v[i]->resolver != NULL && !gh_resolver_bind(all->v[i]->resolver, generation, errs))
            return false;
        if ((all->v[i]->refresh == NULL && !gh_policy_is_remote(all->v[i])) ||
            all->v[i]->service != NULL)
            continue;
        if (s == NULL)
            s = gh_service_internal(generation, "policies", NULL);
        if (s == NULL) {
            errs->no_memory = true;
            return false;
        }
        all->v[i]->service = gh_service_ref(s);
    }
    gh_service_unref(s);
    return true;
}

void gh_policies_unref(struct gh_policies *all)
{
    if (all == NULL || atomic_fetch_sub(&all->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < all->n; i++)
        gh_policy_unref(all->v[i]);
    free(all->v);
    free(all);
}

struct gh_policy *gh_policy_inline_auther(const struct gh_value *auth, const char *object,
                                          struct gh_conf_errors *errs, bool *ret_ok)
{
    struct gh_policy *p = NULL;
    struct gh_value *list;
    const char *user = gh_str(auth, "username", "");

    *ret_ok = true;
    if (*user == '\0')
        return NULL;
    *ret_ok = false;
    list = gh_list_new();
    if (list == NULL || gh_list_append(list, gh_value_copy(auth)) != 0)
        errs->no_memory = true;
    else
        p = gh_policy_new(&sections[0], user, object, auth, errs);
    if (p != NULL && gh_confset_add_lines(p->set, "auths", list, "username", "password", NULL) == 0)
        *ret_ok = finish_policy(p, errs);
    gh_value_free(list);
    if (*ret_ok)
        return p;
    gh_policy_unref(p);
    return NULL;
}

/* ---- publishing ---- */

static bool has(const struct gh_policies *all, const struct gh_policy *p)
{
    for (unsigned i = 0; all != NULL && i < all->n; i++)
        if (all->v[i] == p)
            return true;
    return false;
}

static void stop_refreshes(const struct gh_policies *old, const struct gh_policies *next)
{
    for (unsigned i = 0; old != NULL && i < old->n; i++)
        if (old->v[i]->refresh != NULL && !has(next, old->v[i]))
            gh_refresh_stop(old->v[i]);
}

void gh_policies_stop(void)
{
    stop_refreshes(current.set, NULL);
}

/* Live balances follow the rules; those of a limiter that is gone end. */
static void update_limits(const struct gh_policies *old, const struct gh_policies *next)
{
    for (unsigned i = 0; old != NULL && i < old->n; i++)
        if (old->v[i]->limits != NULL &&
            gh_policy_find(next, old->v[i]->kind, old->v[i]->name) == NULL)
            gh_limits_update(old->v[i], NULL, old->v[i]->limits);
    for (unsigned i = 0; i < next->n; i++)
        if (next->v[i]->limits != NULL)
            gh_limits_update(next->v[i], atomic_load(&next->v[i]->index), next->v[i]->limits);
}

void gh_policies_publish(struct gh_policies *p)
{
    struct gh_policies *old;

    pthread_mutex_lock(&current.lock);
    old = current.set;
    current.set = p;
    atomic_fetch_add(&current.version, 1);
    pthread_mutex_unlock(&current.lock);
    if (p != NULL) {
        stop_refreshes(old, p);
        update_limits(old, p);
    }
    for (unsigned i = 0; p != NULL && i < p->n; i++)
        if (p->v[i]->refresh != NULL)
            gh_refresh_start(p->v[i]);
    gh_policies_unref(old);
    for (unsigned i = 0; p == NULL && i < WORKERS_MAX; i++) {
        gh_policies_unref(held[i].set);
        held[i].set = NULL;
        held[i].version = 0;
    }
    if (p == NULL)
        gh_index_retired_free();
}

const struct gh_policies *gh_policies_now(void)
{
    struct gh_worker *w = gh_worker_current();
    unsigned i = w != NULL ? gh_worker_index(w) : 0;
    uint64_t version = atomic_load_explicit(&current.version, memory_order_acquire);

    if (w == NULL)
        return current.set; /* [main] is the only writer */
    if (held[i].version != version) {
        struct gh_policies *old = held[i].set;

        pthread_mutex_lock(&current.lock);
        held[i].set = current.set;
        held[i].version = atomic_load(&current.version);
        if (held[i].set != NULL)
            atomic_fetch_add(&held[i].set->refs, 1);
        pthread_mutex_unlock(&current.lock);
        gh_policies_unref(old);
    }
    return held[i].set;
}

struct gh_policy *gh_policy_find(const struct gh_policies *all, uint32_t kind, const char *name)
{
    for (unsigned i = 0; all != NULL && i < all->n; i++)
        if (all->v[i]->kind == kind && strcmp(all->v[i]->name, name) == 0)
            return all->v[i];
    return NULL;
}
