/* test_smux.c - smux sessions: recorded exchanges, windows, ends, limits, keep-alive, bad peers. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "test_world.h"

#define CAPTURE(name) "plugins/smux/transcripts/" name ".txt"

/* A frame at the end of `at`. */
static size_t frame(uint8_t *at, uint8_t version, uint8_t cmd, uint32_t id, const void *p, size_t n)
{
    struct smux_head head = {version, cmd, (uint16_t)n, id};

    smux_head_put(at, &head);
    if (n)
        memcpy(at + SMUX_HEAD, p, n);
    return SMUX_HEAD + n;
}

static size_t upd(uint8_t *at, uint32_t id, uint32_t consumed, uint32_t size)
{
    uint8_t body[SMUX_UPD_BODY];

    smux_upd_put(body, consumed, size);
    return frame(at, 2, SMUX_UPD, id, body, sizeof body);
}

/* The next frame in what was drained; NULL: none. */
static const uint8_t *next(const uint8_t **at, const uint8_t *end, struct smux_head *ret_head)
{
    const uint8_t *p = *at;

    if (end - p < SMUX_HEAD)
        return NULL;
    smux_head_get(p, ret_head);
    *at = p + SMUX_HEAD + ret_head->length;
    return p + SMUX_HEAD;
}

static unsigned count_cmd(const uint8_t *p, size_t n, uint8_t cmd)
{
    const uint8_t *at = p;
    struct smux_head head;
    unsigned k = 0;

    while (next(&at, p + n, &head))
        k += head.cmd == cmd;
    return k;
}

/* ---- pure ---- */

static void test_wire(void)
{
    static const uint8_t syn[] = {1, 0, 0, 0, 3, 0, 0, 0}, psh[] = {2, 2, 0, 0x80, 5, 4, 3, 2};
    struct smux_head head = {1, SMUX_SYN, 0, 3};
    uint8_t b[SMUX_HEAD];

    smux_head_put(b, &head);
    ok(memcmp(b, syn, sizeof b) == 0, "the first SYN of a client");
    smux_head_get(psh, &head);
    ok(head.version == 2 && head.cmd == SMUX_PSH && head.length == 0x8000 && head.id == 0x02030405,
       "heads are little endian");
    ok(!smux_head_wrong(&head, 2) && smux_head_wrong(&head, 1), "the version must be ours");
    head.cmd = 5;
    ok(smux_head_wrong(&head, 2) != NULL, "an unknown command");
    head.cmd = SMUX_NOP;
    ok(smux_head_wrong(&head, 2) != NULL, "a payload where none belongs");
    head.cmd = SMUX_UPD;
    head.length = 8;
    ok(!smux_head_wrong(&head, 2), "a window update");
    head.length = 9;
    ok(smux_head_wrong(&head, 2) != NULL, "a window update of a wrong length");
}

static void test_window(void)
{
    struct smux_window w = {0, 0, SMUX_FIRST_WINDOW};

    ok(smux_window_room(&w) == 262144, "the first window");
    w.sent = 262144;
    ok(smux_window_room(&w) == 0, "used up");
    ok(smux_window_update(&w, 4, 65536) && smux_window_room(&w) == 0, "it shrinks below zero");
    ok(smux_window_update(&w, 200000, 65536) && smux_window_room(&w) == 3392, "and opens again");
    ok(!smux_window_update(&w, 262145, 65536) && w.consumed == 200000,
       "more than was sent is no answer");
    w.sent = 5;
    w.consumed = 0xfffffff0u;
    ok(smux_window_room(&w) == 65536 - 21, "numbers wrap");
    ok(smux_window_update(&w, 3, 65536) && smux_window_room(&w) == 65534, "updates too");
    ok(smux_window_update(&w, 5, 0xffffffffu) && smux_window_room(&w) == 0, "a window above 2^31");
}

/* ---- recorded exchanges ---- */

/* What GOST's client sent for two streams is what ours sends. */
static void test_client_v1(void)
{
    struct record up[4], down;
    struct ge_stack *a, *b;
    struct side s;
    char text[64];
    int i;
    size_t n;

    for (i = 0; i < 4; i++)
        load_record(&up[i], CAPTURE("mtcp-smux1"), '>', i);
    side_open(&s, GOST_CLIENT, "mux.version=1");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    say(a, up[0].p + 16, up[0].n - 16);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&up[0], wire, n), "the first stream of a client, version 1");
    load_record(&down, CAPTURE("mtcp-smux1"), '<', 0);
    feed(&s, down.p, down.n, 1);
    ok(hear(a, text, sizeof text) == 15 && memcmp(text + 4, "pong-server", 11) == 0,
       "the answer, byte by byte");
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(b, up[1].p + 16, up[1].n - 16);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&up[1], wire, n), "its second stream");
    ge_stack_linger(a);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&up[2], wire, n), "the end of the first one");
    load_record(&down, CAPTURE("mtcp-smux1"), '<', 2);
    feed(&s, down.p, down.n, 3);
    ok(ge_session_streams(s.session) == 1, "and it is gone when the server ends it too");
    say(b, up[3].p + 8, up[3].n - 8);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&up[3], wire, n), "the second one goes on");
    ge_stack_free(b, 0);
    side_close(&s);
}

