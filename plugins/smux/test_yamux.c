/* test_yamux.c - yamux sessions: recorded exchanges, windows, ends, keep-alive, bad peers. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "test_world.h"
#include "yamux.h"

#define MTCP "plugins/smux/transcripts/mtcp-yamux.txt"
#define BIND "plugins/smux/transcripts/bind-rtcp-yamux.txt"

/* A frame at the end of `at`. */
static size_t frame(uint8_t *at, uint8_t type, uint16_t flags, uint32_t id, uint32_t length,
                    const void *p)
{
    struct yamux_head head = {type, flags, id, length};

    yamux_head_put(at, &head);
    if (p)
        memcpy(at + YAMUX_HEAD, p, length);
    return YAMUX_HEAD + (p ? length : 0);
}

static size_t syn(uint8_t *at, uint32_t id)
{
    return frame(at, YAMUX_WINDOW, YAMUX_SYN, id, 0, NULL);
}

static int is_frame(const uint8_t *p, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
    uint8_t want[YAMUX_HEAD];

    frame(want, type, flags, id, length, NULL);
    return memcmp(p, want, sizeof want) == 0;
}

/* ---- recorded exchanges ---- */

/* What GOST's client sent is what ours sends; its server's answers are read byte by byte. */
static void test_client(void)
{
    struct record up[4], down[3];
    struct ge_stack *a, *b;
    struct side s;
    char text[64];
    int i;

    for (i = 0; i < 4; i++)
        load_record(&up[i], MTCP, '>', i);
    for (i = 0; i < 3; i++)
        load_record(&down[i], MTCP, '<', i);
    side_open(&s, GOST_CLIENT, "");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    say(a, up[0].p + 24, up[0].n - 24);
    ok(record_is(&up[0], wire, drain(&s, wire, sizeof wire)), "the first stream of a client");
    feed(&s, down[0].p, down[0].n, 1);
    ok(hear(a, text, sizeof text) == 15 && memcmp(text + 4, "pong-server", 11) == 0,
       "the answer, byte by byte");
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(b, up[1].p + 24, up[1].n - 24);
    ok(record_is(&up[1], wire, drain(&s, wire, sizeof wire)), "its second stream");
    feed(&s, down[1].p, down[1].n, 3);
    say_end(a);
    ok(record_is(&up[2], wire, drain(&s, wire, sizeof wire)), "the end of the first one");
    feed(&s, down[2].p, down[2].n, 5);
    ok(hear(a, text, sizeof text) == 10 && memcmp(text, "bye-server", 10) == 0 && heard_end(a),
       "what the server says after it, and its end");
    ge_stack_free(a, 0);
    run();
    ok(ge_session_streams(s.session) == 1 && drain(&s, wire, sizeof wire) == 0,
       "nothing is left of it");
    say(b, up[3].p + 12, up[3].n - 12);
    ok(record_is(&up[3], wire, drain(&s, wire, sizeof wire)), "the second one goes on");
    ge_stack_free(b, 1);
    ok(drain(&s, wire, sizeof wire) == 12 && is_frame(wire, YAMUX_WINDOW, YAMUX_RST, 3, 0),
       "letting go of an open one resets it");
    side_close(&s);
}

static void test_server(void)
{
    struct record up[3], down[3];
    struct side s;
    char text[64];
    int i;

    for (i = 0; i < 3; i++) {
        load_record(&up[i], MTCP, '>', i);
        load_record(&down[i], MTCP, '<', i);
    }
    side_open(&s, GOST_SERVER, "");
    feed(&s, up[0].p, up[0].n, 1);
    ok(s.n_accepted == 1 && hear(s.accepted[0], text, sizeof text) == 25,
       "a server's first stream");
    say(s.accepted[0], down[0].p + 24, down[0].n - 24);
    ok(record_is(&down[0], wire, drain(&s, wire, sizeof wire)), "its consent and answer");
    feed(&s, up[1].p, up[1].n, 7);
    say(s.accepted[1], down[1].p + 24, down[1].n - 24);
    ok(record_is(&down[1], wire, drain(&s, wire, sizeof wire)), "the same on its second stream");
    feed(&s, up[2].p, up[2].n, 100);
    ok(heard_end(s.accepted[0]) && !heard_end(s.accepted[1]), "the end of the first one");
    say(s.accepted[0], "bye-server", 10);
    say_end(s.accepted[0]);
    ok(record_is(&down[2], wire, drain(&s, wire, sizeof wire)), "what follows, and its own end");
    side_close(&s);
}

