/* endpoint.c - what tasks offer to visitors of any worker: the registry, and the owner's side. */
/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint_private.h"
#include "hash.h"
#include "join.h"

enum { BUCKETS = 1024, WAITING_MAX = 64 };

/* An offer. The first part is read by all workers under the lock, the rest by its own only. */
struct gh_endpoint {
    struct gh_endpoint *next; /* of its bucket */
    struct gh_endpoint_ref ref;
    uint32_t weight;
    /* of its worker */
    struct gh_endpoint *sibling; /* of its agent */
    struct gh_agent *agent;
    uint32_t port;
    struct waiting *waiting, **waiting_tail;
    unsigned n_waiting;
};

/* A visitor whom the owner has not accepted yet. */
struct waiting {
    struct waiting *next;
    struct gh_bridge_end *end;
    struct gost_addr source;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gh_endpoint *buckets[BUCKETS];
static uint64_t last_id;

static struct gh_endpoint **bucket_of(const char *name)
{
    return &buckets[gh_hash(gost_bytes_str(name)) % BUCKETS];
}

/* ---- choosing ---- */

static bool is_tried(const struct gh_endpoint *e, const uint64_t *tried, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (tried[i] == e->ref.id)
            return true;
    return false;
}

/* The weight among the candidates; 0: it is none. An exclusive one silences the others. */
static uint32_t weight_of(const struct gh_endpoint *e, const char *name, const uint64_t *tried,
                          unsigned n, bool exclusive)
{
    if (strcmp(e->ref.name, name) != 0 || is_tried(e, tried, n))
        return 0;
    if (exclusive)
        return e->weight == GOST_ENDPOINT_EXCLUSIVE;
    return e->weight != 0 ? e->weight : 1;
}

bool gh_endpoint_choose(const char *name, const uint64_t *tried, unsigned n_tried,
                        struct gh_endpoint_ref *ret_ref)
{
    struct gh_endpoint **bucket = bucket_of(name), *e, *chosen = NULL;
    uint64_t sum = 0, at = 0, chance;
    bool exclusive = false;

    gost_random(&chance, sizeof chance);
    pthread_mutex_lock(&lock);
    for (e = *bucket; e != NULL; e = e->next)
        exclusive |=
            e->weight == GOST_ENDPOINT_EXCLUSIVE && weight_of(e, name, tried, n_tried, false) != 0;
    for (e = *bucket; e != NULL; e = e->next)
        sum += weight_of(e, name, tried, n_tried, exclusive);
    for (e = *bucket; sum != 0 && e != NULL && chosen == NULL; e = e->next) {
        at += weight_of(e, name, tried, n_tried, exclusive);
        if (at > chance % sum)
            chosen = e;
    }
    if (chosen != NULL)
        *ret_ref = chosen->ref;
    pthread_mutex_unlock(&lock);
    return chosen != NULL;
}

/* Only its own worker takes an offer away: what it finds stays there until it returns. */
static struct gh_endpoint *find(const struct gh_endpoint_ref *ref)
{
    struct gh_endpoint *e;

    pthread_mutex_lock(&lock);
    for (e = *bucket_of(ref->name); e != NULL && e->ref.id != ref->id; e = e->next)
        ;
    pthread_mutex_unlock(&lock);
    return e;
}

/* ---- offering ---- */

static bool make_name(char *buf, size_t size, const char *kind, struct gost_bytes key)
{
    size_t n = strlen(kind);

    if (n == 0 || n + 1 + key.n >= size || memchr(key.p, 0, key.n) != NULL || key.n == 0 ||
        strchr(kind, '/') != NULL)
        return false;
    memcpy(buf, kind, n);
    buf[n] = '/';
    memcpy(buf + n + 1, key.p, key.n);
    buf[n + 1 + key.n] = '\0';
    return true;
}

static int port_of(struct ge_task *task, const struct gost_io *io)
{
    for (uint32_t i = 0; i < GOST_PORTS; i++)
        if (ge_task_port(task, i) == ge_io_stack((struct gost_io *)io))
            return (int)i;
    return -1;
}

static void publish(struct gh_endpoint *e)
{
    struct gh_endpoint **bucket = bucket_of(e->ref.name);

    pthread_mutex_lock(&lock);
    e->ref.id = ++last_id;
    e->next = *bucket;
    *bucket = e;
    pthread_mutex_unlock(&lock);
}

int gh_endpoint_add(struct gost_io *io, const char *kind, struct gost_bytes key, uint32_t weight)
{
    struct ge_task *task = ge_io_task(io);
    struct gh_endpoint *e;
    struct gh_agent *agent;
    int port = task != NULL ? port_of(task, io) : -1;

    if (port < 0)
        return GOST_EUNSUPPORTED;
    agent = ge_task_ctx(task);
    e = calloc(1, sizeof *e);
    if (e == NULL)
        return GOST_ENOMEM;
    if (!make_name(e->ref.name, sizeof e->ref.name, kind, key)) {
        free(e);
        return GOST_ETOOBIG;
    }
    e->ref.worker = agent->flow->worker;
    e->ref.direct = ge_stack_top_type(ge_io_stack(io)) == GOST_SESSION;
    e->weight = weight;
    e->agent = agent;
    e->port = (uint32_t)port;
    e->waiting_tail = &e->waiting;
    e->sibling = agent->endpoints;
    agent->endpoints = e;
    publish(e);
    return GOST_OK;
}

static void drop(struct gh_endpoint *e)
{
    struct gh_endpoint **at = bucket_of(e->ref.name);
    struct waiting *v;

    pthread_mutex_lock(&lock);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    pthread_mutex_unlock(&lock);
    while ((v = e->waiting) != NULL) {
        e->waiting = v->next;
        gh_bridge_refuse(v->end, GOST_ECLOSED);
        free(v);
    }
    free(e);
}

void gh_endpoint_remove(struct gost_io *io, const char *kind, struct gost_bytes key)
{
    struct ge_task *task = ge_io_task(io);
    struct gh_endpoint **at, *e;
    char name[sizeof e->ref.name];

    if (task == NULL || !make_name(name, sizeof name, kind, key))
        return;
    at = &((struct gh_agent *)ge_task_ctx(task))->endpoints;
    while ((e = *at) != NULL) {
        if (strcmp(e->ref.name, name) != 0 || ge_task_port(task, e->port) != ge_io_stack(io)) {
            at = &e->sibling;
            continue;
        }
        *at = e->sibling;
        drop(e);
    }
}

void gh_endpoints_leave(struct gh_agent *agent)
{
    struct gh_endpoint *e;

    while ((e = agent->endpoints) != NULL) {
        agent->endpoints = e->sibling;
        drop(e);
    }
}

/* ---- a visitor arrives ---- */

int gh_endpoint_open(const struct gh_endpoint_ref *ref, struct ge_flow *flow,
                     struct ge_stack **ret_stream)
{
    struct gh_endpoint *e = find(ref);
    struct ge_stack *session = e != NULL ? ge_task_port(e->agent->task, e->port) : NULL;

