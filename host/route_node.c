/* route_node.c - the part of a route through a node: layers, sessions, the connector. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "gather.h"
#include "pin.h"
#include "route_private.h"

/* ---- connectors ---- */

bool gh_route_bind_associates(const struct gh_route *r)
{
    const struct gost_connector_ops *ops =
        r->at + 1 == r->path.n ? r->path.node[r->at]->connector->ops : NULL;

    return ops != NULL && r->spec.verb == GE_BIND && r->spec.network == GOST_NET_UDP &&
           !(ops->flags & GOST_CONNECTOR_BIND_PACKETS);
}

/* What the connector at `at` is to reach: the next node, or the target. */
static void next_target(const struct gh_route *r, struct gost_target *ret_target,
                        uint32_t *ret_verb)
{
    memset(ret_target, 0, sizeof *ret_target);
    ret_target->size = sizeof *ret_target;
    if (r->at + 1 < r->path.n) {
        const struct gh_node *next = r->path.node[r->at + 1];

        ret_target->network = next->dialer.bottom == GOST_DATAGRAM ? GOST_NET_UDP : GOST_NET_TCP;
        ret_target->addr = *gh_route_addr(r, r->at + 1);
        *ret_verb = GE_CONNECT;
    } else {
        ret_target->network = r->spec.network;
        ret_target->addr = r->spec.target;
        *ret_verb = gh_route_bind_associates(r) ? GE_ASSOCIATE : r->spec.verb;
    }
}

/* What only a peer that answers can tell. */
static bool is_answer(int status)
{
    return status == GOST_EAUTH || status == GOST_EDENIED || status == GOST_EREFUSED ||
           status == GOST_ERESOLVE || status == GOST_EUNREACHABLE || status == GOST_EPEER;
}

/* A session that was there before us may have died unnoticed: it is replaced once. True: it is. */
static bool renew(struct gh_route *r, int status)
{
    if (status == 0 || is_answer(status) || !r->reused || r->renewed ||
        gh_carrier_usable(r->spec.flow->worker, r->used))
        return false;
    r->renewed = true;
    gh_route_again(r);
    return true;
}

static const struct gost_addr *pinned_to(const struct gh_route *r)
{
    return r->at + 1 < r->path.n ? gh_route_addr(r, r->at + 1) : &r->spec.target;
}

static void connected(struct ge_task *task, void *ctx, int status)
{
    struct gh_agent *agent = ctx;
    struct gh_route *r = (struct gh_route *)((char *)agent - offsetof(struct gh_route, agent));
    uint32_t port = ge_task_result_port(task);
    bool last = r->at + 1 >= r->path.n;

    agent->task = NULL; /* the engine frees it */
    if (r->bound) {
        gh_route_unbound(r, status,
                         status != 0 ? gh_route_recorded(r, "the bind ended")
                                     : "it gave all it could");
        return;
    }
    if (status == 0 && last && r->spec.verb == GE_BIND && !gh_route_bind_associates(r))
        status = GOST_EPEER;
    if (renew(r, status))
        return;
    if (status != 0 && last) {
        gh_route_fail(r, status, gh_route_recorded(r, "the connector failed"));
        return;
    }
    if (status != 0) {
        gh_route_fail_node(r, r->path.node[r->at + 1], status,
                           gh_route_recorded(r, "the connector failed"));
        return;
    }
    r->stack = ge_task_take(task, port);
    if (port != 0 && ge_task_port(task, 0) != NULL)
        gh_flow_keep(r->spec.flow, ge_task_take(task, 0));
    gh_agent_fini(agent);
    if (r->stack == NULL) {
        gh_route_fail(r, GOST_EINTERNAL, "the connector gave no connection");
    } else if (r->pinned && gh_pin_push(r->stack, pinned_to(r)) != GOST_OK) {
        gh_route_fail(r, GOST_ENOMEM, "out of memory");
    } else if (last) {
        gh_route_arrive(r);
    } else {
        r->at++;
        gh_route_enter(r);
    }
}

/* Whether the connector has what is asked of it. */
static bool can_ask(const struct gost_component *c, uint32_t verb, uint32_t network)
{
    const struct gost_connector_ops *ops = c->ops;
    uint32_t networks = ops->networks ? ops->networks : 1u << GOST_NET_TCP;

    if (verb == GE_ASSOCIATE)
        return ops->associate != NULL;
    if (verb == GE_BIND)
        return ops->bind != NULL;
    return network == GOST_NET_TCP || (networks & 1u << network) != 0;
}

static void ask_connector(struct gh_route *r)
{
    const struct gh_node *node = gh_route_node(r);
    const struct gost_connector_ops *ops = node->connector->ops;
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
    r->pinned = target.network == GOST_NET_UDP && spec.verb == GE_CONNECT &&
                !(ops->flags & GOST_CONNECTOR_PASS);
    if (r->pinned && !can_ask(node->connector, GE_CONNECT, GOST_NET_UDP))
        spec.verb = GE_ASSOCIATE;
    if (!can_ask(node->connector, spec.verb, target.network)) {
        snprintf(text, sizeof text, "the connector %.40s cannot %s", node->connector->name,
                 spec.verb == GE_BIND             ? "listen"
                 : target.network == GOST_NET_UDP ? "carry datagrams"
                                                  : "carry this network");
        gh_route_fail(r, GOST_EUNSUPPORTED, text);
        return;
    }
    r->agent.flow = r->spec.flow;
    r->agent.set = node->connector_set;
    r->agent.below = &r->path;
    r->agent.n_below = r->at;
    r->agent.opt = &node->sockopt;
    r->stack = NULL;
    r->agent.task = ge_task_new(&spec, stack);
    if (r->agent.task == NULL) {
        ge_stack_free(stack, 1);
        gh_route_fail(r, GOST_ENOMEM, "out of memory");
    }
}