static void test_client_v2(void)
{
    struct record up[2], down;
    struct ge_stack *a, *b;
    struct side s;
    char text[64];
    size_t n;

    load_record(&up[0], CAPTURE("mtcp-smux2"), '>', 0);
    load_record(&up[1], CAPTURE("mtcp-smux2"), '>', 1);
    load_record(&down, CAPTURE("mtcp-smux2"), '<', 0);
    side_open(&s, GOST_CLIENT, "mux.version=2");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    say(a, up[0].p + 16, up[0].n - 16);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&up[0], wire, n), "the first stream of a client, version 2");
    feed(&s, down.p, down.n, 5);
    ok(hear(a, text, 4) == 4, "the relay's reply is read on its own");
    n = drain(&s, wire, sizeof wire);
    ok(n == 16 && memcmp(wire, up[1].p, 16) == 0, "a window update follows the first read");
    ok(hear(a, text, sizeof text) == 11, "the rest of the answer");
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(b, up[1].p + 32, up[1].n - 32);
    n = drain(&s, wire, sizeof wire);
    ok(n == up[1].n - 16 && memcmp(wire, up[1].p + 16, n) == 0,
       "none follows the second one; a second stream");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    side_close(&s);
}

static void test_server(void)
{
    static const uint8_t end[] = {1, 1, 0, 0, 3, 0, 0, 0};
    struct record up[3], down[2];
    struct side s;
    char text[64];
    size_t n;
    int i;

    for (i = 0; i < 3; i++)
        load_record(&up[i], CAPTURE("mtcp-smux1"), '>', i);
    for (i = 0; i < 2; i++)
        load_record(&down[i], CAPTURE("mtcp-smux1"), '<', i);
    side_open(&s, GOST_SERVER, "mux.version=1");
    feed(&s, up[0].p, up[0].n, 1);
    ok(s.n_accepted == 1 && hear(s.accepted[0], text, sizeof text) == 25 &&
           memcmp(text, up[0].p + 16, 25) == 0,
       "a server's first stream");
    say(s.accepted[0], down[0].p + 8, down[0].n - 8);
    n = drain(&s, wire, sizeof wire);
    ok(record_is(&down[0], wire, n), "its answer");
    feed(&s, up[1].p, up[1].n, 7);
    ok(s.n_accepted == 2, "its second stream");
    feed(&s, up[2].p, up[2].n, 100);
    ok(heard_end(s.accepted[0]) && !heard_end(s.accepted[1]), "the end of the first one");
    say(s.accepted[0], "lost", 4);
    ok(drain(&s, wire, sizeof wire) == 0, "what is said after that goes nowhere");
    say_end(s.accepted[0]);
    n = drain(&s, wire, sizeof wire);
    ok(n == 8 && memcmp(wire, end, 8) == 0, "its own end");
    ge_stack_free(s.accepted[0], 0);
    s.accepted[0] = NULL;
    ok(drain(&s, wire, sizeof wire) == 0, "which is sent once");
    side_close(&s);
}

/* All that a client sent, in pieces of every size: the same bytes arrive on the same streams. */
static void test_splits(void)
{
    static const char *const names[] = {CAPTURE("mtcp-smux1"), CAPTURE("mtcp-two"),
                                        CAPTURE("mtcp-frame-size"), CAPTURE("mtcp-keepalive-1s")};
    static const char *const words[] = {"mux.version=1", "mux.version=2", "mux.version=1",
                                        "mux.version=2"};
    static const int streams[] = {2, 2, 1, 1};
    static const unsigned bytes[] = {25, 25, 2534, 25};
    static uint8_t got[4096];
    unsigned i, bad = 0;
    size_t piece;

    for (i = 0; i < 4; i++) {
        for (piece = 1; piece < 80; piece++) {
            struct record r;
            struct side s;
            int k, said = 0, last = i == 2 ? 4 : 3;

            side_open(&s, GOST_SERVER, words[i]);
            for (k = 0; k < last; k++) {
                load_record(&r, names[i], '>', k);
                if (r.n)
                    feed(&s, r.p, r.n, piece);
                for (; said < s.n_accepted; said++)
                    say(s.accepted[said], got, 100); /* so that its window updates are answers */
                (void)drain(&s, wire, sizeof wire);
            }
            bad += s.flow->status != 0 || s.n_accepted != streams[i] ||
                   hear(s.accepted[0], got, sizeof got) != bytes[i];
            side_close(&s);
        }
    }
    ok(bad == 0, "four recorded clients, split everywhere");
}

