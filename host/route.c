/* route.c - getting to a target: directly, or through the nodes of a chain. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "confbuild.h"
#include "gather.h"
#include "log.h"
#include "route_private.h"

static void attempt(struct gh_route *r);
static void name_nodes(struct gh_route *r, unsigned i);
static void connect_first(struct gh_route *r);

const struct gh_node *gh_route_node(const struct gh_route *r)
{
    return r->at < r->path.n ? r->path.node[r->at] : NULL;
}

/* ---- ends ---- */

/* Drops what an attempt has under way. */
static void drop(struct gh_route *r)
{
    struct ge_task *task = r->agent.task;
    struct gh_carrier *own[GH_ROUTE_NODES];

    gh_carrier_unwait(&r->wait);
    gh_gather_cancel(r->gather);
    r->gather = NULL;
    memcpy(own, r->own, sizeof own);
    memset(r->own, 0, sizeof r->own);
    r->used = 0;
    r->reused = false;
    gh_naming_cancel(r->naming);
    if (r->lookup != NULL)
        gh_resolve_cancel(r->lookup);
    if (r->dial != NULL)
        gh_sock_dial_cancel(r->dial);
    r->lookup = NULL;
    r->dial = NULL;
    r->agent.task = NULL;
    if (task != NULL)
        ge_task_cancel(task, 0);
    gh_agent_fini(&r->agent);
    if (r->stack != NULL)
        ge_stack_free(r->stack, 0);
    r->stack = NULL;
    ge_flow_unref(r->ge);
    r->ge = NULL;
    for (unsigned i = 0; i < GH_ROUTE_NODES; i++) /* at last: others go on with it now */
        if (own[i] != NULL)
            gh_carrier_failed(own[i]);
}

/* The session that brings a bound route's streams goes on as long as they do. */
static void keep_session(struct gh_route *r)
{
    struct ge_stack *session = r->agent.task != NULL ? ge_task_take(r->agent.task, 0) : NULL;

    if (session != NULL)
        ge_stack_linger(session);
}

void gh_route_cancel(struct gh_route *r)
{
    if (r == NULL)
        return;
    *r->slot = NULL;
    if (r->bound)
        keep_session(r);
    ge_timer_stop(r->engine, &r->timer);
    drop(r);
    free(r->resolved);
    free(r);
}

static void finish(struct gh_route *r, int status, const char *text)
{
    struct gh_arrival a = {.status = status, .text = text, .local = r->local, .remote = r->remote};
    void (*done)(void *arg, struct gh_arrival *a) = r->spec.done;
    void *arg = r->spec.arg;

    a.stack = status == 0 ? r->stack : NULL;
    if (a.stack != NULL)
        r->stack = NULL;
    *r->slot = NULL;
    ge_timer_stop(r->engine, &r->timer);
    drop(r);
    free(r->resolved);
    free(r);
    done(arg, &a);
}

/* ---- binds ---- */

static struct gh_route *route_of(struct gh_agent *agent)
{
    return (struct gh_route *)((char *)agent - offsetof(struct gh_route, agent));
}

void gh_route_bound(struct gh_agent *agent, const struct gost_addr *addr)
{
    struct gh_route *r = route_of(agent);
    struct gh_arrival a = {.local = *addr};

    r->local = *addr;
    if (r->spec.verb != GE_BIND || r->at + 1 < r->path.n || r->bound || gh_route_bind_associates(r))
        return;
    r->bound = true;
    ge_timer_stop(r->engine, &r->timer);
    gh_flow_note_target(r->spec.flow, &r->spec.target, &r->path);
    free(r->spec.flow->reason);
    r->spec.flow->reason = NULL;
    r->spec.done(r->spec.arg, &a);
}

void gh_route_accepted(struct gh_agent *agent, struct ge_stack *stack, const struct gost_addr *peer)
{
    struct gh_route *r = route_of(agent);

    if (r->bound)
        r->spec.accepted(r->spec.arg, stack, peer);
    else
        ge_stack_free(stack, 1);
}

void gh_route_unbound(struct gh_route *r, int status, const char *text)
{
    void (*ended)(void *arg, int status, const char *text) = r->spec.ended;
    void *arg = r->spec.arg;
    char why[700];

    snprintf(why, sizeof why, "%s", text);
    *r->slot = NULL;
    drop(r);
    free(r->resolved);
    free(r);
    ended(arg, status, why);
}

