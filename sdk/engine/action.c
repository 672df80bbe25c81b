/* action.c - copying a component's actions, and those the engine performs itself. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define ACTIONS_MAX 64u
#define BLOB_MAX    (1u << 20)

/* Where the byte views of each action are. */
static const struct act_shape {
    uint32_t kind, size, n;
    uint32_t at[5];
} shapes[] = {
    {GOST_ACT_DIAL, sizeof(struct gost_act_dial), 1, {offsetof(struct gost_act_dial, node)}},
    {GOST_ACT_ASSOCIATE, sizeof(struct gost_act_dial), 1, {offsetof(struct gost_act_dial, node)}},
    {GOST_ACT_BIND, sizeof(struct gost_act_bind), 0, {0}},
    {GOST_ACT_ACCEPT, sizeof(struct gost_act_accept), 0, {0}},
    {GOST_ACT_AUTH,
     sizeof(struct gost_act_auth),
     2,
     {offsetof(struct gost_act_auth, user), offsetof(struct gost_act_auth, secret)}},
    {GOST_ACT_ASK, sizeof(struct gost_act_ask), 1, {offsetof(struct gost_act_ask, text)}},
    {GOST_ACT_SELECT,
     sizeof(struct gost_act_select),
     5,
     {offsetof(struct gost_act_select, hop), offsetof(struct gost_act_select, protocol),
      offsetof(struct gost_act_select, host), offsetof(struct gost_act_select, path),
      offsetof(struct gost_act_select, method)}},
    {GOST_ACT_RESOLVE, sizeof(struct gost_act_resolve), 0, {0}},
    {GOST_ACT_UPGRADE,
     sizeof(struct gost_act_upgrade),
     3,
     {offsetof(struct gost_act_upgrade, layer), offsetof(struct gost_act_upgrade, server_name),
      offsetof(struct gost_act_upgrade, arg)}},
    {GOST_ACT_DOWNGRADE, sizeof(struct gost_action), 0, {0}},
    {GOST_ACT_HANDOFF,
     sizeof(struct gost_act_handoff),
     1,
     {offsetof(struct gost_act_handoff, component)}},
    {GOST_ACT_SPAWN,
     sizeof(struct gost_act_spawn),
     2,
     {offsetof(struct gost_act_spawn, component), offsetof(struct gost_act_spawn, arg)}},
    {GOST_ACT_STREAM_OPEN,
     sizeof(struct gost_act_stream_open),
     1,
     {offsetof(struct gost_act_stream_open, arg)}},
    {GOST_ACT_REQUEST,
     sizeof(struct gost_act_request),
     2,
     {offsetof(struct gost_act_request, name), offsetof(struct gost_act_request, payload)}},
    {GOST_ACT_DATAGRAMS, sizeof(struct gost_act_datagrams), 0, {0}},
    {GOST_ACT_PUMP, sizeof(struct gost_act_pump), 0, {0}},
    {GOST_ACT_RELAY, sizeof(struct gost_act_relay), 0, {0}},
    {GOST_ACT_FILE,
     sizeof(struct gost_act_file),
     2,
     {offsetof(struct gost_act_file, path), offsetof(struct gost_act_file, data)}},
    {GOST_ACT_RECORD,
     sizeof(struct gost_act_record),
     2,
     {offsetof(struct gost_act_record, what), offsetof(struct gost_act_record, data)}},
    {GOST_ACT_TIE, sizeof(struct gost_act_tie), 0, {0}},
};

static const struct act_shape *shape_of(uint32_t kind)
{
    size_t i;

    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].kind == kind)
            return &shapes[i];
    return NULL;
}

int ge_act_queue(struct ge_task *t, const struct gost_action *a)
{
    const struct act_shape *sh = shape_of(a->kind);
    size_t size, blobs = 0;
    struct gost_bytes *v;
    struct ge_act *act, *i;
    uint8_t *to;
    uint32_t k, n = 0;

    if (!sh || a->size < sizeof *a || a->size > 4096 || a->port >= GOST_PORTS)
        return GOST_EINTERNAL;
    for (i = t->running_acts; i; i = i->next)
        n++;
    if (n >= ACTIONS_MAX)
        return GOST_ELIMIT;
    size =
        a->size > sh->size ? a->size : sh->size; /* a shorter, older struct is filled with zeros */
    act = calloc(1, sizeof *act + size);
    if (!act)
        return GOST_ENOMEM;
    memcpy(act + 1, a, a->size);
    for (k = 0; k < sh->n; k++)
        blobs += ((struct gost_bytes *)((uint8_t *)(act + 1) + sh->at[k]))->n;
    if (blobs > BLOB_MAX) {
        free(act);
        return GOST_ETOOBIG;
    }
    if (blobs) {
        struct ge_act *bigger = realloc(act, sizeof *act + size + blobs);

        if (!bigger) {
            free(act);
            return GOST_ENOMEM;
        }
        act = bigger;
    }
    to = (uint8_t *)(act + 1) + size;
    for (k = 0; k < sh->n; k++) {
        v = (struct gost_bytes *)((uint8_t *)(act + 1) + sh->at[k]);
        if (v->n)
            memcpy(to, v->p, v->n);
        v->p = to;
        to += v->n;
    }
    act->a = (const struct gost_action *)(act + 1);
    act->next = NULL;
    *t->acts_tail = act;
    t->acts_tail = &act->next;
    return GOST_OK;
}

