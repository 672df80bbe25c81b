/* action_open.c - DIAL, ASSOCIATE, BIND and ACCEPT. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "bind.h"
#include "endpoint.h"
#include "gather.h"
#include "pin.h"

static const struct gost_addr none;

/* Packets for anybody: the bypass is asked about each of them. */
static int guard(const struct gh_agent *agent, struct ge_stack *stack)
{
    const struct gh_service *s = agent->flow->service;

    if (gh_agent_is_connector(agent) || s->bypasses.n == 0)
        return GOST_OK;
    return gh_guard_push(stack, s);
}

/* ---- dials ---- */

static void routed(void *arg, struct gh_arrival *a)
{
    struct gh_act *act = arg;
    uint64_t now = ge_now(ge_task_flow(act->agent->task)->worker);

    if (act->node != NULL && a->status != 0)
        gh_mark_failed(act->node->choice.mark, now);
    else if (act->node != NULL)
        gh_mark_worked(act->node->choice.mark);
    if (act->dial != NULL && a->status != 0)
        gh_record_host(act->agent->flow, GH_RECORD_DIAL_ERROR, &act->dial->addr);
    else if (act->dial != NULL)
        gh_flow_note_upstream(act->agent->flow, &a->local, &a->remote);
    if (a->status != 0)
        gh_act_result(act, a->status, a->text, NULL, 0);
    else if (act->kind != GOST_ACT_DIAL && guard(act->agent, a->stack) != GOST_OK) {
        ge_stack_free(a->stack, 0);
        gh_act_result(act, GOST_ENOMEM, "out of memory", NULL, 0);
    } else
        gh_act_opened(act, a->stack, &a->local, &a->remote);
}

static bool denied(const struct gh_agent *agent, const struct gost_act_dial *a)
{
    const struct gh_flow *f = agent->flow;
    struct gost_q_target q = {.size = sizeof q,
                              .network = a->network,
                              .addr = &a->addr,
                              .client = &f->ge->source,
                              .user = gost_bytes_str(f->ge->user)};

    if (gh_agent_is_connector(agent) || (a->flags & GOST_DIAL_NO_POLICY))
        return false;
    return a->addr.family != GOST_AF_NONE && gh_policy_bypass(&f->service->bypasses, &q);
}

/* The node that an id of SELECT stands for; ids come from plugins, so only known ones count. */
static const struct gh_node *find_node(const struct gh_service *s, struct gost_bytes id)
{
    const struct gh_node *node;

    if (id.n != sizeof node || s->targets == NULL)
        return NULL;
    memcpy(&node, id.p, sizeof node);
    for (unsigned i = 0; i < s->targets->n_nodes; i++)
        if (s->targets->nodes[i] == node)
            return node;
    return NULL;
}

static void go(struct gh_act *act, const struct gost_act_dial *a, const struct gost_addr *target,
               uint32_t verb)
{
    struct gh_agent *agent = act->agent;
    struct gh_service *s = agent->flow->service;
    struct gh_route_spec spec = {.flow = agent->flow,
                                 .verb = verb,
                                 .network = a->network,
                                 .target = *target,
                                 .asked = target != &a->addr ? &a->addr : NULL,
                                 .chains = gh_agent_chains(agent),
                                 .direct = (a->flags & GOST_DIAL_DIRECT) != 0,
                                 .timeout_ns = a->timeout_ns ? a->timeout_ns : s->dial_timeout,
                                 .done = routed};

    if (gh_agent_is_connector(agent)) {
        spec.fixed = agent->below;
        spec.n_fixed = agent->n_below;
        spec.opt = agent->opt;
    } else {
        spec.retries = s->retries;
    }
    act->node = find_node(s, a->node);
    spec.arg = act;
    gh_route_start(&act->route, &spec);
}

static void start(struct gh_agent *agent, const struct gost_act_dial *a, uint32_t verb)
{
    struct gh_act *act = gh_act_begin(agent, &a->head);

    if (act != NULL)
        go(act, a, &a->addr, verb);
}

static void named(void *arg, int status, const char *text, const struct gost_addr *v, unsigned n)
{
    struct gh_act *act = arg;

    if (n == 0) {
        static const struct gh_path none_yet;

        gh_flow_note_target(act->agent->flow, &act->dial->addr, &none_yet);
        gh_record_host(act->agent->flow, GH_RECORD_DIAL_ERROR, &act->dial->addr);
        gh_act_result(act, status != 0 ? status : GOST_ERESOLVE,
                      text != NULL ? text : "the name does not exist", NULL, 0);
        return;
    }
    go(act, act->dial, &v[0], GE_CONNECT);
}

