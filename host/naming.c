/* naming.c - names to addresses by the policies hosts and resolver; the resolver's cache. */
/* SPDX-License-Identifier: MIT */
#include "naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "log.h"
#include "policy_private.h"
#include "resolver.h"

enum { BUCKETS = 256, NAMES_MAX = 4096 };

/* A name of one family, with its addresses. A flight is one that is being asked for. */
struct entry {
    struct entry *next;          /* of its bucket */
    struct entry *older, *newer; /* by use */
    char name[256];
    uint32_t family;
    uint64_t expires; /* 0: never known */
    unsigned n;
    struct gost_addr *addr; /* n of them; *owned* */
    struct flight *flight;  /* NULL: it is not asked for */
};

struct gh_naming {
    struct gh_naming *next, **prev; /* of its flight */
    struct gh_naming **slot;
    uint16_t port;
    void (*done)(void *arg, int status, const char *text, const struct gost_addr *v, unsigned n);
    void *arg;
};

struct flight {
    struct gh_names_cache *cache;
    struct gh_policy *policy; /* counted */
    struct entry *entry;      /* NULL: it was let go */
    char name[256];
    struct gost_q_name question;
    unsigned server; /* who is asked */
    struct gh_errand *errand;
    struct gh_naming *waiting;
    struct gost_a_addrs answer;
    bool answered;
    char why[400];
};

struct gh_names_cache {
    struct gh_worker *worker;
    struct entry *bucket[BUCKETS];
    struct entry *oldest, *newest;
    unsigned n;
};

/* ---- the cache of one resolver on one worker ---- */