/* "while waiting for the socks5 reply from hop-0/node-1 over tls" */
static void describe(const struct gh_route *r, const char *text, char *buf, size_t size)
{
    const struct gh_node *node = gh_route_node(r);
    const char *phase = r->ge != NULL && r->ge->phase != NULL ? r->ge->phase : r->phase;
    char reply[64];

    if (node != NULL && r->agent.task != NULL && phase == r->phase) {
        snprintf(reply, sizeof reply, "the %.40s reply", node->connector->name);
        phase = reply;
    }
    if (node == NULL)
        snprintf(buf, size, "%s", text);
    else
        snprintf(buf, size, "%s, while waiting for %s from %s (%s) over %s", text, phase,
                 node->label, node->addr_text, node->dialer.type);
}

static bool may_retry(int status)
{
    return status != GOST_EDENIED && status != GOST_EUNSUPPORTED && status != GOST_ENOMEM;
}

void gh_route_fail(struct gh_route *r, int status, const char *text)
{
    char why[700];

    describe(r, text, why, sizeof why);
    gh_flow_note_failure(r->spec.flow, why);
    gh_flow_log(NULL, r->spec.flow->ge, GOST_LOG_DEBUG, why);
    drop(r);
    if (may_retry(status) && r->attempt < r->spec.retries) {
        r->attempt++;
        attempt(r);
        return;
    }
    finish(r, status, why);
}

/* The connection to the node itself failed, not what it was asked for. */
void gh_route_fail_node(struct gh_route *r, const struct gh_node *node, int status,
                        const char *text)
{
    gh_mark_failed(node->choice.mark, ge_now(r->engine));
    gh_route_fail(r, status, text);
}

/* What the engine recorded of this attempt, or a text of ours. */
const char *gh_route_recorded(const struct gh_route *r, const char *otherwise)
{
    return r->ge->error != NULL ? r->ge->error : otherwise;
}

static void late(struct ge_timer *t)
{
    struct gh_route *r = (struct gh_route *)((char *)t - offsetof(struct gh_route, timer));
    const struct gh_node *node = gh_route_node(r);
    char text[96];

    snprintf(text, sizeof text, "no answer within %u s", (unsigned)(r->spec.timeout_ns / GOST_S));
    gh_carrier_suspect(r->spec.flow->worker, r->used, r->opened_at);
    /* The last node may be waiting for a slow target: that is not its fault. */
    if (node != NULL && (r->agent.task == NULL || r->at + 1 < r->path.n))
        gh_mark_failed(node->choice.mark, ge_now(r->engine));
    gh_route_fail(r, GOST_ETIMEDOUT, text);
}

static void note_target(const struct gh_route *r)
{
    gh_flow_note_target(r->spec.flow, r->spec.asked != NULL ? r->spec.asked : &r->spec.target,
                        &r->path);
}

void gh_route_arrive(struct gh_route *r)
{
    note_target(r);
    free(r->spec.flow->reason);
    r->spec.flow->reason = NULL;
    finish(r, 0, NULL);
}

/* ---- the first connection ---- */

static void dialed(void *arg, int status, const char *text, struct ge_stack *stack,
                   const struct gost_addr *local, const struct gost_addr *remote)
{
    struct gh_route *r = arg;
    const struct gh_node *node = gh_route_node(r);
    const void *conf;

    r->dial = NULL;
    if (status != 0 && node != NULL) {
        gh_route_fail_node(r, node, status, text);
        return;
    }
    if (status != 0) {
        gh_route_fail(r, status, text);
        return;
    }
    r->stack = stack;
    r->local = *local;
    r->remote = *remote;
    r->ge->local = *local;
    r->ge->remote = *remote;
    if (node != NULL && gh_stackdef_keyed(&node->dialer, &conf) != NULL)
        gh_sock_no_fragments(stack);
    if (node != NULL)
        gh_route_enter(r);
    else
        gh_route_arrive(r);
}

static const struct gh_sockopt *direct_opt(const struct gh_route *r)
{
    return r->spec.opt != NULL ? r->spec.opt : &r->spec.flow->service->direct;
}