/* The roles of a BIND: the first end to speak is the server of the connection. */
static void test_bind(void)
{
    struct record down, up;
    struct ge_stack *a;
    struct side s, c;
    char text[64];

    load_record(&down, BIND, '<', 0);
    load_record(&up, BIND, '>', 1);
    side_open(&s, GOST_CLIENT, "");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    say(a, down.p + 14 + 24, down.n - 14 - 24);
    ok(drain(&s, wire, sizeof wire) == down.n - 14 && memcmp(wire, down.p + 14, down.n - 14) == 0,
       "the stream that a bound server opens");
    side_open(&c, GOST_SERVER, "");
    feed(&c, wire, down.n - 14, 1);
    ok(record_is(&up, wire, drain(&c, wire, sizeof wire)), "the client's consent");
    ok(c.n_accepted == 1 && hear(c.accepted[0], text, sizeof text) == 14, "what it begins with");
    feed(&s, up.p, up.n, 5);
    ge_stack_free(a, 0);
    side_close(&s);
    side_close(&c);
}

/* ---- windows ---- */

static void test_windows(void)
{
    static uint8_t block[400000];
    struct ge_stack *a, *b;
    struct side s;
    size_t n;

    side_open(&s, GOST_CLIENT, "");
    (void)ge_session_open(s.session, s.flow, 0, &a);
    (void)ge_session_open(s.session, s.flow, 0, &b);
    say(a, block, sizeof block);
    ok(drain(&s, wire, sizeof wire) == 24 + 8 * 12 + 262144, "so much before the peer has read");
    say(b, "beside", 6);
    ok(drain(&s, wire, sizeof wire) == 18, "the stream beside it goes on");
    feed(&s, wire, frame(wire, YAMUX_WINDOW, 0, 1, 100, NULL), 1);
    ok(drain(&s, wire, sizeof wire) == 112, "so much more");
    n = frame(wire, YAMUX_WINDOW, 0, 1, UINT32_MAX, NULL);
    n += frame(wire + n, YAMUX_WINDOW, 0, 1, UINT32_MAX, NULL);
    feed(&s, wire, n, 100);
    ok(drain(&s, wire, sizeof wire) == 5 * 12 + 400000 - 262244, "and all of it");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    side_close(&s);
}

static void test_receiving(void)
{
    static uint8_t block[262145];
    struct side s;
    size_t n;

    side_open(&s, GOST_SERVER, "");
    feed(&s, wire, syn(wire, 1), 100);
    (void)drain(&s, wire, sizeof wire);
    n = frame(wire, YAMUX_DATA, 0, 1, 131071, block);
    feed(&s, wire, n, 9999);
    (void)hear(s.accepted[0], block, sizeof block);
    ok(drain(&s, wire, sizeof wire) == 0, "half of the window is not read yet: no update");
    n = frame(wire, YAMUX_DATA, 0, 1, 1, block);
    feed(&s, wire, n, 9999);
    (void)hear(s.accepted[0], block, sizeof block);
    ok(drain(&s, wire, sizeof wire) == 12 && is_frame(wire, YAMUX_WINDOW, 0, 1, 131072),
       "now it is, and the peer is told");
    n = frame(wire, YAMUX_DATA, 0, 1, 262144, block);
    feed(&s, wire, n, 65536);
    ok(s.flow->status == 0, "a whole window at once");
    n = frame(wire, YAMUX_DATA, 0, 1, 1, block);
    feed(&s, wire, n, 100);
    ok(s.flow->status == GOST_EPROTO && strstr(error_of(&s), "window of stream 1"),
       "a byte more is too much");
    side_close(&s);
    side_open(&s, GOST_SERVER, "mux.maxStreamWindow=300000");
    feed(&s, wire, syn(wire, 1), 100);
    ok(drain(&s, wire, sizeof wire) == 12 &&
           is_frame(wire, YAMUX_WINDOW, YAMUX_ACK, 1, 300000 - 262144),
       "a larger window is told with the consent");
    side_close(&s);
}

