/* session_request.c - requests of a session as a whole, both ways, and what streams open with. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define REQUESTS_MAX 64u    /* per session and direction: more are refused */
#define ARG_MAX      65536u /* what a stream opens with */

/* One of ours that the peer has not answered, one of the peer's that our user has not seen, or an
 * answer that the layer has not been told. */
struct ge_request {
    struct ge_request *next;
    const struct ge_task *task; /* OURS: who asked; compared only */
    uint32_t id, tag;           /* OURS: what the layer knows, what the task knows. Else: tag */
    int32_t status;             /* of an answer */
    size_t name_n, payload_n;
    uint8_t data[]; /* name, payload */
};

static struct ge_request *request_new(struct gost_bytes name, struct gost_bytes payload)
{
    struct ge_request *r = calloc(1, sizeof *r + name.n + payload.n);

    if (!r)
        return NULL;
    r->name_n = name.n;
    r->payload_n = payload.n;
    if (name.n)
        memcpy(r->data, name.p, name.n);
    if (payload.n)
        memcpy(r->data + name.n, payload.p, payload.n);
    return r;
}

static struct gost_bytes payload_of(const struct ge_request *r)
{
    return gost_bytes(r->data + r->name_n, r->payload_n);
}

static unsigned length(const struct ge_request *list)
{
    unsigned n = 0;

    for (; list; list = list->next)
        n++;
    return n;
}

static void add(struct ge_request **list, struct ge_request *r)
{
    while (*list)
        list = &(*list)->next;
    *list = r;
}

static void clear(struct ge_request **list)
{
    struct ge_request *r;

    while ((r = *list)) {
        *list = r->next;
        free(r);
    }
}

/* ---- ours ---- */

void ge_act_request(struct ge_task *t, const struct gost_act_request *a)
{
    struct ge_stack *port = ge_task_port(t, a->head.port);
    struct ge_session *x = port ? ge_session_of(port) : NULL;
    struct ge_request *r;
    int status;

    if (!x || x->layer->stack->status ||
        !GE_OP(ge_session_ops(x), struct gost_session_ops, request)) {
        ge_result(t, a->head.kind, a->head.tag,
                  x && x->layer->stack->status ? GOST_ECLOSED : GOST_EUNSUPPORTED,
                  x ? "the session takes no requests" : "the port is no session", NULL, 0);
        return;
    }
    r = length(x->requests) < REQUESTS_MAX ? request_new(a->name, gost_bytes(NULL, 0)) : NULL;
    if (!r) {
        ge_result(t, a->head.kind, a->head.tag, GOST_ELIMIT, "too many requests at once", NULL, 0);
        return;
    }
    r->task = t;
    r->id = ++x->last_request;
    r->tag = a->head.tag;
    add(&x->requests, r);
    ge_session_enter(x, "request");
    status = ge_session_ops(x)->request(x->layer->inst.state, x->layer->inst.conf,
                                        &x->layer->wire->hi, a->name, a->payload, r->id);
    (void)ge_session_leave(x, status);
    ge_session_wake(x);
}

/* The peer's answer. It may be late: the task that asked has ended then. */
static void answer_ours(struct ge_session *x, uint32_t id, int status, struct gost_bytes payload)
{
    struct ge_task *t = x->layer->stack->task;
    struct ge_request **at = &x->requests, *r;
    struct gost_result_request res = {.size = sizeof res, .payload = payload};

    while ((r = *at) && r->id != id)
        at = &r->next;
    if (!r)
        return;
    *at = r->next;
    if (t && t == r->task)
        ge_result(t, GOST_ACT_REQUEST, r->tag, status,
                  status ? "the peer refuses the request" : NULL, &res, sizeof res);
    free(r);
}

/* The session failed: nobody answers any more. */
void ge_requests_fail(struct ge_session *x, int status)
{
    struct ge_task *t = x->layer->stack->task;
    struct ge_request *r;

    while ((r = x->requests)) {
        x->requests = r->next;
        if (t && t == r->task)
            ge_result(t, GOST_ACT_REQUEST, r->tag, status, "the session ended", NULL, 0);
        free(r);
    }
}

void ge_requests_free(struct ge_session *x)
{
    clear(&x->requests);
    clear(&x->asked);
    clear(&x->answers);
}

/* ---- the peer's ---- */