static unsigned hash(const char *name, uint32_t family)
{
    uint32_t h = 2166136261u ^ family;

    for (; *name != '\0'; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h % BUCKETS;
}

static void unuse(struct gh_names_cache *c, struct entry *e)
{
    *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
    *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
    e->older = e->newer = NULL;
}

static void use(struct gh_names_cache *c, struct entry *e)
{
    e->older = c->newest;
    *(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop(struct gh_names_cache *c, struct entry *e)
{
    struct entry **at = &c->bucket[hash(e->name, e->family)];

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unuse(c, e);
    if (e->flight != NULL)
        e->flight->entry = NULL;
    free(e->addr);
    free(e);
    c->n--;
}

static struct entry *find(struct gh_names_cache *c, const char *name, uint32_t family)
{
    struct entry **head = &c->bucket[hash(name, family)], *e;

    for (e = *head; e != NULL; e = e->next)
        if (e->family == family && strcmp(e->name, name) == 0)
            break;
    if (e != NULL) {
        unuse(c, e);
        use(c, e);
        return e;
    }
    if (c->n >= NAMES_MAX)
        drop(c, c->oldest);
    e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    snprintf(e->name, sizeof e->name, "%s", name);
    e->family = family;
    e->next = *head;
    *head = e;
    use(c, e);
    c->n++;
    return e;
}

struct gh_names_cache *gh_names_cache_new(struct gh_worker *w)
{
    struct gh_names_cache *c = calloc(1, sizeof *c);

    if (c != NULL)
        c->worker = w;
    return c;
}

void gh_names_cache_free(struct gh_names_cache *c)
{
    while (c != NULL && c->oldest != NULL)
        drop(c, c->oldest);
    free(c);
}

/* ---- flights ---- */

static void ask_next(struct flight *f);

static void wake(struct flight *f, int status, const char *text, const struct gost_addr *v,
                 unsigned n)
{
    struct gh_naming *w;

    while ((w = f->waiting) != NULL) {
        struct gost_addr with_port[GOST_ADDRS_MAX];

        f->waiting = w->next;
        if (w->next != NULL)
            w->next->prev = &f->waiting;
        for (unsigned i = 0; i < n; i++) {
            with_port[i] = v[i];
            with_port[i].port = w->port;
        }
        *w->slot = NULL;
        w->done(w->arg, status, text, with_port, n);
        free(w);
    }
}

static void land(struct flight *f, int status, const char *text)
{
    if (f->entry != NULL)
        f->entry->flight = NULL;
    wake(f, status, text, f->answer.addr, status == GOST_OK ? f->answer.n : 0);
    gh_policy_unref(f->policy);
    free(f);
}

static void remember(struct flight *f, int64_t ttl)
{
    struct entry *e = f->entry;
    struct gost_addr *copy;

    if (e == NULL || ttl < 0)
        return;
    copy = calloc(f->answer.n + 1, sizeof *copy);
    if (copy == NULL)
        return;
    memcpy(copy, f->answer.addr, f->answer.n * sizeof *copy);
    free(e->addr);
    e->addr = copy;
    e->n = f->answer.n;
    e->expires = ge_now(gh_worker_engine(f->cache->worker)) +
                 (ttl > 0 ? (uint64_t)ttl : f->answer.ttl_ns) + 1;
}

static void server_answer(void *arg, const void *answer)
{
    struct flight *f = arg;
    const struct gost_a_addrs *a = answer;

    if (a->n > GOST_ADDRS_MAX)
        return;
    f->answer = *a;
    f->answered = true;
}

static void server_done(void *arg, int status, const char *text)
{
    struct flight *f = arg;
    const struct gh_name_server *s = &f->policy->resolver->server[f->server];

    f->errand = NULL;
    if (status == GOST_ECANCELLED) {
        land(f, status, text);
        return;
    }
    if (status == GOST_OK && f->answered) {
        remember(f, s->ttl);
        if (f->answer.n != 0) {
            land(f, GOST_OK, NULL);
            return;
        }
        text = "it has no address";
    } else if (status == GOST_OK) {
        text = "no answer was given";
    }
    snprintf(f->why, sizeof f->why, "cannot find an address of \"%.200s\": %.80s: %.80s", f->name,
             s->place, text);
    gh_log(GOST_LOG_DEBUG, "%s: %s", gh_confset_object(f->policy->set), f->why);
    f->server++;
    ask_next(f);
}

static void ask_next(struct flight *f)
{
    struct gh_resolver *r = f->policy->resolver;
    const struct gh_name_server *s;
    struct gh_errand_spec spec = {.component = r->component,
                                  .question = &f->question,
                                  .data = NULL,
                                  .answer = server_answer,
                                  .done = server_done,
                                  .arg = f};

    if (f->server == r->n) {
        land(f, GOST_ERESOLVE, f->why);
        return;
    }
    s = &r->server[f->server];
    spec.conf = s->conf;
    spec.set = s->set;
    spec.service = s->service;
    spec.timeout_ns = s->timeout_ns;
    f->answered = false;
    f->answer.n = 0;
    f->errand = gh_errand_start(f->cache->worker, &spec);
    if (f->errand == NULL)
        land(f, GOST_ENOMEM, "out of memory");
}

static struct flight *take_off(struct gh_names_cache *c, struct gh_policy *p, struct entry *e)
{
    struct flight *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    f->cache = c;
    f->policy = gh_policy_ref(p);
    f->entry = e;
    memcpy(f->name, e->name, sizeof f->name);
    f->question.size = sizeof f->question;
    f->question.family = e->family;
    f->question.name = gost_bytes_str(f->name);
    snprintf(f->why, sizeof f->why, "cannot find an address of \"%.200s\": no name server is named",
             f->name);
    e->flight = f;
    return f;
}

/* ---- asking ---- */

static void fill(struct gost_a_addrs *ret, const struct gost_addr *v, unsigned n, uint16_t port)
{
    ret->n = n;
    for (unsigned i = 0; i < n; i++) {
        ret->addr[i] = v[i];
        ret->addr[i].port = port;
    }
}

static bool ask_hosts(const struct gh_policies *all, const char *name, const struct gost_addr *addr,
                      uint32_t family, struct gost_a_addrs *ret)
{
    const struct gh_policy *p = gh_policy_find(all, GOST_POLICY_HOSTS, name);
    struct gost_q_name q = {.size = sizeof q, .family = family, .name = gost_bytes_str(addr->name)};
    const struct gost_index_ops *ops;

    if (p == NULL)
        return false;
    ops = p->component->ops;
    if (ops->query(atomic_load(&p->index), &q, ret) != GOST_OK || ret->n == 0)
        return false;
    for (unsigned i = 0; i < ret->n; i++)
        ret->addr[i].port = addr->port;
    return true;
}

static bool join(struct flight *f, struct gh_naming **slot, uint16_t port,
                 void (*done)(void *arg, int status, const char *text, const struct gost_addr *v,
                              unsigned n),
                 void *arg)
{
    struct gh_naming *w = calloc(1, sizeof *w);

    if (w == NULL)
        return false;
    w->slot = slot;
    w->port = port;
    w->done = done;
    w->arg = arg;
    w->next = f->waiting;
    w->prev = &f->waiting;
    if (w->next != NULL)
        w->next->prev = &w->next;
    f->waiting = w;
    *slot = w;
    return true;
}

static void lower_case(char to[256], const char *name)
{
    size_t n = 0;

    for (; n < 255 && name[n] != '\0'; n++)
        to[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    if (n > 1 && to[n - 1] == '.')
        n--;
    to[n] = '\0';
}

enum gh_naming_answer gh_naming_ask(struct gh_naming **slot, const struct gh_naming_by *by,
                                    const struct gost_addr *addr, uint32_t family,
                                    struct gost_a_addrs *ret,
                                    void (*done)(void *arg, int status, const char *text,
                                                 const struct gost_addr *v, unsigned n),
                                    void *arg)
{
    const struct gh_policies *all = gh_policies_now();
    struct gh_policy *p;
    struct gh_names_cache *c;
    struct entry *e;
    struct flight *f;
    char name[256];
    bool known, fresh, is_new;

    ret->size = sizeof *ret;
    ret->n = 0;
    if (addr->family != GOST_AF_NAME)
        return GH_NAMING_NONE;
    if (by->hosts != NULL && ask_hosts(all, by->hosts, addr, family, ret))
        return GH_NAMING_DONE;
    p = by->resolver != NULL ? gh_policy_find(all, GOST_POLICY_RESOLVER, by->resolver) : NULL;
    c = p != NULL ? gh_resolver_cache(p, gh_worker_current()) : NULL;
    if (c == NULL)
        return GH_NAMING_NONE;
    lower_case(name, addr->name);
    e = find(c, name, family);
    if (e == NULL)
        return GH_NAMING_DONE;
    known = e->expires != 0;
    fresh = known && e->expires > ge_now(gh_worker_engine(c->worker));
    if (known && (fresh || p->resolver->async))
        fill(ret, e->addr, e->n, addr->port);
    if (fresh)
        return GH_NAMING_DONE;
    is_new = e->flight == NULL;
    f = is_new ? take_off(c, p, e) : e->flight;
    if (f == NULL)
        return GH_NAMING_DONE;
    if (known && p->resolver->async) {
        if (is_new)
            ask_next(f);
        return GH_NAMING_DONE;
    }
    if (!join(f, slot, addr->port, done, arg)) {
        if (is_new)
            land(f, GOST_ENOMEM, "out of memory");
        return GH_NAMING_DONE;
    }
    if (is_new)
        ask_next(f);
    return GH_NAMING_WAIT;
}

void gh_naming_cancel(struct gh_naming *n)
{
    if (n == NULL)
        return;
    *n->slot = NULL;
    *n->prev = n->next;
    if (n->next != NULL)
        n->next->prev = n->prev;
    free(n);
}
