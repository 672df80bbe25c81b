/* test_h2.c - two sessions of the layer h2: exchanges, windows, resets, pings, the end. */
/* SPDX-License-Identifier: MIT */
#include "test_world.h"

/* Heads, bodies and trailers in both directions. */
static void test_exchange(size_t step)
{
    const struct gost_field fields[] = {
        {gost_bytes_str("x-one"), gost_bytes_str("1")},
        {gost_bytes_str("connection"), gost_bytes_str("x")},
        {gost_bytes_str("te"), gost_bytes_str("trailers")},
    };
    const struct gost_field end[] = {{gost_bytes_str("x-end"), gost_bytes_str("yes")}};
    struct gost_head h = request("POST", "/a?b"), in, trailers = {.size = sizeof trailers};
    struct ge_stack *c, *s;

    world_open("", "");
    wire_step = step;
    c = open_stream();
    h.fields = fields;
    h.n_fields = 3;
    gost_head_send(top(c), &h);
    say(c, "question");
    trailers.fields = end;
    trailers.n_fields = 1;
    trailers.flags = GOST_HEAD_TRAILERS;
    gost_head_send(top(c), &trailers);
    gost_shut(top(c));
    run();
    s = accepted();
    ok(s != NULL, "a request becomes a stream of the server");
    ok(gost_head_recv(top(s), &in) == GOST_OK && in.status == 0 &&
           gost_bytes_eq(in.method, gost_bytes_str("POST")) &&
           gost_bytes_eq(in.path, gost_bytes_str("/a?b")) &&
           gost_bytes_eq(in.scheme, gost_bytes_str("http")) &&
           gost_bytes_eq(in.authority, gost_bytes_str("a.example:80")),
       "its head is what was sent");
    ok(in.n_fields == 2 && !strcmp(value_of(&in, "x-one"), "1") &&
           !strcmp(value_of(&in, "te"), "trailers"),
       "fields of one connection are left out");
    ok(got(s, "question"), "its body arrives");
    ok(gost_head_recv(top(s), &in) == GOST_OK && (in.flags & GOST_HEAD_TRAILERS) &&
           !strcmp(value_of(&in, "x-end"), "yes") && gost_rx_eof(top(s)),
       "its trailers and its end arrive");
    respond(s, 103, GOST_HEAD_INTERIM);
    respond(s, 200, 0);
    say(s, "answer");
    gost_head_send(top(s), &trailers);
    gost_shut(top(s));
    run();
    ok(gost_head_recv(top(c), &in) == GOST_OK && in.status == 103 &&
           (in.flags & GOST_HEAD_INTERIM) && gost_head_recv(top(c), &in) == GOST_OK &&
           in.status == 200 && !strcmp(value_of(&in, "date"), "Mon, 23 Nov 2026 07:20:30 GMT"),
       "an interim head and the final one arrive, with the date");
    ok(got(c, "answer") && gost_head_recv(top(c), &in) == GOST_OK &&
           (in.flags & GOST_HEAD_TRAILERS) && gost_rx_eof(top(c)),
       "the answer, its trailers and its end arrive");
    let_go(c);
    let_go(s);
    ok(ge_session_streams(side[CLIENT].session) == 0 &&
           ge_session_streams(side[SERVER].session) == 0,
       "nothing is left of it");
    ok(world_close(), "nothing leaks");
}

static void test_half_close(void)
{
    struct ge_stack *c, *s;
    struct gost_head h;

    world_open("", "");
    c = ask("CONNECT", "", 0);
    s = accepted();
    (void)gost_head_recv(top(s), &h);
    respond(s, 200, 0);
    say(s, "first");
    gost_shut(top(s));
    run();
    ok(gost_rx_len(top(c)) == 5 && gost_head_recv(top(c), &h) == GOST_OK && got(c, "first") &&
           gost_rx_eof(top(c)),
       "the server's direction ends");
    say(c, "late");
    run();
    ok(got(s, "late") && !gost_rx_eof(top(s)), "the client's goes on");
    gost_shut(top(c));
    run();
    ok(gost_rx_eof(top(s)), "until it ends too");
    ok(world_close(), "nothing leaks");
}

static void send_much(struct ge_stack *s, size_t n)
{
    static const uint8_t block[16384];

    for (; n >= sizeof block; n -= sizeof block)
        gost_send(top(s), block, sizeof block);
}

