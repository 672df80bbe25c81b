/* confbuild.c - a generation: services, chains and hops made from one configuration. */
/* SPDX-License-Identifier: MIT */
#include "confbuild.h"

#include <stdlib.h>
#include <string.h>

#include "plugin.h"

static void release(struct gh_generation *g)
{
    for (unsigned i = 0; i < g->n_chains; i++)
        gh_chain_free(g->chains[i]);
    for (unsigned i = 0; i < g->n_hops; i++)
        gh_hop_free(g->hops[i]);
    free(g->chains);
    free(g->hops);
    gh_confset_free(g->plain);
    gh_conf_unref(g->conf);
    free(g);
}

void gh_generation_unref(struct gh_generation *g)
{
    if (g != NULL && atomic_fetch_sub(&g->refs, 1) == 1)
        release(g);
}

struct gh_chain *gh_generation_chain(struct gh_generation *g, const char *name)
{
    for (unsigned i = 0; i < g->n_chains; i++)
        if (strcmp(g->chains[i]->name, name) == 0)
            return g->chains[i];
    return NULL;
}

struct gh_hop *gh_generation_hop(struct gh_generation *g, const char *name)
{
    for (unsigned i = 0; i < g->n_named_hops; i++)
        if (strcmp(g->hops[i]->name, name) == 0)
            return g->hops[i];
    return NULL;
}

static struct gh_hop *find_hop(void *arg, const char *name)
{
    return gh_generation_hop(arg, name);
}

static bool adopt_hop(void *arg, struct gh_hop *hop)
{
    struct gh_generation *g = arg;

    if (g->n_hops == g->room_hops) {
        unsigned room = g->room_hops ? 2 * g->room_hops : 16;
        struct gh_hop **more = realloc(g->hops, room * sizeof *more);

        if (more == NULL)
            return false;
        g->hops = more;
        g->room_hops = room;
    }
    g->hops[g->n_hops++] = hop;
    return true;
}

static bool build_hops(struct gh_build *b, struct gh_generation *g)
{
    const struct gh_value *list = gh_get(b->root, "hops"), *conf;
    size_t pos = 0;
    bool ok = true;

    while ((conf = gh_next(list, &pos)) != NULL) {
        struct gh_hop *hop = gh_hop_build(b, conf);

        if (hop != NULL && !adopt_hop(g, hop)) {
            gh_hop_free(hop);
            b->errs->no_memory = true;
            hop = NULL;
        }
        ok = hop != NULL && ok;
    }
    g->n_named_hops = g->n_hops;
    return ok;
}

static bool build_chains(struct gh_build *b, struct gh_generation *g)
{
    const struct gh_value *list = gh_get(b->root, "chains"), *conf;
    size_t pos = 0;
    bool ok = true;

    g->chains = calloc(gh_count(list) + 1, sizeof(struct gh_chain *));
    if (g->chains == NULL) {
        b->errs->no_memory = true;
        return false;
    }
    while ((conf = gh_next(list, &pos)) != NULL) {
        struct gh_chain *chain = gh_chain_build(b, conf, find_hop, adopt_hop, g);

        if (chain != NULL)
            g->chains[g->n_chains++] = chain;
        ok = chain != NULL && ok;
    }
    return ok;
}

/* Dials that take no chain: the plain transports, if they are installed. */
static bool build_direct(struct gh_build *b, struct gh_generation *g)
{
    static const char *const names[] = {"tcp", "unix"};
    struct gh_stack_part *parts[] = {&g->direct_tcp, &g->direct_unix};
    char why[512];

    g->plain = gh_confset_new(GOST_CLIENT, "direct connections");
    if (g->plain == NULL) {
        b->errs->no_memory = true;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (!gh_component_known(GOST_KIND_TRANSPORT, names[i]))
            continue;
        parts[i]->component = gh_find_component(GOST_KIND_TRANSPORT, names[i], why, sizeof why);
        if (parts[i]->component != NULL &&
            gh_confset_get(g->plain, parts[i]->component, 0, NULL, b->errs, &parts[i]->conf, why,
                           sizeof why) != 0)
            return false;
    }
    return true;
}

void gh_services_free(struct gh_services *services)
{
    for (unsigned i = 0; i < services->n; i++)
        gh_service_unref(services->v[i]);
    free(services->v);
    services->v = NULL;
    services->n = 0;
    gh_generation_unref(services->generation);
    services->generation = NULL;
}

/* Where built services go. */
struct adding {
    struct gh_services *to;
    struct gh_conf_errors *errs;
};

static bool add_service(void *arg, struct gh_service *s)
{
    const struct adding *adding = arg;
    struct gh_services *services = adding->to;
    struct gh_service **more;

    if (s == NULL)
        return false;
    more = realloc(services->v, (services->n + 1) * sizeof *more);
    if (more == NULL) {
        adding->errs->no_memory = true;
        gh_service_unref(s);
        return false;
    }
    services->v = more;
    services->v[services->n++] = s;
    return true;
}

static bool build_services(struct gh_build *b, struct gh_generation *g,
                           struct gh_services *services)
{
    const struct gh_value *list = gh_get(b->root, "services"), *conf;
    struct adding adding = {services, b->errs};
    size_t pos = 0;
    bool ok = true;

    services->n = 0;
    services->v = NULL;
    while ((conf = gh_next(list, &pos)) != NULL) {
        struct gh_service *s = gh_service_build(b, g, conf);

        ok = add_service(&adding, s) && ok;
        if (ok)
            ok = gh_service_entries(b, s, add_service, &adding);
    }
    return ok;
}

int gh_generation_build(struct gh_conf *conf, bool compat_gost, bool strict,
                        struct gh_services *ret_services, struct gh_conf_errors *errs)
{
    struct gh_build b = {.conf = conf,
                         .root = gh_conf_root(conf),
                         .compat_gost = compat_gost,
                         .strict = strict,
                         .errs = errs};
    struct gh_generation *g = calloc(1, sizeof *g);
    struct gh_services services = {0};
    bool ok;

    if (g == NULL) {
        errs->no_memory = true;
        return -1;
    }
    atomic_init(&g->refs, 1);
    g->conf = gh_conf_ref(conf);
    ok = build_direct(&b, g);
    ok = build_hops(&b, g) && ok;
    ok = build_chains(&b, g) && ok;
    /* Services of a chain that failed would only repeat its errors. */
    ok = ok && build_services(&b, g, &services);
    services.generation = g;
    if (ok && !gh_errors_failed(errs)) {
        *ret_services = services;
        return 0;
    }
    gh_services_free(&services);
    return -1;
}
