/* policy.c - authers, admissions and bypasses: built from the configuration, looked up by name. */
/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_meta.h"
#include "net.h"

enum { WORKERS_MAX = 256 };

struct gh_policy {
    struct gh_policy *next;
    const char *name; /* *borrowed* from the tree */
    uint32_t kind;    /* enum gost_policy_kind */
    const struct gost_component *component;
    struct gh_confset *set;
    void *index;
};

struct gh_policies {
    _Atomic uint32_t refs;
    bool compat_gost;
    struct gh_conf *conf;
    struct gh_policy *list;
};

/* The sections that have an index, and how their inline data is given to it. */
static const struct section {
    const char *section, *component;
    uint32_t kind;
    const char *lines, *line_name, *line_value; /* a list of objects; NULL: none */
} sections[] = {
    {"authers", "auther", GOST_POLICY_AUTHER, "auths", "username", "password"},
    {"admissions", "admission", GOST_POLICY_ADMISSION, NULL, NULL, NULL},
    {"bypasses", "bypass", GOST_POLICY_BYPASS, NULL, NULL, NULL},
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

/* ---- building ---- */

void gh_policy_free(struct gh_policy *policy)
{
    const struct gost_index_ops *ops;

    if (policy == NULL)
        return;
    ops = policy->component->ops;
    if (policy->index != NULL && ops->destroy != NULL)
        ops->destroy(policy->index);
    gh_confset_free(policy->set);
    free(policy);
}

/* What the object asks for that only a source or a remote could bring. */
static bool has_sources(const struct gh_value *object, const char *what,
                        struct gh_conf_errors *errs)
{
    static const char *const keys[] = {"plugin", "file", "redis", "http"};
    bool found = false;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct gh_value *v = gh_get(object, keys[i]);

        if (v == NULL)
            continue;
        gh_errors_at(errs, GH_ERROR, v,
                     "%s: data from \"%s\" is not available; write the entries into the "
                     "configuration itself",
                     what, keys[i]);
        found = true;
    }
    return found;
}

static bool build_index(struct gh_policy *p, struct gh_conf_errors *errs)
{
    const struct gost_index_ops *ops = p->component->ops;
    const void *conf = NULL;
    char why[512] = "";

    if (gh_confset_get(p->set, p->component, 0, NULL, errs, &conf, why, sizeof why) != 0)
        return false;
    if (ops->build(&p->index, conf, NULL, 0, why, sizeof why) == GOST_OK)
        return true;
    gh_errors_add(errs, GH_ERROR, "", "%s: %s", gh_confset_object(p->set), why);
    return false;
}