/* The transport, network and options of the first connection. */
static const struct gh_stack_part *first_transport(const struct gh_route *r, uint32_t *ret_network,
                                                   const struct gh_sockopt **ret_opt)
{
    const struct gh_node *node = gh_route_node(r);
    const struct gh_service *s = r->spec.flow->service;

    if (node == NULL) {
        *ret_network = r->spec.network;
        *ret_opt = direct_opt(r);
        return r->spec.network == GOST_NET_UNIX ? &s->generation->direct_unix
                                                : &s->generation->direct_tcp;
    }
    *ret_opt = &node->sockopt;
    *ret_network = node->addr.family == GOST_AF_UNIX      ? GOST_NET_UNIX
                   : node->dialer.bottom == GOST_DATAGRAM ? GOST_NET_UDP
                                                          : GOST_NET_TCP;
    return &node->dialer.transport;
}

static void dial_packets(struct gh_route *r, const struct gost_addr *peer)
{
    static const struct gost_addr any;
    char text[256] = "";
    int status = gh_sock_packets(r->spec.flow->worker, r->ge, &any, peer, 0, 0, direct_opt(r),
                                 &r->stack, &r->local, text, sizeof text);

    if (status != 0) {
        gh_route_fail(r, status, text);
        return;
    }
    if (peer != NULL)
        r->remote = *peer;
    gh_route_arrive(r);
}

static void dial(struct gh_route *r, const struct gost_addr *addrs, unsigned n)
{
    uint32_t network;
    const struct gh_sockopt *opt;
    const struct gh_stack_part *t;

    if (gh_route_node(r) == NULL && r->spec.network == GOST_NET_UDP) {
        dial_packets(r, &addrs[0]);
        return;
    }
    t = first_transport(r, &network, &opt);
    if (t->component == NULL) {
        gh_route_fail(r, GOST_EUNSUPPORTED, "no plugin provides the transport of this network");
        return;
    }
    r->phase = "the connection";
    r->dial = gh_sock_dial(r->spec.flow->worker, r->ge, t->component, t->conf, network, addrs, n,
                           opt, r->timer.at, dialed, r);
    if (r->dial == NULL)
        gh_route_fail(r, GOST_ENOMEM, "out of memory");
}

static void looked_up(void *arg, int status, const char *text, const struct gost_addr *v,
                      unsigned n)
{
    struct gh_route *r = arg;
    const struct gh_node *node = gh_route_node(r);

    r->lookup = NULL;
    if (status == 0 && n > 0)
        dial(r, v, n);
    else if (node != NULL)
        gh_route_fail_node(r, node, GOST_ERESOLVE, text);
    else
        gh_route_fail(r, GOST_ERESOLVE, text);
}

static void reach(struct gh_route *r, const struct gost_addr *addr)
{
    if (addr->family == GOST_AF_NAME) {
        r->phase = "its name to be looked up";
        r->lookup = gh_resolve(r->spec.flow->worker, addr->name, addr->port, 0, looked_up, r);
        if (r->lookup == NULL)
            gh_route_fail(r, GOST_ENOMEM, "out of memory");
    } else if (addr->family == GOST_AF_NONE && gh_route_node(r) == NULL) {
        gh_route_fail(r, GOST_EUNREACHABLE, "there is no address to connect to");
    } else {
        dial(r, addr, 1);
    }
}

/* ---- attempts ---- */

void gh_route_choose(struct gh_service *service, const struct gh_pick *pick,
                     struct gh_path *ret_path)
{
    gh_chain_path(&service->chains, pick, ret_path);
}

static void choose(struct gh_route *r)
{
    const struct gh_flow *f = r->spec.flow;
    struct gh_chain_group *chains = r->spec.chains != NULL ? r->spec.chains : &f->service->chains;
    struct gh_pick pick = {.now = ge_now(r->engine),
                           .network = r->spec.network,
                           .target = &r->spec.target,
                           .client = &f->ge->source,
                           .user = f->ge->user != NULL ? f->ge->user : "",
                           .hash_target = f->service->hash_target};

    memset(&r->path, 0, sizeof r->path);
    if (r->spec.fixed != NULL) {
        r->path = *r->spec.fixed;
        r->path.n = r->spec.n_fixed;
    } else if (!r->spec.direct) {
        gh_chain_path(chains, &pick, &r->path);
    }
}

