/* user.c - the users above a layer or behind a connector, and the far end of an exchange. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define FIELDS_MAX 64

/* ---- heads as text: "head GET https example.com /path\nname: value\n\n" ---- */

static void put_text(struct kit_world *w, struct kit_end *e, struct gost_bytes b, const char *after)
{
    kit_end_put(w, e, b.p, b.n);
    kit_end_put(w, e, after, strlen(after));
}

static void put_head(struct kit_world *w, struct kit_end *e, const struct gost_head *head)
{
    char number[16];
    uint32_t i;

    kit_end_put(w, e, "head ", 5);
    if (head->flags & GOST_HEAD_TRAILERS) {
        kit_end_put(w, e, "trailers", 8);
    } else if (head->status) {
        snprintf(number, sizeof number, "%u", head->status);
        kit_end_put(w, e, number, strlen(number));
    } else {
        put_text(w, e, head->method, " ");
        put_text(w, e, head->scheme, " ");
        put_text(w, e, head->authority, " ");
        put_text(w, e, head->path, "");
        if (head->protocol.n) {
            kit_end_put(w, e, " ", 1);
            put_text(w, e, head->protocol, "");
        }
    }
    kit_end_put(w, e, "\n", 1);
    for (i = 0; i < head->n_fields; i++) {
        put_text(w, e, head->fields[i].name, ": ");
        put_text(w, e, head->fields[i].value, "\n");
    }
    kit_end_put(w, e, "\n", 1);
}

/* Up to the next `end` or the end of the line. */
static struct gost_bytes cut(struct gost_bytes *rest, uint8_t end)
{
    struct gost_bytes word = gost_bytes(rest->p, 0);

    while (word.n < rest->n && rest->p[word.n] != end && rest->p[word.n] != '\n')
        word.n++;
    rest->p += word.n;
    rest->n -= word.n;
    if (rest->n && *rest->p == end) {
        rest->p++;
        rest->n--;
    }
    return word;
}

static void first_line(struct gost_bytes line, struct gost_head *head)
{
    struct gost_bytes word = cut(&line, ' ');
    size_t i;

    if (gost_bytes_eq(word, gost_bytes_str("trailers"))) {
        head->flags |= GOST_HEAD_TRAILERS;
    } else if (word.n && isdigit(word.p[0])) {
        for (i = 0; i < word.n && i < 3; i++)
            head->status = head->status * 10 + (uint32_t)(word.p[i] - '0');
    } else {
        head->method = word;
        head->scheme = cut(&line, ' ');
        head->authority = cut(&line, ' ');
        head->path = cut(&line, ' ');
        head->protocol = line;
    }
}

/* What the far side or a user sends: a record that begins with "head " is a head. */
static void send_record(struct gost_io *io, const uint8_t *p, size_t n)
{
    const struct gost_host *h = ge_host_table();
    struct gost_field fields[FIELDS_MAX];
    struct gost_bytes rest = gost_bytes(p, n), line;
    struct gost_head head;

    if (h->type(io) != GOST_EXCHANGE || n < 5 || memcmp(p, "head ", 5) != 0) {
        (void)h->send(io, p, n);
        return;
    }
    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.fields = fields;
    rest.p += 5;
    rest.n -= 5;
    first_line(cut(&rest, '\n'), &head);
    while (rest.n && head.n_fields < FIELDS_MAX && (line = cut(&rest, '\n')).n) {
        fields[head.n_fields].name = cut(&line, ':');
        if (line.n && *line.p == ' ') {
            line.p++;
            line.n--;
        }
        fields[head.n_fields++].value = line;
    }
    (void)h->head_send(io, &head);
    if (rest.n)
        (void)h->send(io, rest.p, rest.n);
}

/* ---- a user is a task of its own on the top of a stack ---- */

static void answer_head(struct kit_user *u, struct gost_io *io, const struct gost_head *got)
{
    struct gost_head head;

    if (!u->world->echo || got->status || (got->flags & GOST_HEAD_TRAILERS))
        return;
    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.status = 200;
    (void)ge_host_table()->head_send(io, &head);
}

/* Users echo. The far end of an exchange does not: the two would never come to rest. */
static int echoes(const struct kit_user *u)
{
    return u->world->echo && !u->down_shut && u->out->far != u;
}

/* Takes what came. Returns whether there was anything. */
static int take(struct kit_user *u, struct gost_io *io)
{
    const struct gost_host *h = ge_host_table();
    struct gost_head head;
    struct gost_bytes b;
    int any = 0;

    head.size = sizeof head;
    if (h->type(io) == GOST_EXCHANGE && h->head_recv(io, &head) == GOST_OK) {
        put_head(u->world, u->out, &head);
        answer_head(u, io, &head);
        any = 1;
    }
    while ((b = h->rx(io)).n) {
        kit_end_put(u->world, u->out, b.p, b.n);
        if (echoes(u))
            (void)h->send(io, b.p, b.n);
        h->consume(io, b.n);
        any = 1;
    }
    return any;
}

static void take_packets(struct kit_user *u, struct gost_io *io)
{
    struct gost_packet packet;

    packet.size = sizeof packet;
    while (ge_host_table()->packet_recv(io, &packet) == GOST_OK)
        kit_end_put(u->world, u->out, packet.data.p, packet.data.n);
}

