/* answer.c - the fake host's answers to what a component asks for. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

void kit_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
    struct kit_world *w = ctx;
    struct kit_pending *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    kit_trace(w, &a->kind, sizeof a->kind);
    p->task = task;
    p->action = a;
    *w->pending_tail = p;
    w->pending_tail = &p->next;
}

/* Takes an entry out of the list. */
static void forget(struct kit_world *w, struct kit_pending **at)
{
    struct kit_pending *p = *at;

    *at = p->next;
    if (!p->next)
        w->pending_tail = at;
    free(p);
}

void kit_cancel(void *ctx, struct ge_task *task)
{
    struct kit_world *w = ctx;
    struct kit_pending **at = &w->pending;

    while (*at) {
        if ((*at)->task == task)
            forget(w, at);
        else
            at = &(*at)->next;
    }
}

struct ge_layer_choice kit_find_layer(void *ctx, struct ge_task *task, struct gost_bytes name,
                                      uint32_t role)
{
    struct kit_world *w = ctx;
    struct ge_layer_choice choice = {NULL, NULL};
    struct kit_layer_conf *lc = calloc(1, sizeof *lc);
    const struct gost_component *c =
        kit_component(w->kit, GOST_KIND_LAYER, (const char *)name.p, name.n);

    if (!lc || !c ||
        ge_conf_new(&lc->conf, c, role, c->name, (struct ge_kv *)w->script->kv, w->script->n_kv,
                    NULL, NULL)) {
        free(lc);
        return choice;
    }
    lc->next = w->layers;
    w->layers = lc;
    choice.component = c;
    choice.conf = ge_conf_data(lc->conf);
    return choice;
}

/* The next unused answer of this type. NULL: the script has none. */
static const struct kit_answer *next_answer(struct kit_world *w, uint32_t type)
{
    const struct kit_answer *a;
    unsigned i = 0;

    for (a = w->script->answers; a && i < 32; a = a->next, i++) {
        if (a->type != type || (w->used_answers >> i & 1))
            continue;
        w->used_answers |= 1u << i;
        return a;
    }
    return NULL;
}

/* Fuzzing: the next byte decides. */
static unsigned throw_dice(struct kit_world *w, unsigned sides)
{
    unsigned v = w->n_dice ? *w->dice : 0;

    if (w->n_dice) {
        w->dice++;
        w->n_dice--;
    }
    return v % sides;
}

static int status_of(struct kit_world *w, const struct kit_answer *a, int otherwise)
{
    static const int few[] = {GOST_OK,       GOST_OK,      GOST_OK,
                              GOST_EREFUSED, GOST_EDENIED, GOST_ETIMEDOUT};

    if (w->dice)
        return few[throw_dice(w, 6)];
    return a ? a->status : otherwise;
}

static void answer(struct kit_world *w, struct ge_task *t, const struct gost_action *a, int status,
                   const void *result, size_t size)
{
    ge_result(t, a->kind, a->tag, status, status ? "the transcript says so" : NULL,
              status ? NULL : result, status ? 0 : size);
}

static void check_expected(struct kit_world *w, const struct kit_answer *a,
                           const struct gost_addr *asked)
{
    char want[GOST_ADDR_TEXT], got[GOST_ADDR_TEXT];

    if (!a || !a->expect.family || gost_addr_equal(&a->expect, asked))
        return;
    gost_addr_format(&a->expect, want, sizeof want);
    gost_addr_format(asked, got, sizeof got);
    w->outcome->line = a->line;
    kit_break(w, "asked for %s, but %s was expected", got, want);
}

static void open_port(struct kit_world *w, struct ge_task *t, uint32_t port, uint32_t type)
{
    struct kit_end *e = kit_end_new(w, type);

    if (!e || ge_port_open(t, port, e->stack) != GOST_OK)
        return;
    if (t == w->task)
        w->port[port] = e;
}

