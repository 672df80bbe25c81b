/* hop.c - one hop: its nodes and how one of them is chosen. */
/* SPDX-License-Identifier: MIT */
#include "hop.h"

#include <stdlib.h>
#include <string.h>

void gh_hop_free(struct gh_hop *hop)
{
    if (hop == NULL)
        return;
    for (unsigned i = 0; i < hop->n_nodes; i++)
        gh_node_free(hop->nodes[i]);
    free(hop->nodes);
    gh_names_free(&hop->bypasses);
    free(hop);
}

static struct gh_hop *begin(struct gh_build *b, const char *name, const struct gh_value *conf)
{
    struct gh_hop *hop = calloc(1, sizeof *hop);

    if (hop == NULL) {
        b->errs->no_memory = true;
        return NULL;
    }
    hop->name = name;
    gh_selector_init(&hop->selector, gh_get(conf, "selector"));
    hop->nodes = calloc(gh_count(gh_get(conf, "nodes")) + 1, sizeof(struct gh_node *));
    if (hop->nodes == NULL) {
        b->errs->no_memory = true;
        free(hop);
        return NULL;
    }
    return hop;
}

static bool refuse_sources(struct gh_build *b, const struct gh_value *conf, const char *name)
{
    static const char *const keys[] = {"file", "redis", "http", "plugin"};
    bool refused = false;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct gh_value *v = gh_get(conf, keys[i]);

        if (v == NULL)
            continue;
        gh_errors_at(b->errs, GH_ERROR, v,
                     "hop %s: nodes from \"%s\" are not available; write them into \"nodes\"", name,
                     keys[i]);
        refused = true;
    }
    return refused;
}

static bool add(struct gh_hop *hop, struct gh_node *node)
{
    if (node == NULL)
        return false;
    hop->nodes[hop->n_nodes++] = node;
    return true;
}

struct gh_hop *gh_hop_build(struct gh_build *b, const struct gh_value *conf)
{
    const char *name = gh_str(conf, "name", "");
    struct gh_hop *hop = begin(b, name, conf);
    const struct gh_value *node;
    size_t pos = 0;
    bool ok;

    if (hop == NULL)
        return NULL;
    ok = !refuse_sources(b, conf, name);
    if (gh_names_read(&hop->bypasses, conf, "bypass", "bypasses") != 0) {
        b->errs->no_memory = true;
        ok = false;
    }
    while ((node = gh_next(gh_get(conf, "nodes"), &pos)) != NULL)
        ok = add(hop, gh_node_build(b, node, conf, name)) && ok;
    if (ok)
        return hop;
    gh_hop_free(hop);
    return NULL;
}

struct gh_hop *gh_hop_build_targets(struct gh_build *b, const struct gh_value *forwarder,
                                    const char *service)
{
    struct gh_hop *hop = begin(b, service, forwarder);
    const struct gh_value *node;
    size_t pos = 0;
    bool ok = true;

    if (hop == NULL)
        return NULL;
    while ((node = gh_next(gh_get(forwarder, "nodes"), &pos)) != NULL)
        ok = add(hop, gh_node_build_target(b, node, service)) && ok;
    if (ok)
        return hop;
    gh_hop_free(hop);
    return NULL;
}

/* Of several nodes that are free to serve. */
static const struct gh_node *choose(struct gh_hop *hop, struct gh_node *const *nodes, unsigned n,
                                    const struct gh_pick *pick)
{
    const struct gh_choice **items = calloc(n, sizeof *items);
    const struct gh_choice *chosen = NULL;

    for (unsigned i = 0; items != NULL && i < n; i++)
        items[i] = &nodes[i]->choice;
    if (items != NULL)
        chosen = gh_selector_choose(&hop->selector, items, n, pick);
    for (unsigned i = 0; i < n; i++)
        if (chosen == &nodes[i]->choice) {
            free(items);
            return nodes[i];
        }
    free(items);
    return NULL;
}

const struct gh_node *gh_hop_select(struct gh_hop *hop, const struct gh_pick *pick,
                                    const char **why)
{
    struct gh_node **alive;
    const struct gh_node *result, *last_resort = NULL;
    unsigned n = 0;

    if (gh_pick_bypassed(&hop->bypasses, pick)) {
        *why = "the hop's bypass takes the target out";
        return NULL;
    }
    alive = calloc(hop->n_nodes + 1, sizeof(struct gh_node *));
    for (unsigned i = 0; alive != NULL && i < hop->n_nodes; i++) {
        struct gh_node *node = hop->nodes[i];

        if (!gh_node_accepts(node, pick))
            continue;
        if (!gh_choice_failed(&hop->selector, &node->choice, pick->now))
            alive[n++] = node;
        else if (last_resort == NULL)
            last_resort = node;
    }
    result = n == 1 ? alive[0] : n > 1 ? choose(hop, alive, n, pick) : last_resort;
    free(alive);
    if (result == NULL)
        *why = "no node of the hop may serve this target";
    return result;
}
