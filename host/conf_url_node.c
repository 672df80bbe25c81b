/* conf_url_node.c - one -F URL: a hop with its nodes. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_url_internal.h"

/* One -F URL while it is taken apart. */
struct node {
    struct gh_url_builder *b;
    struct gh_gourl url;
    struct gh_url_types types;
    struct gh_value *params;
    struct gh_value *hop;
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Fills the hop's metadata: the moved parameters, and a copy of whatever is left. */
static void build_hop_metadata(struct node *n)
{
    struct gh_value *metadata = gh_ub_map(n->b);
    gh_url_move_str(n->b, n->params, metadata, "interface");
    gh_url_move_int(n->b, n->params, metadata, "so_mark");
    gh_url_move_int(n->b, n->params, metadata, "proxyProtocol");
    struct gh_value *kept = gh_ub_map(n->b);
    for (size_t i = 0; n->params != NULL && i < n->params->u.map.count; i++) {
        const struct gh_member *m = &n->params->u.map.members[i];
        bool hop = has_prefix(m->key, "hop.");
        if (!hop)
            gh_ub_put(n->b, kept, m->key, gh_value_copy(m->value));
        if (!has_prefix(m->key, "node.") && !has_prefix(m->key, "connector.") &&
            !has_prefix(m->key, "dialer."))
            gh_ub_put(n->b, metadata, m->key + (hop ? 4 : 0), gh_value_copy(m->value));
    }
    gh_value_free(n->params);
    n->params = kept;
    if (gh_count(metadata) != 0)
        gh_ub_put(n->b, n->hop, "metadata", metadata);
    else
        gh_value_free(metadata);
}

/* The TLS object of the dialer; NULL when nothing in it says anything. */
static struct gh_value *read_tls(struct node *n)
{
    struct gh_value *tls = gh_ub_map(n->b);
    gh_url_copy_str(n->b, n->params, "tls.certFile,certFile,cert", tls, "certFile");
    gh_url_copy_str(n->b, n->params, "tls.keyFile,keyFile,key", tls, "keyFile");
    gh_url_copy_str(n->b, n->params, "tls.caFile,caFile,ca", tls, "caFile");
    if (gh_url_param_bool(n->b, n->params, "tls.secure,secure"))
        gh_ub_put(n->b, tls, "secure", gh_bool_new(true));
    char *hostname = gh_gourl_hostname(&n->url);
    const char *name = gh_url_param(n->params, "tls.servername,servername");
    if (*name == '\0' && hostname != NULL)
        name = hostname;
    if (*name != '\0')
        gh_ub_put_str(n->b, tls, "serverName", name);
    if (hostname == NULL)
        n->b->errs->no_memory = true;
    free(hostname);
    gh_url_remove(n->params, "tls.certFile,certFile,cert,tls.keyFile,keyFile,key,"
                             "tls.caFile,caFile,ca,tls.secure,secure,tls.servername,serverName");
    if (gh_get(tls, "certFile") == NULL && gh_get(tls, "caFile") == NULL &&
        gh_get(tls, "secure") == NULL && gh_get(tls, "serverName") == NULL) {
        gh_value_free(tls);
        return NULL;
    }
    return tls;
}

/* The metadata of one scope: what has its prefix, and what has none. NULL: nothing. */
static struct gh_value *scope(struct node *n, const char *prefix)
{
    struct gh_value *map = gh_ub_map(n->b);
    for (int prefixed = 0; prefixed < 2; prefixed++) {
        for (size_t i = 0; n->params != NULL && i < n->params->u.map.count; i++) {
            const struct gh_member *m = &n->params->u.map.members[i];
            bool mine = has_prefix(m->key, prefix);
            bool other = has_prefix(m->key, "node.") || has_prefix(m->key, "connector.") ||
                         has_prefix(m->key, "dialer.");
            if (prefixed != 0 && mine)
                gh_ub_put(n->b, map, m->key + strlen(prefix), gh_value_copy(m->value));
            else if (prefixed == 0 && !other)
                gh_ub_put(n->b, map, m->key, gh_value_copy(m->value));
        }
    }
    if (gh_count(map) == 0) {
        gh_value_free(map);
        return NULL;
    }
    return map;
}

static struct gh_value *component(struct node *n, const char *type, const char *prefix)
{
    struct gh_value *map = gh_ub_map(n->b);
    struct gh_value *metadata = scope(n, prefix);
    gh_ub_put_str(n->b, map, "type", type);
    if (metadata != NULL)
        gh_ub_put(n->b, map, "metadata", metadata);
    return map;
}

/* What all nodes of the hop share. */
static struct gh_value *build_node(struct node *n)
{
    struct gh_value *auth = gh_url_auth(n->b, &n->url, n->params);
    struct gh_value *tls = read_tls(n);
    struct gh_value *connector = component(n, n->types.first, "connector.");
    struct gh_value *dialer = component(n, n->types.second, "dialer.");
    bool ssh = strcmp(n->types.second, "ssh") == 0 || strcmp(n->types.second, "sshd") == 0;
    if (auth != NULL)
        gh_ub_put(n->b, ssh ? dialer : connector, "auth", auth);
    if (tls != NULL)
        gh_ub_put(n->b, dialer, "tls", tls);
    struct gh_value *node = gh_ub_map(n->b);
    struct gh_value *metadata = scope(n, "node.");
    gh_ub_put(n->b, node, "connector", connector);
    gh_ub_put(n->b, node, "dialer", dialer);
    if (metadata != NULL)
        gh_ub_put(n->b, node, "metadata", metadata);
    return node;
}

/* One node for each address of the comma list. */
static void add_nodes(struct node *n, const struct gh_value *base)
{
    const char *addrs = n->types.is_path && *n->url.host == '\0' ? n->url.path : n->url.host;
    size_t count = 0;
    while (*addrs != '\0') {
        size_t len = strcspn(addrs, ",");
        if (len > 0) {
            char name[32];
            snprintf(name, sizeof(name), "node-%zu", count++);
            struct gh_value *node = gh_value_copy(base);
            gh_ub_put_str(n->b, node, "name", name);
            gh_ub_put(n->b, node, "addr", gh_string_new_len(addrs, len));
            gh_ub_append(n->b, n->hop, "nodes", node);
        }
        addrs += len + (addrs[len] == ',');
    }
    if (count == 0 && !n->b->rules->compat_gost)
        gh_ub_error(n->b,
                    "a hop needs an address: %.60s://host:port (for no proxy at all, "
                    "direct://:0)",
                    n->url.scheme);
}

static void build(struct node *n, size_t index, struct gh_value *chain)
{
    char name[32];
    snprintf(name, sizeof(name), "hop-%zu", index);
    n->hop = gh_ub_map(n->b);
    gh_ub_put_str(n->b, n->hop, "name", name);
    n->params = gh_url_query(n->b, n->url.query);
    struct gh_value *selector = gh_url_selector(n->b, n->params);
    if (selector != NULL)
        gh_ub_put(n->b, n->hop, "selector", selector);
    gh_url_lift_bypass(n->b, n->params, n->hop);
    gh_url_lift_resolver(n->b, n->params, n->hop, false);
    gh_url_lift_hosts(n->b, n->params, n->hop);
    build_hop_metadata(n);
    struct gh_value *base = build_node(n);
    add_nodes(n, base);
    gh_value_free(base);
    gh_value_place_all(n->hop, n->b->source);
    gh_ub_append(n->b, chain, "hops", n->hop);
    n->hop = NULL;
}

void gh_url_add_node(struct gh_url_builder *b, const char *text, size_t index,
                     struct gh_value *chain)
{
    struct node n = {.b = b};
    const char *why = NULL;
    char *full = gh_url_complete(text);
    if (full == NULL) {
        b->errs->no_memory = true;
        return;
    }
    if (*full == '\0') {
        gh_ub_error(b, "the URL of a hop is empty");
        free(full);
        return;
    }
    int rc = gh_gourl_parse(full, &n.url, &why);
    if (rc == -2)
        b->errs->no_memory = true;
    if (rc == -1) {
        char *shown = gh_url_redacted(full);
        gh_ub_error(b, "\"%.200s\" is no URL of a hop: %s", shown != NULL ? shown : "", why);
        free(shown);
    }
    if (rc == 0 && gh_url_types(b, n.url.scheme, false, &n.types))
        build(&n, index, chain);
    explicit_bzero(full, strlen(full));
    free(full);
    gh_gourl_free(&n.url);
    gh_value_free(n.params);
}
