/* test_session_ask.c - sessions in memory: requests, what streams open with, datagrams. */
/* SPDX-License-Identifier: MIT */
#include "mux_world.h"

static const struct mux_conf plain[2] = {{16384, 0, 0, 0}, {16384, 0, 0, 0}};

/* ---- one handler for both sides: it asks, is asked, opens, accepts, and sends datagrams ---- */

enum { UPGRADED = 1, ASKED, ASKED_NO, OPENED, ACCEPTED_ONE, SESSION_DG, STREAM_DG };
enum { STREAM = 1, DG = 2, SDG = 3 };

static struct seen {
    int status[8];
    int results;
    char reply[64], request[64], arg[64], dg[64], sdg[64];
    int requests, late; /* late: it answers only when told */
    uint32_t late_tag;
    int dg_end;
    struct gost_io *port0;
} seen[2]; /* by role: the client asks */

static struct ge_task *asker[2];

static void keep(char *to, struct gost_bytes b)
{
    memcpy(to, b.p, b.n < 63 ? b.n : 63);
    to[b.n < 63 ? b.n : 63] = 0;
}

static void ask(struct gost_io *io, uint32_t tag, const char *name, const char *payload)
{
    gost_request(io, tag, 0, gost_bytes_str(name), gost_bytes_str(payload));
}

static void open_with(struct gost_io *io, const char *arg)
{
    struct gost_act_stream_open a = {{sizeof a, GOST_ACT_STREAM_OPEN, OPENED, STREAM}, 0, 0, {0}};

    a.arg = gost_bytes_str(arg);
    gost_act(io, &a.head);
}

static void on_result(struct seen *s, struct gost_io *io, const struct gost_event *ev, int client)
{
    const struct gost_result_request *q = ev->result;

    s->results |= 1 << ev->tag;
    s->status[ev->tag] = ev->status;
    if (ev->tag == UPGRADED && client) {
        ask(io, ASKED, "ping", "abc");
        ask(io, ASKED_NO, "no", "");
        open_with(io, "direct to example.com");
        gost_datagrams(io, SESSION_DG, DG, 0);
    } else if (ev->tag == UPGRADED) {
        gost_accept(io, ACCEPTED_ONE, STREAM, 0);
        gost_datagrams(io, SESSION_DG, DG, 0);
    } else if (ev->tag == ASKED && !ev->status) {
        keep(s->reply, q->payload);
    } else if (ev->tag == ACCEPTED_ONE && !ev->status) {
        keep(s->arg, gost_stream_arg(gost_port(io, STREAM)));
        gost_datagrams(io, STREAM_DG, SDG, STREAM);
    } else if (ev->tag == OPENED && !ev->status) {
        gost_datagrams(io, STREAM_DG, SDG, STREAM);
    } else if (ev->tag == STREAM_DG && client) {
        gost_packet_put(gost_port(io, SDG), gost_bytes_str("of the stream"), NULL);
    } else if (ev->tag == SESSION_DG && client) {
        gost_packet_put(gost_port(io, DG), gost_bytes_str("of the session"), NULL);
    }
}

static void on_request(struct seen *s, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_request *q = ev->result;

    s->requests++;
    keep(s->request, q->name);
    if (s->late) {
        s->late_tag = ev->tag;
        return;
    }
    gost_session_reply(io, ev->tag, s->request[0] == 'n' ? GOST_EDENIED : 0, q->payload);
}

static int ask_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    int client = gost_arg(io).n != 0;
    struct seen *s = &seen[client];
    struct gost_packet k;

    s->port0 = io;
    if (ev->type == GOST_EV_START)
        return gost_upgrade(io, UPGRADED, 0, client ? GOST_CLIENT : GOST_SERVER, "mux")
                   ? GOST_EINTERNAL
                   : GOST_AGAIN;
    if (ev->type == GOST_EV_RESULT)
        on_result(s, io, ev, client);
    if (ev->type == GOST_EV_REQUEST)
        on_request(s, io, ev);
    while (gost_port(io, DG) && gost_packet_recv(gost_port(io, DG), &k) == GOST_OK)
        keep(s->dg, k.data);
    while (gost_port(io, SDG) && gost_packet_recv(gost_port(io, SDG), &k) == GOST_OK)
        keep(s->sdg, k.data);
    if (ev->type == GOST_EV_EOF && ev->port == SDG)
        s->dg_end = 1;
    return GOST_AGAIN;
}