static void queue_answer(struct ge_session *x, uint32_t tag, int status, struct gost_bytes payload)
{
    struct ge_request *r;

    if (!GE_OP(ge_session_ops(x), struct gost_session_ops, reply))
        return;
    r = request_new(gost_bytes(NULL, 0), payload);
    if (!r) {
        ge_stack_fail(x->layer->stack, GOST_ENOMEM);
        return;
    }
    r->tag = tag;
    r->status = status;
    add(&x->answers, r);
    ge_session_wake(x);
}

int ge_session_request(struct gost_io *io, uint32_t tag, struct gost_bytes name,
                       struct gost_bytes payload)
{
    struct ge_session *x = ge_session_of_layer(io);
    struct ge_request *r;

    if (!x)
        return GOST_EINTERNAL;
    r = length(x->asked) < REQUESTS_MAX && name.n + payload.n <= GOST_PEEK_MAX
            ? request_new(name, payload)
            : NULL;
    if (!r) {
        queue_answer(x, tag, GOST_ELIMIT, gost_bytes(NULL, 0));
        return GOST_OK;
    }
    r->tag = tag;
    add(&x->asked, r);
    if (x->layer->stack->task)
        ge_task_ready(x->layer->stack->task);
    ge_session_wake(x);
    return GOST_OK;
}

/* The next one as an event of the task; NULL: none. Freed after the step. */
struct ge_res *ge_request_event(struct ge_session *x)
{
    struct ge_request *q = x->asked;
    struct gost_request *req;
    struct ge_res *r;
    uint8_t *p;

    if (!q || !(r = calloc(1, sizeof *r + sizeof *req + q->name_n + q->payload_n)))
        return NULL;
    req = (struct gost_request *)(r + 1);
    p = (uint8_t *)(req + 1);
    memcpy(p, q->data, q->name_n + q->payload_n);
    req->size = sizeof *req;
    req->name = gost_bytes(p, q->name_n);
    req->payload = gost_bytes(p + q->name_n, q->payload_n);
    r->ev.size = sizeof r->ev;
    r->ev.type = GOST_EV_REQUEST;
    r->ev.tag = q->tag;
    r->ev.result = req;
    x->asked = q->next;
    free(q);
    return r;
}

/* Where no task serves the session there is nobody to say yes. */
void ge_requests_refuse(struct ge_session *x)
{
    struct ge_request *q;

    while ((q = x->asked)) {
        x->asked = q->next;
        queue_answer(x, q->tag, GOST_EUNSUPPORTED, gost_bytes(NULL, 0));
        free(q);
    }
}

/* Before the layer encodes: the answers of our user, in the order they were given. */
void ge_requests_run(struct ge_session *x)
{
    struct ge_request *r;
    int status = GOST_OK;

    while (status >= 0 && (r = x->answers)) {
        x->answers = r->next;
        ge_session_enter(x, "reply");
        status = ge_session_ops(x)->reply(x->layer->inst.state, x->layer->inst.conf,
                                          &x->layer->wire->hi, r->tag, r->status, payload_of(r));
        status = ge_session_leave(x, status);
        free(r);
    }
}

void ge_session_reply(struct gost_io *io, uint32_t tag, int status, struct gost_bytes payload)
{
    struct ge_inst *in = ge_io_inst(io);
    struct ge_layer *l;

    if (!in)
        return;
    l = in->is_task ? io->lv->stack->top->below : (struct ge_layer *)in;
    if (!l || !l->session)
        return;
    if (in->is_task)
        queue_answer(l->session, tag, status, payload);
    else
        answer_ours(l->session, tag, status, payload);
}

/* ---- what a stream opens with ---- */

static struct ge_stream *stream_of(const struct gost_io *s)
{
    struct ge_stack *stack = s->lv->stack;

    return stack->session ? (struct ge_stream *)stack : NULL;
}

int ge_stream_keep_arg(struct ge_stream *st, struct gost_bytes arg)
{
    if (arg.n > ARG_MAX)
        return GOST_ETOOBIG;
    free(st->arg);
    st->arg = arg.n ? request_new(gost_bytes(NULL, 0), arg) : NULL;
    return arg.n && !st->arg ? GOST_ENOMEM : GOST_OK;
}

int ge_stream_set_arg(struct gost_io *s, struct gost_bytes arg)
{
    struct ge_stream *st = stream_of(s);

    return st ? ge_stream_keep_arg(st, arg) : GOST_EINTERNAL;
}

struct gost_bytes ge_stream_arg(struct gost_io *s)
{
    const struct ge_stream *st = stream_of(s);

    return st && st->arg ? payload_of(st->arg) : gost_bytes(NULL, 0);
}