/* One who does not read stops nobody else, and gets no more than the window. */
static void test_windows(void)
{
    struct ge_stack *slow, *quick, *s_slow, *s_quick;
    struct gost_head h;
    size_t n;

    world_open("", "");
    slow = ask("CONNECT", "", 0);
    s_slow = accepted();
    (void)gost_head_recv(top(s_slow), &h);
    send_much(slow, 3 << 20);
    run();
    n = gost_rx_len(top(s_slow));
    ok(n == 1 << 20, "a user who does not read is given one window");
    quick = ask("CONNECT", "", 0);
    s_quick = accepted();
    ok(s_quick != s_slow && gost_head_recv(top(s_quick), &h) == GOST_OK,
       "another stream opens meanwhile");
    send_much(quick, 3 << 20);
    run();
    ok(take_all(s_quick) == 3 << 20, "and all of it arrives");
    ok(gost_rx_len(top(s_slow)) == 1 << 20, "the first still waits");
    ok(take_all(s_slow) == 3 << 20, "when it reads it gets the rest");
    let_go(slow);
    let_go(quick);
    ok(world_close(), "nothing leaks");
}

/* What is held for users who never read is bounded, however many there are. */
static void test_bound(void)
{
    struct ge_stack *c[12];
    size_t all = 0;
    int i;

    world_open("", "");
    for (i = 0; i < 12; i++) {
        c[i] = ask("CONNECT", "", 0);
        send_much(c[i], 2 << 20);
        run();
    }
    for (i = 0; i < side[SERVER].n_accepted; i++)
        all += gost_rx_len(top(side[SERVER].accepted[i]));
    printf("# %zu bytes wait\n", all);
    ok(all >= 4 << 20 && all <= (5 << 20) + 65536, "a session holds 4 MiB and its window, no more");
    for (i = 0; i < 12; i++)
        let_go(c[i]);
    ok(world_close(), "nothing leaks");
}

static void test_many(void)
{
    static struct ge_stack *c[251];
    int i, n = 0;

    world_open("", "");
    for (i = 0; i < 251; i++)
        n += (c[i] = ask("CONNECT", "", 0)) != NULL;
    ok(n == 250, "no more streams than the server allows");
    ok(side[SERVER].n_accepted == 250, "and all of them came");
    let_go(c[0]);
    let_go(side[SERVER].accepted[0]);
    c[0] = ask("CONNECT", "", 0);
    ok(c[0] != NULL, "one that ended makes room");
    for (i = 0; i < 250; i++)
        let_go(c[i]);
    ok(world_close(), "nothing leaks");
}

static void test_reset(void)
{
    struct ge_stack *c, *s;
    struct gost_head h;

    world_open("", "");
    c = ask("POST", "/", 0);
    s = accepted();
    (void)gost_head_recv(top(s), &h);
    gost_abort(top(s), 11);
    let_go(s);
    ok(ge_stack_flow(c)->error && strstr(ge_stack_flow(c)->error, "code 11"),
       "the server's code reaches the client");
    let_go(c);
    ok(side[CLIENT].session && !side[CLIENT].ended, "the session goes on");

    c = ask("POST", "/", 0);
    s = accepted();
    (void)gost_head_recv(top(s), &h);
    respond(s, 200, 0);
    say(c, "all there is");
    run();
    let_go(c); /* GOST's clients end this way: CANCEL */
    ok(got(s, "all there is") && gost_rx_eof(top(s)), "a client that cancels has ended");
    say(s, "too late");
    run();
    gost_consume(top(s), gost_rx_len(top(s)));
    ok(ge_stack_flow(s)->status == GOST_ECLOSED, "a user who goes on sending is told");
    let_go(s);

    c = ask("POST", "/", 0);
    s = accepted();
    (void)gost_head_recv(top(s), &h);
    respond(s, 405, GOST_HEAD_NO_BODY);
    gost_shut(top(s));
    run();
    ok(gost_rx_eof(top(s)), "a refusal without a body ends the request too");
    ok(gost_head_recv(top(c), &h) == GOST_OK && h.status == 405 && gost_rx_eof(top(c)),
       "and the client has all of it");
    let_go(c);
    let_go(s);
    ok(world_close(), "nothing leaks");
}