/* ---- ends ---- */

static void test_ends(void)
{
    struct side s;
    size_t n;
    char text[16];

    side_open(&s, GOST_SERVER, "");
    n = syn(wire, 1);
    n += frame(wire + n, YAMUX_DATA, YAMUX_FIN, 1, 3, "end");
    n += frame(wire + n, YAMUX_DATA, YAMUX_SYN, 3, 5, "other");
    n += frame(wire + n, YAMUX_WINDOW, YAMUX_RST, 3, 0, NULL);
    n += frame(wire + n, YAMUX_DATA, 0, 7, 4, "none");
    n += frame(wire + n, YAMUX_WINDOW, YAMUX_FIN, 7, 9, NULL);
    feed(&s, wire, n, 1);
    ok(hear(s.accepted[0], text, sizeof text) == 3 && heard_end(s.accepted[0]),
       "an end behind the data of its frame");
    ok(hear(s.accepted[1], text, sizeof text) == 5 && ge_session_streams(s.session) == 2,
       "a stream that begins with data and is reset: what came before is read");
    n = drain(&s, wire, sizeof wire);
    ok(!s.ended && n == 36 && is_frame(wire + 24, YAMUX_WINDOW, YAMUX_RST, 7, 0),
       "data of no stream are answered by a reset, other frames of it passed over");
    ge_stack_free(s.accepted[1], 0);
    s.accepted[1] = NULL;
    ok(drain(&s, wire, sizeof wire) == 0, "of a stream that was reset nothing more is said");
    say_end(s.accepted[0]);
    ge_stack_free(s.accepted[0], 0);
    s.accepted[0] = NULL;
    ok(drain(&s, wire, sizeof wire) == 12 && is_frame(wire, YAMUX_WINDOW, YAMUX_FIN, 1, 0),
       "an end");
    n = syn(wire, 5);
    feed(&s, wire, n, 100);
    say(s.accepted[2], "x", 1);
    say_end(s.accepted[2]);
    (void)drain(&s, wire, sizeof wire);
    ge_stack_free(s.accepted[2], 0);
    s.accepted[2] = NULL;
    ok(drain(&s, wire, sizeof wire) == 0, "who let go behind an end resets nothing");
    feed(&s, wire, frame(wire, YAMUX_GOAWAY, 0, 0, YAMUX_NORMAL, NULL), 1);
    ok(s.ended && s.end_status == 0, "a peer that wants no more streams, and there are none");
    side_close(&s);
}

static void test_limit(void)
{
    struct side s;

    side_open(&s, GOST_SERVER, "");
    ge_session_limit(s.session, 1);
    feed(&s, wire, syn(wire, 1) + syn(wire + 12, 3), 100);
    ok(s.n_accepted == 1 && drain(&s, wire, sizeof wire) == 24 &&
           is_frame(wire, YAMUX_WINDOW, YAMUX_ACK, 1, 0) &&
           is_frame(wire + 12, YAMUX_WINDOW, YAMUX_RST, 3, 0),
       "streams above the limit are reset");
    side_close(&s);
}

/* ---- keep-alive ---- */

