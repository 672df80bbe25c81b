/* action.c - performing what handlers and connectors ask for: dispatch and structure. */
/* SPDX-License-Identifier: MIT */
#include "action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bind.h"
#include "endpoint.h"
#include "plugin.h"
#include "single.h"

bool gh_agent_is_connector(const struct gh_agent *agent)
{
    return agent->below != NULL;
}

void *gh_agent_blob(struct gh_agent *agent, size_t size)
{
    struct gh_blob *b = calloc(1, sizeof *b + size);

    if (b == NULL)
        return NULL;
    b->size = size;
    b->next = agent->blobs;
    agent->blobs = b;
    return b->data;
}

/* ---- one action ---- */

static void unlink_act(struct gh_act *act)
{
    *act->prev = act->next;
    if (act->next != NULL)
        act->next->prev = act->prev;
}

void gh_act_refuse(struct gh_agent *agent, const struct gost_action *a, int status,
                   const char *text)
{
    ge_result(agent->task, a->kind, a->tag, status, text, NULL, 0);
}

struct gh_act *gh_act_begin(struct gh_agent *agent, const struct gost_action *a)
{
    struct gh_act *act = calloc(1, sizeof *act);

    if (act == NULL) {
        gh_act_refuse(agent, a, GOST_ENOMEM, "out of memory");
        return NULL;
    }
    act->agent = agent;
    act->kind = a->kind;
    act->tag = a->tag;
    act->port = a->port;
    act->next = agent->acts;
    act->prev = &agent->acts;
    if (act->next != NULL)
        act->next->prev = &act->next;
    agent->acts = act;
    return act;
}

void gh_act_result(struct gh_act *act, int status, const char *text, const void *result, size_t n)
{
    struct ge_task *task = act->agent->task;
    uint32_t kind = act->kind, tag = act->tag;

    unlink_act(act);
    free(act);
    ge_result(task, kind, tag, status, text, result, n);
}

/* A child flow that gets the port has this address as its client's. Without memory it has ours. */
static void set_peer(struct gh_agent *agent, uint32_t port, const struct gost_addr *peer)
{
    if (agent->peers == NULL && peer != NULL)
        agent->peers = calloc(GOST_PORTS, sizeof *agent->peers);
    if (agent->peers == NULL || port >= GOST_PORTS)
        return;
    if (peer != NULL)
        agent->peers[port] = *peer;
    else
        agent->peers[port].family = GOST_AF_NONE;
}

void gh_act_opened(struct gh_act *act, struct ge_stack *stack, const struct gost_addr *local,
                   const struct gost_addr *remote)
{
    struct gost_result_dial result = {.size = sizeof result, .local = *local, .remote = *remote};

    set_peer(act->agent, act->port, act->kind == GOST_ACT_ACCEPT ? remote : NULL);
    if (ge_port_open(act->agent->task, act->port, stack) != GOST_OK) {
        ge_stack_free(stack, 0);
        gh_act_result(act, GOST_EINTERNAL, "the port cannot be opened", NULL, 0);
        return;
    }
    gh_act_result(act, 0, NULL, &result, sizeof result);
}

struct gh_act *gh_act_oldest_accept(const struct gh_agent *agent, uint32_t from)
{
    struct gh_act *act, *found = NULL;

    for (act = agent->acts; act != NULL; act = act->next)
        if (act->kind == GOST_ACT_ACCEPT && act->from == from)
            found = act;
    return found;
}

/* ---- connectors that bind ---- */

void gh_action_bound(void *ctx, struct ge_task *task, const struct gost_addr *addr)
{
    struct gh_agent *agent = ge_task_ctx(task);

    if (gh_agent_is_connector(agent))
        gh_route_bound(agent, addr);
}

void gh_action_accepted(void *ctx, struct ge_task *task, uint32_t port,
                        const struct gost_addr *peer)
{
    struct gh_agent *agent = ge_task_ctx(task);

    if (gh_agent_is_connector(agent))
        gh_route_accepted(agent, ge_task_take(task, port), peer);
}

/* ---- cancelling ---- */

static void forget(struct gh_act *act)
{
    unlink_act(act);
    gh_route_cancel(act->route);
    if (act->lookup != NULL)
        gh_resolve_cancel(act->lookup);
    gh_naming_cancel(act->naming);
    if (act->file != NULL)
        gh_file_forget(act->file);
    if (act->visit != NULL)
        gh_visit_cancel(act->visit);
    gh_auth_cancel(act->auth);
    free(act);
}

void gh_action_cancel(void *ctx, struct ge_task *task)
{
    struct gh_agent *agent = ge_task_ctx(task);

    while (agent->acts != NULL)
        forget(agent->acts);
}

