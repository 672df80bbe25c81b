/* test_wt.c - WebTransport: two layers against each other, and peers that break the rules. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_tap.h"
#include "test_world.h"
#include "wt.h"

static struct wt_conf conf = {.h3 = {1, 1, 1, 8000}, .path = "/wt"};

static void say(struct ge_stack *s, const char *text)
{
    put(s, text, strlen(text));
}

static void start(int bare)
{
    world_layer = 1;
    world_conf = &conf;
    begin(bare);
}

/* ---- codes ---- */

static void test_codes(void)
{
    static const uint64_t v[] = {0, 1, 0x1d, 0x1e, 0x1f, 255, 65535, 0xfffffffe, 0xffffffff};
    size_t i;
    int good = 1;

    for (i = 0; i < sizeof v / sizeof v[0]; i++)
        good &= wt_code_get(wt_code_put(v[i])) == v[i] && (wt_code_put(v[i]) - 0x21) % 0x1f != 0;
    ok(good, "codes of applications come back, and none is a greased one");
    ok(wt_code_put(0) == 0x52e4a40fa8db && wt_code_put(0xffffffff) == 0x52e5ac983162,
       "the first and the last one");
    ok(wt_code_get(0x10c) == 0 && wt_code_get(0x52e5ac983163) == 0, "others are none");
}

/* ---- two layers ---- */

static void test_streams(void)
{
    struct ge_stack *c, *d, *s;

    start(-1);
    ok(t.side[CLIENT].ready && t.side[CLIENT].ready_status == 0, "a session is made");
    c = open_stream(CLIENT, 0);
    run();
    ok(c && t.side[SERVER].n_accepted == 1, "a stream is there before its first byte");
    s = t.side[SERVER].accepted[0];
    say(s, "the server speaks first");
    ok(got(c, "the server speaks first"), "the server may speak first");
    say(c, "request");
    ok(got(s, "request"), "bytes go up");
    d = open_stream(CLIENT, 0);
    say(d, "beside it");
    ok(t.side[SERVER].n_accepted == 2 && got(t.side[SERVER].accepted[1], "beside it"),
       "another stream");
    gost_shut(top(c));
    run();
    ok(gost_rx_eof(top(s)) && !gost_rx_eof(top(c)), "one direction ends");
    say(s, "answer");
    gost_shut(top(s));
    run();
    ok(got(c, "answer") && gost_rx_eof(top(c)), "the other goes on");
    gost_abort(top(d), 0x177);
    ge_stack_free(d, 1);
    run();
    ok(gost_send(top(t.side[SERVER].accepted[1]), "x", 1) != GOST_OK, "a reset ends both ways");
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

static void test_many(void)
{
    static uint8_t block[65536];
    struct ge_stack *c[20], *s;
    struct gost_bytes b;
    size_t sum = 0;
    int i, good = 1;

    start(-1);
    for (i = 0; i < 20; i++) {
        c[i] = open_stream(CLIENT, 0);
        memset(block, i, sizeof block);
        put(c[i], block, sizeof block);
    }
    for (i = 0; i < 20; i++) {
        s = t.side[SERVER].accepted[i];
        for (sum = 0; (b = gost_rx(top(s))).n > 0; run()) {
            good &= b.p[0] == i && b.p[b.n - 1] == i;
            sum += b.n;
            gost_consume(top(s), b.n);
        }
        good &= sum == sizeof block;
    }
    ok(good, "twenty streams do not mix, and go on as they are read");
    for (i = 0; i < 20; i++)
        ge_stack_free(c[i], 0);
    ok(end(), "nothing is left");
}

/* ---- a server, and bytes ---- */

static struct ge_stack *request(const char *path, const char *protocol)
{
    const char *lines[] = {":method: CONNECT",
                           protocol,
                           ":scheme: https",
                           ":authority: a",
                           path,
                           "sec-webtransport-http3-draft02: 1",
                           NULL};
    struct ge_stack *s = open_stream(CLIENT, 0);
    uint8_t b[300];

    put(s, b, head_text(b, lines));
    return s;
}

/* The status of the answer; 0: none. */
static unsigned status_of(struct ge_stack *s)
{
    nghttp3_qpack_decoder *d;
    struct gost_block block;
    struct gost_field *fields;
    struct gost_head h;
    struct h3_frame f;
    unsigned status = 0;
    const uint8_t *p;

    p = gost_peek(top(s), gost_rx_len(top(s)));
    if (!p || h3_frame_get(gost_bytes(p, gost_rx_len(top(s))), &f) != GOST_OK)
        return 0;
    memset(&block, 0, sizeof block);
    if (nghttp3_qpack_decoder_new(&d, 0, 0, nghttp3_mem_default()))
        abort();
    if (h3_head_decode(d, gost_bytes(p + f.head, (size_t)f.length), 0, 4000, &block) == GOST_OK &&
        gost_block_head(&block, &h, &fields) == GOST_OK) {
        status = h.status;
        if (status == 200 && !gost_head_has(&h, "sec-webtransport-http3-draft"))
            status = 1;
        free(fields);
    }
    gost_consume(top(s), f.head + (size_t)f.length);
    gost_block_free(&block);
    nghttp3_qpack_decoder_del(d);
    return status;
}

/* The peer's control stream, as GOST's client opens it. */
static struct ge_stack *control(void)
{
    struct ge_stack *s = open_stream(CLIENT, GOST_STREAM_ONEWAY);

    put(s, "\0\x04\x02\x33\x01", 5);
    return s;
}

static void test_server(void)
{
    struct ge_stack *ctl, *a, *b, *c, *d;

    start(CLIENT);
    ctl = control();
    a = open_stream(CLIENT, 0); /* id 0: before its session, which will be stream 4 */
    put(a, "\x40\x41\4early", 8);
    ok(t.side[SERVER].n_accepted == 0, "a stream that comes before its session waits");
    b = request(":path: /wt", ":protocol: webtransport");
    ok(status_of(b) == 200, "the session is made, as the old draft has it");
    ok(t.side[SERVER].n_accepted == 1 && got(t.side[SERVER].accepted[0], "early"),
       "and the stream goes on");
    c = request(":path: /wt", ":protocol: webtransport-h3");
    ok(status_of(c) == 429, "a second session is refused");
    d = open_stream(CLIENT, 0);
    put(d, "\x40\x41\x09no", 5);
    ok(t.side[SERVER].n_accepted == 1, "a stream of another session is refused");
    put(b,
        "\0\x06\x40\x55\x03"
        "abc",
        8);
    ok(!t.side[SERVER].ended, "a capsule that means nothing is passed over");
    put(b, "\0\x07\x68\x43\4\0\0\0\1", 9);
    ok(t.side[SERVER].ended, "the capsule of the end ends the session");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ge_stack_free(c, 0);
    ge_stack_free(d, 0);
    ge_stack_free(ctl, 0);
    ok(end(), "nothing is left");
}

static void test_refused(void)
{
    static const struct {
        const char *path, *protocol;
    } bad[] = {{":path: /other", ":protocol: webtransport"},
               {":path: /wtf", ":protocol: webtransport"},
               {":path: /wt", ":protocol: websocket"}};
    struct ge_stack *ctl, *s;
    size_t i;
    int good = 1;

    start(CLIENT);
    ctl = control();
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s = request(bad[i].path, bad[i].protocol);
        good &= status_of(s) == 404 && gost_rx_eof(top(s));
        ge_stack_free(s, 0);
    }
    ok(good && !t.side[SERVER].ended, "another path and other protocols are not found");
    s = request(":path: /wt?x=1", ":protocol: webtransport");
    ok(status_of(s) == 200, "a query behind the path does not matter");
    ge_stack_free(s, 0);
    run();
    ok(t.side[SERVER].ended, "the end of its stream ends the session");
    ge_stack_free(ctl, 0);
    ok(end(), "nothing is left");
}

