/* remote.c - services whose listener is at the end of a chain: bind, accept, and again. */
/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "remote_private.h"

/*
 * The listener is a task like any handler, of a flow of its own that has no client: it asks for
 * BIND and ACCEPT, and lives on one worker, as the session does that brings the streams.
 */
struct gh_remote {
    struct gh_worker *worker;
    struct gh_service *service; /* counted */
    struct ge_flow *flow;       /* counted; NULL: none has begun. ctx NULL: it ended. [worker] */
    struct gh_peers *peers;     /* of packets; NULL: not listening, or streams. [worker] */
};

enum { LISTEN = 1, STREAM = 2 }; /* ports, and tags of the actions on them */

struct listening {
    struct gh_remote *remote;
    struct gost_addr local;
    unsigned failures; /* in a row */
};

bool gh_remote_is(const struct gh_service *s)
{
    const struct gost_transport_ops *ops = s->listener.transport.component->ops;

    return (ops->flags & GOST_TRANSPORT_CHAIN) != 0;
}

/* ---- what arrives ---- */

struct gh_flow *gh_remote_flow(struct gh_worker *w, struct gh_service *s,
                               const struct gost_addr *peer, const struct gost_addr *local)
{
    struct gh_flow *f = gh_flow_new(w, s);

    if (f == NULL)
        return NULL;
    f->ge->source = f->ge->remote = *peer;
    f->ge->local = f->ge->destination = *local;
    return f;
}

static void serve(struct listening *l, struct gost_io *io, const struct gost_addr *peer)
{
    struct ge_stack *stack = ge_task_take(ge_io_task(io), STREAM);
    struct gh_flow *f = gh_remote_flow(l->remote->worker, l->remote->service, peer, &l->local);

    if (stack == NULL || f == NULL) {
        if (stack != NULL)
            ge_stack_free(stack, 1);
        if (f != NULL)
            gh_flow_end(f, GOST_ECLOSED, "the connection was gone at once");
        return;
    }
    ge_stack_set_flow(stack, f->ge);
    gh_flow_start(f, stack);
}

/* ---- listening ---- */

static uint32_t network(const struct gh_service *s)
{
    const struct gost_transport_ops *ops = s->listener.transport.component->ops;

    if (ops->type == GOST_DATAGRAM)
        return GOST_NET_UDP;
    return ops->flags & GOST_TRANSPORT_PATH ? GOST_NET_UNIX : GOST_NET_TCP;
}

static int listen_now(const struct listening *l, struct gost_io *io)
{
    const struct gh_service *s = l->remote->service;

    return gost_bind(io, LISTEN, LISTEN, network(s), &s->addr, 0) == GOST_OK ? GOST_AGAIN
                                                                             : GOST_EINTERNAL;
}

/* GOST's delays. */
static int again(struct listening *l, struct gost_io *io, const char *why)
{
    static const unsigned delay[] = {1, 2, 4, 5};
    unsigned i = l->failures < 3 ? l->failures : 3;

    gh_log(GOST_LOG_WARN,
           "service %s: cannot listen on %s at the end of the chain: %s; again in %u s",
           l->remote->service->name, l->remote->service->addr_text, why, delay[i]);
    gh_peers_free(l->remote->peers);
    l->remote->peers = NULL;
    l->failures++;
    gost_set_deadline(io, gost_now() + delay[i] * GOST_S);
    return GOST_AGAIN;
}

