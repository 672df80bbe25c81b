/* test_h3.c - the wire format, two layers against each other, and peers that break the rules. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_tap.h"
#include "test_world.h"

static void say(struct ge_stack *s, const char *text)
{
    put(s, text, strlen(text));
}

/* ---- the wire format ---- */

static void test_numbers(void)
{
    static const uint64_t v[] = {0,       63,         64,         16383,           16384,
                                 1 << 29, 1073741823, 1073741824, (1ull << 62) - 1};
    uint8_t b[8];
    uint64_t back = 0;
    size_t i, n, k;
    int good = 1;

    for (i = 0; i < sizeof v / sizeof v[0]; i++) {
        n = h3_varint_put(b, v[i]);
        for (k = 0; k < n; k++)
            good &= h3_varint_get(gost_bytes(b, k), &back) == 0;
        good &= h3_varint_get(gost_bytes(b, n), &back) == n && back == v[i];
    }
    ok(good, "numbers of all lengths");
}

static void test_settings(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int error;
    } bad[] = {
        {"\x06", 1, H3_FRAME_ERROR},        {"\x02\x00", 2, H3_SETTINGS_ERROR},
        {"\x05\x00", 2, H3_SETTINGS_ERROR}, {"\x33\x02", 2, H3_SETTINGS_ERROR},
        {"\x08\x40", 2, H3_FRAME_ERROR},
    };
    struct h3_conf c = {1, 1, 0, 64000};
    struct h3_settings s;
    struct h3_frame f;
    uint8_t b[H3_SETTINGS_MAX];
    size_t n = h3_settings_put(b, &c, 0), i;
    int good = 1;

    ok(h3_frame_get(gost_bytes(b, n), &f) == GOST_OK && f.type == H3_SETTINGS &&
           f.head + f.length == n,
       "SETTINGS are one frame");
    ok(h3_settings_get(gost_bytes(b + f.head, n - f.head), &s) == 0 &&
           s.max_field_section == 64000 && s.connect_protocol && s.datagram,
       "and are read back");
    n = h3_settings_put(b, &c, 1);
    ok(h3_settings_get(gost_bytes(b + 2, n - 2), &s) == 0 && !s.connect_protocol && s.datagram,
       "a client allows no CONNECT with a protocol");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        good &= h3_settings_get(gost_bytes(bad[i].bytes, bad[i].n), &s) == bad[i].error;
    ok(good, "wrong ones are told apart");
    ok(h3_settings_get(gost_bytes("\x21\x05\x06\x40\x64", 5), &s) == 0 &&
           s.max_field_section == 100,
       "unknown ones are passed over");
}

/* ---- two layers ---- */