static void act_free(struct ge_act *act)
{
    if (act->a->kind == GOST_ACT_AUTH) {
        const struct gost_act_auth *auth = (const struct gost_act_auth *)act->a;

        gost_wipe((void *)auth->secret.p, auth->secret.n);
    }
    free(act);
}

void ge_act_free_all(struct ge_task *t)
{
    struct ge_act *a;

    while ((a = t->acts)) {
        t->acts = a->next;
        act_free(a);
    }
    t->acts_tail = &t->acts;
    while ((a = t->running_acts)) {
        t->running_acts = a->next;
        act_free(a);
    }
}

static void upgraded(struct ge_stack *s, void *arg, int status)
{
    struct ge_task *t = arg;

    ge_result(t, GOST_ACT_UPGRADE, t->port[s->port].upgrade_tag, status, s->flow->error, NULL, 0);
}

static void upgrade(struct ge_task *t, const struct gost_action *a)
{
    const struct gost_act_upgrade *u = (const struct gost_act_upgrade *)a;
    struct ge_stack *s = t->port[a->port].stack;
    struct ge_layer_choice c = {NULL, NULL};
    struct ge_layer_spec spec;
    int r;

    if (s && t->inst.w->embed.find_layer)
        c = t->inst.w->embed.find_layer(t->inst.w->ctx, t, u->layer, u->role);
    if (!c.component) {
        ge_result(t, a->kind, a->tag, GOST_EUNSUPPORTED,
                  s ? "no such layer" : "the port is not open", NULL, 0);
        return;
    }
    memset(&spec, 0, sizeof spec);
    spec.component = c.component;
    spec.conf = c.conf;
    spec.role = u->role;
    spec.server_name = u->server_name;
    spec.arg = u->arg;
    spec.node = t->inst.node; /* no target: the final one is not this peer's business (SNI) */
    r = ge_stack_push(s, &spec);
    if (r != GOST_OK) {
        ge_result(t, a->kind, a->tag, r, "the layer cannot be put there", NULL, 0);
        return;
    }
    t->port[a->port].upgrade_tag = a->tag;
    ge_stack_on_ready(s, upgraded, t);
}

static void downgrade(struct ge_task *t, const struct gost_action *a)
{
    struct ge_stack *s = t->port[a->port].stack;

    if (!s || !s->top->below || !s->top->below->ready || s->top->down.bytes ||
        s->top->below->session) {
        ge_result(t, a->kind, a->tag, GOST_EINTERNAL, "no finished layer on this port", NULL, 0);
        return;
    }
    s->top->below->identity = 1;
    ge_stack_ready(s);
    ge_result(t, a->kind, a->tag, GOST_OK, NULL, NULL, 0);
}

/* ---- streams of a session that is a port ---- */

static int is_session(const struct ge_task *t, uint32_t port)
{
    const struct ge_stack *s = port < GOST_PORTS ? t->port[port].stack : NULL;

    return s && ge_session_of(s);
}

static void stream_result(struct ge_task *t, const struct gost_action *a, struct ge_stack *s)
{
    struct gost_result_dial res;

    memset(&res, 0, sizeof res);
    res.size = sizeof res;
    (void)ge_port_open(t, a->port, s); /* the port number was checked when it was queued */
    ge_result(t, a->kind, a->tag, 0, NULL, &res, sizeof res);
}

static void stream_open(struct ge_task *t, const struct gost_act_stream_open *a)
{
    struct ge_stack *s;
    int r = a->head.port == a->from
                ? GOST_EINTERNAL
                : ge_session_open_arg(t->port[a->from].stack, t->inst.flow, a->flags, a->arg, &s);

    if (r == GOST_OK)
        stream_result(t, &a->head, s);
    else if (r == GOST_FULL)
        ge_result(t, a->head.kind, a->head.tag, GOST_ELIMIT, "the peer allows no more streams",
                  NULL, 0);
    else
        ge_result(t, a->head.kind, a->head.tag, r < 0 ? r : GOST_EINTERNAL,
                  "the session opens no stream", NULL, 0);
}

/* The ACCEPT on this port that waits longest. */
static const struct gost_action *accept_of(const struct ge_task *t, uint32_t port)
{
    const struct gost_action *found = NULL;
    struct ge_act *i;

    for (i = t->running_acts; i; i = i->next) /* the newest comes first */
        if (i->a->kind == GOST_ACT_ACCEPT && ((const struct gost_act_accept *)i->a)->from == port)
            found = i->a;
    return found;
}

