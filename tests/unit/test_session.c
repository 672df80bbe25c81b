/* test_session.c - sessions in memory: streams, exchanges, credit, resets. */
/* SPDX-License-Identifier: MIT */
#include "mux_world.h"

static const struct mux_conf plain[2] = {{16384, 0, 0, 0}, {16384, 0, 0, 0}};
static const struct mux_conf unlimited[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};

static uint8_t pattern(size_t at, int salt)
{
    return (uint8_t)((at + (size_t)salt) * 31 >> 3);
}

/* Write up to `total` bytes of a pattern, as room allows. Returns how far. */
static size_t fill(struct ge_stack *s, size_t from, size_t total, int salt)
{
    uint8_t piece[777];
    size_t i, n;

    while (from < total && gost_tx_room(top(s)) > 0) {
        n = sizeof piece < total - from ? sizeof piece : total - from;
        for (i = 0; i < n; i++)
            piece[i] = pattern(from + i, salt);
        gost_send(top(s), piece, n);
        from += n;
    }
    return from;
}

/* Read all there is; returns how far, SIZE_MAX when the bytes are wrong. */
static size_t drain(struct ge_stack *s, size_t from, int salt)
{
    struct gost_bytes b;
    size_t i;

    while ((b = gost_rx(top(s))).n) {
        for (i = 0; i < b.n; i++)
            if (b.p[i] != pattern(from + i, salt))
                return SIZE_MAX;
        from += b.n;
        gost_consume(top(s), b.n);
    }
    return from;
}

/* ---- streams, ends ---- */

static void test_streams(void)
{
    struct ge_stack *a, *b;

    world_open(plain, NULL, 100000);
    ok(side[CLIENT].ready == 1 && side[SERVER].ready == 1 && !side[SERVER].ready_status,
       "two sessions are ready");
    a = open_from(CLIENT, 0);
    b = open_from(SERVER, 0);
    ok(a && b, "each side opens a stream");
    say(a, "from the client");
    say(b, "from the server");
    run();
    ok(side[SERVER].n_accepted == 1 && got(side[SERVER].accepted[0], "from the client"),
       "the server is given it");
    ok(side[CLIENT].n_accepted == 1 && got(side[CLIENT].accepted[0], "from the server"),
       "so is the client");
    say(side[SERVER].accepted[0], "back");
    gost_shut(top(a));
    run();
    ok(got(a, "back") && !gost_rx_eof(top(a)), "an answer comes back");
    ok(gost_rx_eof(top(side[SERVER].accepted[0])), "half-close arrives");
    say(side[SERVER].accepted[0], "late");
    gost_shut(top(side[SERVER].accepted[0]));
    run();
    ok(got(a, "late") && gost_rx_eof(top(a)), "the other direction goes on, and ends");
    ge_stack_free(a, 0);
    ge_stack_free(side[SERVER].accepted[0], 0);
    side[SERVER].accepted[0] = NULL;
    gost_shut(top(side[CLIENT].accepted[0]));
    run();
    ok(gost_rx_eof(top(b)), "half-close from the accepting side");
    ok(ge_session_streams(side[CLIENT].session) == 1 &&
           ge_session_streams(side[SERVER].session) == 1,
       "ended streams are gone, the others live");
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");
}

static void test_no_reset_after_clean_end(void)
{
    struct ge_stack *a;
    size_t before;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    gost_shut(top(a));
    run();
    gost_shut(top(side[SERVER].accepted[0]));
    run();
    before = side[CLIENT].sent;
    ge_stack_free(a, 0);
    run();
    ok(side[CLIENT].sent == before, "a stream that ended both ways is freed without a reset");
    a = open_from(CLIENT, 0);
    run();
    before = side[CLIENT].sent;
    ge_stack_free(a, 0);
    run();
    ok(side[CLIENT].sent == before + MUX_HEAD + 4, "one that did not is reset");
    ok(world_close(), "nothing is left");
}