void gh_agent_fini(struct gh_agent *agent)
{
    while (agent->acts != NULL)
        forget(agent->acts);
    gh_endpoints_leave(agent);
    free(agent->peers);
    agent->peers = NULL;
    free(agent->value);
    agent->value = NULL;
    gh_ears_close(agent);
    while (agent->blobs != NULL) {
        struct gh_blob *next = agent->blobs->next;

        free(agent->blobs);
        agent->blobs = next;
    }
}

/* ---- HANDOFF, SPAWN ---- */

const struct gost_component *gh_agent_find(struct gh_agent *agent, uint32_t kind,
                                           struct gost_bytes name, const void **ret_conf, char *why,
                                           size_t why_size)
{
    const struct gost_component *c;
    char text[128];

    snprintf(text, sizeof text, "%.*s", (int)(name.n < 100 ? name.n : 100), (const char *)name.p);
    gh_plugins_catch_up();
    c = gh_component_loaded((enum gost_kind)kind, text, strlen(text));
    if (c == NULL)
        c = gh_find_component((enum gost_kind)kind, text, why, why_size);
    if (c == NULL)
        return NULL;
    if (gh_confset_get(agent->set, c, 0, NULL, NULL, ret_conf, why, why_size) != 0)
        return NULL;
    return c;
}

/* Ends the flow from inside act(): the engine looks at nothing of the task afterwards. */
static void end_flow(struct gh_agent *agent, int status, const char *why)
{
    gh_flow_end(agent->flow, status, why);
}

static void hand_off(struct gh_agent *agent, const struct gost_act_handoff *a)
{
    struct ge_stack *port[GOST_PORTS];
    struct gh_flow *f = agent->flow;
    struct ge_task *old = agent->task;
    char why[512] = "";
    const void *conf = NULL;
    const struct gost_component *c;

    if (a->component_kind == GOST_KIND_INSPECTOR) {
        gh_act_inspect(agent, a);
        return;
    }
    c = gh_agent_find(agent, a->component_kind, a->component, &conf, why, sizeof why);
    if (c == NULL || c->kind != GOST_KIND_HANDLER || gh_agent_is_connector(agent)) {
        end_flow(agent, GOST_EUNSUPPORTED, *why ? why : "only a handler can go on with a flow");
        return;
    }
    for (uint32_t i = 0; i < GOST_PORTS; i++)
        port[i] = ge_task_take(old, i);
    agent->task = NULL;
    ge_task_cancel(old, 0);
    gh_agent_fini(agent);
    if (port[0] == NULL) {
        gh_flow_end(f, GOST_ECLOSED, "the client is gone");
        return;
    }
    if (!gh_flow_handle(f, port[0], c, conf, gost_bytes(NULL, 0)))
        f = NULL;
    for (uint32_t i = 1; i < GOST_PORTS; i++)
        if (port[i] != NULL && (f == NULL || ge_port_open(f->agent.task, i, port[i]) != GOST_OK))
            ge_stack_free(port[i], 0);
}

/* Whom a SPAWN names. */
static const struct gost_component *spawned(struct gh_agent *agent, const struct gost_act_spawn *a,
                                            const void **ret_conf, char *why, size_t why_size)
{
    const struct ge_task_spec *self = ge_task_spec(agent->task);

    if (a->component.n != 0)
        return gh_agent_find(agent, GOST_KIND_HANDLER, a->component, ret_conf, why, why_size);
    *ret_conf = self->conf;
    return self->component;
}

/* Our end of a new stream is opened as `port`. The other end, or NULL: no memory. */
static struct ge_stack *open_pair(struct gh_agent *agent, uint32_t port)
{
    struct ge_stack *ours, *other;

    ge_stack_pair(agent->flow->ge, GOST_STREAM, &ours, &other);
    if (ours == NULL)
        return NULL;
    ge_stack_no_half_close(ours);
    ge_stack_no_half_close(other);
    if (ge_port_open(agent->task, port, ours) == GOST_OK)
        return other;
    ge_stack_free(ours, 1);
    ge_stack_free(other, 1);
    return NULL;
}

