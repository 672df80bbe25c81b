/* errand.c - a source or a remote at work: a flow of the host's own, without a client. */
/* SPDX-License-Identifier: MIT */
#include "errand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"

struct gh_errand {
    struct gh_flow *flow; /* NULL: ended */
    struct gh_errand_spec spec;
    struct ge_timer timer;
};

/* Port 0 of an errand leads nowhere: what it reads and writes are the ports it dials. */
static void nowhere_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void nowhere_close(struct ge_stack *s, void *ctx, int abort)
{
}

static const struct ge_bottom_ops nowhere = {.want = nowhere_want, .close = nowhere_close};

/* ---- ends ---- */

/* Ends the flow without telling anybody. */
static void drop(struct gh_errand *e)
{
    struct gh_flow *f = e->flow;

    if (f == NULL)
        return;
    ge_timer_stop(f->ge->worker, &e->timer);
    e->flow = NULL;
    f->errand = NULL;
    gh_flow_end(f, 0, NULL);
}

static void finish(struct gh_errand *e, int status, const char *text)
{
    struct gh_errand_spec spec = e->spec;

    free(e);
    spec.done(spec.arg, status, text);
}

static void task_done(struct ge_task *task, void *ctx, int status)
{
    struct gh_agent *agent = ctx;
    struct gh_flow *f = agent->flow;
    struct gh_errand *e = f->errand;
    struct ge_stack *port0 = ge_task_take(task, 0);
    char text[512];

    agent->task = NULL; /* the engine frees it */
    if (port0 != NULL)
        ge_stack_free(port0, 0);
    snprintf(text, sizeof text, "%s", f->ge->error != NULL ? f->ge->error : "it failed");
    drop(e);
    finish(e, status, text);
}

static void late(struct ge_timer *t)
{
    struct gh_errand *e = (struct gh_errand *)((char *)t - offsetof(struct gh_errand, timer));
    uint64_t ms = e->spec.timeout_ns / GOST_MS;
    char text[64];

    snprintf(text, sizeof text, "no answer within %llu ms", (unsigned long long)ms);
    drop(e);
    finish(e, GOST_ETIMEDOUT, text);
}

void gh_errand_cancel(struct gh_errand *e)
{
    if (e == NULL)
        return;
    drop(e);
    free(e);
}

void gh_errand_lost(struct gh_errand *e)
{
    ge_timer_stop(e->flow->ge->worker, &e->timer);
    e->flow->errand = NULL;
    e->flow = NULL;
    finish(e, GOST_ECANCELLED, "the program ends");
}

/* ---- the start ---- */

static bool run(struct gh_errand *e, struct gh_flow *f)
{
    struct ge_task_spec spec = {.component = e->spec.component,
                                .conf = e->spec.conf,
                                .flow = f->ge,
                                .ctx = &f->agent,
                                .done = task_done};
    struct ge_stack *port0 = ge_stack_new(f->ge, GOST_STREAM, &nowhere, NULL);

    if (port0 == NULL)
        return false;
    f->agent.set = e->spec.set;
    f->agent.task = ge_task_new(&spec, port0);
    if (f->agent.task == NULL)
        ge_stack_free(port0, 1);
    return f->agent.task != NULL;
}

struct gh_errand *gh_errand_start(struct gh_worker *w, const struct gh_errand_spec *spec)
{
    struct gh_errand *e = calloc(1, sizeof *e);
    struct gh_flow *f = e != NULL ? gh_flow_new(w, spec->service) : NULL;

    if (f == NULL) {
        free(e);
        return NULL;
    }
    e->spec = *spec;
    if (!run(e, f)) {
        gh_flow_end(f, 0, NULL);
        free(e);
        return NULL;
    }
    e->flow = f;
    f->errand = e;
    e->timer.fire = late;
    if (spec->timeout_ns != 0)
        ge_timer_start(f->ge->worker, &e->timer, ge_now(f->ge->worker) + spec->timeout_ns);
    return e;
}

/* ---- what the component calls ---- */

static struct gh_errand *errand_of(struct gost_io *io)
{
    struct ge_task *task = ge_io_task(io);
    struct gh_agent *agent = task != NULL ? ge_task_ctx(task) : NULL;

    return agent != NULL && !gh_agent_is_connector(agent) ? agent->flow->errand : NULL;
}

void gh_errand_source_data(struct gost_io *io, struct gost_bytes data)
{
    struct gh_errand *e = errand_of(io);

    if (e != NULL && e->spec.data != NULL)
        e->spec.data(e->spec.arg, data);
}

const void *gh_errand_question(struct gost_io *io)
{
    struct gh_errand *e = errand_of(io);

    return e != NULL ? e->spec.question : NULL;
}

void gh_errand_answer(struct gost_io *io, const void *a)
{
    struct gh_errand *e = errand_of(io);

    if (e != NULL && e->spec.answer != NULL)
        e->spec.answer(e->spec.arg, a);
}