/* A policy without its index yet; `set` is filled by the caller. NULL: reported. */
static struct gh_policy *new_policy(const struct section *s, const char *name, const char *object,
                                    const struct gh_value *at, struct gh_conf_errors *errs)
{
    char why[512] = "";
    const struct gost_component *c =
        gh_find_component(GOST_KIND_INDEX, s->component, why, sizeof why);
    struct gh_policy *p;

    if (c == NULL) {
        gh_errors_at(errs, GH_ERROR, at, "%s: no plugin provides %s: %s", object, s->section, why);
        return NULL;
    }
    p = calloc(1, sizeof *p);
    if (p != NULL) {
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

/* A line is "name value": the name cannot have blanks. */
static bool names_are_words(const struct section *s, const struct gh_value *object,
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

static int fill_set(struct gh_policy *p, const struct section *s, const struct gh_value *object)
{
    const struct gh_member *m;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (m = gh_next_member(object, &pos)) != NULL) {
        if (strcmp(m->key, "name") == 0 || strcmp(m->key, "reload") == 0)
            continue;
        if (s->lines != NULL && strcmp(m->key, s->lines) == 0)
            r = gh_confset_add_lines(p->set, m->key, m->value, s->line_name, s->line_value);
        else
            r = gh_confset_add_value(p->set, m->key, m->value);
    }
    return r;
}

static bool add_object(struct gh_policies *all, const struct section *s,
                       const struct gh_value *object, struct gh_conf_errors *errs)
{
    char what[300];
    struct gh_policy *p;
    const char *name = gh_str(object, "name", "");

    snprintf(what, sizeof what, "%s %s", s->component, name);
    if (has_sources(object, what, errs) || !names_are_words(s, object, errs))
        return false;
    p = new_policy(s, name, what, object, errs);
    if (p == NULL)
        return false;
    if (fill_set(p, s, object) != 0) {
        errs->no_memory = true;
    } else if (build_index(p, errs)) {
        p->next = all->list;
        all->list = p;
        return true;
    }
    gh_policy_free(p);
    return false;
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
    all->conf = gh_conf_ref(conf);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        const struct gh_value *list = gh_conf_section(conf, sections[i].section), *object;
        size_t pos = 0;

        while ((object = gh_next(list, &pos)) != NULL)
            ok = add_object(all, &sections[i], object, errs) && ok;
    }
    if (ok)
        return all;
    gh_policies_unref(all);
    return NULL;
}

void gh_policies_unref(struct gh_policies *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    while (p->list != NULL) {
        struct gh_policy *next = p->list->next;

        gh_policy_free(p->list);
        p->list = next;
    }
    gh_conf_unref(p->conf);
    free(p);
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
        p = new_policy(&sections[0], user, object, auth, errs);
    if (p != NULL && gh_confset_add_lines(p->set, "auths", list, "username", "password") == 0)
        *ret_ok = build_index(p, errs);
    gh_value_free(list);
    if (*ret_ok)
        return p;
    gh_policy_free(p);
    return NULL;
}

/* ---- publishing ---- */

void gh_policies_publish(struct gh_policies *p)
{
    struct gh_policies *old;

    pthread_mutex_lock(&current.lock);
    old = current.set;
    current.set = p;
    atomic_fetch_add(&current.version, 1);
    pthread_mutex_unlock(&current.lock);
    gh_policies_unref(old);
    for (unsigned i = 0; p == NULL && i < WORKERS_MAX; i++) {
        gh_policies_unref(held[i].set);
        held[i].set = NULL;
        held[i].version = 0;
    }
}

/* The current set, valid until the next call on this worker. NULL: none is published. */
static const struct gh_policies *now(void)
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

static const struct gh_policy *find(const struct gh_policies *all, uint32_t kind, const char *name)
{
    if (all == NULL)
        return NULL;
    for (const struct gh_policy *p = all->list; p != NULL; p = p->next)
        if (p->kind == kind && strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

/* ---- questions ---- */

static bool ask_auther(const struct gh_policy *p, const struct gost_q_auth *q, char id[256])
{
    const struct gost_index_ops *ops = p->component->ops;
    struct gost_a_auth a = {.size = sizeof a};

    if (ops->query(p->index, q, &a) != GOST_OK || !a.ok)
        return false;
    memcpy(id, a.id, sizeof a.id);
    id[sizeof a.id - 1] = '\0';
    return true;
}

bool gh_policy_auth(const struct gh_names *names, const struct gh_policy *own,
                    const struct gost_q_auth *q, char id[256])
{
    const struct gh_policies *all = now();

    id[0] = '\0';
    if (names->n == 0)
        return own == NULL || ask_auther(own, q, id);
    for (unsigned i = 0; i < names->n; i++) {
        const struct gh_policy *p = find(all, GOST_POLICY_AUTHER, names->v[i]);

        if (p == NULL ? all != NULL && all->compat_gost : ask_auther(p, q, id))
            return true;
    }
    return false;
}

static struct gost_a_verdict ask_target(const struct gh_policy *p, const struct gost_q_target *q,
                                        bool *ret_ok)
{
    const struct gost_index_ops *ops = p->component->ops;
    struct gost_a_verdict a = {.size = sizeof a};

    *ret_ok = ops->query(p->index, q, &a) == GOST_OK;
    return a;
}

bool gh_policy_admit(const struct gh_names *names, const struct gost_q_target *q)
{
    const struct gh_policies *all = now();

    for (unsigned i = 0; i < names->n; i++) {
        const struct gh_policy *p = find(all, GOST_POLICY_ADMISSION, names->v[i]);
        bool ok = false;

        if (p == NULL || !ask_target(p, q, &ok).match || !ok)
            return false;
    }
    return true;
}

/* White lists bypass only together; one black list is enough. */
bool gh_policy_bypass(const struct gh_names *names, const struct gost_q_target *q)
{
    const struct gh_policies *all = now();
    unsigned white = 0, white_matches = 0;

    for (unsigned i = 0; i < names->n; i++) {
        const struct gh_policy *p = find(all, GOST_POLICY_BYPASS, names->v[i]);
        struct gost_a_verdict a;
        bool ok;

        if (p == NULL)
            continue;
        a = ask_target(p, q, &ok);
        if (!ok || (a.match && !(a.flags & GOST_VERDICT_WHITELIST)))
            return true;
        if (a.flags & GOST_VERDICT_WHITELIST) {
            white++;
            white_matches += a.match != 0;
        }
    }
    return white != 0 && white == white_matches;
}
