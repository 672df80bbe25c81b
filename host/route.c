/* route.c - getting to a target: directly, or through the nodes of a chain. */
/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "confbuild.h"
#include "log.h"

/*
 * One attempt goes through these states; a failure in any of them ends the attempt, and a deadline of
 * its own runs over all of them. What is under way is in exactly one of lookup, dial, stack (layers
 * in their handshake) and agent.task (a connector).
 */
struct gh_route {
    struct gh_route **slot;
    struct gh_route_spec spec;
    struct ge_worker *engine;
    struct gh_path path;
    unsigned at;         /* the node on whose connection we are */
    unsigned attempt;
    struct ge_flow *ge;  /* the record of this attempt's connection */
    struct ge_timer timer;
    struct gh_lookup *lookup;
    struct gh_dial *dial;
    struct ge_stack *stack;
    struct gh_agent agent;
    struct gost_addr local, remote;
    const char *phase;   /* literal */
};

static void attempt(struct gh_route *r);
static void fail(struct gh_route *r, int status, const char *text);

static const struct gh_node *node_at(const struct gh_route *r)
{
    return r->at < r->path.n ? r->path.node[r->at] : NULL;
}

/* ---- ends ---- */

/* Drops what an attempt has under way. */
static void drop(struct gh_route *r)
{
    struct ge_task *task = r->agent.task;

    ge_timer_stop(r->engine, &r->timer);
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
}

void gh_route_cancel(struct gh_route *r)
{
    if (r == NULL)
        return;
    *r->slot = NULL;
    drop(r);
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
    drop(r);
    free(r);
    done(arg, &a);
}