/* The service's hosts and resolver, then the route. */
static void start_named(struct gh_agent *agent, const struct gost_act_dial *a)
{
    struct gh_act *act = gh_act_begin(agent, &a->head);
    struct gost_a_addrs found;

    if (act == NULL)
        return;
    act->dial = a; /* it lives until it is answered */
    gh_record_host(agent->flow, GH_RECORD_DIAL, &a->addr);
    switch (gh_naming_ask(&act->naming, &agent->flow->service->naming, &a->addr, 0, &found, named,
                          act)) {
    case GH_NAMING_WAIT:
        return;
    case GH_NAMING_DONE:
        named(act, 0, NULL, found.addr, found.n);
        return;
    default:
        go(act, a, &a->addr, GE_CONNECT);
    }
}

void gh_act_dial(struct gh_agent *agent, const struct gost_act_dial *a)
{
    if (a->network == GOST_NET_ENDPOINT)
        gh_act_visit(agent, a);
    else if (a->network == GOST_NET_BELOW && agent->gather != NULL)
        gh_gather_dial(agent, a);
    else if (a->network != GOST_NET_TCP && a->network != GOST_NET_UDP &&
             a->network != GOST_NET_UNIX)
        gh_act_refuse(agent, &a->head, GOST_EUNSUPPORTED, "this network cannot be dialed");
    else if (denied(agent, a))
        gh_act_refuse(agent, &a->head, GOST_EDENIED, "the service's bypass forbids this target");
    else if (gh_agent_is_connector(agent))
        start(agent, a, GE_CONNECT);
    else
        start_named(agent, a);
}

void gh_act_associate(struct gh_agent *agent, const struct gost_act_dial *a)
{
    struct gost_act_dial udp = *a;

    udp.network = GOST_NET_UDP;
    start(agent, &udp, GE_ASSOCIATE);
}

/* ---- listening ports ---- */

struct gh_chain_group *gh_agent_chains(const struct gh_agent *agent)
{
    struct gh_service *s = agent->flow->service;

    return agent->listens ? &s->listener_chains : &s->chains;
}

static void bind_packets(struct gh_agent *agent, const struct gost_act_bind *a)
{
    struct gh_flow *f = agent->flow;
    struct gost_addr addr = a->addr, local = none;
    struct ge_stack *stack = NULL;
    struct gh_act *act;
    char text[256] = "";
    int r;

    if (addr.family == GOST_AF_NONE && (a->flags & GOST_BIND_LOCAL)) {
        /* Where the client reaches us, it reaches this port too. */
        uint16_t port = addr.port;

        addr = f->ge->local;
        addr.port = port;
    }
    r = gh_sock_packets(f->worker, f->ge, &addr, NULL, a->port_min, a->port_max,
                        &f->service->direct, &stack, &local, text, sizeof text);
    if (r != GOST_OK) {
        gh_act_refuse(agent, &a->head, r, text);
        return;
    }
    /* A local port is for our own client: its address is no target. */
    if (!(a->flags & GOST_BIND_LOCAL) && guard(agent, stack) != GOST_OK) {
        ge_stack_free(stack, 0);
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    act = gh_act_begin(agent, &a->head);
    if (act != NULL)
        gh_act_opened(act, stack, &local, &none);
    else
        ge_stack_free(stack, 0);
}

void gh_act_bind(struct gh_agent *agent, const struct gost_act_bind *a)
{
    bool local = (a->flags & GOST_BIND_LOCAL) || gh_agent_is_connector(agent) ||
                 gh_agent_chains(agent)->n == 0;

    if (a->network == GOST_NET_UDP && !local && agent->listens) {
        gh_ear_open(agent, a, true);
    } else if (a->network == GOST_NET_UDP && !local) {
        struct gost_act_dial d = {.head = a->head, .network = GOST_NET_UDP, .addr = a->addr};

        start(agent, &d, GE_ASSOCIATE);
    } else if (a->network == GOST_NET_UDP) {
        bind_packets(agent, a);
    } else {
        gh_ear_open(agent, a, !local);
    }
}

void gh_act_accept(struct gh_agent *agent, const struct gost_act_accept *a)
{
    if (gh_endpoint_accepts(agent, a->from))
        gh_endpoint_accept(agent, a);
    else if (!gh_ear_accept(agent, a))
        gh_act_refuse(agent, &a->head, GOST_EINTERNAL, "the port does not listen");
}