/* ---- ends ---- */

static void test_ends(void)
{
    struct ge_stack *a, *b;
    struct side s;
    size_t n;

    side_open(&s, GOST_CLIENT, "mux.version=1");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    say(a, "x", 1);
    say_end(a);
    n = drain(&s, wire, sizeof wire);
    ok(n == 8 + 9 + 8 && wire[8 + 9 + 1] == SMUX_FIN, "an end follows the data");
    feed(&s, wire, frame(wire, 1, SMUX_PSH, 3, "late", 4), 100);
    ok(hear(a, wire, 100) == 4, "what the peer still sends is read");
    ge_stack_free(a, 1);
    ok(drain(&s, wire, sizeof wire) == 0, "letting go of it sends nothing more");
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(b, "y", 1);
    ge_stack_free(b, 1);
    n = drain(&s, wire, sizeof wire);
    ok(count_cmd(wire, n, SMUX_FIN) == 1 && ge_session_streams(s.session) == 0,
       "letting go of an open one ends it");
    feed(&s, wire, frame(wire, 1, SMUX_PSH, 5, "late", 4), 1);
    feed(&s, wire, frame(wire, 1, SMUX_FIN, 5, NULL, 0), 1);
    feed(&s, wire, frame(wire, 1, SMUX_UPD, 5, "12345678", 8), 1);
    ok(s.flow->status == 0 && drain(&s, wire, sizeof wire) == 0,
       "frames of a stream that is gone are passed over");
    ge_session_drain(s.session);
    run();
    ok(s.ended && s.end_status == 0 && ge_tx_shut(s.session), "a drained session ends its wire");
    side_close(&s);
}

static void test_peer_leaves(void)
{
    struct ge_stack *a;
    struct side s;

    side_open(&s, GOST_SERVER, "mux.version=1");
    ge_rx_end(s.session, 0);
    run();
    ok(s.ended && s.end_status == 0 && s.flow->status == 0, "a peer that leaves without streams");
    side_close(&s);
    side_open(&s, GOST_CLIENT, "mux.version=1");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    ge_rx_end(s.session, 0);
    run();
    ok(s.ended && s.end_status == GOST_ECLOSED && strstr(error_of(&s), "the peer left"),
       "one that leaves with a stream");
    ge_stack_free(a, 0);
    side_close(&s);
    side_open(&s, GOST_SERVER, "mux.version=1");
    feed(&s, "\1\0\0", 3, 3);
    ge_rx_end(s.session, 0);
    run();
    ok(s.ended, "one that leaves within a head");
    side_close(&s);
    side_open(&s, GOST_SERVER, "mux.version=1");
    feed(&s, wire, frame(wire, 1, SMUX_SYN, 3, NULL, 0), 100);
    feed(&s, wire, frame(wire, 1, SMUX_PSH, 3, "abcdef", 6) - 2, 100);
    ge_rx_end(s.session, 0);
    run();
    ok(s.ended && s.end_status == GOST_ECLOSED, "one that leaves within a payload");
    side_close(&s);
}

/* ---- windows and buffers ---- */

static void test_send_window(void)
{
    static uint8_t block[400000];
    struct ge_stack *a, *b;
    struct side s;
    size_t n;

    side_open(&s, GOST_CLIENT, "mux.version=2");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(a, block, sizeof block);
    n = drain(&s, wire, sizeof wire);
    ok(n == 16 + 8 * 8 + 262144 && count_cmd(wire, n, SMUX_PSH) == 8,
       "so much before the peer says anything");
    say(b, "beside", 6);
    ok(drain(&s, wire, sizeof wire) == 14, "the stream beside it goes on");
    feed(&s, wire, upd(wire, 3, 100000, 65536), 1);
    ok(drain(&s, wire, sizeof wire) == 0, "the window shrank: nothing");
    feed(&s, wire, upd(wire, 3, 262144, 65536), 100);
    ok(drain(&s, wire, sizeof wire) == 16 + 65536, "it opened: so much");
    feed(&s, wire, upd(wire, 3, 262144 + 65536 + 1, 65536), 100);
    ok(s.flow->status == GOST_EPROTO && strstr(error_of(&s), "consumed more"),
       "a peer that consumed what was not sent");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    side_close(&s);
}