/* A record of its own: what the node's TLS says is not what the client's says. */
static bool new_record(struct gh_route *r)
{
    const struct ge_flow *from = r->spec.flow->ge;

    r->ge = ge_flow_new(r->engine);
    if (r->ge == NULL)
        return false;
    r->ge->id = from->id;
    r->ge->network = r->spec.network;
    r->ge->service = r->spec.flow->service->name;
    r->ge->user = from->user != NULL ? strdup(from->user) : NULL;
    r->ge->source = from->source;
    r->ge->destination = from->destination;
    r->ge->original = from->original;
    return true;
}

/* ---- names of nodes ---- */

const struct gost_addr *gh_route_addr(const struct gh_route *r, unsigned i)
{
    return r->resolved != NULL && r->resolved[i].family != GOST_AF_NONE ? &r->resolved[i]
                                                                        : &r->path.node[i]->addr;
}

static void node_named(void *arg, int status, const char *text, const struct gost_addr *v,
                       unsigned n)
{
    struct gh_route *r = arg;

    if (n == 0) {
        gh_route_fail_node(r, r->path.node[r->naming_at], status != 0 ? status : GOST_ERESOLVE,
                           text != NULL ? text : "the name of the node does not exist");
        return;
    }
    if (r->resolved == NULL)
        r->resolved = calloc(GH_ROUTE_NODES, sizeof *r->resolved);
    if (r->resolved == NULL) {
        gh_route_fail(r, GOST_ENOMEM, "out of memory");
        return;
    }
    r->resolved[r->naming_at] = v[0];
    name_nodes(r, r->naming_at + 1);
}

/* Asks the hosts and the resolver of each node from `i` on, then connects. */
static void name_nodes(struct gh_route *r, unsigned i)
{
    struct gost_a_addrs found;

    for (; i < r->path.n; i++) {
        const struct gh_node *node = r->path.node[i];

        r->naming_at = i;
        r->phase = "its name to be looked up";
        switch (gh_naming_ask(&r->naming, &node->naming, &node->addr, 0, &found, node_named, r)) {
        case GH_NAMING_WAIT:
            return;
        case GH_NAMING_DONE:
            node_named(r, 0, NULL, found.addr, found.n);
            return;
        default:
            break;
        }
    }
    connect_first(r);
}

static void begin(struct gh_route *r)
{
    r->at = 0;
    if (!new_record(r)) {
        finish(r, GOST_ENOMEM, "out of memory");
        return;
    }
    name_nodes(r, 0);
}

static void connect_first(struct gh_route *r)
{
    if (gh_route_reuse(r))
        return;
    r->at = 0;
    if (r->path.n != 0)
        reach(r, gh_route_addr(r, 0));
    else if (r->spec.verb == GE_ASSOCIATE)
        dial_packets(r, NULL);
    else if (r->spec.verb == GE_BIND)
        gh_route_fail(r, GOST_ENOROUTE, "the chain has no node that could listen");
    else
        reach(r, &r->spec.target);
}

static void attempt(struct gh_route *r)
{
    r->phase = "the connection";
    free(r->resolved);
    r->resolved = NULL;
    choose(r);
    note_target(r);
    r->renewed = false;
    ge_timer_stop(r->engine, &r->timer);
    r->timer.fire = late;
    r->timer.at = UINT64_MAX;
    if (r->spec.timeout_ns != 0)
        ge_timer_start(r->engine, &r->timer, ge_now(r->engine) + r->spec.timeout_ns);
    begin(r);
}

void gh_route_again(struct gh_route *r)
{
    drop(r);
    begin(r);
}

void gh_route_look_again(struct gh_route *r)
{
    ge_flow_unref(r->ge);
    r->ge = NULL;
    begin(r);
}

void gh_route_start(struct gh_route **slot, const struct gh_route_spec *spec)
{
    struct gh_route *r = calloc(1, sizeof *r);
    struct gh_arrival a = {.status = GOST_ENOMEM, .text = "out of memory"};

    *slot = r;
    if (r == NULL) {
        spec->done(spec->arg, &a);
        return;
    }
    r->slot = slot;
    r->spec = *spec;
    r->engine = gh_worker_engine(spec->flow->worker);
    attempt(r);
}
