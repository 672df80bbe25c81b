/* conf_url_service.c - one -L URL: services, their targets and objects. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_text.h"
#include "conf_url_internal.h"

enum { SERVICES_MAX = 65536 }; /* of one command line */

/* One -L URL while it is taken apart. */
struct service {
    struct gh_url_builder *b;
    char *addr; /* the listen address as written, port range and all */
    struct gh_gourl url;
    struct gh_url_types types;
    struct gh_value *addrs;   /* one service each */
    struct gh_value *targets; /* forward nodes */
    struct gh_value *params;  /* what is left of the query */
    struct gh_value *handler; /* metadata maps */
    struct gh_value *listener;
    struct gh_value *metadata;
    struct gh_value *base; /* what all services of this URL have in common */
};

/* Cuts the listen address out of the text, so that the rest is a URL whatever the address holds.
 * *Owned* results; false: no memory. */
static bool cut_address(const char *text, char **ret_addr, char **ret_rest)
{
    const char *start = strstr(text, "://") + 3;
    size_t authority = strcspn(start, "/?");
    const char *host = start;
    for (size_t i = 0; i < authority; i++)
        if (start[i] == '@')
            host = start + i + 1;
    struct gh_text rest = {0};
    gh_text_add(&rest, text, (size_t)(host - text));
    gh_text_str(&rest, start + authority);
    *ret_rest = gh_text_take(&rest);
    *ret_addr = strndup(host, (size_t)(start + authority - host));
    return *ret_addr != NULL && *ret_rest != NULL;
}

/* Fills addr and url. False: reported. */
static bool read_url(struct service *s, const char *full)
{
    char *rest = NULL;
    const char *why = NULL;
    if (!cut_address(full, &s->addr, &rest)) {
        s->b->errs->no_memory = true;
        free(rest);
        return false;
    }
    int rc = gh_gourl_parse(rest, &s->url, &why);
    explicit_bzero(rest, strlen(rest));
    free(rest);
    if (rc == -2)
        s->b->errs->no_memory = true;
    if (rc == -1) {
        char *shown = gh_url_redacted(full);
        gh_ub_error(s->b, "\"%.200s\" is no service URL: %s", shown != NULL ? shown : "", why);
        free(shown);
    }
    return rc == 0;
}

static void add_target(struct service *s, const char *addr)
{
    char name[96];
    const char *prefix = s->b->rules->target_prefix;
    snprintf(name, sizeof(name), "%.64starget-%zu", prefix != NULL ? prefix : "",
             gh_count(s->targets));
    struct gh_value *node = gh_ub_map(s->b);
    gh_ub_put_str(s->b, node, "name", name);
    gh_ub_put_str(s->b, node, "addr", addr);
    if (gh_list_append(s->targets, node) != 0)
        s->b->errs->no_memory = true;
}

/* One item of the target list; "host:1-3" is three targets. */
static void add_targets(struct service *s, const char *item)
{
    if (strstr(item, "://") != NULL) {
        add_target(s, item);
        return;
    }
    struct gh_value *addrs = gh_url_ports(s->b, item, true);
    for (size_t i = 0; i < gh_count(addrs); i++)
        add_target(s, gh_text_of(gh_item(addrs, i)));
    gh_value_free(addrs);
}

/* Forward mode: the handler follows the listener. */
static void become_forward(struct service *s)
{
    static const char *const same[] = {"tcp", "udp", "rtcp", "rudp",  "tun",
                                       "tap", "dns", "unix", "runix", "serial"};
    if (strcmp(s->types.first, "relay") == 0)
        return;
    const char *handler = "forward";
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (strcmp(s->types.second, same[i]) == 0)
            handler = same[i];
    snprintf(s->types.first, sizeof(s->types.first), "%s", handler);
}

/* Reads listen addresses and targets out of host and path. */
static void read_addresses(struct service *s)
{
    const char *path = s->url.path;
    s->targets = gh_list_new();
    if (s->targets == NULL) {
        s->b->errs->no_memory = true;
        return;
    }
    if (s->types.is_path && *s->addr == '\0') {
        /* A colon in a path is no port. */
        s->addrs = gh_list_new();
        if (s->addrs == NULL || gh_list_append(s->addrs, gh_string_new(path)) != 0)
            s->b->errs->no_memory = true;
        return;
    }
    s->addrs = gh_url_ports(s->b, s->addr, false);
    path += strspn(path, "/");
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    char *list = strndup(path, len);
    if (list == NULL) {
        s->b->errs->no_memory = true;
        return;
    }
    for (char *item = list; len > 0 && item != NULL;) {
        char *comma = strchr(item, ',');
        if (comma != NULL)
            *comma++ = '\0';
        add_targets(s, item);
        item = comma;
    }
    free(list);
    if (gh_count(s->targets) != 0) {
        become_forward(s);
    } else if (strcmp(s->types.second, "stdio") == 0 && *s->addr != '\0') {
        add_target(s, s->addr);
        if (strcmp(s->types.first, "auto") == 0)
            snprintf(s->types.first, sizeof(s->types.first), "tcp");
    }
}

