/* action.h - performing what handlers and connectors ask for. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ACTION_H
#define GH_ACTION_H

#include "flow.h"
#include "route.h"

/* Of struct ge_embed: performs one action, and forgets all of a task. [worker] */
void gh_action_perform(void *ctx, struct ge_task *task, const struct gost_action *a);
void gh_action_cancel(void *ctx, struct ge_task *task);
void gh_action_bound(void *ctx, struct ge_task *task, const struct gost_addr *addr);
void gh_action_accepted(void *ctx, struct ge_task *task, uint32_t port,
                        const struct gost_addr *peer);

/* Frees what an agent holds; its task has ended. */
void gh_agent_fini(struct gh_agent *agent);

/* ---- between action*.c only ---- */

struct gh_file_job;

/* One action under way. */
struct gh_act {
    struct gh_act *next, **prev; /* of its agent */
    struct gh_agent *agent;
    uint32_t kind, tag, port;
    uint32_t from;                    /* ACCEPT: the listening port */
    const struct gh_node *node;       /* target of a SELECT; NULL: none */
    const struct gost_act_dial *dial; /* waits for its target's address */
    /* at most one is in use; all NULL: it waits for a stream, a bind or an inspection */
    struct gh_route *route;
    struct gh_lookup *lookup;
    struct gh_naming *naming;
    struct gh_file_job *file;
    struct gh_visit *visit;
    struct gh_auth *auth;
};

/* Memory that a result points to; it lives as long as the agent. */
struct gh_blob {
    struct gh_blob *next;
    size_t size;
    max_align_t data[];
};
void *gh_agent_blob(struct gh_agent *agent, size_t size); /* zeroed; NULL: no memory */

/* Begins an action that is not answered at once. NULL: answered, out of memory. */
struct gh_act *gh_act_begin(struct gh_agent *agent, const struct gost_action *a);

/* Answers an action that was begun, and frees it. */
void gh_act_result(struct gh_act *act, int status, const char *text, const void *result, size_t n);

/* Answers it with an open port. Owns `stack`. */
void gh_act_opened(struct gh_act *act, struct ge_stack *stack, const struct gost_addr *local,
                   const struct gost_addr *remote);

/* Answers an action that was not begun. */
void gh_act_refuse(struct gh_agent *agent, const struct gost_action *a, int status,
                   const char *text);

/* The ACCEPT on a port that was asked for first; NULL: none waits. */
struct gh_act *gh_act_oldest_accept(const struct gh_agent *agent, uint32_t from);

/* A component by name with its conf from the agent's set. NULL: `why` is filled. */
const struct gost_component *gh_agent_find(struct gh_agent *agent, uint32_t kind,
                                           struct gost_bytes name, const void **ret_conf,
                                           char *why, size_t why_size);

/* The chains that it dials and binds through. */
struct gh_chain_group *gh_agent_chains(const struct gh_agent *agent);

bool gh_agent_is_connector(const struct gh_agent *agent);

/* DIAL, ASSOCIATE, BIND, ACCEPT (action_open.c) */
void gh_act_dial(struct gh_agent *agent, const struct gost_act_dial *a);
void gh_act_associate(struct gh_agent *agent, const struct gost_act_dial *a);
void gh_act_bind(struct gh_agent *agent, const struct gost_act_bind *a);
void gh_act_accept(struct gh_agent *agent, const struct gost_act_accept *a);
/* AUTH, ASK, SELECT, RESOLVE (action_ask.c) */
void gh_act_auth(struct gh_agent *agent, const struct gost_act_auth *a);
void gh_act_ask(struct gh_agent *agent, const struct gost_act_ask *a);
void gh_act_select(struct gh_agent *agent, const struct gost_act_select *a);
void gh_act_resolve(struct gh_agent *agent, const struct gost_act_resolve *a);
/* HANDOFF to an inspector (action_inspect.c) */
void gh_act_inspect(struct gh_agent *agent, const struct gost_act_handoff *a);
/* FILE (action_file.c) */
void gh_act_file(struct gh_agent *agent, const struct gost_act_file *a);
void gh_file_forget(struct gh_file_job *job);

#endif
