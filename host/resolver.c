/* resolver.c - a resolver: its name servers, read from the configuration. */
/* SPDX-License-Identifier: MIT */
#include "resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confbuild.h"

enum { QUESTION_S = 5 };

static int fill(struct gh_name_server *s, const struct gh_value *conf)
{
    static const char *const keys[] = {"addr", "clientIP", "prefer", "only"};
    char timeout[40];
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof keys / sizeof keys[0]; i++)
        if (gh_str(conf, keys[i], NULL) != NULL)
            r = gh_confset_add_value(s->set, keys[i], gh_get(conf, keys[i]));
    snprintf(timeout, sizeof timeout, "%lluns", (unsigned long long)s->timeout_ns);
    if (r == 0)
        r = gh_confset_add_text(s->set, "timeout", timeout);
    /* GOST verifies the certificate of a web server, and of no other name server. */
    if (r == 0 && strncmp(s->place, "https://", 8) == 0)
        r = gh_confset_add_text(s->set, "tls.secure", "true");
    return r;
}

static bool add_server(struct gh_policy *p, const struct gh_value *conf,
                       struct gh_conf_errors *errs)
{
    struct gh_name_server *s = &p->resolver->server[p->resolver->n];
    int64_t timeout = gh_duration_ns(conf, "timeout", 0);
    char object[400], why[512] = "";

    s->place = gh_str(conf, "addr", "");
    s->chain = gh_str(conf, "chain", NULL);
    s->ttl = gh_duration_ns(conf, "ttl", 0);
    s->timeout_ns = timeout > 0 ? (uint64_t)timeout : QUESTION_S * GOST_S;
    if (gh_bool(conf, "async", false) && s->ttl >= 0)
        p->resolver->async = true;
    snprintf(object, sizeof object, "%s, name server %.100s", gh_confset_object(p->set), s->place);
    s->set = gh_confset_new(GOST_CLIENT, object);
    p->resolver->n++;
    if (s->set == NULL || fill(s, conf) != 0) {
        errs->no_memory = true;
        return false;
    }
    return gh_confset_get(s->set, p->resolver->component, 0, NULL, errs, &s->conf, why,
                          sizeof why) == 0;
}

bool gh_resolver_new(struct gh_policy *p, struct gh_conf_errors *errs)
{
    const struct gh_value *list = gh_get(p->object, "nameservers"), *conf;
    struct gh_resolver *r = calloc(1, sizeof *r);
    size_t pos = 0;
    bool ok = true;

    if (r != NULL)
        r->server = calloc(gh_count(list) + 1, sizeof *r->server);
    p->resolver = r;
    if (r == NULL || r->server == NULL) {
        errs->no_memory = true;
        return false;
    }
    r->component = p->component;
    while ((conf = gh_next(list, &pos)) != NULL)
        if (gh_str(conf, "addr", NULL) != NULL) /* GOST passes over empty ones too */
            ok = add_server(p, conf, errs) && ok;
    return ok;
}

bool gh_resolver_bind(struct gh_resolver *r, struct gh_generation *generation,
                      struct gh_conf_errors *errs)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct gh_name_server *s = &r->server[i];
        struct gh_chain *chain =
            s->chain != NULL ? gh_generation_chain(generation, s->chain) : NULL;

        if (s->service == NULL)
            s->service = gh_service_internal(generation, "resolver", chain);
        if (s->service == NULL) {
            errs->no_memory = true;
            return false;
        }
    }
    return true;
}

void gh_resolver_free(struct gh_resolver *r)
{
    if (r == NULL)
        return;
    for (unsigned i = 0; i < sizeof r->cache / sizeof r->cache[0]; i++)
        gh_names_cache_free(r->cache[i]);
    for (unsigned i = 0; i < r->n; i++) {
        gh_service_unref(r->server[i].service);
        gh_confset_free(r->server[i].set);
    }
    free(r->server);
    free(r);
}

struct gh_names_cache *gh_resolver_cache(struct gh_policy *p, struct gh_worker *w)
{
    struct gh_names_cache **slot = &p->resolver->cache[gh_worker_index(w)];

    if (*slot == NULL)
        *slot = gh_names_cache_new(w);
    return *slot;
}