static void test_goaway(void)
{
    struct ge_stack *c, *s;

    world_open("", "");
    c = ask("CONNECT", "", 0);
    s = accepted();
    respond(s, 200, 0);
    ge_session_drain(side[SERVER].session);
    run();
    ok(ge_session_draining(side[CLIENT].session) && open_stream() == NULL,
       "a server that drains lets no new streams come");
    say(c, "still here");
    gost_shut(top(c));
    gost_shut(top(s));
    run();
    forget(s);
    ge_stack_free(s, 0);
    let_go(c);
    ok(side[SERVER].ended == 1 && side[SERVER].end_status == 0 && side[CLIENT].ended == 1 &&
           side[CLIENT].end_status == 0,
       "both ends are through when the last stream is");
    ok(world_close(), "nothing leaks");

    world_open("", "");
    c = ask("CONNECT", "", 0);
    ge_session_drain(side[CLIENT].session);
    run();
    ok(ge_session_draining(side[SERVER].session), "a client that drains says so");
    let_go(c);
    ok(side[CLIENT].ended == 1 && side[CLIENT].end_status == 0, "and ends");
    ok(world_close(), "nothing leaks");
}

static void test_ping(void)
{
    world_open("", "");
    ok(ge_session_ping(side[CLIENT].session, GOST_S) == GOST_OK, "a ping is sent");
    run();
    pass_time(2 * GOST_S);
    ok(!side[CLIENT].ended, "and answered");
    wire_cut = 1;
    (void)ge_session_ping(side[CLIENT].session, GOST_S);
    pass_time(2 * GOST_S);
    ok(side[CLIENT].ended && side[CLIENT].end_status == GOST_ETIMEDOUT,
       "one without an answer ends the session");
    wire_cut = 0;
    ok(world_close(), "nothing leaks");

    world_open("h2.keepalive=true h2.keepalive.time=10s h2.keepalive.timeout=5s "
               "h2.keepalive.permitWithoutStream=true",
               "");
    pass_time(11 * GOST_S);
    pass_time(11 * GOST_S);
    ok(!side[CLIENT].ended, "keepalive: a peer that answers stays");
    wire_cut = 1;
    pass_time(11 * GOST_S);
    pass_time(6 * GOST_S);
    ok(side[CLIENT].ended && side[CLIENT].end_status == GOST_ETIMEDOUT,
       "keepalive: one that does not is given up");
    wire_cut = 0;
    ok(world_close(), "nothing leaks");

    world_open("h2.keepalive=true h2.keepalive.time=10s h2.keepalive.timeout=5s", "");
    wire_cut = 1;
    pass_time(11 * GOST_S);
    pass_time(6 * GOST_S);
    ok(!side[CLIENT].ended, "keepalive: not without streams, unless asked for");
    wire_cut = 0;
    ok(world_close(), "nothing leaks");

    world_open("", "h2.keepalive.maxConnectionIdle=30s");
    pass_time(31 * GOST_S);
    ok(side[SERVER].ended && side[CLIENT].ended && side[CLIENT].end_status == 0,
       "an idle session is ended in peace");
    ok(world_close(), "nothing leaks");
}

static void test_extended_connect(void)
{
    struct gost_head h = request("CONNECT", "/chat"), in;
    struct ge_stack *c;

    h.protocol = gost_bytes_str("websocket");
    world_open("h2.extendedConnect=true", "h2.extendedConnect=true");
    c = open_stream();
    gost_head_send(top(c), &h);
    run();
    ok(accepted() && gost_head_recv(top(accepted()), &in) == GOST_OK &&
           gost_bytes_eq(in.protocol, gost_bytes_str("websocket")) &&
           gost_bytes_eq(in.path, gost_bytes_str("/chat")),
       "extended CONNECT keeps its protocol and path");
    let_go(c);
    ok(world_close(), "nothing leaks");

    world_open("h2.extendedConnect=true", "");
    c = open_stream();
    gost_head_send(top(c), &h);
    run();
    ok(!accepted() && strstr(last_log, "RFC 8441"), "a server without it is not asked");
    let_go(c);
    ok(world_close(), "nothing leaks");
}

static void test_lost(void)
{
    struct ge_stack *c, *s;

    world_open("", "");
    c = ask("CONNECT", "", 0);
    s = accepted();
    ge_stack_free(side[SERVER].session, 1);
    run();
    ok(side[CLIENT].ended && ge_stack_flow(c)->status == GOST_ECLOSED, "a lost wire ends all");
    let_go(c);
    let_go(s);
    ok(world_close(), "nothing leaks");
}

int main(void)
{
    test_begin();
    test_exchange(65536);
    test_exchange(1);
    test_half_close();
    test_windows();
    test_bound();
    test_many();
    test_reset();
    test_goaway();
    test_ping();
    test_extended_connect();
    test_lost();
    return test_finish();
}
