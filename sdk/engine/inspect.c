/* inspect.c - inspectors: a component that looks at the first bytes of a task's port. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define LIMIT 16384u /* of an inspector that names none */

static void limit_fired(struct ge_timer *t)
{
    struct ge_inspect *x = (struct ge_inspect *)((char *)t - offsetof(struct ge_inspect, limit));

    x->late = 1;
    ge_task_ready(x->task);
}

/* A deadline of the inspector's own only calls it again. */
static void deadline_fired(struct ge_timer *t)
{
    struct ge_inst *in = (struct ge_inst *)((char *)t - offsetof(struct ge_inst, timer));
    struct ge_inspect *x = (struct ge_inspect *)in;

    x->again = 1;
    ge_task_ready(x->task);
}

int ge_task_inspect(struct ge_task *t, const struct ge_inspect_spec *spec)
{
    struct ge_worker *w = t->inst.w;
    struct ge_inspect *x;
    int r;

    if (t->ended || t->inspect || t->relaying || spec->port >= GOST_PORTS ||
        spec->component->kind != GOST_KIND_INSPECTOR || !t->port[spec->port].stack ||
        t->port[spec->port].stack->top->type != GOST_STREAM)
        return GOST_EINTERNAL;
    x = calloc(1, sizeof *x);
    if (!x)
        return GOST_ENOMEM;
    x->task = t;
    x->spec = *spec;
    x->limit.fire = limit_fired;
    r = ge_inst_init(&x->inst, w, spec->component, spec->conf, t->inst.flow, NULL,
                     gost_bytes(NULL, 0), t->inst.node);
    x->inst.timer.fire = deadline_fired;
    x->inst.is_inspector = 1;
    x->inst.role = GOST_SERVER;
    if (r != GOST_OK) {
        ge_inst_fini(&x->inst, NULL);
        free(x);
        return r;
    }
    if (spec->timeout_ns)
        ge_timer_start(w, &x->limit, ge_now(w) + spec->timeout_ns);
    x->again = 1;
    t->inspect = x;
    ge_task_ready(t);
    return GOST_OK;
}

void ge_inspect_free(struct ge_task *t)
{
    struct ge_inspect *x = t->inspect;
    struct ge_stack *s;

    if (!x)
        return;
    t->inspect = NULL;
    s = t->port[x->spec.port].stack;
    if (s) { /* what the inspector waited for is not what the task waits for */
        s->top->hi.want = 0;
        t->port[x->spec.port].readable = s->top->up.bytes > 0 || s->top->up.end;
    }
    ge_timer_stop(t->inst.w, &x->limit);
    ge_inst_fini(&x->inst, NULL);
    free(x);
}

static size_t limit_of(const struct ge_inspect *x)
{
    const struct gost_inspector_ops *ops = x->inst.comp->ops;
    size_t limit = ops->limit ? ops->limit : LIMIT;

    return limit < GOST_PEEK_MAX ? limit : GOST_PEEK_MAX;
}

/* One call of the plugin. It may look and say what it saw, and no more. */
static int look(struct ge_inspect *x, struct ge_level *lv)
{
    const struct gost_inspector_ops *ops = x->inst.comp->ops;
    size_t in = lv->up.bytes, out = lv->down.bytes;
    struct ge_worker *w = x->inst.w;
    int r;

    lv->hi.want = 0;
    ge_running(x->inst.comp->name, x->inst.comp->kind, x->inst.phase ? x->inst.phase : "inspect");
    w->in_step++;
    r = ops->inspect(x->inst.state, x->inst.conf, &lv->hi);
    if (--w->in_step == 0)
        ge_limbo_release(w);
    ge_running_end();
    x->seen = lv->up.bytes;
    if (lv->hi.want > limit_of(x))
        lv->hi.want = limit_of(x);
    if (lv->up.bytes != in || lv->down.bytes != out || lv->down.end) {
        ge_flow_fail(x->inst.flow, GOST_EINTERNAL, x->inst.comp->name,
                     "an inspector took or sent bytes, which is a defect of its plugin");
        return GOST_EINTERNAL;
    }
    return r >= 0 && x->inst.failed ? x->inst.failed : r;
}

/* Nothing more can be learned: time or bytes are used up, the client ended, or the other side
 * speaks first, which only happens where the client waits for it. */
static int is_over(const struct ge_inspect *x, const struct ge_stack *s)
{
    const struct ge_task *t = x->task;
    uint32_t i;

    if (x->late || s->status || s->top->up.end || s->top->up.bytes >= limit_of(x))
        return 1;
    for (i = 0; i < GOST_PORTS && s->top->up.bytes == 0; i++) {
        const struct ge_stack *other = t->port[i].stack;

        if (other && other != s && (other->top->up.bytes || other->top->up.end || other->status))
            return 1;
    }
    return 0;
}

void ge_inspect_run(struct ge_task *t)
{
    struct ge_inspect *x = t->inspect;
    struct ge_stack *s = t->port[x->spec.port].stack;
    struct ge_inspect_spec spec = x->spec;
    const struct ge_level *lv = s ? s->top : NULL;
    int r = GOST_AGAIN;

    if (lv && lv->up.bytes && (x->again || lv->up.bytes != x->seen) &&
        (lv->up.bytes >= lv->hi.want || lv->up.end)) {
        x->again = 0;
        r = look(x, s->top);
    }
    if (r > GOST_OK && lv && !is_over(x, s))
        return;
    ge_inspect_free(t);
    spec.done(t, spec.arg, r > GOST_OK ? GOST_AGAIN : r);
}