static void test_exchange(void)
{
    const struct gost_field f[] = {{gost_bytes_str("x-a"), gost_bytes_str("1")},
                                   {gost_bytes_str("x-empty"), gost_bytes_str("")}};
    struct gost_head h = {.size = sizeof h, .fields = f, .n_fields = 2}, r;
    struct ge_stack *c, *s;

    begin(-1);
    c = open_stream(CLIENT, 0);
    ok(c != NULL, "a client opens a stream");
    h.method = gost_bytes_str("POST");
    h.scheme = gost_bytes_str("https");
    h.authority = gost_bytes_str("a.example");
    h.path = gost_bytes_str("/p?q");
    gost_head_send(top(c), &h);
    say(c, "request");
    s = t.side[SERVER].accepted[0];
    ok(s && gost_head_recv(top(s), &r) == GOST_OK && gost_bytes_eq(r.method, h.method) &&
           gost_bytes_eq(r.scheme, h.scheme) && gost_bytes_eq(r.authority, h.authority) &&
           gost_bytes_eq(r.path, h.path) && r.n_fields == 2 && r.fields[1].value.n == 0,
       "its head arrives");
    ok(got(s, "request") && !gost_rx_eof(top(s)), "and its body");
    memset(&h, 0, sizeof h);
    h.size = sizeof h;
    h.status = 103;
    h.flags = GOST_HEAD_INTERIM;
    gost_head_send(top(s), &h);
    h.status = 200;
    h.flags = 0;
    gost_head_send(top(s), &h);
    say(s, "answer");
    ok(gost_head_recv(top(c), &r) == GOST_OK && r.status == 103 && (r.flags & GOST_HEAD_INTERIM) &&
           gost_head_recv(top(c), &r) == GOST_OK && r.status == 200 && gost_head_has(&r, "date"),
       "heads of an answer arrive");
    ok(got(c, "answer"), "and its body");
    gost_shut(top(c));
    run();
    ok(gost_rx_eof(top(s)) && !gost_rx_eof(top(c)), "one direction ends");
    say(s, "more");
    h.status = 0;
    h.flags = GOST_HEAD_TRAILERS;
    h.fields = f;
    h.n_fields = 1;
    gost_head_send(top(s), &h);
    gost_shut(top(s));
    run();
    ok(got(c, "more") && !gost_rx_eof(top(c)) && gost_head_recv(top(c), &r) == GOST_OK &&
           (r.flags & GOST_HEAD_TRAILERS) && r.n_fields == 1 && gost_rx_eof(top(c)),
       "the other goes on, with trailers at its end");
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

static struct ge_stack *connected(struct ge_stack **ret_server)
{
    struct gost_head h = {.size = sizeof h}, r;
    struct ge_stack *c = open_stream(CLIENT, 0);

    h.method = gost_bytes_str("CONNECT");
    h.authority = gost_bytes_str("a.example:1");
    gost_head_send(top(c), &h);
    run();
    *ret_server = t.side[SERVER].accepted[t.side[SERVER].n_accepted - 1];
    (void)gost_head_recv(top(*ret_server), &r);
    memset(&h, 0, sizeof h);
    h.size = sizeof h;
    h.status = 200;
    gost_head_send(top(*ret_server), &h);
    run();
    (void)gost_head_recv(top(c), &r);
    return c;
}

static void test_much(void)
{
    static char block[10000];
    struct ge_stack *c, *s;
    size_t sent = 0, back = 0, k;

    begin(-1);
    c = connected(&s);
    memset(block, 'x', sizeof block);
    for (k = 0; k < 2000; k++) {
        if (sent < 3000000 && gost_tx_room(top(c)) > sizeof block) {
            gost_send(top(c), block, sizeof block);
            sent += sizeof block;
        }
        run();
        if (k % 3 == 0) { /* its reader is slow */
            back += gost_rx_len(top(s));
            gost_consume(top(s), gost_rx_len(top(s)));
        }
    }
    run();
    back += gost_rx_len(top(s));
    ok(sent >= 3000000 && back == sent, "3 MB go through a slow reader");
    gost_consume(top(s), gost_rx_len(top(s)));
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

static void test_resets(void)
{
    struct ge_stack *c, *s;

    begin(-1);
    c = connected(&s);
    gost_abort(top(c), 0x177);
    ge_stack_free(c, 1);
    run();
    ok(ge_stack_code(s) == 0x177, "a reset carries the user's code");
    c = connected(&s);
    ge_stack_free(c, 1);
    run();
    ok(ge_stack_code(s) == H3_REQUEST_CANCELLED, "or H3_REQUEST_CANCELLED");
    ok(t.side[SERVER].session && t.side[CLIENT].session, "the session goes on");
    ok(end(), "nothing is left");
}

static void test_goaway(void)
{
    struct ge_stack *c, *s;

    begin(-1);
    c = connected(&s);
    ge_session_drain(t.side[SERVER].session);
    run();
    ok(ge_session_draining(t.side[CLIENT].session), "a server that drains says so");
    ok(open_stream(CLIENT, 0) == NULL, "there are no new streams");
    say(c, "still");
    ok(got(s, "still"), "those under way go on");
    gost_shut(top(c));
    gost_shut(top(s));
    run();
    ge_stack_free(c, 0);
    ge_stack_free(s, 0);
    t.side[SERVER].accepted[0] = NULL;
    run();
    ok(mux_code == H3_NO_ERROR && t.side[SERVER].ended, "with the last of them the session ends");
    ok(end(), "nothing is left");
}

/* ---- a client of bytes against our server ---- */

static const char *const request[] = {":method: CONNECT", ":authority: a:1", NULL};

/* The control stream of a client that does nothing wrong. */
static struct ge_stack *control(void)
{
    struct ge_stack *s = open_stream(CLIENT, GOST_STREAM_ONEWAY);

    put(s, "\x00\x04\x02\x33\x01", 5);
    return s;
}

static void bytes_on(struct ge_stack *s, const void *p, size_t n, int and_end)
{
    gost_send(top(s), p, n);
    if (and_end)
        gost_shut(top(s));
    run();
}

/* One-way streams, each by itself, that end the session. */
static void test_wrong_control(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int end;
        uint64_t code;
        const char *name;
    } v[] = {
        {"\x00\x00\x00", 3, 0, H3_MISSING_SETTINGS, "a control stream without SETTINGS"},
        {"\x00\x04\x00\x04\x00", 5, 0, H3_FRAME_UNEXPECTED, "SETTINGS twice"},
        {"\x00\x04\x02\x03\x01", 5, 0, H3_SETTINGS_ERROR, "a setting of HTTP/2"},
        {"\x00\x04\x80\x10\x00\x00", 6, 0, H3_EXCESSIVE_LOAD, "SETTINGS of a megabyte"},
        {"\x00\x04\x00\x00\x00", 5, 0, H3_FRAME_UNEXPECTED, "DATA on a control stream"},
        {"\x00\x04\x00\x01\x00", 5, 0, H3_FRAME_UNEXPECTED, "HEADERS on a control stream"},
        {"\x00\x04\x00\x08\x00", 5, 0, H3_FRAME_UNEXPECTED, "a frame of HTTP/2"},
        {"\x00\x04\x00\x07\x01\x40", 6, 0, H3_FRAME_ERROR, "a GOAWAY cut short"},
        {"\x00\x04\x00", 3, 1, H3_CLOSED_CRITICAL_STREAM, "a control stream that ends"},
        {"\x01\x00", 2, 0, H3_STREAM_CREATION_ERROR, "a push stream of a client"},
        {"\x02\x3f\xff\xff\xff\x7f", 6, 0, H3_QPACK_ENCODER_STREAM_ERROR, "a table we forbade"},
        {"\x03\x01", 2, 0, H3_QPACK_DECODER_STREAM_ERROR, "an increment of nothing"},
    };
    struct ge_stack *s;
    size_t i;

    for (i = 0; i < sizeof v / sizeof v[0]; i++) {
        begin(CLIENT);
        s = open_stream(CLIENT, GOST_STREAM_ONEWAY);
        bytes_on(s, v[i].bytes, v[i].n, v[i].end);
        ok(t.side[SERVER].ended && mux_code == v[i].code, v[i].name);
        ge_stack_free(s, 0);
        ok(end(), "nothing is left");
    }
}

static void test_second_control(void)
{
    struct ge_stack *a, *b;

    begin(CLIENT);
    a = control();
    b = open_stream(CLIENT, GOST_STREAM_ONEWAY);
    bytes_on(b, "\x21", 1, 0);
    ok(!t.side[SERVER].ended, "a stream of an unknown type is refused alone");
    ge_stack_free(b, 0);
    b = control();
    ok(t.side[SERVER].ended && mux_code == H3_STREAM_CREATION_ERROR, "a second control stream");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    ok(end(), "nothing is left");
}

/* It overtakes requests that were sent before it. */
static void test_client_goaway(void)
{
    struct ge_stack *c, *s;
    uint8_t b[200];

    begin(CLIENT);
    c = control();
    put(c, "\x07\x01\x00", 3);
    s = open_stream(CLIENT, 0);
    put(s, b, head_text(b, request));
    ok(!t.side[SERVER].ended && t.side[SERVER].n_accepted == 1,
       "a client's GOAWAY does not end its requests");
    ge_stack_free(s, 1);
    ge_stack_free(c, 1);
    ok(end(), "nothing is left");
}

/* Frames of a request that end the session. */
static void test_wrong_frames(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int end, behind_head;
        uint64_t code;
        const char *name;
    } v[] = {
        {"\x00\x01x", 3, 0, 0, H3_FRAME_UNEXPECTED, "DATA before a head"},
        {"\x04\x00", 2, 0, 1, H3_FRAME_UNEXPECTED, "SETTINGS in a request"},
        {"\x05\x00", 2, 0, 1, H3_FRAME_UNEXPECTED, "a push of a client"},
        {"\x06\x00", 2, 0, 1, H3_FRAME_UNEXPECTED, "a PING of HTTP/2"},
        {"\x01\x02\x05\x00", 4, 0, 0, H3_QPACK_DECOMPRESSION_FAILED, "a table that is not there"},
        {"\x01\x03\x00\x00\xff", 5, 0, 0, H3_QPACK_DECOMPRESSION_FAILED, "a field cut short"},
        {"\x00\x05xx", 4, 1, 1, H3_FRAME_ERROR, "an end within DATA"},
        {"\x00", 1, 1, 1, H3_FRAME_ERROR, "an end within a frame's header"},
        {"\x21\x05x", 3, 1, 1, H3_FRAME_ERROR, "an end within an unknown frame"},
    };
    struct ge_stack *s, *c;
    uint8_t b[200];
    size_t i, n;

    for (i = 0; i < sizeof v / sizeof v[0]; i++) {
        begin(CLIENT);
        c = control();
        s = open_stream(CLIENT, 0);
        n = v[i].behind_head ? head_text(b, request) : 0;
        memcpy(b + n, v[i].bytes, v[i].n);
        bytes_on(s, b, n + v[i].n, v[i].end);
        ok(t.side[SERVER].ended && mux_code == v[i].code, v[i].name);
        ge_stack_free(s, 0);
        ge_stack_free(c, 0);
        ok(end(), "nothing is left");
    }
}

