/* test_session_end.c - sessions in memory: draining, failure, strangers, ports, no memory. */
/* SPDX-License-Identifier: MIT */
#include "mux_world.h"

static const struct mux_conf plain[2] = {{16384, 0, 0, 0}, {16384, 0, 0, 0}};

/* ---- ends of sessions ---- */

static void test_drain(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    say(a, "old");
    run();
    ge_session_drain(side[SERVER].session);
    run();
    ok(!open_from(CLIENT, 0) && !open_from(SERVER, 0) && ge_session_draining(side[CLIENT].session),
       "a draining session opens no streams");
    say(a, " and going on");
    run();
    ok(got(side[SERVER].accepted[0], "old and going on"), "old streams go on");
    ok(!side[CLIENT].ended && !side[SERVER].ended, "it has not ended");
    gost_shut(top(a));
    gost_shut(top(side[SERVER].accepted[0]));
    run();
    ge_stack_free(a, 0);
    ge_stack_free(side[SERVER].accepted[0], 0);
    side[SERVER].n_accepted = 0;
    run();
    ok(side[CLIENT].ended == 1 && side[SERVER].ended == 1, "it ends with its last stream");
    ok(!side[CLIENT].end_status && !side[SERVER].end_status && !side[SERVER].flow->status,
       "and well");
    ok(world_close(), "nothing is left");
}

static void test_linger(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    run();
    ge_stack_linger(side[SERVER].session);
    pass_time(30 * GOST_S);
    say(side[SERVER].accepted[0], "alive");
    run();
    ok(got(a, "alive"), "a session that lingers waits for its streams");
    gost_shut(top(side[SERVER].accepted[0]));
    ge_stack_linger(side[SERVER].accepted[0]);
    side[SERVER].n_accepted = 0;
    gost_shut(top(a));
    run();
    ok(gost_rx_eof(top(a)), "a stream that lingers ends cleanly");
    ge_stack_free(a, 0);
    run();
    a = open_from(SERVER, 0);
    ok(!a, "it opens none");
    ge_stack_linger(side[CLIENT].session);
    run();
    ok(!side[SERVER].session && !side[CLIENT].session,
       "sessions free themselves when all has ended");
    ok(world_close(), "nothing is left");
}