static const struct gost_handler_ops ask_ops = {sizeof ask_ops, 0, ask_step, NULL};
static const struct gost_component asking = {
    .kind = GOST_KIND_HANDLER, .name = "ask", .summary = "t", .ops = &ask_ops};

static void ask_done(struct ge_task *t, void *ctx, int status)
{
    *(struct ge_task **)ctx = NULL;
}

static struct ge_task *start(int which, const char *arg)
{
    struct ge_task_spec spec;

    memset(&spec, 0, sizeof spec);
    spec.component = &asking;
    spec.flow = side[which].flow;
    spec.done = ask_done;
    spec.ctx = &asker[which == CLIENT];
    spec.arg = gost_bytes_str(arg);
    return ge_task_new(&spec, side[which].session);
}

static void both_start(int late)
{
    memset(side, 0, sizeof side);
    memset(seen, 0, sizeof seen);
    wire_step = 5;
    wire_cut = tasks_done = 0;
    seen[0].late = late;
    side_open(&side[SERVER], GOST_SERVER, NULL, NULL);
    side_open(&side[CLIENT], GOST_CLIENT, NULL, NULL);
    asker[0] = start(SERVER, "");
    asker[1] = start(CLIENT, "client");
    run();
}

static void both_end(void)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (asker[i])
            ge_task_cancel(asker[i], 0);
        asker[i] = NULL;
    }
    run();
}

static void test_requests(void)
{
    both_start(0);
    ok(seen[0].requests == 2, "the peer's requests reach the handler that has the session");
    ok(seen[1].results >> ASKED & 1 && !seen[1].status[ASKED] && !strcmp(seen[1].reply, "abc"),
       "its answer reaches the one who asked");
    ok(seen[1].results >> ASKED_NO & 1 && seen[1].status[ASKED_NO] == GOST_EPEER, "so does a no");
    ok(!strcmp(seen[0].arg, "direct to example.com"), "a stream tells what it opens with");
    ok(!strcmp(seen[0].dg, "of the session"), "datagrams of a session are packets");
    ok(!strcmp(seen[0].sdg, "of the stream"), "and those of a stream, apart from them");
    both_end();
    ok(world_close(), "nothing is left");
}

static void test_late(void)
{
    both_start(1);
    ok(seen[0].requests == 2 && !(seen[1].results & (1 << ASKED | 1 << ASKED_NO)),
       "an answer may take its time");
    gost_session_reply(seen[0].port0, seen[0].late_tag, 0, gost_bytes_str("x"));
    run();
    ok(seen[1].results >> ASKED_NO & 1 && !(seen[1].results >> ASKED & 1),
       "and be given out of order");
    ge_stack_free(side[SERVER].session, 1);
    run();
    ok(seen[1].status[ASKED] == GOST_ECLOSED, "those that nobody answers end with the session");
    ok(seen[1].dg_end, "and so do its datagrams");
    both_end();
    ok(world_close(), "nothing is left");
}

/* A session that the embedder serves has nobody to say yes; a flood is bounded. */
static void test_nobody(void)
{
    int i, sent = 0;

    memset(seen, 0, sizeof seen);
    world_open(plain, NULL, 100000);
    for (i = 0; i < 200; i++) {
        raw(side[SERVER].session, MUX_REQUEST, (uint32_t)i, "hello", 5);
        run();
    }
    sent = (int)side[SERVER].sent;
    ok(sent >= 200 * (MUX_HEAD + 1) && !side[SERVER].ended, "requests to nobody are all refused");
    raw(side[SERVER].session, MUX_REPLY, 7, "\0", 1);
    raw(side[SERVER].session, MUX_DATAGRAM, 0, "x", 1);
    raw(side[SERVER].session, MUX_DATAGRAM, 99, "x", 1);
    run();
    ok(!side[SERVER].ended, "answers and datagrams that nobody waits for are dropped");
    ok(world_close(), "nothing is left");
}

int main(void)
{
    struct ge_embed e = world_embedder();

    worker = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_requests();
    test_late();
    test_nobody();
    ge_worker_free(worker);
    return test_end();
}
