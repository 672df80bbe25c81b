/* action_inspect.c - HANDOFF to an inspector: what a client sends first, and whether it may. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "action.h"

/* Whether the bypass forbids the host that was found. */
static bool is_forbidden(const struct gh_flow *f)
{
    struct gost_addr addr;
    struct gost_q_target q = {.size = sizeof q,
                              .network = GOST_NET_TCP,
                              .addr = &addr,
                              .client = &f->ge->source,
                              .user = gost_bytes_str(f->ge->user)};
    const char *host = f->ge->sniffed_host;

    return f->service->bypasses.n != 0 && host != NULL &&
           gost_addr_parse(&addr, host, strlen(host), 0) == GOST_OK &&
           gh_policy_bypass(&f->service->bypasses, &q);
}

static void inspected(struct ge_task *task, void *arg, int found)
{
    struct gh_act *act = arg;
    const struct gh_flow *f = act->agent->flow;
    struct gost_sniffed result = {.size = sizeof result};
    char text[400];

    if (found < 0) {
        gh_act_result(act, found, f->ge->error, NULL, 0);
        return;
    }
    if (found == GOST_AGAIN && f->ge->sniffed_protocol != NULL) {
        snprintf(text, sizeof text, "the client sent only a part of its first %.100s message",
                 f->ge->sniffed_protocol);
        gh_act_result(act, GOST_EPROTO, text, NULL, 0);
        return;
    }
    if (found == GOST_OK && is_forbidden(f)) {
        snprintf(text, sizeof text,
                 "the service's bypass forbids %.300s, which the client asks for",
                 f->ge->sniffed_host);
        gh_act_result(act, GOST_EDENIED, text, NULL, 0);
        return;
    }
    if (found == GOST_OK) { /* the record lives as long as the flow */
        result.protocol = gost_bytes_str(f->ge->sniffed_protocol);
        result.host = gost_bytes_str(f->ge->sniffed_host);
    }
    gh_act_result(act, 0, NULL, &result, sizeof result);
}

void gh_act_inspect(struct gh_agent *agent, const struct gost_act_handoff *a)
{
    char why[512] = "";
    struct ge_inspect_spec spec = {.port = a->head.port, .done = inspected};
    const struct gost_inspector_ops *ops;
    struct gh_act *act;
    int r;

    spec.component =
        gh_agent_find(agent, GOST_KIND_INSPECTOR, a->component, &spec.conf, why, sizeof why);
    if (spec.component == NULL) {
        gh_act_refuse(agent, &a->head, GOST_EUNSUPPORTED, why);
        return;
    }
    ops = spec.component->ops;
    if (ops->size > offsetof(struct gost_inspector_ops, timeout) && ops->timeout != NULL)
        spec.timeout_ns = ops->timeout(spec.conf);
    act = gh_act_begin(agent, &a->head);
    if (act == NULL)
        return;
    spec.arg = act;
    r = ge_task_inspect(agent->task, &spec);
    if (r != GOST_OK)
        gh_act_result(act, r, "the port cannot be looked at", NULL, 0);
}