/* ---- a client, and a server that is none ---- */

static void test_client(void)
{
    struct ge_stack *ctl;

    start(SERVER);
    ctl = open_stream(SERVER, GOST_STREAM_ONEWAY);
    put(ctl, "\0\x04\x02\x08\x01", 5);
    ok(t.side[CLIENT].ended && t.side[CLIENT].flow->status == GOST_EPEER &&
           strstr(t.side[CLIENT].flow->error, "no WebTransport"),
       "a server of HTTP/3 without WebTransport is told");
    ge_stack_free(ctl, 0);
    ok(end(), "nothing is left");
    start(SERVER);
    ctl = open_stream(SERVER, GOST_STREAM_ONEWAY);
    put(ctl, "\0\x04\x07\x08\x01\xab\x60\x37\x42\x01", 10);
    ok(t.side[SERVER].n_accepted == 2, "to one with it the client sends its request");
    put(t.side[SERVER].accepted[1], "\1\4\0\0\xff\x24", 6); /* :status 404 is entry 27 */
    ok(t.side[CLIENT].ended && t.side[CLIENT].flow->error, "and a refusal ends the session");
    ge_stack_free(ctl, 0);
    ok(end(), "nothing is left");
}

int main(void)
{
    test_codes();
    test_streams();
    test_many();
    test_server();
    test_refused();
    test_client();
    return test_end();
}