    return session != NULL ? ge_session_open(session, flow, 0, ret_stream) : GOST_ECLOSED;
}

/* The session's streams outlive the task that offers it: so does what joins them to visitors. */
static int open_for(struct gh_endpoint *e, struct gh_bridge_end *end,
                    const struct gost_addr *source)
{
    struct gh_worker *w = e->ref.worker;
    struct ge_flow *flow = ge_flow_new(gh_worker_engine(w));
    struct ge_stack *stream = NULL, *far = NULL;
    int r = GOST_ENOMEM;

    if (flow != NULL) {
        flow->source = *source;
        r = gh_endpoint_open(&e->ref, flow, &stream);
    }
    if (r == GOST_OK && (far = gh_bridge_attach(end, flow)) != NULL) {
        gh_join(w, flow, stream, far);
    } else if (r == GOST_OK) {
        ge_stack_free(stream, 1);
        r = GOST_ENOMEM;
    } else {
        gh_bridge_refuse(end, r < 0 ? r : GOST_ELIMIT);
    }
    ge_flow_unref(flow);
    return r;
}

static void deliver(struct gh_act *act, struct gh_bridge_end *end, const struct gost_addr *source)
{
    static const struct gost_addr none;
    struct ge_stack *s = gh_bridge_attach(end, act->agent->flow->ge);

    if (s != NULL)
        gh_act_opened(act, s, &none, source);
    else
        gh_act_result(act, GOST_ENOMEM, "out of memory", NULL, 0);
}

static int wait_for(struct gh_endpoint *e, struct gh_bridge_end *end,
                    const struct gost_addr *source)
{
    struct gh_act *act = gh_act_oldest_accept(e->agent, e->port);
    struct waiting *v;

    if (act != NULL) {
        deliver(act, end, source);
        return GOST_OK;
    }
    v = e->n_waiting < WAITING_MAX ? calloc(1, sizeof *v) : NULL;
    if (v == NULL) {
        gh_bridge_refuse(end, GOST_ELIMIT);
        return GOST_ELIMIT;
    }
    v->end = end;
    v->source = *source;
    *e->waiting_tail = v;
    e->waiting_tail = &v->next;
    e->n_waiting++;
    return GOST_OK;
}

int gh_endpoint_arrive(const struct gh_endpoint_ref *ref, struct gh_bridge_end *end,
                       const struct gost_addr *source)
{
    struct gh_endpoint *e = find(ref);

    if (e == NULL) {
        gh_bridge_refuse(end, GOST_ECLOSED);
        return GOST_ECLOSED;
    }
    return ref->direct ? open_for(e, end, source) : wait_for(e, end, source);
}

/* ---- ACCEPT ---- */

bool gh_endpoint_accepts(const struct gh_agent *agent, uint32_t from)
{
    const struct gh_endpoint *e = agent->endpoints;

    while (e != NULL && e->port != from)
        e = e->sibling;
    return e != NULL;
}

void gh_endpoint_accept(struct gh_agent *agent, const struct gost_act_accept *a)
{
    struct gh_act *act = gh_act_begin(agent, &a->head);
    struct gh_endpoint *e;
    struct waiting *v;

    if (act == NULL)
        return;
    act->from = a->from;
    for (e = agent->endpoints; e != NULL; e = e->sibling) {
        if (e->port != a->from || (v = e->waiting) == NULL)
            continue;
        e->waiting = v->next;
        if (e->waiting == NULL)
            e->waiting_tail = &e->waiting;
        e->n_waiting--;
        deliver(act, v->end, &v->source);
        free(v);
        return;
    }
}