static int accept_one(struct gost_io *io)
{
    return gost_accept(io, STREAM, STREAM, LISTEN) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

static int bound(struct listening *l, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;
    struct gh_remote *r = l->remote;
    char text[GOST_ADDR_TEXT];

    if (ev->status != 0)
        return again(l, io, ev->text != NULL ? ev->text : "no reason given");
    l->local = res->local.family != GOST_AF_NONE ? res->local : r->service->addr;
    l->failures = 0;
    gost_addr_format(&l->local, text, sizeof text);
    gh_log(GOST_LOG_INFO, "service %s: listening on %s/%s at the end of the chain",
           r->service->name, text, gh_service_network(r->service));
    if (gost_port(io, LISTEN) == NULL) /* it gives streams, or packets of one peer each */
        return accept_one(io);
    l->remote->peers = gh_peers_new(r->worker, r->service, &l->local);
    return l->remote->peers != NULL ? GOST_AGAIN : again(l, io, "out of memory");
}

static int accepted(struct listening *l, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;

    if (ev->status != 0)
        return again(l, io, ev->text != NULL ? ev->text : "the connection to the node ended");
    serve(l, io, &res->remote);
    return accept_one(io);
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct listening *l = state;

    switch (ev->type) {
    case GOST_EV_START:
        memcpy(&l->remote, gost_arg(io).p, sizeof l->remote);
        return listen_now(l, io);
    case GOST_EV_DEADLINE:
        return listen_now(l, io);
    case GOST_EV_RESULT:
        return ev->tag == LISTEN ? bound(l, io, ev) : accepted(l, io, ev);
    case GOST_EV_READABLE:
        if (ev->port == LISTEN && l->remote->peers != NULL)
            gh_peers_receive(l->remote->peers, gost_port(io, LISTEN));
        return GOST_AGAIN;
    case GOST_EV_EOF:
    case GOST_EV_CLOSED:
        if (ev->port == LISTEN && l->remote->peers != NULL)
            return again(l, io, "the connection to the node ended");
        return GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

static void destroy(void *state)
{
    struct listening *l = state;

    if (l->remote == NULL)
        return;
    gh_peers_free(l->remote->peers);
    l->remote->peers = NULL;
}

static const struct gost_handler_ops ops = {
    .size = sizeof ops, .accepts = GOST_STREAM, .step = step, .destroy = destroy};
static const struct gost_component component = {.kind = GOST_KIND_HANDLER,
                                                .name = "host.remote",
                                                .summary = "listens at the end of a chain",
                                                .ops = &ops,
                                                .state_size = sizeof(struct listening)};

/* ---- life ---- */

/* Its port 0 is nobody. */
static const struct ge_bottom_ops nobody;

static void begin(struct gh_worker *w, void *arg)
{
    struct gh_remote *r = arg;
    struct gh_flow *f = gh_worker_stopping(w) ? NULL : gh_flow_new(w, r->service);
    struct ge_stack *stack = f != NULL ? ge_stack_new(f->ge, GOST_STREAM, &nobody, NULL) : NULL;

    if (stack == NULL) {
        if (f != NULL)
            gh_flow_end(f, GOST_ENOMEM, "out of memory");
        return;
    }
    f->is_session = true;
    f->agent.listens = true;
    if (gh_flow_handle(f, stack, &component, NULL, gost_bytes(&r, sizeof r)))
        r->flow = ge_flow_ref(f->ge);
}

static void end(struct gh_worker *w, void *arg)
{
    struct gh_remote *r = arg;

    if (r->flow != NULL && r->flow->ctx != NULL)
        gh_flow_end(r->flow->ctx, 0, NULL);
    ge_flow_unref(r->flow);
    gh_service_unref(r->service);
    free(r);
}

/* The service of what arrives from now on. */
struct heir {
    struct gh_remote *remote;
    struct gh_service *service; /* counted */
};

static void inherit(struct gh_worker *w, void *arg)
{
    struct heir *h = arg;
    struct gh_service *old = h->remote->service;

    h->remote->service = h->service;
    if (h->remote->peers != NULL)
        gh_peers_retarget(h->remote->peers, h->service);
    gh_service_unref(old);
    free(h);
}

void gh_remote_retarget(struct gh_remote *r, struct gh_service *s)
{
    struct heir *h = calloc(1, sizeof *h);

    if (h == NULL) {
        gh_log(GOST_LOG_ERROR, "service %s: out of memory: the old one goes on", s->name);
        return;
    }
    h->remote = r;
    h->service = gh_service_ref(s);
    gh_worker_post(r->worker, inherit, h);
}

struct gh_remote *gh_remote_start(struct gh_service *s)
{
    struct gh_remote *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->worker = gh_worker_least();
    r->service = gh_service_ref(s);
    gh_worker_post(r->worker, begin, r);
    return r;
}

void gh_remote_stop(struct gh_remote *r)
{
    gh_worker_post(r->worker, end, r);
}
