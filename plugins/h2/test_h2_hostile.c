/* test_h2_hostile.c - peers that break the rules of HTTP/2, or keep to them to do harm. */
/* SPDX-License-Identifier: MIT */
#include "test_peer.h"

enum { DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { CONTINUATION = 9, END_STREAM = 1, END_HEADERS = 4 };
enum { NO_ERROR = 0, PROTOCOL_ERROR = 1, FLOW_CONTROL = 3, CALM = 11 };

/* The session is over, its client knows why, and nothing is left. */
static void ends_with(int64_t code, const char *name)
{
    char text[120];
    int64_t sent;

    collect(SERVER);
    sent = sent_code(GOAWAY, 0);
    if (sent != code)
        printf("# GOAWAY %lld\n", (long long)sent);
    ok(sent == code, name);
    pass_time(6 * GOST_S);
    snprintf(text, sizeof text, "%s: and the session ends", name);
    ok(side[SERVER].ended == 1, text);
    snprintf(text, sizeof text, "%s: nothing leaks", name);
    ok(world_close(), text);
}

static void open_raw(uint32_t id, uint8_t flags)
{
    frame(SERVER, HEADERS, flags | END_HEADERS, id, get_root, sizeof get_root);
}

/* Each as soon as it is taken back: they are let go of, as a handler would. */
static void test_rapid_reset(void)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    uint32_t id;
    int i;

    play_client("");
    for (id = 1; id < 1000 && !*last_log; id += 2) {
        open_raw(id, END_STREAM);
        frame(SERVER, RST_STREAM, 0, id, cancel, 4);
        for (i = 0; i < side[SERVER].n_accepted; i++)
            if (side[SERVER].accepted[i])
                let_go(side[SERVER].accepted[i]);
        side[SERVER].n_accepted = 0;
    }
    printf("# after %u streams\n", (unsigned)id / 2);
    ends_with(CALM, "streams that are reset at once");
}

/* A client that ends each request after its answer may do so as often as it likes. */
static void test_honest_cancel(void)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    struct gost_head h;
    uint32_t id;

    play_client("");
    for (id = 1; id < 4000 && !*last_log; id += 2) {
        open_raw(id, 0);
        side[SERVER].accepted[0] = accepted();
        side[SERVER].n_accepted = 1;
        if (!accepted() || gost_head_recv(top(accepted()), &h) != GOST_OK)
            break;
        respond(accepted(), 200, 0);
        collect(SERVER);
        frame(SERVER, RST_STREAM, 0, id, cancel, 4);
        let_go(accepted());
        side[SERVER].n_accepted = 0;
    }
    printf("# %u %s\n", (unsigned)id, last_log);
    ok(id >= 4000 && side[SERVER].session && !*last_log,
       "cancelling what was answered is no attack");
    ok(world_close(), "nothing leaks");
}

static void test_continuation(void)
{
    static const uint8_t piece[] = {0x00, 0x01, 'a', 0x01, 'b'};
    int i;

    play_client("");
    frame(SERVER, HEADERS, 0, 1, get_root, sizeof get_root);
    for (i = 0; i < 100 && !*last_log; i++)
        frame(SERVER, CONTINUATION, 0, 1, piece, sizeof piece);
    ok(i < 20, "a head in endless pieces is cut off");
    ends_with(CALM, "CONTINUATION without end");
}

/* 431, and the session goes on. */
static void test_big_head(void)
{
    static uint8_t block[6 + 127 + 15872];
    size_t n;
    int i;

    play_client("");
    frame(SERVER, HEADERS, 0, 1, get_root, sizeof get_root);
    block[0] = 0x00;
    block[1] = 0x01;
    block[2] = 'a';
    block[3] = 0x7f; /* 15872 + 127 bytes of value */
    block[4] = 0x80;
    block[5] = 0x7c;
    memset(block + 6, 'x', sizeof block - 6);
    for (i = 0; i < 5; i++)
        frame(SERVER, CONTINUATION, i == 4 ? END_HEADERS : 0, 1, block, sizeof block);
    collect(SERVER);
    ok(sent_frame(HEADERS, 1, &n) != NULL && sent_code(RST_STREAM, 1) == NO_ERROR,
       "a head of more than 64 KiB is refused");
    ok(side[SERVER].n_accepted == 0, "and nobody sees it");
    open_raw(3, END_STREAM);
    ok(side[SERVER].n_accepted == 1, "the session goes on");
    ok(world_close(), "nothing leaks");
}

static void flood(uint8_t type, uint8_t flags, uint32_t id, const void *p, size_t n,
                  const char *name)
{
    int i;

    play_client("");
    open_raw(1, 0);
    for (i = 0; i < 5000 && !*last_log; i++)
        frame(SERVER, type, flags, id, p, n);
    printf("# after %d\n", i);
    ends_with(CALM, name);
}

