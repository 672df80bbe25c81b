/* service.c - one service: a listener, a handler and what they refer to; and accepting. */
/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_meta.h"
#include "conf_text.h"
#include "confbuild.h"
#include "flow.h"
#include "grave.h"
#include "host.h"
#include "log.h"
#include "remote.h"

/* Keys of service.metadata and of a handler's that the host itself reads. */
#define SERVICE_KEYS                                                                         \
    "proxyProtocol interface so_mark preUp postUp preDown postDown ignoreChain enableStats " \
    "observer.resetTraffic observer.period observePeriod netns netns.out dialTimeout "       \
    "limiter.refreshInterval limiter.cleanupInterval limiter.scope labels"
#define HANDLER_KEYS "skipauth hash"
/* Of a URL: lifted out and left behind, as in GOST. */
#define LIFTED_KEYS                                                                          \
    "retries admission bypass resolver prefer hosts limiter.in limiter.out limiter.conn.in " \
    "limiter.conn.out climiter rlimiter dns"

struct gh_service *gh_service_ref(struct gh_service *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

static void release(void *object)
{
    struct gh_service *s = object;

    gh_confset_free(s->listener_set);
    gh_confset_free(s->handler_set);
    gh_names_free(&s->admissions);
    free(s->recordings.v);
    gh_names_free(&s->authers);
    gh_names_free(&s->bypasses);
    gh_names_free(&s->skip_auth);
    gh_policy_unref(s->own_auther);
    free(s->chains.chains);
    free(s->chains.choices);
    free(s->listener_chains.chains);
    free(s->listener_chains.choices);
    if (s->owns_targets)
        gh_hop_free(s->targets);
    gh_generation_unref(s->generation);
    free(s->own_name);
    free(s->own_arg);
    free(s);
}

void gh_service_unref(struct gh_service *s)
{
    if (s != NULL && atomic_fetch_sub(&s->refs, 1) == 1)
        gh_bury(s, release);
}

const char *gh_service_network(const struct gh_service *s)
{
    return s->listener.bottom == GOST_DATAGRAM ? "udp" : "tcp";
}

/* ---- building ---- */

static struct gh_confset *make_set(struct gh_build *b, const struct gh_service *s, const char *noun,
                                   const char *type, const struct gh_value *conf)
{
    char object[400];
    struct gh_confset *set;
    const struct gh_value *tls = gh_get(conf, "tls");

    snprintf(object, sizeof object, "service %.250s, %s %.100s", s->name, noun, type);
    set = gh_confset_new(GOST_SERVER, object);
    /* Without a certificate of its own it has the one of the configuration. */
    if (gh_str(tls, "certFile", NULL) == NULL && gh_str(tls, "keyFile", NULL) == NULL &&
        gh_get(b->root, "tls") != NULL) {
        if (set == NULL || gh_confset_add_certificate(set, gh_get(b->root, "tls"), tls) != 0)
            b->errs->no_memory = true;
        tls = NULL;
    }
    if (set == NULL || gh_confset_add(set, "auth", gh_get(conf, "auth")) != 0 ||
        gh_confset_add(set, "tls", tls) != 0 ||
        gh_confset_add_metadata(set, gh_get(conf, "metadata")) != 0)
        b->errs->no_memory = true;
    return set;
}

/* The transport listens at an IP address or a path; a host name is looked up once, now. */
static bool read_addr(struct gh_build *b, struct gh_service *s)
{
    const struct gost_transport_ops *t = s->listener.transport.component->ops;
    const char *text = s->addr_text;
    char shown[300];
    int r;

    if (t->flags & GOST_TRANSPORT_PATH)
        r = gost_addr_set_path(&s->addr, text, strlen(text));
    else
        r = gost_addr_parse(&s->addr, text, strlen(text), 0);
    if (r == GOST_OK)
        return true;
    gh_errors_at(b->errs, GH_ERROR, gh_get(s->conf, "addr"),
                 "service %s: \"%s\" is no address to listen at; write host:port or :port", s->name,
                 gh_hide_login(text, shown, sizeof shown));
    return false;
}

/* proxyProtocol: the layer of that name below everything else. */
static bool add_proxy_protocol(struct gh_build *b, struct gh_service *s,
                               const struct gh_value *meta, const char *key)
{
    const struct gost_component *layer;
    const void *conf = NULL;
    char why[512] = "";

    if (gh_meta_int(meta, key, 0) <= 0)
        return true;
    layer = gh_find_component(GOST_KIND_LAYER, "proxyproto", why, sizeof why);
    if (layer != NULL &&
        gh_confset_get(s->listener_set, layer, 0, NULL, b->errs, &conf, why, sizeof why) == 0 &&
        gh_stackdef_add(&s->listener, layer, conf, true) == 0)
        return true;
    gh_errors_at(b->errs, GH_ERROR, gh_meta_get(meta, key), "service %s: %s: %s", s->name, key,
                 why);
    return false;
}

/* Only a listener at the end of a chain has one. */
static bool chain_fits(struct gh_build *b, const struct gh_service *s, const struct gh_value *conf)
{
    const struct gh_value *chain = gh_get(conf, "chain");

    if (chain == NULL)
        chain = gh_get(conf, "chainGroup");
    if (chain == NULL || gh_remote_is(s) || b->compat_gost)
        return true;
    gh_errors_at(b->errs, GH_ERROR, chain,
                 "service %s: the listener %s takes no chain; write it under handler", s->name,
                 s->listener.type);
    return false;
}

static bool build_listener(struct gh_build *b, struct gh_service *s)
{
    const struct gh_value *conf = gh_get(s->conf, "listener");
    const char *type = gh_str(conf, "type", "tcp");

    s->listener_set = make_set(b, s, "listener", type, conf);
    if (s->listener_set == NULL ||
        gh_stackdef_build(&s->listener, type, GOST_SERVER, s->listener_set,
                          conf != NULL ? conf : s->conf, "listener", b->errs) != 0)
        return false;
    return add_proxy_protocol(b, s, gh_get(s->conf, "metadata"), "proxyProtocol") &&
           chain_fits(b, s, conf) && read_addr(b, s);
}

static bool handler_fits(struct gh_build *b, const struct gh_service *s, const struct gh_value *at)
{
    const struct gost_handler_ops *ops = s->handler->ops;
    uint32_t accepts = ops->accepts ? ops->accepts : GOST_STREAM;
    uint32_t top = s->listener.top;

    if ((accepts & top) != 0 || (top == GOST_SESSION && (accepts & GOST_STREAM) != 0))
        return true;
    gh_errors_at(b->errs, GH_ERROR, at,
                 "service %s: the handler %s does not serve %s, which the listener %s gives",
                 s->name, s->handler_type, gh_type_text(top), s->listener.type);
    return false;
}

static bool build_handler(struct gh_build *b, struct gh_service *s)
{
    const struct gh_value *conf = gh_get(s->conf, "handler");
    char why[512] = "";
    bool ok;

    s->handler_type = gh_str(conf, "type", "auto");
    s->handler_set = make_set(b, s, "handler", s->handler_type, conf);
    if (s->handler_set == NULL)
        return false;
    s->handler = gh_find_component(GOST_KIND_HANDLER, s->handler_type, why, sizeof why);
    if (s->handler == NULL) {
        gh_report_unknown(b->errs, "handler", s->handler_type, s->name,
                          conf != NULL ? conf : s->conf, why);
        return false;
    }
    s->own_auther = gh_policy_inline_auther(gh_get(conf, "auth"), gh_confset_object(s->handler_set),
                                            b->errs, &ok);
    if (gh_names_read(&s->authers, conf, "auther", "authers") != 0 ||
        gh_names_read(&s->skip_auth, gh_get(conf, "metadata"), "skipauth", "skipauth") != 0)
        b->errs->no_memory = true;
    ok = gh_confset_get(s->handler_set, s->handler, 0, NULL, b->errs, &s->handler_conf, why,
                        sizeof why) == 0 &&
         ok;
    return gh_confset_add_used(s->handler_set, s->handler, b->errs) && ok;
}

/* ---- what it refers to ---- */

static void add_chain(const struct gh_service *s, struct gh_chain_group *to, const char *name)
{
    struct gh_chain *chain = gh_generation_chain(s->generation, name);

    /* A name that leads nowhere was reported when the configuration was checked. */
    if (chain == NULL)
        return;
    to->choices[to->n].weight = 1;
    to->chains[to->n++] = chain;
}

/* `owner` is the service's handler or listener. */
static bool build_chains(struct gh_build *b, const struct gh_service *s,
                         const struct gh_value *owner, struct gh_chain_group *to)
{
    const struct gh_value *group = gh_get(owner, "chainGroup"), *entry;
    const struct gh_value *list = gh_get(group, "chains");
    const char *name = gh_str(owner, "chain", NULL);
    size_t pos = 0, n = gh_count(list) + 1;

    gh_selector_init(&to->selector, gh_get(group, "selector"));
    if (gh_meta_bool(gh_get(s->conf, "metadata"), "ignoreChain", false))
        return true;
    to->chains = calloc(n, sizeof(struct gh_chain *));
    to->choices = calloc(n, sizeof(struct gh_choice));
    if (to->chains == NULL || to->choices == NULL) {
        b->errs->no_memory = true;
        return false;
    }
    if (name != NULL)
        add_chain(s, to, name);
    while ((entry = gh_next(list, &pos)) != NULL) {
        if (gh_path(entry, "matcher.rule") != NULL || gh_get(entry, "probe") != NULL) {
            gh_errors_at(b->errs, GH_ERROR, entry,
                         "service %s: matchers and probes of a chain group are not available",
                         s->name);
            return false;
        }
        add_chain(s, to, gh_str(entry, "chain", ""));
    }
    return true;
}

static bool build_targets(struct gh_build *b, struct gh_service *s)
{
    const struct gh_value *forwarder = gh_get(s->conf, "forwarder");
    const char *hop = gh_str(forwarder, "hop", gh_str(forwarder, "name", NULL));

    if (forwarder == NULL)
        return true;
    if (gh_get(forwarder, "hopGroup") != NULL) {
        gh_errors_at(b->errs, GH_ERROR, gh_get(forwarder, "hopGroup"),
                     "service %s: hop groups are not available; name one hop", s->name);
        return false;
    }
    if (hop != NULL) {
        s->targets = gh_generation_hop(s->generation, hop);
        return true;
    }
    s->targets = gh_hop_build_targets(b, forwarder, s->name);
    s->owns_targets = s->targets != NULL;
    return s->owns_targets;
}

/* What the configuration may ask for and this version does not have: said now, not at a client. */
static bool refuse_absent(struct gh_build *b, const struct gh_service *s)
{
    static const char *const paths[] = {"quotas",
                                        "rewriter",
                                        "cache",
                                        "logger",
                                        "loggers",
                                        "handler.limiter",
                                        "handler.observer",
                                        "listener.auther",
                                        "listener.authers",
                                        "metadata.netns",
                                        "metadata.netns.out",
                                        "metadata.preUp",
                                        "metadata.postUp",
                                        "metadata.preDown",
                                        "metadata.postDown"};
    bool ok = true;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const struct gh_value *v = strncmp(paths[i], "metadata.", 9) == 0
                                       ? gh_get(gh_get(s->conf, "metadata"), paths[i] + 9)
                                       : gh_path(s->conf, paths[i]);

        if (v == NULL || (gh_is_list(v) && gh_count(v) == 0))
            continue;
        gh_errors_at(b->errs, b->compat_gost ? GH_WARNING : GH_ERROR, v,
                     "service %s: \"%s\" is not available in this version%s", s->name, paths[i],
                     b->compat_gost ? " and has no effect" : "; remove it");
        ok = ok && b->compat_gost;
    }
    return ok;
}