static void test_ping(void)
{
    struct side s;

    side_open(&s, GOST_SERVER, "");
    feed(&s, wire, frame(wire, YAMUX_PING, YAMUX_SYN, 0, 7, NULL), 1);
    ok(drain(&s, wire, sizeof wire) == 12 && is_frame(wire, YAMUX_PING, YAMUX_ACK, 0, 7),
       "a ping is answered");
    pass_time(29 * GOST_S);
    ok(drain(&s, wire, sizeof wire) == 0, "none of ours for 29 s");
    pass_time(2 * GOST_S);
    ok(drain(&s, wire, sizeof wire) == 12 && is_frame(wire, YAMUX_PING, YAMUX_SYN, 0, 1),
       "then one");
    feed(&s, wire, frame(wire, YAMUX_PING, YAMUX_ACK, 0, 1, NULL), 5);
    pass_time(11 * GOST_S);
    ok(s.flow->status == 0, "which was answered");
    pass_time(20 * GOST_S);
    (void)drain(&s, wire, sizeof wire);
    feed(&s, wire, frame(wire, YAMUX_PING, YAMUX_ACK, 0, 1, NULL), 5);
    pass_time(11 * GOST_S);
    ok(s.flow->status == GOST_ETIMEDOUT && strstr(error_of(&s), "ping"),
       "the answer to another one does not count");
    side_close(&s);
    side_open(&s, GOST_CLIENT, "mux.keepaliveDisabled=true");
    pass_time(100 * GOST_S);
    ok(drain(&s, wire, sizeof wire) == 0 && s.flow->status == 0, "it may be off");
    ok(ge_session_ping(s.session, GOST_S) == GOST_OK && drain(&s, wire, sizeof wire) == 12,
       "the host asks for a sign of life");
    feed(&s, wire, frame(wire, YAMUX_PING, YAMUX_ACK, 0, 1, NULL), 5);
    pass_time(2 * GOST_S);
    ok(s.flow->status == 0, "and gets it");
    side_close(&s);
}

/* ---- bad peers ---- */

static int refuses(const void *p, size_t n, int status, const char *why)
{
    struct side s;
    int good;

    side_open(&s, GOST_SERVER, "");
    feed(&s, p, n, 1000);
    good = s.flow->status == status && strstr(error_of(&s), why) && s.ended;
    if (!good)
        printf("# %d: %s\n", s.flow->status, error_of(&s));
    side_close(&s);
    return good;
}

static void test_bad_peers(void)
{
    uint8_t b[64];

    ok(refuses("GET / HTTP/1.1\r\n", 16, GOST_EPROTO, "no yamux"), "a client of HTTP");
    ok(refuses("\1\0\0\0\3\0\0\0data", 12, GOST_EPROTO, "another version"), "one of smux");
    ok(refuses(b, frame(b, 4, 0, 1, 0, NULL), GOST_EPROTO, "unknown type"), "an unknown type");
    ok(refuses(b, syn(b, 2), GOST_EPROTO, "ours to give"), "a stream number of ours");
    ok(refuses(b, syn(b, 0), GOST_EPROTO, "no stream"), "stream 0");
    ok(refuses(b, syn(b, 1) + syn(b + 12, 1), GOST_EPROTO, "twice"), "a stream opened twice");
    ok(refuses(b, frame(b, YAMUX_PING, YAMUX_SYN, 1, 0, NULL), GOST_EPROTO, "none belongs"),
       "a ping of a stream");
    ok(refuses(b, frame(b, YAMUX_GOAWAY, 0, 0, YAMUX_PROTOCOL, NULL), GOST_EPEER, "broke"),
       "a peer that says that we broke the protocol");
}

static void test_options(void)
{
    struct ge_conf *conf =
        make_conf(component(), GOST_SERVER, "mux.version=2 mux.keepaliveTimeout=1s");
    const struct smux_conf *c = conf ? ge_conf_data(conf) : NULL;

    ok(c && c->interval_ns == 30 * GOST_S && c->stream_window == 262144,
       "options of smux have no effect");
    ge_conf_free(conf);
    ok(!make_conf(component(), GOST_SERVER, "mux.maxStreamWindow=200000") &&
           strstr(conf_error, "mux.maxStreamWindow"),
       "a window below the first one");
}

int main(void)
{
    world_layer = "yamux";
    world_begin();
    test_client();
    test_server();
    test_bind();
    test_windows();
    test_receiving();
    test_ends();
    test_limit();
    test_ping();
    test_bad_peers();
    test_options();
    ok(both("", 1000), "20 streams between two of ours");
    ok(both("mux.maxStreamWindow=1000000", 7), "in small pieces, with larger windows");
    ok(world_end(), "nothing is left");
    return test_end();
}