/* Heads that are refused alone, and some that look odd but are fine (code 0). */
static void test_heads(void)
{
    static const struct {
        const char *lines[8];
        uint64_t code;
        const char *name;
    } v[] = {
        {{":method: GET", ":scheme: https", ":authority: a", ":path: /"}, 0, "a request"},
        {{":method: CONNECT", ":protocol: connect-udp", ":scheme: ", ":authority: a", ":path: /"},
         0,
         "extended CONNECT with an empty scheme"},
        {{":method: GET", ":scheme: https", ":path: /", "te: trailers"}, 0, "te: trailers"},
        {{":method: GET", ":scheme: https"}, H3_MESSAGE_ERROR, "no path"},
        {{":scheme: https", ":path: /"}, H3_MESSAGE_ERROR, "no method"},
        {{":method: CONNECT"}, H3_MESSAGE_ERROR, "CONNECT to nobody"},
        {{":method: CONNECT", ":authority: a:1", ":path: /"}, H3_MESSAGE_ERROR, "a path too many"},
        {{":method: GET", ":scheme: https", ":path: /", ":protocol: x"},
         H3_MESSAGE_ERROR,
         "a protocol with GET"},
        {{":method: GET", ":method: GET", ":scheme: https", ":path: /"},
         H3_MESSAGE_ERROR,
         "two methods"},
        {{":method: GET", ":scheme: https", ":path: /", ":status: 200"},
         H3_MESSAGE_ERROR,
         "a status in a request"},
        {{":method: GET", ":scheme: https", "x: y", ":path: /"},
         H3_MESSAGE_ERROR,
         "a pseudo field behind others"},
        {{":method: GET", ":scheme: https", ":path: /", ":x: y"},
         H3_MESSAGE_ERROR,
         "an unknown pseudo field"},
        {{":method: GET", ":scheme: https", ":path: /", "Host: a"}, H3_MESSAGE_ERROR, "capitals"},
        {{":method: GET", ":scheme: https", ":path: /", "x: a\nb"},
         H3_MESSAGE_ERROR,
         "a line end in a value"},
        {{":method: GET", ":scheme: https", ":path: /", "connection: close"},
         H3_MESSAGE_ERROR,
         "a field of HTTP/1"},
        {{":method: GET", ":scheme: https", ":path: /", "te: gzip"}, H3_MESSAGE_ERROR, "te: gzip"},
        {{":method: PUT", ":scheme: https", ":path: /", "content-length: 1x"},
         H3_MESSAGE_ERROR,
         "a length that is none"},
    };
    struct ge_stack *s, *c;
    uint8_t b[500];
    size_t i;

    begin(CLIENT);
    c = control();
    for (i = 0; i < sizeof v / sizeof v[0]; i++) {
        int before = t.side[SERVER].n_accepted;

        s = open_stream(CLIENT, 0);
        put(s, b, head_text(b, v[i].lines));
        ok(!t.side[SERVER].ended && (t.side[SERVER].n_accepted > before) == (v[i].code == 0) &&
               ge_stack_code(s) == v[i].code,
           v[i].name);
        ge_stack_free(s, 1);
        run();
    }
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

static void test_lengths(void)
{
    static const char *const post[] = {":method: POST", ":scheme: https", ":path: /",
                                       "content-length: 3", NULL};
    static const struct {
        const char *body;
        size_t n;
        uint64_t code;
        const char *name;
    } v[] = {{"\x00\x01x\x00\x02yz", 7, 0, "a body of its length"},
             {"\x00\x04wxyz", 6, H3_MESSAGE_ERROR, "a longer one"},
             {"\x00\x02yz", 4, H3_MESSAGE_ERROR, "a shorter one"}};
    struct ge_stack *s, *c;
    uint8_t b[200];
    size_t i, n;

    begin(CLIENT);
    c = control();
    for (i = 0; i < 3; i++) {
        s = open_stream(CLIENT, 0);
        n = head_text(b, post);
        memcpy(b + n, v[i].body, v[i].n);
        bytes_on(s, b, n + v[i].n, 1);
        ok(!t.side[SERVER].ended && ge_stack_code(s) == v[i].code, v[i].name);
        ge_stack_free(s, 0);
        run();
    }
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

static void test_bounds(void)
{
    static char value[7000];
    const struct gost_field f[] = {
        {gost_bytes_str(":method"), gost_bytes_str("GET")},
        {gost_bytes_str(":scheme"), gost_bytes_str("https")},
        {gost_bytes_str(":path"), gost_bytes_str("/")},
        {gost_bytes_str("x"), gost_bytes(value, sizeof value)},
        {gost_bytes_str("y"), gost_bytes(value, sizeof value)},
    };
    static uint8_t b[20000];
    struct ge_stack *s, *c;
    struct h3_frame frame = {0, 0, 0};
    size_t n, i;

    memset(value, '~', sizeof value);
    begin(CLIENT);
    c = control();
    s = open_stream(CLIENT, 0);
    put(s, b, head_frame(b, f, 4));
    ok(t.side[SERVER].n_accepted == 1, "a head within the bound");
    ge_stack_free(s, 1);
    s = open_stream(CLIENT, 0);
    put(s, b, head_frame(b, f, 5));
    n = gost_rx_len(top(s));
    ok(n > 2 && h3_frame_get(gost_bytes(gost_peek(top(s), n), n), &frame) == GOST_OK &&
           frame.type == H3_HEADERS && t.side[SERVER].n_accepted == 1,
       "one above it is answered");
    ge_stack_free(s, 1);
    run();
    for (i = 0; i < 2000 && !t.side[SERVER].ended; i++) {
        s = open_stream(CLIENT, 0);
        gost_send(top(s), b, head_text(b, request));
        run();
        ge_stack_free(s, 1);
        run();
        while (t.side[SERVER].n_accepted > 0)
            ge_stack_free(t.side[SERVER].accepted[--t.side[SERVER].n_accepted], 0);
    }
    ok(t.side[SERVER].ended && mux_code == H3_EXCESSIVE_LOAD && i < 500,
       "a flood of resets ends the session");
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

/* Byte by byte it is the same. */
static void test_pieces(void)
{
    struct ge_stack *s, *c;
    struct gost_head h;
    uint8_t b[200];
    size_t n, i;

    begin(CLIENT);
    c = open_stream(CLIENT, GOST_STREAM_ONEWAY);
    for (i = 0; i < 5; i++)
        put(c, &"\x00\x04\x02\x33\x01"[i], 1);
    s = open_stream(CLIENT, 0);
    n = head_text(b, request);
    memcpy(b + n, "\x40\x21\x40\x03xyz\x00\x05hello", 14);
    n += 14;
    for (i = 0; i < n; i++)
        put(s, b + i, 1);
    ok(t.side[SERVER].n_accepted == 1 &&
           gost_head_recv(top(t.side[SERVER].accepted[0]), &h) == GOST_OK &&
           got(t.side[SERVER].accepted[0], "hello"),
       "a request that comes byte by byte, with a frame of an unknown type in it");
    ge_stack_free(s, 0);
    ge_stack_free(c, 0);
    ok(end(), "nothing is left");
}

/* ---- a server of bytes against our client ---- */

static void test_wrong_server(void)
{
    static const char *const mixed[] = {":status: 200", ":path: /", NULL};
    struct gost_head h = {.size = sizeof h};
    struct ge_stack *c, *s, *ctl;
    uint8_t b[100];

    begin(SERVER);
    ctl = open_stream(SERVER, GOST_STREAM_ONEWAY);
    put(ctl, "\x00\x04\x02\x08\x01", 5);
    c = open_stream(CLIENT, 0);
    h.method = gost_bytes_str("CONNECT");
    h.authority = gost_bytes_str("a:1");
    gost_head_send(top(c), &h);
    run();
    s = t.side[SERVER].accepted[t.side[SERVER].n_accepted - 1];
    put(s, b, head_text(b, mixed));
    ok(!t.side[CLIENT].ended && ge_stack_code(c) == H3_MESSAGE_ERROR,
       "a request's field in a response");
    ge_stack_free(c, 1);
    c = open_stream(SERVER, 0);
    put(c, "\x00", 1);
    ok(t.side[CLIENT].ended && mux_code == H3_STREAM_CREATION_ERROR,
       "a stream of both ways that a server opens");
    ge_stack_free(c, 1);
    ge_stack_free(ctl, 1);
    ok(end(), "nothing is left");
}

int main(void)
{
    test_numbers();
    test_settings();
    test_exchange();
    test_much();
    test_resets();
    test_goaway();
    test_wrong_control();
    test_second_control();
    test_client_goaway();
    test_wrong_frames();
    test_heads();
    test_lengths();
    test_bounds();
    test_pieces();
    test_wrong_server();
    return test_end();
}