/* A stream of the session at `port` arrived. 1: an ACCEPT took it. */
int ge_act_give_stream(struct ge_task *t, uint32_t port, struct ge_stack *s)
{
    const struct gost_action *a = accept_of(t, port);

    if (!a)
        return 0;
    stream_result(t, a, s);
    return 1;
}

/* The session at `port` ended: no ACCEPT on it will be answered any more. */
void ge_act_no_streams(struct ge_task *t, uint32_t port, int status)
{
    const struct gost_action *a;

    while ((a = accept_of(t, port)))
        ge_result(t, a->kind, a->tag, status, "the session ended", NULL, 0);
}

static void accept_stream(struct ge_task *t, const struct gost_act_accept *a)
{
    struct ge_stack *session = t->port[a->from].stack;

    if (session->status || a->head.port == a->from)
        ge_act_no_streams(t, a->from, session->status ? session->status : GOST_EINTERNAL);
    else
        ge_stack_ready(session); /* ge_session_tell() gives it one */
}

/* Perform what the last step asked for, in order. */
void ge_act_dispatch(struct ge_task *t)
{
    struct ge_worker *w = t->inst.w;
    struct ge_act *act;

    while (!t->ended && (act = t->acts)) {
        const struct gost_action *a = act->a;

        t->acts = act->next;
        if (!t->acts)
            t->acts_tail = &t->acts;
        act->next = t->running_acts;
        t->running_acts = act;
        t->outstanding++;
        switch (a->kind) {
        case GOST_ACT_UPGRADE:
            upgrade(t, a);
            break;
        case GOST_ACT_DOWNGRADE:
            downgrade(t, a);
            break;
        case GOST_ACT_TIE:
            t->tie |= ((const struct gost_act_tie *)a)->mask;
            ge_result(t, a->kind, a->tag, 0, NULL, NULL, 0);
            break;
        case GOST_ACT_PUMP:
        case GOST_ACT_RELAY: {
            int r = ge_pump_start(t, a);

            if (r != GOST_OK)
                ge_result(t, a->kind, a->tag, r, "both ports must be open and of one type", NULL,
                          0);
            break;
        }
        case GOST_ACT_REQUEST:
            ge_act_request(t, (const struct gost_act_request *)a);
            break;
        case GOST_ACT_DATAGRAMS:
            ge_act_datagrams(t, (const struct gost_act_datagrams *)a);
            break;
        case GOST_ACT_STREAM_OPEN:
            if (is_session(t, ((const struct gost_act_stream_open *)a)->from))
                stream_open(t, (const struct gost_act_stream_open *)a);
            else
                w->embed.act(w->ctx, t, a);
            break;
        case GOST_ACT_ACCEPT:
            if (is_session(t, ((const struct gost_act_accept *)a)->from))
                accept_stream(t, (const struct gost_act_accept *)a);
            else
                w->embed.act(w->ctx, t, a);
            break;
        default:
            w->embed.act(w->ctx, t, a);
        }
    }
}

static void act_done(struct ge_task *t, uint32_t kind, uint32_t tag)
{
    struct ge_act **at, *act;

    for (at = &t->running_acts; (act = *at); at = &act->next) {
        if (act->a->kind != kind || act->a->tag != tag)
            continue;
        *at = act->next;
        act_free(act);
        t->outstanding--;
        return;
    }
}

void ge_result(struct ge_task *t, uint32_t kind, uint32_t tag, int status, const char *text,
               const void *result, size_t result_size)
{
    const struct gost_result_request *req = kind == GOST_ACT_REQUEST ? result : NULL;
    size_t extra = req ? req->payload.n : 0, rn = (result_size + extra + 15) & ~(size_t)15;
    size_t tn = text ? strlen(text) + 1 : 0;
    struct ge_res *r;

    if (t->ended)
        return;
    if (kind == GOST_ACT_TIE) {
        act_done(t, kind, tag);
        return; /* has no RESULT */
    }
    r = calloc(1, sizeof *r + rn + tn);
    if (!r) {
        act_done(t, kind, tag);
        ge_flow_fail(t->inst.flow, GOST_ENOMEM, t->inst.comp->name, "out of memory");
        t->inst.failed = GOST_ENOMEM;
        ge_task_ready(t);
        return;
    }
    r->ev.size = sizeof r->ev;
    r->ev.type = GOST_EV_RESULT;
    r->ev.kind = kind;
    r->ev.tag = tag;
    r->ev.status = status;
    if (result_size) {
        memcpy(r + 1, result, result_size);
        r->ev.result = r + 1;
    }
    if (extra) { /* its payload is somebody's view: it goes along */
        uint8_t *p = (uint8_t *)(r + 1) + result_size;

        memcpy(p, req->payload.p, extra);
        ((struct gost_result_request *)(r + 1))->payload.p = p;
    }
    if (tn) {
        char *p = (char *)(r + 1) + rn;

        memcpy(p, text, tn);
        r->ev.text = p;
    }
    act_done(t, kind, tag); /* after the copies: they may come from the action */
    *t->results_tail = r;
    t->results_tail = &r->next;
    ge_task_ready(t);
}
