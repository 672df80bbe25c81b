/* policy_target.c - recorders and observers: policies that are told instead of asked. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "errand.h"
#include "policy_private.h"

/* ---- recorders ---- */

/* Where the records go: the first of these that is given, as in GOST. */
static const struct {
    const char *key, *component;
} targets[] = {{"file", "file-recorder"},
               {"tcp", "tcp-recorder"},
               {"http", "http-recorder"},
               {"redis", "redis-recorder"}};

static bool fill_recorder(struct gh_policy *p, const struct gh_value *target,
                          struct gh_conf_errors *errs)
{
    const struct gh_member *m;
    int64_t timeout = gh_duration_ns(target, "timeout", 0);
    char why[512] = "";
    size_t pos = 0;
    int r = gh_confset_add_text(p->set, "tls.secure", "true");

    if (gh_get(target, "rotation") != NULL) {
        gh_errors_at(errs, GH_ERROR, gh_get(target, "rotation"),
                     "%s: rotation is not available in this version; let logrotate do it",
                     gh_confset_object(p->set));
        return false;
    }
    p->timeout_ns = timeout > 0 ? (uint64_t)timeout : 0;
    while (r == 0 && (m = gh_next_member(target, &pos)) != NULL)
        if (strcmp(m->key, "timeout") != 0)
            r = gh_confset_add_value(p->set, m->key, m->value);
    errs->no_memory |= r != 0;
    return r == 0 && gh_confset_get(p->set, p->component, GOST_CLIENT, NULL, errs, &p->options, why,
                                    sizeof why) == 0;
}

struct gh_policy *gh_recorder_build(struct gh_conf *conf, const struct gh_policy_section *s,
                                    const struct gh_value *object, const char *what,
                                    struct gh_conf_errors *errs)
{
    struct gh_policy_section own = *s;
    const struct gh_value *target = NULL;
    struct gh_policy *p;

    for (size_t i = 0; target == NULL && i < sizeof targets / sizeof targets[0]; i++) {
        target = gh_get(object, targets[i].key);
        own.component = targets[i].component;
    }
    if (target == NULL) {
        gh_errors_at(errs, GH_ERROR, object,
                     "%s: it has no target; give it a file, tcp, http or "
                     "redis",
                     what);
        return NULL;
    }
    p = gh_policy_new(&own, gh_str(object, "name", ""), what, object, errs);
    if (p == NULL)
        return NULL;
    p->conf = gh_conf_ref(conf);
    if (fill_recorder(p, target, errs))
        return p;
    gh_policy_unref(p);
    return NULL;
}

/* ---- observers, and what web servers decide ---- */

static bool fill_web(struct gh_policy *p, const struct gh_value *plugin,
                     struct gh_conf_errors *errs)
{
    const char *addr = gh_str(plugin, "addr", "");
    const struct gh_value *tls = gh_get(plugin, "tls");
    int64_t timeout = gh_duration_ns(plugin, "timeout", 0);
    char url[2100], why[512] = "";
    int r;

    p->timeout_ns = timeout > 0 ? (uint64_t)timeout : 0;
    snprintf(url, sizeof url, "%s%s", strncmp(addr, "http", 4) == 0 ? "" : "http://", addr);
    r = gh_confset_add_text(p->set, "url", url);
    if (r == 0 && gh_get(plugin, "token") != NULL)
        r = gh_confset_add_value(p->set, "token", gh_get(plugin, "token"));
    if (r == 0 && gh_get(tls, "secure") != NULL)
        r = gh_confset_add_value(p->set, "tls.secure", gh_get(tls, "secure"));
    if (r == 0 && gh_get(tls, "serverName") != NULL)
        r = gh_confset_add_value(p->set, "tls.serverName", gh_get(tls, "serverName"));
    errs->no_memory |= r != 0;
    return r == 0 && gh_confset_get(p->set, p->component, GOST_CLIENT, NULL, errs, &p->options, why,
                                    sizeof why) == 0;
}

struct gh_policy *gh_web_build(struct gh_conf *conf, const struct gh_policy_section *s,
                               const struct gh_value *object, const char *what,
                               const char *component, struct gh_conf_errors *errs)
{
    struct gh_policy_section own = *s;
    struct gh_policy *p;

    own.component = component;
    own.remote = true;
    p = gh_policy_new(&own, gh_str(object, "name", ""), what, object, errs);
    if (p == NULL)
        return NULL;
    p->conf = gh_conf_ref(conf);
    if (fill_web(p, gh_get(object, "plugin"), errs))
        return p;
    gh_policy_unref(p);
    return NULL;
}

struct gh_policy *gh_observer_build(struct gh_conf *conf, const struct gh_policy_section *s,
                                    const struct gh_value *object, const char *what,
                                    struct gh_conf_errors *errs)
{
    const struct gh_value *plugin = gh_get(object, "plugin");

    if (strcmp(gh_str(plugin, "type", "grpc"), "http") == 0)
        return gh_web_build(conf, s, object, what, "http-observer", errs);
    gh_errors_at(errs, GH_ERROR, plugin != NULL ? plugin : object,
                 "%s: only plugin.type http is available: it is posted to a web server", what);
    return NULL;
}

/* ---- errands ---- */

void gh_policy_errand(const struct gh_policy *p, uint64_t usual_ns, struct gh_errand_spec *spec)
{
    spec->service = p->service;
    spec->component = p->component;
    spec->conf = p->options;
    spec->set = p->set;
    spec->timeout_ns = p->timeout_ns != 0 ? p->timeout_ns : usual_ns;
}