/* "while waiting for the socks5 reply from hop-0/node-1 over tls" */
static void describe(const struct gh_route *r, const char *text, char *buf, size_t size)
{
    const struct gh_node *node = node_at(r);
    const char *phase = r->ge != NULL && r->ge->phase != NULL ? r->ge->phase : r->phase;

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

static void fail(struct gh_route *r, int status, const char *text)
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
static void fail_node(struct gh_route *r, const struct gh_node *node, int status, const char *text)
{
    gh_mark_failed(node->choice.mark, ge_now(r->engine));
    fail(r, status, text);
}

/* What the engine recorded of this attempt, or a text of ours. */
static const char *recorded(const struct gh_route *r, const char *otherwise)
{
    return r->ge->error != NULL ? r->ge->error : otherwise;
}

static void late(struct ge_timer *t)
{
    struct gh_route *r = (struct gh_route *)((char *)t - offsetof(struct gh_route, timer));
    const struct gh_node *node = node_at(r);
    char text[96];

    snprintf(text, sizeof text, "no answer within %u s",
             (unsigned)(r->spec.timeout_ns / GOST_S));
    /* The last node may be waiting for a slow target: that is not its fault. */
    if (node != NULL && (r->agent.task == NULL || r->at + 1 < r->path.n))
        gh_mark_failed(node->choice.mark, ge_now(r->engine));
    fail(r, GOST_ETIMEDOUT, text);
}

static void arrive(struct gh_route *r)
{
    gh_flow_note_target(r->spec.flow, &r->spec.target, &r->path);
    free(r->spec.flow->reason);
    r->spec.flow->reason = NULL;
    finish(r, 0, NULL);
}

/* ---- connectors ---- */

static void push_layers(struct gh_route *r);

/* What the connector at `at` is to reach: the next node, or the target. */
static void next_target(const struct gh_route *r, struct gost_target *ret_target, uint32_t *ret_verb)
{
    memset(ret_target, 0, sizeof *ret_target);
    ret_target->size = sizeof *ret_target;
    if (r->at + 1 < r->path.n) {
        const struct gh_node *next = r->path.node[r->at + 1];

        ret_target->network =
            next->dialer.bottom == GOST_DATAGRAM ? GOST_NET_UDP : GOST_NET_TCP;
        ret_target->addr = next->addr;
        *ret_verb = GE_CONNECT;
    } else {
        ret_target->network = r->spec.network;
        ret_target->addr = r->spec.target;
        *ret_verb = r->spec.verb;
    }
}

static void connected(struct ge_task *task, void *ctx, int status)
{
    struct gh_agent *agent = ctx;
    struct gh_route *r = (struct gh_route *)((char *)agent - offsetof(struct gh_route, agent));
    uint32_t port = ge_task_result_port(task);
    bool last = r->at + 1 >= r->path.n;

    agent->task = NULL; /* the engine frees it */
    if (status != 0 && last) {
        fail(r, status, recorded(r, "the connector failed"));
        return;
    }
    if (status != 0) {
        fail_node(r, r->path.node[r->at + 1], status, recorded(r, "the connector failed"));
        return;
    }
    r->stack = ge_task_take(task, port);
    if (port != 0 && ge_task_port(task, 0) != NULL)
        gh_flow_keep(r->spec.flow, ge_task_take(task, 0));
    gh_agent_fini(agent);
    if (r->stack == NULL) {
        fail(r, GOST_EINTERNAL, "the connector gave no connection");
    } else if (last) {
        arrive(r);
    } else {
        r->at++;
        push_layers(r);
    }
}

/* Whether the connector has what is asked of it. */
static bool can_ask(const struct gost_component *c, uint32_t verb, uint32_t network)
{
    const struct gost_connector_ops *ops = c->ops;
    uint32_t networks = ops->networks ? ops->networks : 1u << GOST_NET_TCP;

    if (verb == GE_ASSOCIATE)
        return ops->associate != NULL;
    return network == GOST_NET_TCP || (networks & 1u << network) != 0;
}

static void ask_connector(struct gh_route *r)
{
    const struct gh_node *node = node_at(r);
    struct gost_target target;
    struct ge_task_spec spec = {.component = node->connector,
                                .conf = node->connector_conf,
                                .flow = r->ge,
                                .ctx = &r->agent,
                                .target = &target,
                                .node = node->label,
                                .done = connected};
    struct ge_stack *stack = r->stack;
    char text[200];

    next_target(r, &target, &spec.verb);
    r->phase = "the connector's reply";
    if (!can_ask(node->connector, spec.verb, target.network)) {
        snprintf(text, sizeof text, "the connector %.40s cannot carry %s", node->connector->name,
                 target.network == GOST_NET_UDP ? "datagrams" : "this network");
        fail(r, GOST_EUNSUPPORTED, text);
        return;
    }
    r->agent.flow = r->spec.flow;
    r->agent.set = node->connector_set;
    r->agent.below = &r->path;
    r->agent.n_below = r->at;
    r->stack = NULL;
    r->agent.task = ge_task_new(&spec, stack);
    if (r->agent.task == NULL) {
        ge_stack_free(stack, 1);
        fail(r, GOST_ENOMEM, "out of memory");
    }
}

/* ---- the layers of a node ---- */

static void layers_ready(struct ge_stack *stack, void *arg, int status)
{
    struct gh_route *r = arg;
    const struct gh_node *node = node_at(r);

    if (status != 0) {
        fail_node(r, node, status, recorded(r, "the handshake failed"));
        return;
    }
    gh_mark_worked(node->choice.mark);
    ask_connector(r);
}

static void push_layers(struct gh_route *r)
{
    const struct gh_node *node = node_at(r);
    struct gost_target target = {.size = sizeof target, .network = GOST_NET_TCP, .addr = node->addr};
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(&node->addr, host, sizeof host);
    int status;

    r->phase = "the handshake";
    if (gh_stackdef_has_session(&node->dialer)) {
        fail(r, GOST_EUNSUPPORTED, "multiplexed sessions cannot be dialed");
        return;
    }
    if (gh_stackdef_count(&node->dialer, GH_CARRIER) == 0) {
        gh_mark_worked(node->choice.mark);
        ask_connector(r);
        return;
    }
    status = gh_stackdef_push(&node->dialer, GH_CARRIER, r->stack, GOST_CLIENT, &target,
                              gost_bytes(host, n), node->label);
    if (status != GOST_OK)
        fail(r, status, "the dialer's layers could not be put together");
    else
        ge_stack_on_ready(r->stack, layers_ready, r);
}

/* ---- the first connection ---- */

static void dialed(void *arg, int status, const char *text, struct ge_stack *stack,
                   const struct gost_addr *local, const struct gost_addr *remote)
{
    struct gh_route *r = arg;
    const struct gh_node *node = node_at(r);

    r->dial = NULL;
    if (status != 0 && node != NULL) {
        fail_node(r, node, status, text);
        return;
    }
    if (status != 0) {
        fail(r, status, text);
        return;
    }
    r->stack = stack;
    r->local = *local;
    r->remote = *remote;
    if (node != NULL)
        push_layers(r);
    else
        arrive(r);
}

/* The transport, network and options of the first connection. */
static const struct gh_stack_part *first_transport(const struct gh_route *r, uint32_t *ret_network,
                                                   const struct gh_sockopt **ret_opt)
{
    const struct gh_node *node = node_at(r);
    const struct gh_service *s = r->spec.flow->service;

    if (node == NULL) {
        *ret_network = r->spec.network;
        *ret_opt = &s->direct;
        return r->spec.network == GOST_NET_UNIX ? &s->generation->direct_unix
                                                : &s->generation->direct_tcp;
    }
    *ret_opt = &node->sockopt;
    *ret_network = node->addr.family == GOST_AF_UNIX       ? GOST_NET_UNIX
                   : node->dialer.bottom == GOST_DATAGRAM ? GOST_NET_UDP
                                                           : GOST_NET_TCP;
    return &node->dialer.transport;
}

static void dial_packets(struct gh_route *r, const struct gost_addr *peer)
{
    static const struct gost_addr any;
    char text[256] = "";
    int status = gh_sock_packets(r->spec.flow->worker, r->ge, &any, peer, 0, 0,
                                 &r->spec.flow->service->direct, &r->stack, &r->local, text,
                                 sizeof text);

    if (status != 0) {
        fail(r, status, text);
        return;
    }
    if (peer != NULL)
        r->remote = *peer;
    arrive(r);
}

static void dial(struct gh_route *r, const struct gost_addr *addrs, unsigned n)
{
    uint32_t network;
    const struct gh_sockopt *opt;
    const struct gh_stack_part *t;

    if (node_at(r) == NULL && r->spec.network == GOST_NET_UDP) {
        dial_packets(r, &addrs[0]);
        return;
    }
    t = first_transport(r, &network, &opt);
    if (t->component == NULL) {
        fail(r, GOST_EUNSUPPORTED, "no plugin provides the transport of this network");
        return;
    }
    r->phase = "the connection";
    r->dial = gh_sock_dial(r->spec.flow->worker, r->ge, t->component, t->conf, network, addrs, n,
                           opt, r->timer.at, dialed, r);
    if (r->dial == NULL)
        fail(r, GOST_ENOMEM, "out of memory");
}

static void looked_up(void *arg, int status, const char *text, const struct gost_addr *v,
                      unsigned n)
{
    struct gh_route *r = arg;
    const struct gh_node *node = node_at(r);

    r->lookup = NULL;
    if (status == 0 && n > 0)
        dial(r, v, n);
    else if (node != NULL)
        fail_node(r, node, GOST_ERESOLVE, text);
    else
        fail(r, GOST_ERESOLVE, text);
}

static void reach(struct gh_route *r, const struct gost_addr *addr)
{
    if (addr->family == GOST_AF_NAME) {
        r->phase = "its name to be looked up";
        r->lookup = gh_resolve(r->spec.flow->worker, addr->name, addr->port, 0, looked_up, r);
        if (r->lookup == NULL)
            fail(r, GOST_ENOMEM, "out of memory");
    } else if (addr->family == GOST_AF_NONE) {
        fail(r, GOST_EUNREACHABLE, "there is no address to connect to");
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
        gh_route_choose(f->service, &pick, &r->path);
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

static void attempt(struct gh_route *r)
{
    r->at = 0;
    r->phase = "the connection";
    choose(r);
    gh_flow_note_target(r->spec.flow, &r->spec.target, &r->path);
    if (!new_record(r)) {
        finish(r, GOST_ENOMEM, "out of memory");
        return;
    }
    r->timer.fire = late;
    r->timer.at = UINT64_MAX;
    if (r->spec.timeout_ns != 0)
        ge_timer_start(r->engine, &r->timer, ge_now(r->engine) + r->spec.timeout_ns);
    if (r->path.n != 0)
        reach(r, &r->path.node[0]->addr);
    else if (r->spec.verb == GE_ASSOCIATE)
        dial_packets(r, NULL);
    else
        reach(r, &r->spec.target);
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
