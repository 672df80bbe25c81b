/* running.c - the services that run, each with its listening descriptor. */
/* SPDX-License-Identifier: MIT */
#include "running.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_meta.h"
#include "grave.h"
#include "log.h"
#include "observe.h"
#include "remote.h"
#include "sdnotify.h"

struct running {
    struct gh_service *service; /* whom the listener calls; counted */
    struct gh_service *opener;  /* whose transport conf the listener has; counted */
    struct gh_listener *listener; /* NULL: at the end of a chain */
    struct gh_remote *remote;
    bool lent; /* a new listener has a copy of its descriptor */
    struct gh_observed *observed; /* NULL: nobody watches it */
};

static struct {
    struct running *v;
    unsigned n;
} table;

/* What is to be done for one new service. */
enum what {
    OPEN,    /* a listener of its own */
    KEEP,    /* nothing: it is equal */
    RETARGET /* the listener of the old one */
};

struct step {
    enum what what;
    struct running *old; /* in the table; NULL: OPEN of a new name */
    struct gh_listener *listener;
};

struct gh_service *gh_running_service(unsigned i)
{
    return i < table.n ? table.v[i].service : NULL;
}

/* ---- comparing ---- */

static bool same_section(const struct gh_service *a, const struct gh_service *b, const char *name)
{
    return gh_value_equal(gh_get(gh_conf_root(a->generation->conf), name),
                          gh_get(gh_conf_root(b->generation->conf), name));
}

/* Certificates may have changed on disk: such a service is made anew, which costs no connection. */
static bool has_files(const struct gh_service *s)
{
    return gh_path(s->conf, "listener.tls") != NULL || gh_path(s->conf, "handler.tls") != NULL ||
           gh_conf_section(s->generation->conf, "tls") != NULL;
}

static bool has_chains(const struct gh_service *s)
{
    return s->chains.n != 0 || s->listener_chains.n != 0;
}

static bool is_same(const struct gh_service *a, const struct gh_service *b)
{
    if (!gh_value_equal(a->conf, b->conf) || has_files(a) || !same_section(a, b, "tls"))
        return false;
    return (!has_chains(a) || same_section(a, b, "chains")) &&
           ((!has_chains(a) && (a->targets == NULL || a->owns_targets)) ||
            same_section(a, b, "hops"));
}

/* The same for listeners at the end of a chain: what is listening there can go on. */
static bool same_bind(const struct gh_service *a, const struct gh_service *b)
{
    return gh_remote_is(a) && gh_remote_is(b) && strcmp(a->addr_text, b->addr_text) == 0 &&
           gh_value_equal(gh_path(a->conf, "listener"), gh_path(b->conf, "listener")) &&
           same_section(a, b, "chains") && same_section(a, b, "hops");
}

/* Whether the descriptor of `a` can serve `b` as it is. */
static bool same_socket(const struct gh_service *a, const struct gh_service *b)
{
    const void *conf;

    if (gh_remote_is(a) || gh_remote_is(b))
        return same_bind(a, b);
    return strcmp(a->addr_text, b->addr_text) == 0 &&
           gh_stackdef_keyed(&a->listener, &conf) == gh_stackdef_keyed(&b->listener, &conf) &&
           a->listener.transport.component == b->listener.transport.component &&
           gh_value_equal(gh_path(a->conf, "listener.metadata"),
                          gh_path(b->conf, "listener.metadata"));
}

static struct running *find(const char *name)
{
    for (unsigned i = 0; i < table.n; i++)
        if (strcmp(table.v[i].service->name, name) == 0)
            return &table.v[i];
    return NULL;
}

static bool has_name(const struct running *v, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(v[i].service->name, name) == 0)
            return true;
    return false;
}

static enum what decide(struct running *old, const struct gh_service *s)
{
    if (old == NULL)
        return OPEN;
    if (is_same(old->service, s))
        return KEEP;
    return same_socket(old->service, s) ? RETARGET : OPEN;
}

/* ---- opening ---- */

/* A host name to listen at: GOST takes IPv4 for it. */
static bool look_up(struct gost_addr *addr, char *error, size_t size)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    uint16_t port = addr->port;
    int r;

    if (addr->family != GOST_AF_NAME)
        return true;
    r = getaddrinfo(addr->name, NULL, &hints, &list);
    if (r != 0) {
        snprintf(error, size, "\"%s\" has no address here: %s", addr->name, gai_strerror(r));
        return false;
    }
    gost_addr_set_ip(addr, (const uint8_t *)&((struct sockaddr_in *)list->ai_addr)->sin_addr, 4,
                     port);
    freeaddrinfo(list);
    return true;
}