static void read_metadata(struct gh_service *s)
{
    const struct gh_value *meta = gh_get(s->conf, "metadata");
    const struct gh_value *handler = gh_get(s->conf, "handler");
    int64_t timeout = gh_meta_duration_ns(meta, "dialTimeout", GH_DIAL_S * (int64_t)GOST_S);
    int64_t retries = gh_int(handler, "retries", 0);
    int64_t mark = gh_meta_int(meta, "so_mark", 0);
    const char *scope = gh_meta_str(meta, "limiter.scope", "");

    if (timeout == 0)
        timeout = GH_DIAL_S * (int64_t)GOST_S;
    s->dial_timeout = timeout > 0 ? (uint64_t)timeout : 0;
    s->retries = retries > 0 && retries < 1000 ? (unsigned)retries : 0;
    s->observer = gh_str(s->conf, "observer", NULL);
    s->limiter = gh_str(s->conf, "limiter", NULL);
    s->climiter = gh_str(s->conf, "climiter", NULL);
    s->rlimiter = gh_str(s->conf, "rlimiter", NULL);
    s->limiter_scope = strcmp(scope, "service") == 0 ? GH_SCOPE_SERVICE
                       : strcmp(scope, "conn") == 0  ? GH_SCOPE_CONNECTION
                                                     : GH_SCOPE_BOTH;
    s->naming.hosts = gh_str(s->conf, "hosts", NULL);
    s->naming.resolver = gh_str(s->conf, "resolver", NULL);
    s->direct.interface_name = gh_meta_str(meta, "interface", NULL);
    s->direct.mark = mark > 0 && mark <= UINT32_MAX ? (uint32_t)mark : 0;
    s->hash_target = strcmp(gh_meta_str(gh_get(handler, "metadata"), "hash", ""), "host") == 0;
}