static void test_oneway(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, GOST_STREAM_ONEWAY);
    say(a, "only there");
    gost_shut(top(a));
    run();
    ok(gost_rx_eof(top(a)), "the opener of a one-way stream reads its end");
    ok(got(side[SERVER].accepted[0], "only there") && gost_rx_eof(top(side[SERVER].accepted[0])),
       "the other reads");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

static void test_heads(void)
{
    struct gost_head h = {.size = sizeof h, .status = 200}, r;
    struct ge_stack *a, *b;
    int i, n = 0;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, GOST_STREAM_EXCHANGE);
    gost_head_send(top(a), &h);
    say(a, "body");
    h.flags = GOST_HEAD_TRAILERS;
    gost_head_send(top(a), &h);
    gost_shut(top(a));
    run();
    b = side[SERVER].accepted[0];
    ok(gost_io_type(top(b)) == GOST_EXCHANGE && gost_head_recv(top(b), &r) == GOST_OK &&
           r.status == 200,
       "a head arrives first");
    ok(gost_head_recv(top(b), &r) == GOST_AGAIN, "trailers do not overtake the body");
    ok(got(b, "body") && !gost_rx_eof(top(b)), "the body arrives");
    ok(gost_head_recv(top(b), &r) == GOST_OK && r.flags == GOST_HEAD_TRAILERS, "then the trailers");
    ok(gost_rx_eof(top(b)) && gost_head_recv(top(b), &r) == GOST_END, "then the end");
    for (i = 0; i < 1000; i++)
        n += gost_head_send(top(b), &h) == GOST_OK;
    ok(n < 100, "heads that nobody takes are bounded");
    run();
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

static int head_is(struct ge_stack *s, uint32_t status, uint32_t flags)
{
    struct gost_head h;

    return gost_head_recv(top(s), &h) == GOST_OK && h.status == status && h.flags == flags;
}

static void test_exchange_relay(void)
{
    struct gost_head h = {.size = sizeof h};
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, GOST_STREAM_EXCHANGE);
    gost_head_send(top(a), &h);
    run();
    serve(&pass_on, side[SERVER].flow, side[SERVER].accepted[0]);
    side[SERVER].n_accepted = 0;
    say(a, "question");
    h.flags = GOST_HEAD_TRAILERS;
    gost_head_send(top(a), &h);
    gost_shut(top(a));
    run();
    ok(head_is(targets[2], 0, 0) && got(targets[2], "question") &&
           head_is(targets[2], 0, GOST_HEAD_TRAILERS) && gost_rx_eof(top(targets[2])),
       "a relay between exchanges passes head, body, trailers and end");
    h.status = 103;
    h.flags = GOST_HEAD_INTERIM;
    gost_head_send(top(targets[2]), &h);
    run();
    ok(head_is(a, 103, GOST_HEAD_INTERIM), "an interim head comes back at once");
    h.status = 200;
    h.flags = 0;
    gost_head_send(top(targets[2]), &h);
    say(targets[2], "answer");
    h.flags = GOST_HEAD_TRAILERS;
    gost_head_send(top(targets[2]), &h);
    gost_shut(top(targets[2]));
    run();
    ok(head_is(a, 200, 0) && got(a, "answer") && head_is(a, 200, GOST_HEAD_TRAILERS) &&
           gost_rx_eof(top(a)),
       "and the answer with its trailers");
    ok(tasks_done == 1 && task_status == 0, "the flow ends well");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

/* ---- credit ---- */

