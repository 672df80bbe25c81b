/* inst.c - what layers and tasks have in common: state, arena, deadline. */
/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "internal.h"

#define ARENA_MAX (1u << 20) /* what one instance may allocate */

static void deadline_fired(struct ge_timer *t)
{
    struct ge_inst *in = (struct ge_inst *)((char *)t - offsetof(struct ge_inst, timer));

    in->deadline_due = 1;
    if (in->is_task)
        ge_task_ready((struct ge_task *)in);
    else
        ge_stack_ready(((struct ge_layer *)in)->stack);
}

int ge_inst_init(struct ge_inst *in, struct ge_worker *w, const struct gost_component *c,
                 const void *conf, struct ge_flow *flow, const struct gost_target *target,
                 struct gost_bytes arg, const char *node)
{
    in->comp = c;
    in->conf = conf;
    in->w = w;
    in->flow = ge_flow_ref(flow);
    in->timer.fire = deadline_fired;
    in->node = node;
    if (c->state_size && !(in->state = calloc(1, c->state_size)))
        return GOST_ENOMEM;
    if (target) {
        in->target = ge_inst_alloc(in, sizeof *target);
        if (!in->target)
            return GOST_ENOMEM;
        *in->target = *target;
    }
    if (arg.n) {
        uint8_t *p = ge_inst_alloc(in, arg.n);

        if (!p)
            return GOST_ENOMEM;
        memcpy(p, arg.p, arg.n);
        in->arg = gost_bytes(p, arg.n);
    }
    return GOST_OK;
}

void ge_inst_fini(struct ge_inst *in, void (*destroy)(void *state))
{
    struct ge_block *b;

    ge_timer_stop(in->w, &in->timer);
    if (destroy) {
        ge_running(in->comp->name, in->comp->kind, "destroy");
        destroy(in->state);
        ge_running_end();
    }
    while ((b = in->arena)) {
        in->arena = b->next;
        free(b);
    }
    free(in->state);
    ge_flow_unref(in->flow);
    in->state = NULL;
    in->flow = NULL;
}

void *ge_inst_alloc(struct ge_inst *in, size_t n)
{
    struct ge_block *b;

    if (n > ARENA_MAX || in->arena_bytes + n > ARENA_MAX)
        return NULL;
    b = calloc(1, sizeof *b + n);
    if (!b)
        return NULL;
    b->next = in->arena;
    in->arena = b;
    in->arena_bytes += n;
    return b->data;
}

/* The layer on top of the session that s is a stream of. */
static struct ge_inst *user_of(const struct ge_stack *s)
{
    struct ge_layer *l = s->session ? ge_session_user(s->session) : NULL;

    return l ? &l->inst : NULL;
}

/* Who owns the side of the level that io is. */
struct ge_inst *ge_io_inst(struct gost_io *io)
{
    struct ge_level *lv = io->lv;

    if (io->side == GE_LO)
        return lv->below            ? &lv->below->inst
               : lv->stack->session ? &lv->stack->session->layer->inst
                                    : NULL;
    if (lv->above)
        return &lv->above->inst;
    if (lv->stack->owned)
        return user_of(lv->stack);
    if (!lv->stack->task)
        return NULL;
    return lv->stack->task->inspect ? &lv->stack->task->inspect->inst : &lv->stack->task->inst;
}