/* A key of the URL went to all scopes: it is unknown only if nothing in them knows it. */
static void check_keys(struct gh_build *b, const struct gh_service *s)
{
    struct gh_confset *sets[] = {s->handler_set, s->listener_set, NULL};
    enum gh_severity severity = b->strict ? GH_ERROR : GH_WARNING;
    bool url = gh_from_url(s->conf);

    gh_confset_claim(s->handler_set, HANDLER_KEYS);
    for (int i = 0; i < 2; i++) {
        if (url)
            gh_confset_claim(sets[i], SERVICE_KEYS " " LIFTED_KEYS);
        gh_confset_check(sets[i], url ? sets : NULL, severity, b->errs);
    }
}

static bool build(struct gh_build *b, struct gh_service *s)
{
    bool ok = refuse_absent(b, s);

    if (gh_names_read(&s->admissions, s->conf, "admission", "admissions") != 0 ||
        gh_names_read(&s->bypasses, s->conf, "bypass", "bypasses") != 0) {
        b->errs->no_memory = true;
        return false;
    }
    if (!gh_recordings_read(&s->recordings, s->conf, b->errs))
        return false;
    read_metadata(s);
    ok = build_listener(b, s) && ok;
    ok = build_handler(b, s) && ok;
    ok = build_chains(b, s, gh_get(s->conf, "handler"), &s->chains) && ok;
    ok = build_chains(b, s, gh_get(s->conf, "listener"), &s->listener_chains) && ok;
    ok = build_targets(b, s) && ok;
    if (!ok)
        return false;
    check_keys(b, s);
    return handler_fits(b, s, s->conf);
}