static void test_stuck_reader(void)
{
    struct ge_stack *a, *b;
    size_t sent_a = 0, sent_b = 0, got_a = 0, got_b = 0, total = 1000000, quiet;
    int i;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    run();
    for (i = 0; i < 2000 && got_b < total; i++) {
        sent_a = fill(a, sent_a, total, 1);
        sent_b = fill(b, sent_b, total, 2);
        run();
        got_b = drain(side[SERVER].accepted[1], got_b, 2);
    }
    quiet = gost_rx_len(top(side[SERVER].accepted[0]));
    ok(got_b == total, "the stream beside a stuck one goes on");
    ok(mux_idle == 0, "no stream without credit is offered to the layer");
    ok(quiet == 16384 && sent_a < 200000, "the stuck one stops at its credit");
    ok(peak < 800000, "memory is bounded");
    for (i = 0; i < 2000 && got_a < total; i++) {
        sent_a = fill(a, sent_a, total, 1);
        run();
        got_a = drain(side[SERVER].accepted[0], got_a, 1);
    }
    ok(got_a == total, "it goes on when it is read");
    sent_b = got_b = 0;
    for (i = 0; i < 2000 && got_b < total; i++) {
        sent_b = fill(side[SERVER].accepted[1], sent_b, total, 3);
        run();
        got_b = drain(b, got_b, 3);
    }
    ok(got_b == total, "credit works the other way too");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");
}

