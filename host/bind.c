/* bind.c - the listening ports of a task: here, or at the end of the chain. */
/* SPDX-License-Identifier: MIT */
#include "bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 128 }; /* as the backlog of a socket */

/* A stream that nobody has accepted yet. */
struct arrived {
    struct arrived *next;
    struct ge_stack *stack;
    struct gost_addr peer;
};

struct gh_ear {
    struct gh_ear *next; /* of its agent */
    struct gh_agent *agent;
    uint32_t port;
    struct gh_bind *socket; /* here */
    struct gh_route *route; /* through the chain; NULL: it ended */
    struct gh_act *binding; /* until it listens */
    struct arrived *queue, **tail;
    unsigned n;
    bool accepting; /* the socket has somebody to give to */
    int status;     /* it has ended; 0: not */
};

static struct gh_ear *find(const struct gh_agent *agent, uint32_t port)
{
    struct gh_ear *e = agent->ears;

    while (e != NULL && e->port != port)
        e = e->next;
    return e;
}

static void ear_free(struct gh_ear *e)
{
    struct arrived *a;

    while ((a = e->queue) != NULL) {
        e->queue = a->next;
        ge_stack_free(a->stack, 1);
        free(a);
    }
    if (e->socket != NULL)
        gh_bind_close(e->socket);
    gh_route_cancel(e->route);
    free(e);
}

static void close_port(struct gh_agent *agent, uint32_t port)
{
    struct gh_ear **at = &agent->ears, *e;

    while ((e = *at) != NULL && e->port != port)
        at = &e->next;
    if (e == NULL)
        return;
    *at = e->next;
    ear_free(e);
}

void gh_ears_close(struct gh_agent *agent)
{
    while (agent->ears != NULL)
        close_port(agent, agent->ears->port);
}

static struct gh_ear *ear_new(struct gh_agent *agent, uint32_t port)
{
    struct gh_ear *e;

    close_port(agent, port);
    e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->agent = agent;
    e->port = port;
    e->tail = &e->queue;
    e->next = agent->ears;
    agent->ears = e;
    return e;
}

/* ---- streams ---- */

static void listen_on(struct gh_ear *e);

static void arrive(struct gh_ear *e, struct ge_stack *stack, const struct gost_addr *peer)
{
    static const struct gost_addr none;
    struct gh_act *act = gh_act_oldest_accept(e->agent, e->port);
    struct arrived *a;

    if (act != NULL) {
        gh_act_opened(act, stack, &none, peer);
        return;
    }
    a = e->n < WAITING_MAX ? calloc(1, sizeof *a) : NULL;
    if (a == NULL) {
        ge_stack_free(stack, 1);
        return;
    }
    a->stack = stack;
    a->peer = *peer;
    *e->tail = a;
    e->tail = &a->next;
    e->n++;
}

static bool give_waiting(struct gh_ear *e, struct gh_act *act)
{
    static const struct gost_addr none;
    struct arrived *a = e->queue;

    if (a == NULL)
        return false;
    e->queue = a->next;
    if (e->queue == NULL)
        e->tail = &e->queue;
    e->n--;
    gh_act_opened(act, a->stack, &none, &a->peer);
    free(a);
    return true;
}

/* It ended: whoever waits for a stream is told. */
static void end(struct gh_ear *e, int status, const char *text)
{
    struct gh_act *act;

    e->status = status != 0 ? status : GOST_ECLOSED;
    while ((act = gh_act_oldest_accept(e->agent, e->port)) != NULL)
        gh_act_result(act, e->status, text, NULL, 0);
}

bool gh_ear_accept(struct gh_agent *agent, const struct gost_act_accept *a)
{
    struct gh_ear *e = find(agent, a->from);
    struct gh_act *act;

    if (e == NULL)
        return false;
    act = gh_act_begin(agent, &a->head);
    if (act == NULL)
        return true;
    act->from = a->from;
    if (give_waiting(e, act))
        return true;
    if (e->status != 0)
        gh_act_result(act, e->status, "the listening port ended", NULL, 0);
    else
        listen_on(e);
    return true;
}

/* ---- here ---- */

static void connected(void *arg, int status, struct ge_stack *stack, const struct gost_addr *peer)
{
    struct gh_ear *e = arg;

    e->accepting = false;
    if (status != 0) { /* not again at once: what is missing would be missing still */
        end(e, status, "the listening port ended: no descriptors or no memory for a connection");
        return;
    }
    arrive(e, stack, peer);
    listen_on(e);
}

/* The kernel keeps those for whom nobody asks. */
static void listen_on(struct gh_ear *e)
{
    if (e->socket == NULL || e->accepting || gh_act_oldest_accept(e->agent, e->port) == NULL)
        return;
    e->accepting = true;
    gh_bind_accept(e->socket, e->agent->flow->ge, connected, e);
}

static void open_here(struct gh_agent *agent, const struct gost_act_bind *a)
{
    struct gost_result_dial result = {.size = sizeof result};
    struct gh_bind *socket = NULL;
    struct gh_ear *e;
    char text[256] = "";
    int r = gh_bind_open(agent->flow->worker, &a->addr, a->port_min, a->port_max, &socket,
                         &result.local, text, sizeof text);

    if (r != GOST_OK) {
        gh_act_refuse(agent, &a->head, r, text);
        return;
    }
    e = ear_new(agent, a->head.port);
    if (e == NULL) {
        gh_bind_close(socket);
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    e->socket = socket;
    ge_result(agent->task, a->head.kind, a->head.tag, 0, NULL, &result, sizeof result);
}

/* ---- at the end of the chain ---- */

static void bound(void *arg, struct gh_arrival *a)
{
    struct gh_ear *e = arg;
    struct gost_result_dial result = {.size = sizeof result, .local = a->local};
    struct gh_act *act = e->binding;

    e->binding = NULL;
    if (a->status != 0) {
        e->status = a->status;
        gh_act_result(act, a->status, a->text, NULL, 0);
    } else if (a->stack != NULL) { /* packets of all peers together: there is nothing to accept */
        struct gh_agent *agent = e->agent;

        close_port(agent, act->port);
        gh_act_opened(act, a->stack, &a->local, &a->remote);
    } else {
        gh_act_result(act, 0, NULL, &result, sizeof result);
    }
}

static void came(void *arg, struct ge_stack *stack, const struct gost_addr *peer)
{
    arrive(arg, stack, peer);
}

static void ended(void *arg, int status, const char *text)
{
    end(arg, status, text);
}

static void open_remote(struct gh_agent *agent, const struct gost_act_bind *a)
{
    struct gh_service *s = agent->flow->service;
    struct gh_route_spec spec = {.flow = agent->flow,
                                 .verb = GE_BIND,
                                 .network = a->network,
                                 .target = a->addr,
                                 .chains = gh_agent_chains(agent),
                                 .timeout_ns = s->dial_timeout,
                                 .retries = s->retries,
                                 .done = bound,
                                 .accepted = came,
                                 .ended = ended};
    struct gh_ear *e = ear_new(agent, a->head.port);

    if (e == NULL) {
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    e->binding = gh_act_begin(agent, &a->head);
    if (e->binding == NULL) {
        close_port(agent, a->head.port);
        return;
    }
    spec.arg = e;
    gh_route_start(&e->route, &spec);
}

void gh_ear_open(struct gh_agent *agent, const struct gost_act_bind *a, bool remote)
{
    if (remote)
        open_remote(agent, a);
    else
        open_here(agent, a);
}