/* The certificate parameters; without certificate there is no TLS object. */
static struct gh_value *read_tls(struct service *s)
{
    struct gh_value *tls = gh_ub_map(s->b);
    gh_url_copy_str(s->b, s->params, "tls.certFile,certFile,cert", tls, "certFile");
    gh_url_copy_str(s->b, s->params, "tls.keyFile,keyFile,key", tls, "keyFile");
    gh_url_copy_str(s->b, s->params, "tls.caFile,caFile,ca", tls, "caFile");
    gh_url_remove(s->params, "tls.certFile,certFile,cert,tls.keyFile,keyFile,key,"
                             "tls.caFile,caFile,ca");
    if (gh_get(tls, "certFile") == NULL) {
        if (gh_count(tls) != 0 && !s->b->rules->compat_gost)
            gh_ub_warning(s->b,
                          "key and ca have no effect without cert; for a handler's own option "
                          "of that name write handler.key");
        gh_value_free(tls);
        return NULL;
    }
    return tls;
}

/* "a,b" becomes a list. */
static void split_dns(struct service *s)
{
    const char *text = gh_url_param(s->params, "dns");
    if (*text == '\0')
        return;
    struct gh_value *list = gh_list_new();
    for (;;) {
        size_t len = strcspn(text, ",");
        if (list == NULL || gh_list_append(list, gh_string_new_len(text, len)) != 0)
            s->b->errs->no_memory = true;
        if (text[len] == '\0')
            break;
        text += len + 1;
    }
    gh_ub_put(s->b, s->params, "dns", list);
}

/* The scope that a prefix names; *key moves behind it. */
static struct gh_value *scope_of(struct service *s, const char **key)
{
    const struct {
        const char *prefix;
        struct gh_value *map;
    } scopes[] = {{"handler.", s->handler}, {"listener.", s->listener}, {"service.", s->metadata}};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(scopes[i].prefix);
        if (strncmp(*key, scopes[i].prefix, len) == 0) {
            *key += len;
            return scopes[i].map;
        }
    }
    return NULL;
}

/* Spreads what is left of the query over the three metadata maps. */
static void spread(struct service *s)
{
    for (int prefixed = 0; prefixed < 2 && s->params != NULL; prefixed++) {
        for (size_t i = 0; i < s->params->u.map.count; i++) {
            const struct gh_member *m = &s->params->u.map.members[i];
            const char *key = m->key;
            struct gh_value *map = scope_of(s, &key);
            if (prefixed != 0 && map != NULL)
                gh_ub_put(s->b, map, key, gh_value_copy(m->value));
            if (prefixed != 0 || map != NULL)
                continue;
            gh_ub_put(s->b, s->handler, key, gh_value_copy(m->value));
            gh_ub_put(s->b, s->listener, key, gh_value_copy(m->value));
            gh_ub_put(s->b, s->metadata, key, gh_value_copy(m->value));
        }
    }
}

/* Puts a metadata map where it belongs if there is anything in it. Takes `map` over. */
static void put_metadata(struct service *s, struct gh_value *owner, struct gh_value *map)
{
    if (gh_count(map) != 0)
        gh_ub_put(s->b, owner, "metadata", map);
    else
        gh_value_free(map);
}

static void read_scopes(struct service *s, struct gh_value *moved)
{
    s->handler = gh_ub_map(s->b);
    s->listener = gh_ub_map(s->b);
    s->metadata = gh_ub_map(s->b);
    gh_url_move_str(s->b, s->params, moved, "interface");
    gh_url_move_str(s->b, s->params, moved, "netns");
    gh_url_move_str(s->b, s->params, moved, "netns.out");
    gh_url_move_int(s->b, s->params, moved, "so_mark");
    gh_url_move_int(s->b, s->params, moved, "proxyProtocol");
    spread(s);
    for (size_t i = 0; i < gh_count(moved); i++)
        gh_ub_put(s->b, s->metadata, moved->u.map.members[i].key,
                  gh_value_copy(moved->u.map.members[i].value));
}

