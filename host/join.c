/* join.c - two stacks of one worker, relayed to each other until both have ended. */
/* SPDX-License-Identifier: MIT */
#include "join.h"

#include <stdlib.h>

#include "flow.h"

enum { WORKERS_MAX = 256 };

struct join {
    struct gh_agent agent;     /* first: what acts is an agent everywhere */
    struct join *next, **prev; /* of its worker */
};

/* Each is touched by its worker only. */
static struct join *lists[WORKERS_MAX];

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        return gost_relay(io, 0, 1, 0) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
    return GOST_AGAIN;
}

static const struct gost_handler_ops ops = {
    .size = sizeof ops, .accepts = GOST_STREAM | GOST_DATAGRAM | GOST_EXCHANGE, .step = step};

const struct gost_component gh_join_component = {
    .kind = GOST_KIND_HANDLER, .name = "host.join", .summary = "relays two streams", .ops = &ops};

static void forget(struct join *j)
{
    *j->prev = j->next;
    if (j->next != NULL)
        j->next->prev = j->prev;
    free(j);
}

static void done(struct ge_task *task, void *ctx, int status)
{
    forget(ctx); /* the engine frees the task */
}

void gh_join(struct gh_worker *w, struct ge_flow *flow, struct ge_stack *a, struct ge_stack *b)
{
    struct join **list = &lists[gh_worker_index(w)], *j = calloc(1, sizeof *j);
    struct ge_task_spec spec = {
        .component = &gh_join_component, .flow = flow, .ctx = j, .done = done};

    if (j != NULL)
        j->agent.task = ge_task_new(&spec, a);
    if (j == NULL || j->agent.task == NULL) {
        ge_stack_free(a, 1);
        ge_stack_free(b, 1);
        free(j);
        return;
    }
    (void)ge_port_open(j->agent.task, 1, b);
    j->next = *list;
    j->prev = list;
    if (j->next != NULL)
        j->next->prev = &j->next;
    *list = j;
}

void gh_joins_end(struct gh_worker *w)
{
    struct join *j;

    while ((j = lists[gh_worker_index(w)]) != NULL) {
        ge_task_cancel(j->agent.task, GOST_ECANCELLED); /* done() is not called */
        forget(j);
    }
}
