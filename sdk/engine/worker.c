/* worker.c - one thread's pools, the list of ready things and the flow record. */
/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

_Thread_local struct ge_worker *ge_current;
_Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;
_Thread_local uint32_t volatile ge_running_kind;

struct ge_worker *ge_worker_new(const struct ge_embed *embed, void *ctx)
{
    struct ge_worker *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->embed = *embed;
    w->ctx = ctx;
    w->ready_stacks_tail = &w->ready_stacks;
    w->ready_tasks_tail = &w->ready_tasks;
    w->high = 65536;
    w->low = 16384;
    w->wheel = ge_wheel_new(embed->now(ctx));
    if (!w->wheel) {
        free(w);
        return NULL;
    }
    ge_host_set_more(embed->more);
    return w;
}

void ge_worker_free(struct ge_worker *w)
{
    struct ge_seg *s;

    if (!w)
        return;
    ge_limbo_release(w);
    while (w->n_pool > 0)
        free(w->pool[--w->n_pool]);
    while ((s = w->seg_pool)) {
        w->seg_pool = s->next;
        free(s);
    }
    ge_wheel_free(w->wheel);
    if (ge_current == w)
        ge_current = NULL;
    free(w);
}

struct ge_worker *ge_worker_current(void)
{
    return ge_current;
}

void ge_worker_enter(struct ge_worker *w)
{
    ge_current = w;
}

uint64_t ge_now(struct ge_worker *w)
{
    return w->embed.now(w->ctx);
}

void ge_worker_usage(const struct ge_worker *w, struct ge_usage *ret_usage)
{
    *ret_usage = w->usage;
}

void ge_worker_marks(struct ge_worker *w, size_t high, size_t low)
{
    w->high = high;
    w->low = low < high ? low : high / 4;
}

/* ---- the ready lists ---- */

static void wake(struct ge_worker *w)
{
    if (w->awake)
        return;
    w->awake = 1;
    w->embed.wake(w->ctx);
}

void ge_stack_ready(struct ge_stack *s)
{
    struct ge_worker *w = s->w;

    if (s->rprev)
        return;
    s->rnext = NULL;
    s->rprev = w->ready_stacks_tail;
    *w->ready_stacks_tail = s;
    w->ready_stacks_tail = &s->rnext;
    wake(w);
}

void ge_stack_unready(struct ge_stack *s)
{
    if (!s->rprev)
        return;
    *s->rprev = s->rnext;
    if (s->rnext)
        s->rnext->rprev = s->rprev;
    else
        s->w->ready_stacks_tail = s->rprev;
    s->rprev = NULL;
}

void ge_task_ready(struct ge_task *t)
{
    struct ge_worker *w = t->inst.w;

    if (t->rprev)
        return;
    t->rnext = NULL;
    t->rprev = w->ready_tasks_tail;
    *w->ready_tasks_tail = t;
    w->ready_tasks_tail = &t->rnext;
    wake(w);
}

void ge_task_unready(struct ge_task *t)
{
    if (!t->rprev)
        return;
    *t->rprev = t->rnext;
    if (t->rnext)
        t->rnext->rprev = t->rprev;
    else
        t->inst.w->ready_tasks_tail = t->rprev;
    t->rprev = NULL;
}

int ge_run(struct ge_worker *w, unsigned budget)
{
    ge_current = w;
    w->awake = 1; /* no wake() for what becomes ready while we run */
    while (budget > 0 && (w->ready_stacks || w->ready_tasks)) {
        struct ge_stack *s = w->ready_stacks;
        struct ge_task *t;

        budget--;
        if (s) {
            ge_stack_unready(s);
            ge_stack_run(s);
            continue;
        }
        t = w->ready_tasks;
        ge_task_unready(t);
        ge_task_run(t);
    }
    w->awake = 0;
    if (w->ready_stacks || w->ready_tasks) {
        w->awake = 1;
        return 1;
    }
    return 0;
}

/* ---- the flow record ---- */

struct ge_flow *ge_flow_new(struct ge_worker *w)
{
    struct ge_flow *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->refs = 1;
    f->worker = w;
    f->service = "";
    w->usage.flows++;
    return f;
}

struct ge_flow *ge_flow_ref(struct ge_flow *f)
{
    if (f)
        f->refs++;
    return f;
}

void ge_flow_unref(struct ge_flow *f)
{
    if (!f || --f->refs > 0)
        return;
    f->worker->usage.flows--;
    free((char *)f->user);
    free((char *)f->alpn);
    free((char *)f->server_name);
    free((char *)f->sniffed_protocol);
    free((char *)f->sniffed_host);
    free((char *)f->version);
    free(f->error);
    free(f);
}

static void flow_failv(struct ge_flow *f, int status, const char *component, const char *phase,
                       const char *fmt, va_list ap) GOST_PRINTF(5, 0);

static void flow_failv(struct ge_flow *f, int status, const char *component, const char *phase,
                       const char *fmt, va_list ap)
{
    char text[512];

    if (!f || f->status)
        return;
    f->status = status;
    f->phase = phase;
    snprintf(f->component, sizeof f->component, "%s", component ? component : "");
    vsnprintf(text, sizeof text, fmt, ap);
    f->error = strdup(text);
}

void ge_flow_fail(struct ge_flow *f, int status, const char *component, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    flow_failv(f, status, component, NULL, fmt, ap);
    va_end(ap);
}

int ge_inst_failv(struct ge_inst *in, int code, const char *fmt, va_list ap)
{
    if (code >= 0)
        code = GOST_EINTERNAL;
    if (!in->failed)
        in->failed = code;
    flow_failv(in->flow, code, in->comp->name, in->phase, fmt, ap);
    return code;
}