/* Builds what all services of the URL share. */
static void build_base(struct service *s, bool has_chain)
{
    struct gh_value *auth = gh_url_auth(s->b, &s->url, s->params);
    struct gh_value *tls = read_tls(s);
    struct gh_value *handler = gh_ub_map(s->b);
    struct gh_value *listener = gh_ub_map(s->b);
    struct gh_value *moved = gh_ub_map(s->b);
    const char *type = s->types.second;
    split_dns(s);
    read_scopes(s, moved);
    gh_value_free(moved);

    int64_t retries = gh_url_param_int(s->b, s->handler, "retries");
    gh_ub_put_str(s->b, handler, "type", s->types.first);
    gh_ub_put_str(s->b, listener, "type", type);
    if (retries > 0) {
        gh_ub_put(s->b, handler, "retries", gh_int_new(retries));
        gh_url_remove(s->handler, "retries");
    }
    bool reverse =
        strcmp(type, "rtcp") == 0 || strcmp(type, "rudp") == 0 || strcmp(type, "runix") == 0;
    if (has_chain)
        gh_ub_put_str(s->b, reverse ? listener : handler, "chain", "chain-0");
    bool ssh = strcmp(type, "ssh") == 0 || strcmp(type, "sshd") == 0;
    if (auth != NULL)
        gh_ub_put(s->b, ssh ? listener : handler, "auth", auth);
    if (tls != NULL)
        gh_ub_put(s->b, listener, "tls", tls);

    gh_url_lift_admission(s->b, s->handler, s->base);
    gh_url_lift_bypass(s->b, s->handler, s->base);
    gh_url_lift_resolver(s->b, s->handler, s->base, true);
    gh_url_lift_hosts(s->b, s->handler, s->base);
    gh_url_lift_limiters(s->b, s->handler, s->base);

    put_metadata(s, handler, s->handler);
    put_metadata(s, listener, s->listener);
    put_metadata(s, s->base, s->metadata);
    s->handler = s->listener = s->metadata = NULL;
    gh_ub_put(s->b, s->base, "handler", handler);
    gh_ub_put(s->b, s->base, "listener", listener);
}

/* The forwarder of service `index` of `count`: all targets for a single service, one target for
 * all, or the target of the same number. NULL: none. */
static struct gh_value *make_forwarder(struct service *s, const struct gh_value *selector,
                                       size_t index, size_t count)
{
    size_t targets = gh_count(s->targets);
    if (targets == 0 || (count > 1 && targets > 1 && index >= targets))
        return NULL;
    struct gh_value *forwarder = gh_ub_map(s->b);
    if (selector != NULL)
        gh_ub_put(s->b, forwarder, "selector", gh_value_copy(selector));
    if (count == 1) {
        gh_ub_put(s->b, forwarder, "nodes", gh_value_copy(s->targets));
    } else {
        const struct gh_value *target = gh_item(s->targets, targets == 1 ? 0 : index);
        gh_ub_append(s->b, forwarder, "nodes", gh_value_copy(target));
    }
    return forwarder;
}

static void add_services(struct service *s, const struct gh_value *selector)
{
    size_t count = gh_count(s->addrs);
    if (s->b->listening + count > SERVICES_MAX) {
        gh_ub_error(s->b, "more than %d services; use smaller port ranges", SERVICES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char name[48];
        snprintf(name, sizeof(name), "service-%zu", s->b->listening++);
        struct gh_value *service = gh_value_copy(s->base);
        gh_ub_put_str(s->b, service, "name", name);
        gh_ub_put_str(s->b, service, "addr", gh_text_of(gh_item(s->addrs, i)));
        struct gh_value *forwarder = make_forwarder(s, selector, i, count);
        if (forwarder != NULL)
            gh_ub_put(s->b, service, "forwarder", forwarder);
        gh_value_place_all(service, s->b->source);
        gh_ub_append(s->b, s->b->root, "services", service);
    }
}

static void build(struct service *s, const char *full, bool has_chain)
{
    if (!read_url(s, full) || !gh_url_types(s->b, s->url.scheme, true, &s->types))
        return;
    s->base = gh_ub_map(s->b);
    s->params = gh_url_query(s->b, s->url.query);
    read_addresses(s);
    struct gh_value *selector = gh_url_selector(s->b, s->params);
    if (selector != NULL && gh_count(s->targets) == 0)
        gh_ub_warning(s->b, "strategy, maxFails and failTimeout have no effect without targets");
    build_base(s, has_chain);
    if (s->addrs != NULL && s->base != NULL)
        add_services(s, selector);
    gh_value_free(selector);
}

void gh_url_add_service(struct gh_url_builder *b, const char *text, bool has_chain)
{
    struct service s = {.b = b};
    char *full = gh_url_complete(text);
    if (full == NULL) {
        b->errs->no_memory = true;
        return;
    }
    b->stray_login = gh_url_stray_login(full);
    if (*full != '\0')
        build(&s, full, has_chain);
    explicit_bzero(full, strlen(full));
    free(full);
    free(s.addr);
    gh_gourl_free(&s.url);
    gh_value_free(s.addrs);
    gh_value_free(s.targets);
    gh_value_free(s.params);
    gh_value_free(s.base);
}