static void answer_dial(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct gost_act_dial *d = (const struct gost_act_dial *)head;
    const struct kit_answer *a = next_answer(w, KIT_DIAL);
    struct gost_result_dial result;
    int status = status_of(w, a, GOST_OK);
    uint32_t udp = head->kind == GOST_ACT_ASSOCIATE || d->network == GOST_NET_UDP;

    memset(&result, 0, sizeof result);
    result.size = sizeof result;
    result.remote = d->addr;
    if (a && a->local.family)
        result.local = a->local;
    else
        (void)gost_addr_parse(&result.local, "127.0.0.1:40000", 15, 0);
    if (head->kind == GOST_ACT_DIAL)
        check_expected(w, a, &d->addr);
    if (status == GOST_OK)
        open_port(w, t, head->port, udp ? GOST_DATAGRAM : GOST_STREAM);
    answer(w, t, head, status, &result, sizeof result);
}

static void answer_bind(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct gost_act_bind *b = (const struct gost_act_bind *)head;
    const struct kit_answer *a = next_answer(w, KIT_BIND);
    struct gost_result_dial result;
    int status = status_of(w, a, GOST_OK);

    memset(&result, 0, sizeof result);
    result.size = sizeof result;
    if (a && a->local.family)
        result.local = a->local;
    else
        (void)gost_addr_parse(&result.local, "127.0.0.1:41000", 15, 0);
    if (status == GOST_OK && b->network == GOST_NET_UDP)
        open_port(w, t, head->port, GOST_DATAGRAM);
    answer(w, t, head, status, &result, sizeof result);
}

static void answer_auth(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct gost_act_auth *a = (const struct gost_act_auth *)head;
    const struct gost_script *s = w->script;
    int good = !s->user || (gost_bytes_eq(a->user, gost_bytes_str(s->user)) &&
                            gost_bytes_eq(a->secret, gost_bytes_str(s->secret)));

    if (w->dice)
        good = throw_dice(w, 2) != 0;
    answer(w, t, head, good ? GOST_OK : GOST_EAUTH, NULL, 0);
}

static void answer_ask(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct kit_answer *a = next_answer(w, KIT_ASK);
    struct gost_result_verdict v;

    memset(&v, 0, sizeof v);
    v.size = sizeof v;
    v.verdict = w->dice ? throw_dice(w, 2) : a && a->status == GOST_EDENIED;
    if (a && a->text)
        v.value = gost_bytes_str(a->text);
    answer(w, t, head, GOST_OK, &v, sizeof v);
}

static void answer_select(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct kit_answer *a = next_answer(w, KIT_SELECT);
    struct gost_result_node node;

    memset(&node, 0, sizeof node);
    node.size = sizeof node;
    node.network = GOST_NET_TCP;
    if (a)
        node.addr = a->local;
    node.name = node.node = gost_bytes_str("node-0");
    answer(w, t, head, status_of(w, a, GOST_ENOROUTE), &node, sizeof node);
}

static void answer_resolve(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct kit_answer *a = next_answer(w, KIT_RESOLVE);
    struct gost_result_addrs addrs;

    memset(&addrs, 0, sizeof addrs);
    addrs.size = sizeof addrs;
    addrs.n = a != NULL;
    addrs.addrs = a ? &a->local : NULL;
    answer(w, t, head, a ? status_of(w, a, GOST_OK) : GOST_ERESOLVE, &addrs, sizeof addrs);
}

static void answer_file(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct kit_answer *a = next_answer(w, KIT_FILE);
    struct gost_result_file file;

    memset(&file, 0, sizeof file);
    file.size = sizeof file;
    file.data = gost_bytes_str(a ? a->text : NULL);
    answer(w, t, head, a ? a->status : GOST_EUNREACHABLE, &file, sizeof file);
}