/* Whether a service goes on at its address: another one there is an error, not its heir. */
static bool stays(const struct running *r, const struct gh_services *services,
                  const struct gh_service *heir)
{
    for (unsigned i = 0; i < services->n; i++) {
        const struct gh_service *s = services->v[i];

        if (s != heir && strcmp(s->name, r->service->name) == 0)
            return strcmp(s->addr_text, r->service->addr_text) == 0 &&
                   s->listener.bottom == r->service->listener.bottom;
    }
    return false;
}

static int inherited(const struct gh_service *s, const struct gost_addr *addr,
                     const struct gh_services *services)
{
    for (unsigned i = 0; i < table.n; i++) {
        struct running *r = &table.v[i];

        if (!r->lent && r->listener != NULL && !stays(r, services, s) &&
            strcmp(r->service->addr_text, s->addr_text) == 0 &&
            r->service->listener.bottom == s->listener.bottom && addr->family != GOST_AF_UNIX) {
            r->lent = true;
            return fcntl(gh_listener_fd(r->listener), F_DUPFD_CLOEXEC, 3);
        }
    }
    return gh_sd_take(addr, s->listener.bottom == GOST_STREAM);
}

static struct gh_listener *open_listener(struct gh_service *s, const struct gh_services *services,
                                         char *error, size_t size)
{
    struct gh_listener_conf conf = {.transport = s->listener.transport.component,
                                    .conf = s->listener.transport.conf,
                                    .addr = s->addr,
                                    .name = s->name,
                                    .accept = gh_service_accept,
                                    .arg = s};
    struct gh_listener *listener = NULL;
    const uint64_t *ttl = ge_opt_field(conf.transport, conf.conf, "ttl", GOST_OPT_T_DURATION);
    const uint32_t *keep = ge_opt_field(conf.transport, conf.conf, "keepalive", GOST_OPT_T_BOOL);
    const int64_t *peers = ge_opt_field(conf.transport, conf.conf, "maxPeers", GOST_OPT_T_INT);

    if (!look_up(&conf.addr, error, size))
        return NULL;
    conf.ttl_ns = ttl != NULL && *ttl > 0 ? *ttl : 5 * GOST_S;
    conf.keepalive = keep != NULL && *keep;
    conf.max_peers = peers != NULL ? (unsigned)*peers : 0;
    conf.layer = gh_stackdef_keyed(&s->listener, &conf.layer_conf);
    conf.inherited_fd = inherited(s, &conf.addr, services);
    if (gh_listener_open(&conf, &listener, error, size) == GOST_OK)
        return listener;
    if (conf.inherited_fd >= 0)
        close(conf.inherited_fd);
    return NULL;
}

static bool open_all(const struct gh_services *services, struct step *steps,
                     struct gh_conf_errors *errs)
{
    char error[512] = "";

    for (unsigned i = 0; i < table.n; i++)
        table.v[i].lent = false;
    for (unsigned i = 0; i < services->n; i++) {
        struct gh_service *s = services->v[i];

        steps[i].old = find(s->name);
        steps[i].what = decide(steps[i].old, s);
        if (steps[i].what != OPEN || gh_remote_is(s))
            continue;
        steps[i].listener = open_listener(s, services, error, sizeof error);
        if (steps[i].listener != NULL)
            continue;
        gh_errors_at(errs, GH_ERROR, gh_get(s->conf, "addr"), "service %s: %s", s->name, error);
        return false;
    }
    return true;
}

/* ---- committing ---- */

static void drop_service(void *object)
{
    gh_service_unref(object);
}

/* A worker may be about to call gh_service_accept() with it. */
static void let_go(struct gh_service *s)
{
    gh_bury(s, drop_service);
}

static void close_running(struct running *r)
{
    gh_observe_end(r->observed);
    if (r->listener != NULL)
        gh_listener_close(r->listener);
    if (r->remote != NULL)
        gh_remote_stop(r->remote);
    let_go(r->service);
    let_go(r->opener);
    memset(r, 0, sizeof *r);
}

static void log_listening(const struct gh_service *s, const struct gh_listener *listener)
{
    char text[GOST_ADDR_TEXT];
    struct gost_addr addr;
    struct gh_line line;

    if (!gh_log_on(GOST_LOG_INFO))
        return;
    gh_listener_local(listener, &addr);
    gost_addr_format(&addr, text, sizeof text);
    gh_line_start(&line, GOST_LOG_INFO, "listening on %s/%s", text,
                  addr.family == GOST_AF_UNIX ? "unix" : gh_service_network(s));
    gh_line_str(&line, "kind", "service");
    gh_line_str(&line, "service", s->name);
    gh_line_str(&line, "listener", s->listener.type);
    gh_line_str(&line, "handler", s->handler_type);
    gh_line_end(&line);
}

