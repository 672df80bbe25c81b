/* test_task.h - for tests: the world of a handler or connector; what it asked for, what it got. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_TASK_H
#define TEST_TASK_H

#include "test_plugin.h"

/* What tasks dialed last, and how they are answered. The test zeroes it. */
static struct {
    struct ge_stack *target; /* the far end, the test's; NULL: it was refused */
    struct gost_addr addr;
    uint32_t network, flags;
    int dials, dial_status; /* so many; with this they end */
    const char *login;      /* "user:secret", the only good one; NULL: all are */
} asked;

static inline void act_dial(struct ge_task *task, const struct gost_act_dial *a)
{
    uint32_t type = a->network == GOST_NET_UDP ? GOST_DATAGRAM : GOST_STREAM;
    struct ge_stack *mine = NULL;

    asked.dials++;
    asked.addr = a->addr;
    asked.network = a->network;
    asked.flags = a->flags;
    if (asked.dial_status == 0) {
        ge_stack_pair(ge_task_flow(task), type, &mine, &asked.target);
        ge_port_open(task, a->head.port, mine);
    }
    ge_result(task, a->head.kind, a->head.tag, asked.dial_status,
              asked.dial_status ? "refused" : NULL, NULL, 0);
}

static inline void act_auth(struct ge_task *task, const struct gost_act_auth *a)
{
    char text[64];

    snprintf(text, sizeof text, "%.*s:%.*s", (int)a->user.n,
             a->user.n ? (const char *)a->user.p : "", (int)a->secret.n,
             a->secret.n ? (const char *)a->secret.p : "");
    ge_result(task, a->head.kind, a->head.tag,
              asked.login && strcmp(text, asked.login) != 0 ? GOST_EAUTH : GOST_OK, NULL, NULL, 0);
}

/* An act: DIAL and AUTH; everything else is not here. */
static inline void act_task(void *ctx, struct ge_task *task, const struct gost_action *a)
{
    if (a->kind == GOST_ACT_DIAL)
        act_dial(task, (const struct gost_act_dial *)a);
    else if (a->kind == GOST_ACT_AUTH)
        act_auth(task, (const struct gost_act_auth *)a);
    else
        ge_result(task, a->kind, a->tag, GOST_EUNSUPPORTED, "not here", NULL, 0);
}

/* With an act of the test, which leaves to act_task() what is not its own. */
static inline struct ge_worker *task_worker(void (*act)(void *ctx, struct ge_task *task,
                                                        const struct gost_action *a))
{
    struct ge_embed e = embedder();

    e.act = act;
    e.find_layer = embed_find_layer;
    *gost_plugin_v1.host = ge_host_table();
    return ge_worker_new(&e, NULL);
}

#endif