static void test_no_flow_control(void)
{
    struct ge_stack *a, *b;
    size_t sent_a = 0, sent_b = 0, got_a = 0, got_b = 0, total = 700000;
    int i;

    world_open(unlimited, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    run();
    for (i = 0; i < 300; i++) {
        sent_a = fill(a, sent_a, total, 1);
        sent_b = fill(b, sent_b, total, 2);
        run();
        got_b = drain(side[SERVER].accepted[1], got_b, 2);
    }
    ok(got_b < total && peak < 800000,
       "without credit a stuck stream stops all, and memory is bounded");
    for (i = 0; i < 2000 && (got_a < total || got_b < total); i++) {
        sent_a = fill(a, sent_a, total, 1);
        sent_b = fill(b, sent_b, total, 2);
        run();
        got_a = drain(side[SERVER].accepted[0], got_a, 1);
        got_b = drain(side[SERVER].accepted[1], got_b, 2);
    }
    ok(got_a == total && got_b == total, "all go on when it is read");
    for (i = 0, sent_a = 0; i < 20; i++) {
        sent_a = fill(a, sent_a, total, 1);
        run();
    }
    say(b, "behind it");
    run();
    ok(gost_rx_len(top(side[SERVER].accepted[1])) == 0, "what is behind a stuck stream waits");
    ge_stack_free(side[SERVER].accepted[0], 1);
    side[SERVER].accepted[0] = NULL;
    run();
    ok(got(side[SERVER].accepted[1], "behind it"), "and comes when the stuck one is freed");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");
}

/* What a user leaves unread is credited too: else a window of the whole session would leak. */
static void test_credit_is_whole(void)
{
    struct ge_stack *a;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    mux_credited = 0;
    (void)fill(a, 0, 10000, 1);
    run();
    gost_consume(top(side[SERVER].accepted[0]), 4000);
    run();
    ok(mux_credited == 4000, "what is read is credited");
    ge_stack_free(side[SERVER].accepted[0], 1);
    side[SERVER].accepted[0] = NULL;
    run();
    ok(mux_credited == 10000, "and the rest when the stream is freed");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

static void test_held(void)
{
    struct ge_stack *a, *b;

    world_open(plain, NULL, 100000);
    mux_held = 1;
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    say(a, "one");
    say(b, "two");
    run();
    ok(gost_rx_len(top(side[SERVER].accepted[0])) == 0,
       "a layer that may not send is not asked without end");
    mux_held = 0;
    raw(side[CLIENT].session, MUX_PONG, 0, NULL, 0);
    run();
    ok(got(side[SERVER].accepted[0], "one") && got(side[SERVER].accepted[1], "two"),
       "what comes in lets it try again");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");
}

static void test_early_stream(void)
{
    uint8_t flags[4] = {0};

    memset(side, 0, sizeof side);
    side_open(&side[SERVER], GOST_SERVER, &plain[1], NULL);
    raw(side[SERVER].session, MUX_SYN, 1, flags, 4);
    raw(side[SERVER].session, MUX_DATA, 1, "early", 5);
    side_open(&side[CLIENT], GOST_CLIENT, &plain[0], NULL);
    run();
    ok(side[SERVER].n_accepted == 1 && got(side[SERVER].accepted[0], "early"),
       "a stream that comes with the handshake waits for its holder");
    ok(world_close(), "nothing is left");
}

static void test_cheat(void)
{
    static uint8_t junk[8000];
    struct ge_stack *a;
    int i;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    run();
    for (i = 0; i < 4; i++)
        raw(side[SERVER].session, MUX_DATA, 1, junk, sizeof junk);
    run();
    ok(side[SERVER].ended == 1 && side[SERVER].end_status == GOST_EPROTO,
       "a peer that ignores its credit ends");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

/* Which stream's frames come first when many wait: the order of arrival is the order of service. */
static void test_fair(void)
{
    struct ge_stack *s[3];
    size_t sent[3] = {0}, have[3] = {0};
    int i, k;

    world_open(unlimited, NULL, 1000);
    wire_cut = 1;
    for (i = 0; i < 3; i++) {
        s[i] = open_from(CLIENT, i == 2 ? GOST_STREAM_URGENT : 0);
        sent[i] = fill(s[i], 0, 60000, i);
    }
    run();
    wire_cut = 0;
    for (k = 0; k < 60; k++) {
        (void)carry(&side[CLIENT], &side[SERVER]);
        while (ge_run(worker, 50))
            ;
    }
    for (i = 0; i < side[SERVER].n_accepted; i++)
        have[i] = drain(side[SERVER].accepted[i], 0, i);
    ok(have[2] > 0 && have[0] + have[1] + have[2] > 30000, "many streams share a wire");
    run();
    for (i = 0; i < 3; i++)
        have[i] = drain(side[SERVER].accepted[i], have[i], i);
    ok(have[0] == sent[0] && have[1] == sent[1] && have[2] == sent[2], "and none is forgotten");
    for (i = 0; i < 3; i++)
        ge_stack_free(s[i], 0);
    ok(world_close(), "nothing is left");
}

/* ---- resets ---- */

static void test_reset(void)
{
    struct ge_stack *a, *b, *c;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    c = open_from(CLIENT, 0);
    run();
    watch_status = 0;
    serve(&watch, side[SERVER].flow, side[SERVER].accepted[0]);
    side[SERVER].accepted[0] = NULL;
    run();
    gost_abort(top(a), 42);
    ge_stack_free(a, 1);
    run();
    ok(watch_status == GOST_ECLOSED && watch_code == 42,
       "a reset reaches the other user with its code");
    ge_stack_free(side[SERVER].accepted[1], 1);
    side[SERVER].accepted[1] = NULL;
    say(c, "still");
    run();
    ok(gost_rx_eof(top(b)) && got(side[SERVER].accepted[2], "still"),
       "the streams beside a reset one live");
    gost_shut(top(side[SERVER].accepted[2]));
    run();
    serve(&watch, side[CLIENT].flow, c);
    run();
    watch_status = 0;
    ge_stack_free(side[SERVER].accepted[2], 1);
    side[SERVER].accepted[2] = NULL;
    run();
    ok(watch_status == GOST_ECLOSED, "a reset after a clean end is told too");
    ge_stack_free(b, 0);
    ok(world_close(), "nothing is left");
}

static void test_stop(void)
{
    struct ge_stack *a, *b;
    size_t before;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    say(a, "said");
    run();
    b = side[SERVER].accepted[0];
    gost_abort(top(a), MUX_STOP_CODE);
    ge_stack_free(a, 1);
    run();
    before = side[SERVER].sent;
    say(b, "nobody wants this");
    run();
    say(b, "nor this");
    run();
    ok(side[SERVER].sent == before && gost_tx_len(top(b)) == 0,
       "what is sent to a peer that stopped us is dropped");
    ok(got(b, "said") && !gost_rx_eof(top(b)), "the other direction goes on");
    gost_shut(top(b));
    run();
    mux_resets = 0;
    ge_stack_free(b, 0);
    side[SERVER].accepted[0] = NULL;
    run();
    ok(mux_resets == 1, "letting go of it before the peer ended is a reset");
    ok(world_close(), "nothing is left");
}

static void test_relay(size_t step, const struct gost_component *below,
                       const struct gost_component *above, const char *name)
{
    struct ge_layer_spec spec = {.component = above, .role = GOST_CLIENT};
    struct ge_stack *s[2];
    char line_text[4] = "\1";
    int i, good = 1;

    world_open(plain, below, step);
    for (i = 0; i < 2; i++) {
        s[i] = open_from(CLIENT, 0);
        run();
        if (above) {
            spec.role = GOST_CLIENT;
            good &= !ge_stack_push(s[i], &spec);
            spec.role = GOST_SERVER;
            good &= !ge_stack_push(side[SERVER].accepted[i], &spec);
        }
        serve(&line, side[SERVER].flow, side[SERVER].accepted[i]);
        side[SERVER].accepted[i] = NULL;
        line_text[1] = (char)('0' + i);
        say(s[i], line_text);
        say(s[i], i ? "second" : "first");
    }
    run();
    good &= got(targets[0], "first") && got(targets[1], "second");
    for (i = 0; i < 2; i++) {
        gost_shut(top(s[i]));
        say(targets[i], "answer");
        gost_shut(top(targets[i]));
    }
    run();
    for (i = 0; i < 2; i++)
        good &= gost_rx_eof(top(targets[i])) && got(s[i], "answer") && gost_rx_eof(top(s[i]));
    ok(good, name);
    for (i = 0; i < 2; i++)
        ge_stack_free(s[i], 0);
    run();
    ok(tasks_done == 2 && task_status == 0 && ge_session_streams(side[SERVER].session) == 0,
       "both flows ended well, the session has no streams");
    ok(world_close(), "nothing is left");
}

static void test_relay_reset(void)
{
    struct ge_stack *a, *b;

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    b = open_from(CLIENT, 0);
    run();
    serve(&line, side[SERVER].flow, side[SERVER].accepted[0]);
    serve(&line, side[SERVER].flow, side[SERVER].accepted[1]);
    side[SERVER].accepted[0] = side[SERVER].accepted[1] = NULL;
    say(a, "\1"
           "0");
    say(b, "\1"
           "1");
    run();
    ge_stack_free(a, 1);
    run();
    ok(tasks_done == 1 && task_status == GOST_ECLOSED && gost_rx_eof(top(targets[0])),
       "a reset ends its relay");
    gost_shut(top(b));
    run();
    ge_stack_free(b, 1);
    run();
    ok(tasks_done == 2 && task_status == GOST_ECLOSED, "so does a reset after a half-close");
    ok(world_close(), "nothing is left");

    world_open(plain, NULL, 100000);
    a = open_from(CLIENT, 0);
    run();
    serve(&line, side[SERVER].flow, side[SERVER].accepted[0]);
    side[SERVER].n_accepted = 0;
    say(a, "\1"
           "0");
    run();
    say(targets[0], "half of it");
    run();
    mux_resets = 0;
    ge_stack_free(targets[0], 1);
    targets[0] = NULL;
    run();
    ok(got(a, "half of it") && mux_resets == 1,
       "a target that breaks off is a reset, after what it said");
    ge_stack_free(a, 0);
    ok(world_close(), "nothing is left");
}

int main(void)
{
    struct ge_embed e = world_embedder();
    size_t step;

    worker = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_streams();
    test_no_reset_after_clean_end();
    test_oneway();
    test_heads();
    test_exchange_relay();
    test_stuck_reader();
    test_no_flow_control();
    test_credit_is_whole();
    test_held();
    test_early_stream();
    test_cheat();
    test_fair();
    test_reset();
    test_stop();
    for (step = 1; step <= 24; step++)
        test_relay(step, NULL, NULL, "two relayed streams, the wire split");
    test_relay(5, &inv, NULL, "over a layer");
    test_relay(100000, &inv, &inv, "between layers");
    test_relay(3, NULL, &ident, "under an identity layer");
    test_relay_reset();
    ge_worker_free(worker);
    return test_end();
}