static void start_remote(struct running *to, struct gh_service *s)
{
    to->remote = gh_remote_start(s);
    if (to->remote == NULL)
        gh_log(GOST_LOG_ERROR,
               "service %s does not listen: out of memory; reload the configuration to try again",
               s->name);
}

static void start(struct running *to, struct gh_service *s, struct gh_listener *listener)
{
    to->service = s;
    to->opener = gh_service_ref(s);
    to->listener = listener;
    if (gh_remote_is(s)) {
        start_remote(to, s);
        return;
    }
    if (gh_listener_start(listener) != GOST_OK)
        gh_log(GOST_LOG_ERROR, "service %s does not accept: the listener cannot be watched",
               s->name);
    else
        log_listening(s, listener);
}

static void commit_one(struct running *to, struct gh_service *s, struct step *step,
                       struct gh_running_change *change)
{
    struct running *old = step->old;
    const void *layer_conf = NULL;

    if (step->what == KEEP) {
        *to = *old;
        memset(old, 0, sizeof *old);
        gh_service_unref(s);
        change->kept++;
    } else if (step->what == RETARGET) {
        *to = *old;
        memset(old, 0, sizeof *old);
        (void)gh_stackdef_keyed(&s->listener, &layer_conf);
        if (to->remote != NULL)
            gh_remote_retarget(to->remote, s);
        else if (gh_remote_is(s)) /* there was no memory for it */
            start_remote(to, s);
        else
            gh_listener_retarget(to->listener, gh_service_accept, s, layer_conf);
        let_go(to->service);
        to->service = s;
        change->changed++;
    } else {
        if (old != NULL)
            change->changed++;
        else
            change->opened++;
        if (old != NULL && old->remote != NULL) { /* its address must be free first */
            gh_remote_stop(old->remote);
            old->remote = NULL;
        }
        start(to, s, step->listener);
    }
}

/* What ends is told to the observers that it began with. */
static void stop_observing(const struct step *steps, unsigned n)
{
    for (unsigned i = 0; i < table.n; i++) {
        unsigned at = 0;

        while (at < n && (steps[at].old != &table.v[i] || steps[at].what != KEEP))
            at++;
        if (at < n)
            continue;
        gh_observe_end(table.v[i].observed);
        table.v[i].observed = NULL;
    }
}

int gh_running_apply(struct gh_services *services, struct gh_policies *policies,
                     struct gh_running_change *ret_change, struct gh_conf_errors *errs)
{
    struct running *fresh = calloc(services->n + 1, sizeof *fresh);
    struct step *steps = calloc(services->n + 1, sizeof *steps);
    struct gh_running_change change = {0};

    if (fresh == NULL || steps == NULL || !open_all(services, steps, errs)) {
        errs->no_memory |= fresh == NULL || steps == NULL;
        for (unsigned i = 0; steps != NULL && i < services->n; i++)
            if (steps[i].listener != NULL)
                gh_listener_close(steps[i].listener);
        for (unsigned i = 0; i < services->n; i++)
            let_go(services->v[i]); /* a listener that was open may have seen a client */
        services->n = 0;
        gh_services_free(services);
        free(fresh);
        free(steps);
        return -1;
    }
    stop_observing(steps, services->n);
    gh_policies_publish(policies);
    for (unsigned i = 0; i < services->n; i++)
        commit_one(&fresh[i], services->v[i], &steps[i], &change);
    for (unsigned i = 0; i < table.n; i++) {
        if (table.v[i].service == NULL)
            continue;
        change.closed += !has_name(fresh, services->n, table.v[i].service->name);
        close_running(&table.v[i]);
    }
    free(table.v);
    table.v = fresh;
    table.n = services->n;
    services->n = 0; /* the table has the references now */
    gh_services_free(services);
    free(steps);
    *ret_change = change;
    return 0;
}

void gh_running_observe(void)
{
    for (unsigned i = 0; i < table.n; i++)
        if (table.v[i].observed == NULL)
            table.v[i].observed = gh_observe(table.v[i].service);
}

void gh_running_close(void)
{
    for (unsigned i = 0; i < table.n; i++)
        close_running(&table.v[i]);
    free(table.v);
    table.v = NULL;
    table.n = 0;
}