static void test_receive_window(void)
{
    static uint8_t block[65000];
    struct side s;
    size_t n;
    int i;

    side_open(&s, GOST_SERVER, "mux.version=2");
    feed(&s, wire, frame(wire, 2, SMUX_SYN, 3, NULL, 0), 100);
    feed(&s, wire, frame(wire, 2, SMUX_PSH, 3, block, 50000), 4096);
    ok(hear(s.accepted[0], block, 1) == 1 && drain(&s, wire, sizeof wire) == 16 && wire[8] == 1,
       "the first byte is told at once");
    (void)hear(s.accepted[0], block, 30000);
    ok(drain(&s, wire, sizeof wire) == 0, "less than half a window is not");
    (void)hear(s.accepted[0], block, 65000);
    n = drain(&s, wire, sizeof wire);
    ok(n == 16 && wire[8] + 256u * wire[9] > 32768 && wire[10] == 0 && wire[14] == 1,
       "more than that is, with the window");
    for (i = 0; i < 4; i++)
        feed(&s, wire, frame(wire, 2, SMUX_PSH, 3, block, 65000), 65536);
    ok(s.flow->status == 0, "a peer that assumes the first window");
    feed(&s, wire, frame(wire, 2, SMUX_PSH, 3, block, 65000), 65536);
    ok(s.flow->status == GOST_EPROTO && strstr(error_of(&s), "more than the window of stream 3"),
       "a peer that ignores all windows");
    side_close(&s);
}

static void test_session_buffer(void)
{
    static uint8_t block[60000];
    struct side s;
    size_t sent = 0, n;
    int i;

    side_open(&s, GOST_SERVER, "mux.version=1 mux.maxReceiveBuffer=100000");
    n = frame(wire, 1, SMUX_SYN, 3, NULL, 0);
    n += frame(wire + n, 1, SMUX_SYN, 5, NULL, 0);
    feed(&s, wire, n, 100);
    for (i = 0; i < 100; i++) {
        n = frame(wire, 1, SMUX_PSH, 3, block, sizeof block);
        sent += feed(&s, wire, n, 10000);
    }
    ok(sent < 2000000, "a stuck reader stops the reading");
    pass_time(60 * GOST_S);
    ok(s.flow->status == 0, "the keep-alive does not count then");
    for (n = 0; n < 50; n++)
        (void)hear(s.accepted[0], wire, sizeof wire);
    (void)drain(&s, wire, sizeof wire);
    n = frame(wire, 1, SMUX_PSH, 3, block, 100);
    ok(feed(&s, wire, n, 1000) == n, "and it goes on when somebody reads");
    side_close(&s);
}

/* ---- two of ours ---- */

static void test_both(const char *words, size_t piece, const char *name)
{
    ok(both(words, piece), name);
}

/* ---- keep-alive ---- */

static void test_keepalive(void)
{
    static const uint8_t nop[] = {2, 3, 0, 0, 0, 0, 0, 0};
    struct side s;
    int i;

    side_open(&s, GOST_SERVER, "mux.version=2");
    pass_time(9 * GOST_S);
    ok(drain(&s, wire, sizeof wire) == 0, "nothing for 9 s");
    pass_time(GOST_S);
    ok(drain(&s, wire, sizeof wire) == 8 && memcmp(wire, nop, 8) == 0, "a NOP after 10 s");
    feed(&s, nop, 8, 8);
    ok(drain(&s, wire, sizeof wire) == 0, "which nobody answers");
    for (i = 0; i < 4; i++)
        pass_time(5 * GOST_S);
    ok(s.flow->status == 0, "a sign of life within 30 s");
    for (i = 0; i < 6; i++)
        pass_time(5 * GOST_S);
    ok(s.flow->status == GOST_ETIMEDOUT && strstr(error_of(&s), "mux.keepaliveTimeout"),
       "none within the next 30 s");
    side_close(&s);
    side_open(&s, GOST_CLIENT, "mux.keepaliveDisabled=true");
    pass_time(100 * GOST_S);
    ok(drain(&s, wire, sizeof wire) == 0 && s.flow->status == 0, "it may be off");
    side_close(&s);
}

/* ---- bad peers ---- */