static void spawn_pair(struct gh_agent *agent, const struct gost_act_spawn *a,
                       const struct gost_component *c, const void *conf)
{
    struct gh_flow *child = gh_flow_child(agent->flow, (a->flags & GOST_SPAWN_TIED) != 0);
    struct ge_stack *stack = child != NULL ? open_pair(agent, a->head.port) : NULL;

    if (stack == NULL) {
        if (child != NULL)
            gh_flow_end(child, GOST_ENOMEM, "out of memory");
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    ge_stack_set_flow(stack, child->ge);
    child->is_bridged = agent->flow->is_bridged && !(a->flags & GOST_SPAWN_SERVE);
    if (a->flags & GOST_SPAWN_SERVE)
        gh_flow_serve(child, stack);
    else
        (void)gh_flow_handle(child, stack, c, conf, a->arg);
    gh_act_refuse(agent, &a->head, 0, NULL); /* the action is gone after it */
}

static void spawn(struct gh_agent *agent, const struct gost_act_spawn *a)
{
    char why[512] = "";
    const void *conf = NULL;
    const struct gost_component *c = spawned(agent, a, &conf, why, sizeof why);
    struct ge_stack *stack = ge_task_port(agent->task, a->head.port), *second;
    const struct gost_addr *peer = agent->peers != NULL ? &agent->peers[a->head.port] : NULL;
    struct gh_flow *child;

    if (c != NULL && (a->flags & GOST_SPAWN_PAIR) && !gh_agent_is_connector(agent)) {
        spawn_pair(agent, a, c, conf);
        return;
    }
    if (c == NULL || stack == NULL ||
        (a->second &&
         (!ge_task_port(agent->task, a->second) || gh_single_is_elsewhere(agent->flow, c)))) {
        gh_act_refuse(agent, &a->head, GOST_EUNSUPPORTED, c == NULL ? why : "the port is not open");
        return;
    }
    child = gh_flow_child(agent->flow, (a->flags & GOST_SPAWN_TIED) != 0);
    if (child == NULL) {
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    if (peer != NULL && peer->family != GOST_AF_NONE)
        child->ge->source = child->ge->remote = *peer;
    stack = ge_task_take(agent->task, a->head.port);
    second = a->second ? ge_task_take(agent->task, a->second) : NULL;
    ge_stack_set_flow(stack, child->ge);
    if (!gh_flow_handle(child, stack, c, conf, a->arg)) {
        if (second != NULL)
            ge_stack_free(second, 1);
    } else if (second != NULL) {
        (void)ge_port_open(child->agent.task, 1, second);
    }
    gh_act_refuse(agent, &a->head, 0, NULL);
}

static void record(struct gh_agent *agent, const struct gost_act_record *a)
{
    char what[128];

    snprintf(what, sizeof what, "%.*s", (int)(a->what.n < 120 ? a->what.n : 120),
             (const char *)a->what.p);
    gh_record(agent->flow, what, a->data);
    gh_act_refuse(agent, &a->head, 0, NULL);
}

/* ---- dispatch ---- */

void gh_action_perform(void *ctx, struct ge_task *task, const struct gost_action *a)
{
    struct gh_agent *agent = ge_task_ctx(task);

    agent->task = task;
    switch (a->kind) {
    case GOST_ACT_DIAL:
        gh_act_dial(agent, (const struct gost_act_dial *)a);
        break;
    case GOST_ACT_ASSOCIATE:
        gh_act_associate(agent, (const struct gost_act_dial *)a);
        break;
    case GOST_ACT_BIND:
        gh_act_bind(agent, (const struct gost_act_bind *)a);
        break;
    case GOST_ACT_ACCEPT:
        gh_act_accept(agent, (const struct gost_act_accept *)a);
        break;
    case GOST_ACT_AUTH:
        gh_act_auth(agent, (const struct gost_act_auth *)a);
        break;
    case GOST_ACT_ASK:
        gh_act_ask(agent, (const struct gost_act_ask *)a);
        break;
    case GOST_ACT_SELECT:
        gh_act_select(agent, (const struct gost_act_select *)a);
        break;
    case GOST_ACT_RESOLVE:
        gh_act_resolve(agent, (const struct gost_act_resolve *)a);
        break;
    case GOST_ACT_HANDOFF:
        hand_off(agent, (const struct gost_act_handoff *)a);
        break;
    case GOST_ACT_SPAWN:
        spawn(agent, (const struct gost_act_spawn *)a);
        break;
    case GOST_ACT_STREAM_OPEN:
        /* the engine opens streams of sessions itself: this port is none, or no longer */
        gh_act_refuse(agent, a, GOST_ECLOSED, "the session gives no stream");
        break;
    case GOST_ACT_FILE:
        gh_act_file(agent, (const struct gost_act_file *)a);
        break;
    case GOST_ACT_RECORD:
        record(agent, (const struct gost_act_record *)a);
        break;
    default:
        gh_act_refuse(agent, a, GOST_EUNSUPPORTED, "this host does not know the action");
        break;
    }
}
