/* endpoint_visit.c - the visitor's side of endpoints: DIAL to "kind/key". */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint_private.h"

enum { TRIES = 3 }; /* owners that are asked, one after the other */

/* Belongs to the visitor's worker; `ref`, `far`, `source` and `status` are the owner's while a
 * message is under way, and then nothing of it is touched here but `act` and `near`. */
struct gh_visit {
    struct gh_act *act; /* NULL: given up */
    struct ge_stack *near;
    struct gh_worker *worker;
    struct gh_endpoint_ref ref;
    struct gh_bridge_end *far;
    struct gost_addr source;
    int status;
    uint64_t tried[TRIES];
    unsigned n_tried;
    char name[256];
};

static const struct gost_addr none;

static void finish(struct gh_visit *v, int status, const char *text, struct ge_stack *stack)
{
    struct gh_act *act = v->act;

    act->visit = NULL;
    free(v);
    if (stack != NULL)
        gh_act_opened(act, stack, &none, &none);
    else
        gh_act_result(act, status, text, NULL, 0);
}

static void next_owner(struct gh_visit *v);

/* [visitor] */
static void answered(struct gh_worker *w, void *arg)
{
    struct gh_visit *v = arg;
    struct ge_stack *near = v->near;

    if (v->act == NULL) {
        free(v);
        return;
    }
    v->near = NULL;
    if (v->status == GOST_OK) {
        finish(v, 0, NULL, near);
        return;
    }
    ge_stack_free(near, 1);
    next_owner(v);
}

/* [owner] */
static void arrived(struct gh_worker *w, void *arg)
{
    struct gh_visit *v = arg;

    v->status = gh_endpoint_arrive(&v->ref, v->far, &v->source);
    gh_worker_post(v->worker, answered, v);
}

static void visit(struct gh_visit *v)
{
    struct ge_flow *flow = v->act->agent->flow->ge;
    struct ge_stack *stream = NULL;

    if (v->ref.direct && v->ref.worker == v->worker) {
        v->status = gh_endpoint_open(&v->ref, flow, &stream);
        if (v->status == GOST_OK)
            finish(v, 0, NULL, stream);
        else
            next_owner(v);
        return;
    }
    if (gh_bridge_open(flow, GOST_STREAM, v->ref.worker, &v->near, &v->far))
        gh_worker_post(v->ref.worker, arrived, v);
    else
        finish(v, GOST_ENOMEM, "out of memory", NULL);
}

static void next_owner(struct gh_visit *v)
{
    char text[400];

    if (v->n_tried < TRIES && gh_endpoint_choose(v->name, v->tried, v->n_tried, &v->ref)) {
        v->tried[v->n_tried++] = v->ref.id;
        visit(v);
    } else if (v->n_tried == 0) {
        snprintf(text, sizeof text, "nobody serves \"%s\" now", v->name);
        finish(v, GOST_ENOROUTE, text, NULL);
    } else {
        snprintf(text, sizeof text, "who serves \"%s\" takes no more visitors now (%u asked)",
                 v->name, v->n_tried);
        finish(v, v->status < 0 ? v->status : GOST_ELIMIT, text, NULL);
    }
}

void gh_act_visit(struct gh_agent *agent, const struct gost_act_dial *a)
{
    static const struct gh_path direct;
    struct gh_visit *v;
    struct gh_act *act;

    if (a->addr.family != GOST_AF_NAME || a->addr.len == 0) {
        gh_act_refuse(agent, &a->head, GOST_EINTERNAL, "an endpoint is named \"kind/key\"");
        return;
    }
    v = calloc(1, sizeof *v);
    act = v != NULL ? gh_act_begin(agent, &a->head) : NULL;
    if (act == NULL) {
        if (v == NULL)
            gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        free(v);
        return;
    }
    act->visit = v;
    v->act = act;
    v->worker = agent->flow->worker;
    v->source = agent->flow->ge->source;
    snprintf(v->name, sizeof v->name, "%.*s", a->addr.len, a->addr.name);
    gh_flow_note_target(agent->flow, &a->addr, &direct);
    next_owner(v);
}

void gh_visit_cancel(struct gh_visit *v)
{
    v->act = NULL; /* the answer frees it */
    if (v->near != NULL)
        ge_stack_free(v->near, 1);
    v->near = NULL;
}
