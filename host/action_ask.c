/* action_ask.c - AUTH, ASK, SELECT and RESOLVE. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "auth.h"
#include "confbuild.h"

/* ---- AUTH ---- */

/* Whether an IP address lies in "address" or "address/bits". */
static bool in_network(const struct gost_addr *addr, const char *text, size_t n)
{
    char host[64];
    uint8_t net[16];
    const char *slash = memchr(text, '/', n);
    size_t len = slash != NULL ? (size_t)(slash - text) : n;
    unsigned size = addr->family == GOST_AF_IP4 ? 4 : 16, bits = 8 * size;

    if (len >= sizeof host)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)len, text);
    if (slash != NULL)
        bits = (unsigned)atoi(slash + 1);
    if (bits > 8 * size || inet_pton(size == 4 ? AF_INET : AF_INET6, host, net) != 1)
        return false;
    if (memcmp(net, addr->ip, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || ((net[bits / 8] ^ addr->ip[bits / 8]) >> (8 - bits % 8)) == 0;
}

/* skipauth is a list, or a string with commas. */
static bool skips_auth(const struct gh_flow *f)
{
    struct gost_addr client = f->ge->source;

    gost_addr_unmap(&client);
    if (!gost_addr_is_ip(&client))
        return false;
    for (unsigned i = 0; i < f->service->skip_auth.n; i++) {
        const char *text = f->service->skip_auth.v[i];

        while (*text != '\0') {
            size_t n = strcspn(text, ", ");

            if (in_network(&client, text, n))
                return true;
            text += n + (text[n] != '\0');
        }
    }
    return false;
}

void gh_act_auth(struct gh_agent *agent, const struct gost_act_auth *a)
{
    if (skips_auth(agent->flow))
        gh_act_refuse(agent, &a->head, 0, NULL);
    else
        gh_auth_start(agent, a);
}

/* ---- ASK ---- */

void gh_act_ask(struct gh_agent *agent, const struct gost_act_ask *a)
{
    struct gh_flow *f = agent->flow;
    struct gost_result_verdict v = {.size = sizeof v};
    char name[256];
    struct gost_q_target q = {.size = sizeof q,
                              .network = a->network,
                              .addr = &a->addr,
                              .client = &f->ge->source,
                              .user = gost_bytes_str(f->ge->user)};

    if (a->policy == GOST_POLICY_BYPASS) {
        v.verdict = gh_policy_bypass(&f->service->bypasses, &q);
    } else if (a->policy == GOST_POLICY_ADMISSION) {
        v.verdict = gh_policy_admit(&f->service->admissions, &q);
    } else if (a->policy == GOST_POLICY_INGRESS) {
        if (agent->value == NULL)
            agent->value = calloc(1, sizeof *agent->value);
        if (agent->value == NULL) {
            gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
            return;
        }
        snprintf(name, sizeof name, "%.*s", (int)(a->text.n < 255 ? a->text.n : 255),
                 (const char *)a->text.p);
        v.verdict = gh_policy_ingress(name, &a->addr, agent->value);
        v.value = gost_bytes(agent->value->text, v.verdict ? agent->value->n : 0);
    } else {
        gh_act_refuse(agent, &a->head, GOST_EUNSUPPORTED, "this policy is not available");
        return;
    }
    ge_result(agent->task, a->head.kind, a->head.tag, 0, NULL, &v, sizeof v);
}

/* ---- SELECT ---- */

static struct gh_hop *hop_of(const struct gh_agent *agent, struct gost_bytes name)
{
    char text[256];

    if (name.n == 0)
        return agent->flow->service->targets;
    snprintf(text, sizeof text, "%.*s", (int)(name.n < 255 ? name.n : 255), (const char *)name.p);
    return gh_generation_hop(agent->flow->service->generation, text);
}

void gh_act_select(struct gh_agent *agent, const struct gost_act_select *a)
{
    struct gh_flow *f = agent->flow;
    struct gh_hop *hop = hop_of(agent, a->hop);
    struct gost_result_node result = {.size = sizeof result};
    struct gh_pick pick = {.now = ge_now(f->ge->worker),
                           .network = f->ge->network,
                           .client = &f->ge->source,
                           .user = f->ge->user != NULL ? f->ge->user : "",
                           .host = a->host,
                           .protocol = a->protocol,
                           .path = a->path};
    const char *why = "the service has no targets";
    struct gost_addr asked;
    const struct gh_node *node;

    if (a->host.n != 0 && gost_addr_parse(&asked, (const char *)a->host.p, a->host.n, 0) == GOST_OK)
        pick.target = &asked; /* for the bypasses of hop and nodes */
    node = hop != NULL ? gh_hop_select(hop, &pick, &why) : NULL;

    if (node == NULL) {
        gh_act_refuse(agent, &a->head, hop != NULL ? GOST_ENOROUTE : GOST_EUNSUPPORTED, why);
        return;
    }
    result.network = node->network;
    result.addr = node->addr;
    result.name = gost_bytes_str(node->name);
    result.node = gost_bytes(&node->self, sizeof node->self);
    ge_result(agent->task, a->head.kind, a->head.tag, 0, NULL, &result, sizeof result);
}

/* ---- RESOLVE ---- */

static void answer(struct gh_act *act, const struct gost_addr *v, unsigned n)
{
    struct gost_result_addrs result = {.size = sizeof result, .n = n};
    struct gost_addr *copy = gh_agent_blob(act->agent, n * sizeof *copy);

    if (copy == NULL) {
        gh_act_result(act, GOST_ENOMEM, "out of memory", NULL, 0);
        return;
    }
    memcpy(copy, v, n * sizeof *copy);
    result.addrs = copy;
    gh_act_result(act, 0, NULL, &result, sizeof result);
}

static void looked_up(void *arg, int status, const char *text, const struct gost_addr *v,
                      unsigned n)
{
    struct gh_act *act = arg;

    act->lookup = NULL;
    if (status == 0 && n > 0)
        answer(act, v, n);
    else
        gh_act_result(act, GOST_ERESOLVE, text, NULL, 0);
}

void gh_act_resolve(struct gh_agent *agent, const struct gost_act_resolve *a)
{
    struct gh_act *act = gh_act_begin(agent, &a->head);
    struct gost_a_addrs found;

    if (act == NULL)
        return;
    switch (gh_naming_ask(&act->naming, &agent->flow->service->naming, &a->addr, 0, &found,
                          looked_up, act)) {
    case GH_NAMING_WAIT:
        return;
    case GH_NAMING_DONE:
        looked_up(act, found.n != 0 ? 0 : GOST_ERESOLVE, "the name has no address", found.addr,
                  found.n);
        return;
    default:
        break;
    }
    if (a->addr.family != GOST_AF_NAME) {
        answer(act, &a->addr, 1);
        return;
    }
    act->lookup = gh_resolve(agent->flow->worker, a->addr.name, a->addr.port, 0, looked_up, act);
    if (act->lookup == NULL)
        gh_act_result(act, GOST_ENOMEM, "out of memory", NULL, 0);
}
