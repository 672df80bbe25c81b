/* carrier_reload.c - which sessions outlive a change of the configuration. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "carrier_private.h"
#include "running.h"

/* ---- comparing nodes ---- */

/* Options in files may have changed with the same words. */
static bool has_files(const struct gh_value *component)
{
    const struct gh_value *tls = gh_get(component, "tls");

    return gh_get(tls, "certFile") != NULL || gh_get(tls, "keyFile") != NULL ||
           gh_get(tls, "caFile") != NULL || gh_path(component, "metadata.privateKeyFile") != NULL;
}

static bool same_part(const struct gh_node *a, const struct gh_node *b, const char *part)
{
    const struct gh_value *x = gh_get(a->conf, part), *y = gh_get(b->conf, part);

    return gh_value_equal(x, y) && !has_files(x);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool gh_carrier_same_node(const struct gh_node *a, const struct gh_node *b, bool last)
{
    if (a == b)
        return true;
    return strcmp(a->addr_text, b->addr_text) == 0 && a->proxy_protocol == b->proxy_protocol &&
           a->sockopt.mark == b->sockopt.mark &&
           same_text(a->sockopt.interface_name, b->sockopt.interface_name) &&
           same_part(a, b, "dialer") && (last || same_part(a, b, "connector"));
}

/* ---- after a reload ---- */

/* The services that run now; one for all workers. */
struct news {
    _Atomic unsigned workers; /* that have not read it yet */
    unsigned n;
    struct gh_service *service[]; /* counted */
};

static bool generation_has(const struct gh_generation *g, const struct gh_node *node, bool last)
{
    for (unsigned i = 0; i < g->n_hops; i++)
        for (unsigned k = 0; k < g->hops[i]->n_nodes; k++) {
            const struct gh_node *other = g->hops[i]->nodes[k];

            if (other->connector != NULL && gh_carrier_same_node(other, node, last))
                return true;
        }
    return false;
}

static bool has_all(const struct gh_generation *g, const struct gh_carrier *c)
{
    for (unsigned i = 0; i < c->n; i++)
        if (!generation_has(g, c->node[i], i + 1 == c->n))
            return false;
    return true;
}

static bool is_wanted(const struct news *news, const struct gh_carrier *c)
{
    const struct gh_generation *before = NULL;

    for (unsigned i = 0; i < news->n; i++) {
        const struct gh_generation *g = news->service[i]->generation;

        if (g == c->service->generation || (g != before && has_all(g, c)))
            return true;
        before = g;
    }
    return false;
}

static void read_news(struct gh_worker *w, void *arg)
{
    struct news *news = arg;
    struct gh_carrier *c = *gh_carrier_pool(w);

    while (c != NULL) {
        if (c->unwanted || c->state == CARRIER_DRAINING || is_wanted(news, c)) {
            c = c->next;
            continue;
        }
        c->unwanted = true;
        if (c->session != NULL)
            gh_carrier_drain(c, "the configuration changed");
        c = *gh_carrier_pool(w); /* those who waited for it may have changed the pool */
    }
    if (atomic_fetch_sub(&news->workers, 1) != 1)
        return;
    for (unsigned i = 0; i < news->n; i++)
        gh_service_unref(news->service[i]);
    free(news);
}

void gh_carriers_reload(void)
{
    unsigned workers = gh_worker_count(), n = 0;
    struct news *news;

    while (gh_running_service(n) != NULL)
        n++;
    news = malloc(sizeof *news + n * sizeof news->service[0]);
    if (news == NULL || workers == 0) { /* without memory they end when they are idle */
        free(news);
        return;
    }
    atomic_init(&news->workers, workers);
    news->n = n;
    for (unsigned i = 0; i < n; i++)
        news->service[i] = gh_service_ref(gh_running_service(i));
    for (unsigned i = 0; i < workers; i++)
        gh_worker_post(gh_worker_get(i), read_news, news);
}