static void test_floods(void)
{
    static const uint8_t settings[6] = {0, 4, 0, 1, 0, 0}, priority[5] = {0, 0, 0, 0, 1};

    flood(DATA, 0, 1, NULL, 0, "empty DATA");
    flood(SETTINGS, 0, 0, settings, 6, "SETTINGS");
    flood(PRIORITY, 0, 5, priority, 5, "PRIORITY");
}

/* Answers that nobody reads do not pile up: here nothing is taken from the wire. */
static void test_unread(void)
{
    uint8_t ping[8] = {0};
    int i;

    play_client("");
    for (i = 0; i < 200000 && !*last_log && side[SERVER].session && !side[SERVER].ended; i++)
        frame(SERVER, PING, 0, 0, ping, 8);
    printf("# after %d: %s\n", i, side[SERVER].flow->error ? side[SERVER].flow->error : last_log);
    ok(i < 100000, "a peer that reads no answers is given up");
    ok(world_close(), "nothing leaks");
}

static void test_faults(void)
{
    static const uint8_t push[4 + sizeof get_root] = {0, 0, 0, 2};
    static const uint8_t bad[] = {0x82, 0x86, 0x84, 0x00, 0x01, 'A', 0x01, 'b'};
    static const uint8_t connect[] = {0x02, 0x07, 'C', 'O', 'N', 'N', 'E', 'C', 'T', 0x84, 0x86};
    static uint8_t data[16384];
    int i;

    play_client("");
    frame(SERVER, 5, END_HEADERS, 1, push, sizeof push);
    ends_with(PROTOCOL_ERROR, "a client's PUSH_PROMISE");

    play_client("");
    frame(SERVER, DATA, 0, 7, data, 5);
    ends_with(PROTOCOL_ERROR, "DATA on a stream that is not open");

    play_client("");
    open_raw(1, 0);
    for (i = 0; i < 70; i++)
        frame(SERVER, DATA, 0, 1, data, sizeof data);
    collect(SERVER);
    ok(sent_code(RST_STREAM, 1) == FLOW_CONTROL && side[SERVER].session && !side[SERVER].ended,
       "more DATA than the window");
    ok(gost_rx_len(top(accepted())) <= 65536 + 16384, "and none of it is kept");
    ok(world_close(), "nothing leaks");

    play_client("");
    frame(SERVER, HEADERS, END_HEADERS | END_STREAM, 1, bad, sizeof bad);
    collect(SERVER);
    ok(sent_code(RST_STREAM, 1) == PROTOCOL_ERROR && side[SERVER].n_accepted == 0,
       "a field name in capitals");
    ok(world_close(), "nothing leaks");

    play_client("");
    frame(SERVER, HEADERS, END_HEADERS, 1, connect, sizeof connect);
    collect(SERVER);
    ok(sent_code(RST_STREAM, 1) == PROTOCOL_ERROR && side[SERVER].n_accepted == 0,
       "CONNECT with a path");
    ok(world_close(), "nothing leaks");

    world_open(NULL, "");
    feed(SERVER, "GET / HTTP/1.1\r\n", 16);
    ok(side[SERVER].ready_status == GOST_EPROTO, "HTTP/1 is not HTTP/2");
    ok(world_close(), "nothing leaks");

    world_open(NULL, "");
    feed(SERVER, MAGIC, 10);
    ok(!side[SERVER].ready, "half of a preface is waited for");
    ok(world_close(), "nothing leaks");
}

/* A server that answers with what a client cannot use. */
static void test_server(void)
{
    static const uint8_t interim[] = {0x08, 0x03, '1', '0', '2'};
    static const uint8_t window[4] = {0, 0, 0, 0};
    struct ge_stack *c;
    int i;

    world_open("", NULL);
    c = ask("CONNECT", "", 0);
    collect(CLIENT);
    frame(CLIENT, SETTINGS, 0, 0, NULL, 0);
    for (i = 0; i < 40; i++)
        frame(CLIENT, HEADERS, END_HEADERS, 1, interim, sizeof interim);
    collect(CLIENT);
    ok(sent_code(RST_STREAM, 1) == CALM && ge_stack_flow(c)->status == GOST_ECLOSED,
       "interim heads without end");
    frame(CLIENT, 8, 0, 0, window, 4);
    collect(CLIENT);
    ok(sent_code(GOAWAY, 0) == PROTOCOL_ERROR, "a window that grows by nothing");
    ok(world_close(), "nothing leaks");
}

int main(void)
{
    test_begin();
    test_rapid_reset();
    test_honest_cancel();
    test_continuation();
    test_big_head();
    test_floods();
    test_unread();
    test_faults();
    test_server();
    return test_finish();
}