/* A child of the same plugin: it takes our port as its port 0. */
static void answer_spawn(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct gost_act_spawn *s = (const struct gost_act_spawn *)head;
    const struct gost_component *c =
        kit_component(w->kit, GOST_KIND_HANDLER, (const char *)s->component.p, s->component.n);
    struct ge_task_spec spec;
    struct ge_stack *port = c ? ge_task_take(t, head->port) : NULL;

    if (!port) {
        answer(w, t, head, GOST_EUNSUPPORTED, NULL, 0);
        return;
    }
    memset(&spec, 0, sizeof spec);
    spec.component = c;
    spec.conf = ge_conf_data(w->conf);
    spec.flow = w->flow;
    spec.arg = s->arg;
    if (!ge_task_new(&spec, port))
        abort();
    answer(w, t, head, GOST_OK, NULL, 0);
}

/* There is no inspector here: nothing is recognised; with dice it is forbidden now and then. */
static void answer_inspect(struct kit_world *w, struct ge_task *t, const struct gost_action *head)
{
    const struct gost_sniffed nothing = {sizeof nothing, 0, {NULL, 0}, {NULL, 0}};
    int status = w->dice && throw_dice(w, 4) == 0 ? GOST_EDENIED : GOST_OK;

    answer(w, t, head, status, &nothing, sizeof nothing);
}

/* 0: it has to wait for the script. */
static int answer_one(struct kit_world *w, struct ge_task *t, const struct gost_action *a)
{
    switch (a->kind) {
    case GOST_ACT_DIAL:
    case GOST_ACT_ASSOCIATE:
        answer_dial(w, t, a);
        return 1;
    case GOST_ACT_BIND:
        answer_bind(w, t, a);
        return 1;
    case GOST_ACT_ACCEPT:
        return 0;
    case GOST_ACT_AUTH:
        answer_auth(w, t, a);
        return 1;
    case GOST_ACT_ASK:
        answer_ask(w, t, a);
        return 1;
    case GOST_ACT_SELECT:
        answer_select(w, t, a);
        return 1;
    case GOST_ACT_RESOLVE:
        answer_resolve(w, t, a);
        return 1;
    case GOST_ACT_FILE:
        answer_file(w, t, a);
        return 1;
    case GOST_ACT_SPAWN:
        answer_spawn(w, t, a);
        return 1;
    case GOST_ACT_RECORD:
        answer(w, t, a, GOST_OK, NULL, 0);
        return 1;
    case GOST_ACT_HANDOFF:
        if (((const struct gost_act_handoff *)a)->component_kind == GOST_KIND_INSPECTOR) {
            answer_inspect(w, t, a);
            return 1;
        }
        w->outcome->ended = 1;
        ge_task_cancel(t, 0);
        if (t == w->task)
            w->task = NULL;
        return 1;
    default:
        answer(w, t, a, GOST_EUNSUPPORTED, NULL, 0);
        return 1;
    }
}

int kit_answer_all(struct kit_world *w)
{
    struct kit_pending **at = &w->pending, *p;
    int count = 0;

    while ((p = *at) != NULL) {
        struct ge_task *t = p->task;
        const struct gost_action *a = p->action;

        if (a->kind == GOST_ACT_ACCEPT) {
            at = &p->next;
            continue;
        }
        forget(w, at);
        count += answer_one(w, t, a);
        at = &w->pending; /* the list may have changed */
        if (count > 1000)
            break;
        for (; *at && (*at)->action->kind == GOST_ACT_ACCEPT;)
            at = &(*at)->next;
    }
    return count;
}

int kit_accept(struct kit_world *w, const struct gost_addr *peer)
{
    struct kit_pending **at = &w->pending, *p;
    struct gost_result_dial result;

    while ((p = *at) != NULL && p->action->kind != GOST_ACT_ACCEPT)
        at = &p->next;
    if (!p)
        return GOST_AGAIN;
    memset(&result, 0, sizeof result);
    result.size = sizeof result;
    result.remote = *peer;
    open_port(w, p->task, p->action->port, GOST_STREAM);
    {
        struct ge_task *t = p->task;
        const struct gost_action *a = p->action;

        forget(w, at);
        answer(w, t, a, GOST_OK, &result, sizeof result);
    }
    return GOST_OK;
}