/* ---- sessions ---- */

static void layers_ready(struct ge_stack *stack, void *arg, int status);

static int push(struct gh_route *r, enum gh_stack_section section)
{
    const struct gh_node *node = gh_route_node(r);
    struct gost_target target = {
        .size = sizeof target, .network = GOST_NET_TCP, .addr = node->addr};
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(&node->addr, host, sizeof host);

    return gh_stackdef_push(&node->dialer, section, r->stack, GOST_CLIENT, &target,
                            gost_bytes(host, n), node->label);
}

/* One stream of the session is what the node's connector speaks on. */
static void use_stream(struct gh_route *r, int status)
{
    if (status == GOST_OK)
        status = push(r, GH_STREAMS);
    if (status != GOST_OK)
        gh_route_fail_node(r, gh_route_node(r), status < 0 ? status : GOST_ELIMIT,
                           "the session gives no stream");
    else
        ge_stack_on_ready(r->stack, layers_ready, r);
}

static void reuse(struct gh_route *r, struct gh_carrier *c)
{
    int status;

    r->reused = true;
    r->used = gh_carrier_id(c);
    r->opened_at = ge_now(r->engine);
    status = gh_carrier_open(c, r->ge, &r->stack);
    if (status == GOST_FULL || status == GOST_ECLOSED)
        gh_route_again(r); /* the pool offers that one no more */
    else
        use_stream(r, status);
}

static void session_ready(struct ge_stack *stack, void *arg, int status)
{
    struct gh_route *r = arg;
    struct gh_carrier *c = r->own[r->at];

    if (renew(r, status))
        return;
    if (status != 0) {
        gh_route_fail_node(r, gh_route_node(r), status,
                           gh_route_recorded(r, "the handshake failed"));
        return;
    }
    if (c == NULL) {
        gh_route_fail(r, GOST_ENOMEM, "out of memory");
        return;
    }
    r->own[r->at] = NULL;
    r->stack = NULL;
    r->reused = false;
    r->used = gh_carrier_id(c);
    r->opened_at = ge_now(r->engine);
    use_stream(r, gh_carrier_ready(c, stack, r->ge, &r->stack));
}

/* The session that was waited for is there, or it failed. */
static void look_again(void *arg)
{
    gh_route_look_again(arg);
}

bool gh_route_reuse(struct gh_route *r)
{
    struct gh_worker *w = r->spec.flow->worker;

    r->wait.go = look_again;
    r->wait.arg = r;
    for (unsigned i = r->path.n; i-- > 0;) {
        struct gh_carrier *c = NULL;
        enum gh_carrier_state state;

        if (r->path.node[i]->dialer.gather != 0 && !(r->spec.exchange && i + 1 == r->path.n)) {
            r->at = i;
            gh_gather_begin(r);
            return true;
        }
        if (r->own[i] != NULL || !gh_stackdef_has_session(&r->path.node[i]->dialer))
            continue;
        state = gh_carrier_find(w, &r->path, i + 1, &c, &r->wait);
        r->at = i;
        if (state == GH_CARRIER_WAIT) {
            r->phase = "the session";
            return true;
        }
        if (state == GH_CARRIER_READY) {
            reuse(r, c);
            return true;
        }
        r->own[i] = gh_carrier_begin(w, r->spec.flow->service, &r->path, i + 1);
    }
    return false;
}

/* ---- the layers of a node ---- */

static void layers_ready(struct ge_stack *stack, void *arg, int status)
{
    struct gh_route *r = arg;
    const struct gh_node *node = gh_route_node(r);

    if (renew(r, status))
        return;
    if (status != 0) {
        gh_route_fail_node(r, node, status, gh_route_recorded(r, "the handshake failed"));
        return;
    }
    gh_mark_worked(node->choice.mark);
    if (r->spec.exchange && r->at + 1 == r->path.n)
        gh_route_arrive(r);
    else
        ask_connector(r);
}

void gh_route_gathered(struct gh_route *r)
{
    int status = push(r, GH_GATHERED);

    r->gather = NULL;
    r->phase = "the handshake";
    if (status != GOST_OK)
        gh_route_fail(r, status, "the dialer's layers could not be put together");
    else
        ge_stack_on_ready(r->stack, layers_ready, r);
}

void gh_route_enter(struct gh_route *r)
{
    const struct gh_node *node = gh_route_node(r);
    bool session = gh_stackdef_has_session(&node->dialer);
    int status;

    r->phase = "the handshake";
    if (gh_stackdef_count(&node->dialer, GH_CARRIER) == 0) {
        gh_mark_worked(node->choice.mark);
        ask_connector(r);
        return;
    }
    status = push(r, GH_CARRIER);
    if (status != GOST_OK)
        gh_route_fail(r, status, "the dialer's layers could not be put together");
    else
        ge_stack_on_ready(r->stack, session ? session_ready : layers_ready, r);
}