static int refuses(const char *words, const void *p, size_t n, const char *why)
{
    struct side s;
    int good;

    side_open(&s, GOST_SERVER, words);
    feed(&s, p, n, 1000);
    good = s.flow->status == GOST_EPROTO && strstr(error_of(&s), why) && s.ended &&
           drain(&s, wire, sizeof wire) == 0;
    if (!good)
        printf("# %d: %s\n", s.flow->status, error_of(&s));
    side_close(&s);
    return good;
}

static void test_bad_peers(void)
{
    struct record r;
    struct side s;
    size_t n;
    int i;

    load_record(&r, CAPTURE("mtcp-version-mismatch"), '>', 0);
    ok(refuses("mux.version=2", r.p, r.n, "no smux of version 2"), "a client of another version");
    ok(refuses("mux.version=2", "GET / HTTP/1.1\r\n", 16, "no smux"), "a client of HTTP");
    ok(refuses("mux.version=1", "\1\5\0\0\3\0\0\0", 8, "unknown command"), "an unknown command");
    ok(refuses("mux.version=1", "\1\0\1\0\3\0\0\0x", 9, "payload"), "a SYN with a payload");
    ok(refuses("mux.version=1", "\1\0\0\0\2\0\0\0", 8, "ours to give"), "a stream number of ours");
    ok(refuses("mux.version=1", "\1\0\0\0\0\0\0\0", 8, "is none"), "stream 0");
    side_open(&s, GOST_SERVER, "mux.version=1");
    n = frame(wire, 1, SMUX_SYN, 3, NULL, 0);
    n += frame(wire + n, 1, SMUX_SYN, 3, NULL, 0);
    n += frame(wire + n, 1, SMUX_PSH, 3, NULL, 0);
    feed(&s, wire, n, 1);
    ok(s.n_accepted == 1 && s.flow->status == 0,
       "opened twice is one stream; an empty frame is none");
    ge_session_limit(s.session, 3);
    for (n = 0, i = 5; i < 13; i += 2)
        n += frame(wire + n, 1, SMUX_SYN, (uint32_t)i, NULL, 0);
    n += frame(wire + n, 1, SMUX_PSH, 11, "abc", 3);
    feed(&s, wire, n, 1000);
    n = drain(&s, wire, sizeof wire);
    ok(s.n_accepted == 3 && s.flow->status == 0 && n == 16 && count_cmd(wire, n, SMUX_FIN) == 2,
       "streams above the limit are ended, the others go on");
    side_close(&s);
}

static void test_options(void)
{
    struct ge_conf *conf = make_conf(0, GOST_SERVER, "mux.maxFrameSize=0 mux.keepaliveInterval=0");
    const struct smux_conf *c = conf ? ge_conf_data(conf) : NULL;

    ok(c && c->frame_size == 32768 && c->interval_ns == 10 * GOST_S && c->stream_buffer == 0 &&
           c->session_buffer == 4194304 && c->timeout_ns == 30 * GOST_S,
       "zero means the default");
    ge_conf_free(conf);
    ok(!make_conf(0, GOST_SERVER, "mux.version=3"), "version 3");
    ok(!make_conf(0, GOST_SERVER, "mux.type=h2mux"), "a protocol that is none");
    ok(!make_conf(0, GOST_SERVER, "mux.maxFrameSize=65536"), "a frame that no head can tell");
    ok(!make_conf(0, GOST_CLIENT, "mux.keepaliveInterval=60s") &&
           strstr(conf_error, "mux.keepaliveTimeout"),
       "an interval above the timeout");
    conf = make_conf(0, GOST_CLIENT, "mux.keepaliveInterval=60s mux.keepaliveDisabled=true");
    ok(conf != NULL, "which does not matter when it is off");
    ge_conf_free(conf);
    ok(!make_conf(0, GOST_CLIENT, "mux.maxStreamBuffer=5MB") &&
           strstr(conf_error, "mux.maxReceiveBuffer"),
       "a stream's buffer above the session's");
}

int main(void)
{
    world_begin();
    test_wire();
    test_window();
    test_client_v1();
    test_client_v2();
    test_server();
    test_splits();
    test_ends();
    test_peer_leaves();
    test_send_window();
    test_receive_window();
    test_session_buffer();
    test_both("mux.version=1", 1000, "20 streams between two of ours, version 1");
    test_both("mux.version=2", 1000, "the same with version 2");
    test_both("mux.version=2 mux.maxStreamBuffer=1000 mux.maxFrameSize=10", 7, "in small pieces");
    test_keepalive();
    test_bad_peers();
    test_options();
    ok(world_end(), "nothing is left");
    return test_end();
}