static struct gh_service *service_new(struct gh_generation *generation, const char *name,
                                      const char *addr)
{
    struct gh_service *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    atomic_init(&s->refs, 1);
    atomic_fetch_add(&generation->refs, 1);
    s->generation = generation;
    s->name = s->of = name;
    s->addr_text = addr;
    return s;
}

struct gh_service *gh_service_build(struct gh_build *b, struct gh_generation *generation,
                                    const struct gh_value *conf)
{
    struct gh_service *s =
        service_new(generation, gh_str(conf, "name", ""), gh_str(conf, "addr", ""));

    if (s == NULL) {
        b->errs->no_memory = true;
        return NULL;
    }
    s->conf = conf;
    if (build(b, s))
        return s;
    release(s);
    return NULL;
}

/* ---- entry points ---- */

/* The service's own policies and limits are about its own listener. */
static bool build_entry(struct gh_build *b, struct gh_service *s, const char *option)
{
    const struct gh_value *handler = gh_get(s->conf, "handler");
    char key[160];

    if (!gh_recordings_read(&s->recordings, s->conf, b->errs) ||
        gh_names_read(&s->bypasses, s->conf, "bypass", "bypasses") != 0)
        return false;
    read_metadata(s);
    s->observer = s->limiter = s->climiter = s->rlimiter = NULL;
    s->listener_set = gh_confset_new(GOST_SERVER, s->name);
    if (s->listener_set == NULL ||
        gh_stackdef_build(&s->listener, "tcp", GOST_SERVER, s->listener_set, handler, "listener",
                          b->errs) != 0)
        return false;
    snprintf(key, sizeof key, "%s.proxyProtocol", option);
    return add_proxy_protocol(b, s, gh_get(handler, "metadata"), key) && read_addr(b, s) &&
           build_handler(b, s) && build_chains(b, s, handler, &s->chains) && build_targets(b, s);
}

/* The option's name, and what else an object says. *owned*; NULL: no memory. */
static char *entry_arg(const char *option, const struct gh_value *object, size_t *ret_n)
{
    size_t n = strlen(option) + 1, pos = 0;
    const struct gh_member *m;
    char *arg, *at;

    while ((m = gh_next_member(object, &pos)) != NULL)
        n += gh_text_of(m->value) != NULL ? strlen(m->key) + strlen(gh_text_of(m->value)) + 2 : 0;
    arg = malloc(n);
    if (arg == NULL)
        return NULL;
    at = arg + sprintf(arg, "%s", option);
    pos = 0;
    while ((m = gh_next_member(object, &pos)) != NULL)
        if (gh_text_of(m->value) != NULL && strcmp(m->key, "addr") != 0)
            at += sprintf(at, "\n%s=%s", m->key, gh_text_of(m->value));
    *ret_n = (size_t)(at - arg);
    return arg;
}