static void send_down(struct kit_user *u, struct gost_io *io)
{
    const struct gost_host *h = ge_host_table();
    const struct gost_script *s = u->world->script;
    struct gost_packet packet;

    if (h->type(io) == GOST_DATAGRAM) {
        memset(&packet, 0, sizeof packet);
        packet.size = sizeof packet;
        packet.data = gost_bytes(u->down, u->n_down);
        packet.addr = s->target.size ? &s->target.addr : NULL;
        (void)h->packet_send(io, &packet);
    } else {
        send_record(io, u->down, u->n_down);
    }
    u->n_down = 0;
}

/* The user that the engine steps: its task says which. */
static struct kit_user *user_of(struct gost_io *io)
{
    return ge_task_ctx(ge_io_task(io));
}

/* Stepped for input, for an end, and (as a cancel) when there is something to send. */
static int user_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_host *h = ge_host_table();
    struct kit_user *u = user_of(io);
    struct gost_outcome *o = u->world->outcome;

    if (ev->type == GOST_EV_CLOSED && ev->status && !o->ended && !u->of_session) {
        o->ended = 1;
        o->status = ev->status;
    }
    if (h->type(io) == GOST_DATAGRAM) {
        take_packets(u, io);
    } else {
        while (take(u, io))
            ;
    }
    if (h->rx_eof(io)) {
        u->out->shut = 1;
        u->down_end |= u->world->echo;
    }
    if (u->n_down)
        send_down(u, io);
    if (u->down_end && !u->down_shut) {
        u->down_shut = 1;
        h->shut(io);
    }
    if (!u->down_reset)
        return GOST_AGAIN;
    h->abort(io, u->reset_code);
    return GOST_ECANCELLED;
}

static const struct gost_handler_ops user_ops = {
    sizeof(struct gost_handler_ops),
    GOST_STREAM | GOST_DATAGRAM | GOST_EXCHANGE,
    user_step,
    NULL,
};

static const struct gost_component user_component = {
    .kind = GOST_KIND_HANDLER,
    .name = "user of the test kit",
    .summary = "reads and writes the top of a stack",
    .ops = &user_ops,
};

static void user_done(struct ge_task *t, void *ctx, int status)
{
    ((struct kit_user *)ctx)->task = NULL;
}

void kit_user_start(struct kit_world *w, struct kit_user *u, struct kit_end *out,
                    struct ge_stack *s)
{
    struct ge_task_spec spec;

    u->world = w;
    u->out = out;
    memset(&spec, 0, sizeof spec);
    spec.component = &user_component;
    spec.flow = ge_stack_flow(s);
    spec.ctx = u;
    spec.done = user_done;
    u->task = ge_task_new(&spec, s);
    if (!u->task)
        abort();
}

/* ---- users of a session: one for each stream, in the order in which they are opened ---- */

static int add_stream(struct kit_world *w, struct ge_stack *stream)
{
    struct kit_user *u = NULL;
    unsigned i;

    for (i = 0; i < KIT_USERS && !u; i++) {
        if (!w->users[i].world)
            u = &w->users[i];
    }
    if (!u)
        return GOST_ELIMIT;
    u->of_session = 1;
    u->own.world = w;
    kit_user_start(w, u, &u->own, stream);
    return GOST_OK;
}

static void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct ge_flow *flow = ge_flow_new(((struct kit_world *)arg)->worker);

    if (!flow)
        abort();
    flow->service = "test";
    ge_stack_set_flow(stream, flow);
    if (add_stream(arg, stream) != GOST_OK)
        ge_stack_free(stream, 1);
    ge_flow_unref(flow);
}

static void on_end(struct ge_stack *session, void *arg, int status)
{
    struct kit_world *w = arg;

    w->outcome->ended = 1;
    w->outcome->status = status;
    kit_trace(w, &status, sizeof status);
}

void kit_session_start(struct kit_world *w, struct ge_stack *s)
{
    w->session = s;
    ge_session_on_stream(s, on_stream, w);
    ge_session_on_end(s, on_end, w);
}

int kit_session_open(struct kit_world *w)
{
    struct ge_flow *flow;
    struct ge_stack *stream = NULL;
    int r;

    if (!w->session || !w->port[0]->stack)
        return GOST_ECLOSED;
    flow = ge_flow_new(w->worker);
    if (!flow)
        abort();
    flow->service = "test";
    r = ge_session_open(w->session, flow, 0, &stream);
    ge_flow_unref(flow);
    if (r == GOST_OK)
        r = add_stream(w, stream);
    return r;
}

/* ---- for all of them ---- */

void kit_users_wake(struct kit_world *w)
{
    struct kit_end *e;
    unsigned i;

    for (i = 0; i < KIT_USERS; i++) {
        struct kit_user *u = &w->users[i];

        if (u->task && (u->n_down || u->down_reset || (u->down_end && !u->down_shut)))
            ge_task_event_cancel(u->task);
    }
    for (e = w->ends; e; e = e->next) {
        struct kit_user *u = e->far;

        if (u && u->task && (u->n_down || (u->down_end && !u->down_shut)))
            ge_task_event_cancel(u->task);
    }
}

void kit_users_end(struct kit_world *w)
{
    struct kit_end *e;
    unsigned i;

    for (e = w->ends; e; e = e->next) {
        if (e->far && e->far->task)
            ge_task_cancel(e->far->task, GOST_ECANCELLED);
        if (e->far)
            e->far->task = NULL;
    }

    for (i = 0; i < KIT_USERS; i++) {
        if (w->users[i].task)
            ge_task_cancel(w->users[i].task, GOST_ECANCELLED);
        w->users[i].task = NULL;
    }
}

void kit_users_free(struct kit_world *w)
{
    unsigned i;

    for (i = 0; i < KIT_USERS; i++)
        free(w->users[i].own.out);
}
