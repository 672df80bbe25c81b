/* gather.c - streams that a dialer's layer makes of many exchanges. */
/* SPDX-License-Identifier: MIT */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "route_private.h"

struct gh_gather {
    struct gh_flow *flow;
    struct gh_route *route; /* waits until the node is reached; NULL: no longer */
    struct gh_path path;
    unsigned n; /* nodes of it */
};

/* ---- ends ---- */

static struct gh_route *leave_route(struct gh_gather *g)
{
    struct gh_route *r = g->route;

    g->route = NULL;
    if (r != NULL)
        r->gather = NULL;
    return r;
}

void gh_gather_lost(struct gh_gather *g)
{
    struct gh_route *r;

    if (g == NULL)
        return;
    r = leave_route(g);
    g->flow->agent.gather = NULL;
    free(g);
    if (r != NULL)
        gh_route_fail(r, GOST_ECANCELLED, "ended by the host");
}

void gh_gather_cancel(struct gh_gather *g)
{
    if (g == NULL)
        return;
    (void)leave_route(g);
    gh_flow_end(g->flow, 0, NULL);
}

static void done(struct ge_task *task, void *ctx, int status)
{
    struct gh_agent *agent = ctx;
    struct gh_flow *f = agent->flow;
    struct gh_route *r = leave_route(agent->gather);
    struct ge_stack *user = status != 0 ? ge_task_take(task, 0) : NULL;
    char text[512];

    agent->task = NULL; /* the engine frees it */
    if (user != NULL)   /* what broke off must not look complete */
        ge_stack_free(user, 1);
    snprintf(text, sizeof text, "%s", f->ge->error != NULL ? f->ge->error : "it ended");
    if (r != NULL) { /* the route tells it */
        f->ge->status = 0;
        free(f->reason);
        f->reason = NULL;
    }
    gh_flow_end(f, r != NULL ? 0 : status, text);
    if (r != NULL)
        gh_route_fail_node(r, gh_route_node(r), status != 0 ? status : GOST_ECLOSED, text);
}

/* ---- its exchanges ---- */

static void arrived(void *arg, struct gh_arrival *a)
{
    struct gh_act *act = arg;
    struct gh_gather *g = act->agent->gather;
    bool ready = (act->dial->flags & GOST_DIAL_READY) != 0;
    struct gh_route *r;

    if (a->status != 0) {
        gh_act_result(act, a->status, a->text, NULL, 0);
        return;
    }
    g->flow->ge->secure = ge_stack_flow(a->stack)->secure;
    gh_act_opened(act, a->stack, &a->local, &a->remote);
    r = ready ? leave_route(g) : NULL;
    if (r != NULL)
        gh_route_gathered(r);
}

void gh_gather_dial(struct gh_agent *agent, const struct gost_act_dial *a)
{
    const struct gh_gather *g = agent->gather;
    struct gh_service *s = agent->flow->service;
    struct gh_act *act = gh_act_begin(agent, &a->head);
    struct gh_route_spec spec = {.flow = agent->flow,
                                 .verb = GE_CONNECT,
                                 .network = GOST_NET_TCP,
                                 .fixed = &g->path,
                                 .n_fixed = g->n,
                                 .exchange = true,
                                 .timeout_ns = a->timeout_ns ? a->timeout_ns : s->dial_timeout,
                                 .done = arrived,
                                 .arg = act};

    if (act == NULL)
        return;
    act->dial = a; /* it lives until it is answered */
    spec.target = g->path.node[g->n - 1]->addr;
    gh_route_start(&act->route, &spec);
}

/* ---- the start ---- */

static struct gh_gather *make(struct gh_route *r)
{
    const struct gh_flow *from = r->spec.flow;
    struct gh_gather *g = calloc(1, sizeof *g);
    struct gh_flow *f = g != NULL ? gh_flow_new(from->worker, from->service) : NULL;

    if (f == NULL) {
        free(g);
        return NULL;
    }
    f->is_bridged = true; /* its user's flow is the connection */
    f->ge->source = from->ge->source;
    f->ge->destination = from->ge->destination;
    f->ge->user = from->ge->user != NULL ? strdup(from->ge->user) : NULL;
    g->flow = f;
    g->path = r->path;
    g->n = r->at + 1;
    f->agent.gather = g;
    return g;
}

static bool run(struct gh_gather *g, struct gh_route *r, struct ge_stack *user)
{
    const struct gh_node *node = gh_route_node(r);
    const struct gh_stack_part *part = gh_stackdef_gather(&node->dialer);
    struct gost_target target = {
        .size = sizeof target, .network = GOST_NET_TCP, .addr = node->addr};
    struct ge_task_spec spec = {.component = gh_layer_gather(part->component)->client,
                                .conf = part->conf,
                                .flow = g->flow->ge,
                                .ctx = &g->flow->agent,
                                .target = &target,
                                .node = node->label,
                                .done = done};

    g->flow->agent.task = ge_task_new(&spec, user);
    return g->flow->agent.task != NULL;
}

void gh_gather_begin(struct gh_route *r)
{
    struct gh_gather *g = make(r);
    struct ge_stack *user = NULL;

    r->phase = "the first exchanges";
    if (g != NULL)
        ge_stack_pair(r->ge, GOST_STREAM, &r->stack, &user);
    if (user != NULL) {
        ge_stack_no_half_close(r->stack);
        if (run(g, r, user)) {
            g->route = r;
            r->gather = g;
            return;
        }
        ge_stack_free(user, 1);
    }
    if (g != NULL)
        gh_flow_end(g->flow, GOST_ENOMEM, "out of memory");
    gh_route_fail(r, GOST_ENOMEM, "out of memory");
}