static struct gh_service *entry_new(struct gh_build *b, const struct gh_service *of,
                                    const char *option, const struct gh_value *at, size_t index)
{
    const char *addr = gh_is_map(at) ? gh_str(at, "addr", "") : gh_text_of(at);
    struct gh_service *s = service_new(of->generation, "", addr != NULL ? addr : "");
    size_t size = strlen(of->name) + strlen(option) + 32;

    if (s == NULL)
        return NULL;
    s->of = of->name;
    s->conf = of->conf;
    s->own_name = malloc(size);
    s->own_arg = entry_arg(option, gh_is_map(at) ? at : NULL, &s->arg.n);
    s->arg.p = (const uint8_t *)s->own_arg;
    if (s->own_name == NULL || s->own_arg == NULL) {
        b->errs->no_memory = true;
        release(s);
        return NULL;
    }
    snprintf(s->own_name, size, index != 0 ? "%s %s %zu" : "%s %s", of->name, option, index);
    s->name = s->own_name;
    if (build_entry(b, s, option))
        return s;
    release(s);
    return NULL;
}

static bool names_address(const struct gh_value *item)
{
    const char *text = item != NULL ? gh_text_of(item) : NULL;

    return gh_is_map(item) || (text != NULL && *text != '\0');
}

bool gh_service_entries(struct gh_build *b, const struct gh_service *s,
                        bool (*add)(void *arg, struct gh_service *entry), void *arg)
{
    const struct gh_value *meta = gh_get(gh_get(s->conf, "handler"), "metadata"), *value, *item;
    const struct gost_opt *o = s->handler->options;
    bool ok = true;

    for (; o != NULL && o->type != GOST_OPT_END; o++) {
        size_t index = 0;

        if (!(o->flags & GOST_OPT_LISTEN) || (value = gh_meta_get(meta, o->names)) == NULL)
            continue;
        do {
            item = gh_is_list(value) ? gh_item(value, index) : value;
            if (names_address(item))
                ok = add(arg, entry_new(b, s, o->names, item, index)) && ok;
        } while (gh_is_list(value) && ++index < gh_count(value));
    }
    return ok;
}

struct gh_service *gh_service_internal(struct gh_generation *generation, const char *name,
                                       struct gh_chain *chain)
{
    struct gh_service *s = service_new(generation, name, "");

    if (s == NULL)
        return NULL;
    s->handler_type = name;
    s->listener.type = "none";
    s->internal = true;
    s->dial_timeout = GH_DIAL_S * GOST_S;
    gh_selector_init(&s->chains.selector, NULL);
    if (chain == NULL)
        return s;
    s->chains.chains = calloc(1, sizeof(struct gh_chain *));
    s->chains.choices = calloc(1, sizeof(struct gh_choice));
    if (s->chains.chains == NULL || s->chains.choices == NULL) {
        release(s);
        return NULL;
    }
    s->chains.choices[0].weight = 1;
    s->chains.chains[s->chains.n++] = chain;
    return s;
}

/* ---- accepting ---- */

static void fill_record(struct gh_flow *f, const struct gh_accepted *a)
{
    f->ge->source = a->remote;
    f->ge->remote = a->remote;
    f->ge->local = a->local;
    f->ge->destination = a->local;
    f->ge->original = a->original;
}

void gh_service_accept(void *arg, struct gh_accepted *a)
{
    struct gh_service *s = arg;
    struct gh_flow *f = gh_flow_new(a->worker, s);
    struct ge_stack *stack = a->packets;

    if (f == NULL) {
        if (stack != NULL)
            ge_stack_free(stack, 1);
        else
            close(a->fd);
        return;
    }
    fill_record(f, a);
    if (stack != NULL)
        ge_stack_set_flow(stack, f->ge);
    else
        stack = gh_sock_adopt(a->worker, f->ge, a->fd);
    if (stack == NULL) {
        gh_flow_end(f, GOST_ENOMEM, "out of memory");
        return;
    }
    gh_flow_start(f, stack);
}
