/* chain.c - chains and groups of chains: from a request to the nodes it goes through. */
/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

void gh_chain_free(struct gh_chain *chain)
{
    if (chain == NULL)
        return;
    free(chain->hops);
    free(chain);
}

/* An entry with neither nodes nor plugin is a reference. */
static bool is_reference(const struct gh_value *hop)
{
    return gh_get(hop, "nodes") == NULL && gh_get(hop, "plugin") == NULL;
}

static struct gh_hop *get_hop(struct gh_build *b, const struct gh_value *conf, gh_hop_finder *find,
                              bool (*adopt)(void *arg, struct gh_hop *hop), void *arg, bool *ret_ok)
{
    const char *name = gh_str(conf, "name", "");
    struct gh_hop *hop;

    *ret_ok = true;
    if (is_reference(conf)) {
        hop = *name != '\0' ? find(arg, name) : NULL;
        /* The configuration's own check has reported a name that leads nowhere. */
        *ret_ok = hop != NULL || *name == '\0' || b->compat_gost;
        return hop;
    }
    hop = gh_hop_build(b, conf);
    *ret_ok = hop != NULL;
    if (hop != NULL && !adopt(arg, hop)) {
        b->errs->no_memory = true;
        gh_hop_free(hop);
        *ret_ok = false;
        return NULL;
    }
    return hop;
}

/* A later hop stands on what the former connector gives: that cannot carry a raw transport. */
static bool can_follow(struct gh_build *b, const struct gh_hop *hop, const struct gh_value *conf)
{
    bool ok = true;

    for (unsigned i = 0; i < hop->n_nodes; i++) {
        const struct gh_stackdef *d = &hop->nodes[i]->dialer;
        const struct gost_transport_ops *t = d->transport.component->ops;

        if (!(t->flags & GOST_TRANSPORT_FIRST_ONLY))
            continue;
        gh_errors_at(b->errs, GH_ERROR, conf,
                     "node %s: the dialer %s needs a socket of its own and can only be in the "
                     "first hop of a chain",
                     hop->nodes[i]->label, d->type);
        ok = false;
    }
    return ok;
}

static bool carries_packets(const struct gost_component *connector)
{
    const struct gost_connector_ops *ops = connector->ops;

    return ops->associate != NULL || (ops->networks & 1u << GOST_NET_UDP) != 0;
}

/* A dialer on datagrams takes them from any node of the hop before. */
static bool get_packets(struct gh_build *b, const struct gh_hop *before, const struct gh_hop *hop,
                        const struct gh_value *conf)
{
    bool ok = true;

    for (unsigned i = 0; i < hop->n_nodes; i++)
        for (unsigned k = 0; k < before->n_nodes; k++) {
            const struct gh_node *node = hop->nodes[i], *below = before->nodes[k];

            if (node->dialer.bottom != GOST_DATAGRAM || carries_packets(below->connector))
                continue;
            gh_errors_at(b->errs, GH_ERROR, conf,
                         "node %s: the dialer %s needs datagrams, which the connector %s of node "
                         "%s before it cannot carry; use relay or socks5 there",
                         node->label, node->dialer.type, below->connector->name, below->label);
            ok = false;
        }
    return ok;
}

struct gh_chain *gh_chain_build(struct gh_build *b, const struct gh_value *conf,
                                gh_hop_finder *find, bool (*adopt)(void *arg, struct gh_hop *hop),
                                void *arg)
{
    const struct gh_value *hops = gh_get(conf, "hops"), *item;
    struct gh_chain *chain = calloc(1, sizeof *chain);
    size_t pos = 0;
    bool ok = true, one;

    if (chain != NULL)
        chain->hops = calloc(gh_count(hops) + 1, sizeof(struct gh_hop *));
    if (chain == NULL || chain->hops == NULL) {
        b->errs->no_memory = true;
        free(chain);
        return NULL;
    }
    chain->name = gh_str(conf, "name", "");
    while ((item = gh_next(hops, &pos)) != NULL) {
        struct gh_hop *hop = get_hop(b, item, find, adopt, arg, &one);

        ok = one && ok;
        if (hop == NULL)
            continue;
        if (chain->n_hops == GH_ROUTE_NODES) {
            gh_errors_at(b->errs, GH_ERROR, item, "chain %s has more than %d hops", chain->name,
                         GH_ROUTE_NODES);
            ok = false;
            break;
        }
        if (chain->n_hops != 0)
            ok = can_follow(b, hop, item) &&
                 get_packets(b, chain->hops[chain->n_hops - 1], hop, item) && ok;
        chain->hops[chain->n_hops++] = hop;
    }
    if (ok)
        return chain;
    gh_chain_free(chain);
    return NULL;
}

/* ---- asking ---- */

static const struct gh_chain *choose_chain(struct gh_chain_group *group, const struct gh_pick *pick)
{
    const struct gh_choice *items[64], *chosen;
    unsigned n = group->n < 64 ? group->n : 64;

    if (n <= 1)
        return n == 1 ? group->chains[0] : NULL;
    for (unsigned i = 0; i < n; i++)
        items[i] = &group->choices[i];
    chosen = gh_selector_choose(&group->selector, items, n, pick);
    return chosen != NULL ? group->chains[chosen - group->choices] : NULL;
}

void gh_chain_path(struct gh_chain_group *group, const struct gh_pick *pick,
                   struct gh_path *ret_path)
{
    memset(ret_path, 0, sizeof *ret_path);
    ret_path->chain = choose_chain(group, pick);
    for (unsigned i = 0; ret_path->chain != NULL && i < ret_path->chain->n_hops; i++) {
        struct gh_hop *hop = ret_path->chain->hops[i];
        const struct gh_node *node = gh_hop_select(hop, pick, &ret_path->why_short);

        if (node == NULL) {
            ret_path->why_hop = hop->name;
            return;
        }
        ret_path->node[ret_path->n++] = node;
    }
}

const char *gh_path_text(const struct gh_path *path, char *buf, size_t size)
{
    size_t at = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < path->n && at < size; i++) {
        int n = snprintf(buf + at, size - at, "%s%s@%s", i == 0 ? "" : " > ", path->node[i]->label,
                         path->node[i]->addr_text);

        at += n > 0 ? (size_t)n : 0;
    }
    return buf;
}