static void test_linger_last(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    gost_shut(top(a));
    run();
    mux_resets = 0;
    say(side[SERVER].accepted[0], "bye");
    ge_stack_linger(side[SERVER].accepted[0]);
    side[SERVER].n_accepted = 0;
    run();
    ok(got(a, "bye") && gost_rx_eof(top(a)) && !mux_resets, "the last word is an end, not a reset");
    ok(ge_session_streams(side[SERVER].session) == 0, "and the stream is gone");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

static void test_peer_gone(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    run();
    serve(&watch, side[SERVER].flow, side[SERVER].accepted[0]);
    side[SERVER].n_accepted = 0;
    run();
    watch_status = 0;
    ge_stack_free(side[CLIENT].session, 0);
    ok(gost_rx_eof(top(a)), "a stream outlives its session and reads an end");
    run();
    ok(watch_status == GOST_ECLOSED && side[SERVER].ended == 1 &&
           side[SERVER].end_status == GOST_ECLOSED,
       "the other side's session and streams learn it");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");

    world_open(plain, NULL, 100000);
    ge_stack_free(side[CLIENT].session, 0);
    run();
    ok(side[SERVER].ended == 1 && side[SERVER].end_status == 0 && !side[SERVER].flow->status,
       "an idle session whose peer leaves ends well");
    ok(world_close(), "nothing is left");
}

/* ---- what a pool of sessions wants to know ---- */

static unsigned changes[3];

static void on_change(struct ge_stack *session, void *arg, unsigned what)
{
    changes[1] += (what & GE_SESSION_ALIVE) != 0;
    changes[2] += (what & GE_SESSION_EMPTY) != 0;
}

static void test_changes(void)
{
    struct ge_stack *a, *b, *session;

    world_open(plain, NULL, 100000);
    session = side[CLIENT].session;
    ge_session_on_change(session, on_change, NULL);
    run();
    ok(!changes[1] && !changes[2], "nothing to tell of a new session");
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    say(a, "12345");
    run();
    ok(ge_session_bytes(session) == 5 && ge_session_bytes(side[SERVER].session) == 5,
       "its traffic is counted at both ends");
    ge_stack_free(a, 0);
    run();
    ok(!changes[2], "one stream of two is gone");
    ge_stack_free(b, 0);
    run();
    ok(changes[2] == 1, "the last one is gone, and it is told");
    pass_time(3 * GOST_S);
    ok(clock_ns - ge_session_heard(session) >= 3 * GOST_S, "silence is measured");
    (void)ge_session_ping(session, GOST_S);
    run();
    ok(changes[1] == 1 && clock_ns == ge_session_heard(session), "an answer to a ping is told");
    a = open_from(CLIENT, 0);
    ge_stack_free(a, 0);
    a = open_from(CLIENT, 0);
    run();
    ok(changes[2] == 1, "empty for a moment only is not told");
    ge_stack_free(a, 0);
    ge_session_on_change(session, NULL, NULL);
    run();
    ok(changes[2] == 1, "nobody wants to know any more");
    ok(world_close(), "nothing is left");
}

static void test_stuck(void)
{
    static const struct mux_conf windowless[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    static char text[50001];
    struct ge_stack *a;
    int i;

    world_open(windowless, NULL, 100000);
    a = open_from(CLIENT, 0);
    memset(text, 'x', sizeof text - 1);
    say(a, "a little");
    run();
    pass_time(5 * GOST_S);
    ok(ge_session_stuck(side[CLIENT].session) == 0 && ge_session_stuck(side[SERVER].session) == 0,
       "a session that has nothing to do is not stuck");
    for (i = 0; i < 20; i++)
        say(a, text);
    run();
    pass_time(5 * GOST_S);
    ok(ge_session_stuck(side[SERVER].session) >= 5 * GOST_S,
       "one whose only stream nobody reads cannot read");
    ok(ge_session_stuck(side[CLIENT].session) >= 5 * GOST_S, "and its peer cannot write");
    while (gost_rx(top(side[SERVER].accepted[0])).n) {
        gost_consume(top(side[SERVER].accepted[0]), sizeof text);
        run();
    }
    ok(ge_session_stuck(side[CLIENT].session) == 0 && ge_session_stuck(side[SERVER].session) == 0,
       "until somebody does");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

static void test_keepalive(void)
{
    static const struct mux_conf alive[2] = {{16384, 10 * GOST_S, 0, 0}, {16384, 0, 0, 0}};
    static const struct mux_conf dead[2] = {{16384, 10 * GOST_S, 0, 0}, {16384, 0, 1, 0}};
    struct ge_stack *a, *b;
    int i;

    world_open(alive, NULL, 100000);
    a = open_from(CLIENT, 0);
    run();
    for (i = 0; i < 10; i++)
        pass_time(11 * GOST_S);
    say(a, "alive");
    run();
    ok(!side[CLIENT].ended && got(side[SERVER].accepted[0], "alive"),
       "keep-alive keeps a session that answers");
    ok(ge_session_ping(side[CLIENT].session, GOST_S) == GOST_OK, "the embedder may ping");
    run();
    pass_time(2 * GOST_S);
    ok(!side[CLIENT].ended, "and is answered");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");

    world_open(dead, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    run();
    serve(&watch, side[CLIENT].flow, a);
    watch_status = 0;
    pass_time(11 * GOST_S);
    ok(!side[CLIENT].ended, "a late answer is waited for");
    pass_time(11 * GOST_S);
    ok(side[CLIENT].end_status == GOST_ETIMEDOUT && watch_status == GOST_ETIMEDOUT,
       "then session and streams time out");
    ok(gost_rx_eof(top(b)) && !open_from(CLIENT, 0), "nothing more can be opened");
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");

    world_open(dead, NULL, 100000);
    ge_session_ping(side[CLIENT].session, GOST_S);
    run();
    pass_time(2 * GOST_S);
    ok(side[CLIENT].end_status == GOST_ETIMEDOUT, "a ping of the embedder times out too");
    ok(world_close(), "nothing is left");
}

/* ---- strangers ---- */

static void test_flood(void)
{
    struct ge_usage u;
    uint8_t flags[4] = {0};
    uint32_t i;

    world_open(plain, NULL, 100000);
    mux_refused = 0;
    ge_session_limit(side[SERVER].session, 10);
    for (i = 0; i < 1000; i++) {
        raw(side[SERVER].session, MUX_SYN, 2 * i + 1, flags, 4);
        run();
    }
    ge_worker_usage(worker, &u);
    ok(side[SERVER].n_accepted == 10 && mux_refused == 990 && u.stacks == 12,
       "a flood of streams is refused");
    ok(!side[SERVER].ended, "the session lives");
    ok(world_close(), "nothing is left");

    world_open(plain, NULL, 100000);
    for (i = 0; i < 1000; i++) {
        raw(side[SERVER].session, MUX_SYN, 2 * i + 1, flags, 4);
        raw(side[SERVER].session, MUX_RST, 2 * i + 1, flags, 4);
        run();
    }
    ok(side[SERVER].n_accepted == 0 && !side[SERVER].ended, "streams reset at once bother nobody");
    raw(side[SERVER].session, 99, 1, NULL, 0);
    run();
    ok(side[SERVER].end_status == GOST_EPROTO, "nonsense ends the session");
    ok(world_close(), "nothing is left");
}

static void free_session(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    ge_stack_free(stream, 1);
    ge_stack_free(session, 0);
}

static void free_ended(struct ge_stack *session, void *arg, int status)
{
    ge_stack_free(session, 0);
}

static void test_free_in_callback(void)
{
    struct ge_stack *a[3];
    int i;

    world_open(plain, NULL, 100000);
    ge_session_on_stream(side[SERVER].session, free_session, NULL);
    ge_session_on_end(side[CLIENT].session, free_ended, NULL);
    for (i = 0; i < 3; i++)
        a[i] = open_from(CLIENT, 0);
    run();
    ok(!side[SERVER].session && !side[CLIENT].session, "callbacks may free the session");
    for (i = 0; i < 3; i++)
        ge_stack_free(a[i], 0);
    ok(world_close(), "nothing is left");
}

static void test_refused_open(void)
{
    static const struct mux_conf refusing[2] = {{16384, 0, 0, 1}, {16384, 0, 0, 0}};
    static struct ge_stack *many[2000];
    struct ge_stack *s = NULL;
    int i, n = 0;

    world_open(refusing, NULL, 100000);
    ok(ge_session_open(side[CLIENT].session, side[CLIENT].flow, 0, &s) == GOST_FULL && !s,
       "a full session says so");
    for (i = 0; i < 2000; i++)
        n += (many[i] = open_from(SERVER, 0)) != NULL;
    say(many[1777], "found");
    run();
    ok(n == 2000 && ge_session_streams(side[SERVER].session) == 2000, "two thousand streams open");
    ok(side[CLIENT].n_accepted == ACCEPTED && ge_session_streams(side[CLIENT].session) == ACCEPTED,
       "what their peer does not want is gone");
    for (i = 0; i < 2000; i++)
        ge_stack_free(many[i], 0);
    ok(world_close(), "nothing is left");
}

/* ---- a session as a task's port ---- */

static void test_port(void)
{
    struct ge_stack *a, *b;

    memset(side, 0, sizeof side);
    wire_step = 100000;
    wire_cut = 0;
    owner_results = owner_accepted = owner_status = owner_no_more = tasks_done = 0;
    side_open(&side[SERVER], GOST_SERVER, &plain[1], NULL);
    side_open(&side[CLIENT], GOST_CLIENT, NULL, NULL);
    serve(&owner, side[CLIENT].flow, side[CLIENT].session);
    run();
    ok(owner_results == (1 << 1 | 1 << 2), "a port is upgraded to a session and opens a stream");
    ok(side[SERVER].n_accepted == 1 && got(side[SERVER].accepted[0], "hello"),
       "whose bytes arrive");
    a = open_from(SERVER, 0);
    b = open_from(SERVER, 0);
    say(a, "\1"
           "0first");
    say(b, "\1"
           "1second");
    run();
    ok(owner_accepted == 2 && got(targets[0], "first") && got(targets[1], "second"),
       "streams of the peer become child flows");
    say(targets[0], "back");
    run();
    ok(got(a, "back"), "which answer");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ge_stack_free(side[SERVER].session, 1);
    run();
    ok(owner_status == GOST_ECLOSED && owner_no_more == GOST_ECLOSED,
       "the owner learns that the session ended");
    ok(tasks_done == 3, "all flows ended");
    ok(world_close(), "nothing is left");
}

static void test_bind(void)
{
    struct ge_stack *s[3];
    int i, good = 1;

    memset(side, 0, sizeof side);
    wire_step = 100000;
    wire_cut = n_arrived = 0;
    side_open(&side[SERVER], GOST_CLIENT, &plain[1], NULL);
    side_open(&side[CLIENT], GOST_CLIENT, NULL, NULL);
    serve(&binder, side[CLIENT].flow, side[CLIENT].session);
    run();
    for (i = 0; i < 3; i++) {
        s[i] = open_from(SERVER, 0);
        say(s[i], "-visitor");
    }
    run();
    ok(n_arrived == 3, "a connector that binds hands over each stream of its session");
    for (i = 0; i < n_arrived; i++) {
        good &= got(arrived[i], "visitor");
        say(arrived[i], "served");
        gost_shut(top(arrived[i]));
        run();
        good &= got(s[i], "served") && gost_rx_eof(top(s[i]));
    }
    ok(good, "they work without it");
    ge_stack_free(side[SERVER].session, 0);
    run();
    ok(tasks_done > 0 && task_status == GOST_ECLOSED, "the bind ends with its session");
    for (i = 0; i < 3; i++) {
        ge_stack_free(s[i], 0);
        ge_stack_free(arrived[i], 0);
    }
    ok(world_close(), "nothing is left");
}

/* ---- one allocation fails, each in turn ---- */

static void scenario(void)
{
    struct ge_stack *a, *b;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(SERVER, 0);
    say(a, "\1"
           "0first");
    say(b, "x");
    run();
    if (side[SERVER].n_accepted) {
        serve(&line, side[SERVER].flow, side[SERVER].accepted[0]);
        side[SERVER].n_accepted = 0;
    }
    run();
    say(targets[0], "answer");
    run();
    if (a)
        ge_stack_free(a, 0);
    if (b)
        ge_stack_free(b, 0);
    run();
}

static void test_alloc(const struct ge_embed *e)
{
    struct ge_worker *mine = worker;
    long n, used = 0;
    int good = 1;

    for (n = 0; n < 400 && good; n++) {
        worker = ge_worker_new(e, NULL); /* with empty pools */
        alloc_left = n;
        scenario();
        used = alloc_left;
        alloc_left = -1;
        good = world_close();
        ge_worker_free(worker);
        if (used > 0)
            break; /* all had what they asked for */
    }
    worker = mine;
    ok(good && used > 0, "each allocation may fail: no crash, nothing left");
    printf("# %ld allocations\n", n);
}

int main(void)
{
    struct ge_embed e = world_embedder();

    worker = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_drain();
    test_linger();
    test_linger_last();
    test_peer_gone();
    test_changes();
    test_stuck();
    test_keepalive();
    test_flood();
    test_free_in_callback();
    test_refused_open();
    test_port();
    test_bind();
    test_alloc(&e);
    ge_worker_free(worker);
    return test_end();
}
