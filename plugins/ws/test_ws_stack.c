/* test_ws_stack.c - two ws layers on the engine, against each other and against recordings. */
/* SPDX-License-Identifier: MIT */
#include <zlib.h>

#include "../../sdk/testkit/test_layer.h"
#include "ws.h"

#define CAPTURES "plugins/ws/captures/"
#define DEFLATE  "enableCompression=true"

static struct record heard, wanted, spoken;

/* ---- data ---- */

static void test_data(void)
{
    static const size_t splits[] = {1, 2, 3, 7, 13, 251, 1021, 4099};
    size_t i;
    int good = 1, packed = 1;

    ok(run_exchange(NONE, NONE, 65521, 8 << 20, 16001, 0), "8 MB both ways");
    ok(run_exchange(W(DEFLATE), W(DEFLATE), 65521, 8 << 20, 16001, 0),
       "8 MB both ways, compressed");
    ok(run_exchange(W(DEFLATE), NONE, 65521, 1 << 20, 16001, 0) &&
           run_exchange(NONE, W(DEFLATE), 65521, 1 << 20, 16001, 0),
       "compression that only one side wants");
    ok(run_exchange(W("writeBufferSize=1"), NONE, 65521, 20000, 5000, 0) &&
           run_exchange(W("writeBufferSize=100000"), NONE, 65521, 300000, 60000, 0) &&
           run_exchange(W(DEFLATE, "writeBufferSize=7"), W(DEFLATE, "writeBufferSize=3"), 1021,
                        100000, 30000, 0),
       "frames of every size");
    for (i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        good &= run_exchange(NONE, NONE, splits[i], 40000, 997 * i + 1, 0);
        packed &= run_exchange(W(DEFLATE), W(DEFLATE), splits[i], 40000, 997 * i + 1, 0);
    }
    ok(good, "split at odd sizes");
    ok(packed, "split at odd sizes, compressed");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 1), "the client ends first, the rest comes");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 2), "the server ends first, the rest comes");
    ok(run_exchange(NONE, NONE, 0, 0, 1, 1), "no data at all");
    ok(stays_bounded(NONE, NONE), "a reader that stops stops the writer");
    ok(stays_bounded(W(DEFLATE), W(DEFLATE)), "compressed too");
}

/* ---- recordings: our client against the recorded server ---- */

/* "Sec-WebSocket-Key" of a recorded request, decoded: what the recorded client drew by lot. */
static void replay_key(const struct record *request)
{
    const uint8_t *p = memmem(request->p, request->n, "Sec-WebSocket-Key: ", 19);
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t raw[18];
    uint32_t v;
    int i, k;

    for (i = 0, p += 19; i < 6; i++) {
        for (k = 0, v = 0; k < 4; k++, p++)
            v = v << 6 | (uint32_t)(*p == '=' ? 0 : strchr(abc, *p) - abc);
        raw[3 * i] = (uint8_t)(v >> 16);
        raw[3 * i + 1] = (uint8_t)(v >> 8);
        raw[3 * i + 2] = (uint8_t)v;
    }
    layer_chance_set(raw, 16);
}

/* The masks of recorded frames, and what they carry. */
static void replay_masks(const struct record *frames, struct record *ret_data)
{
    struct ws_rules rules = {1, 1, 0};
    struct ws_head h;
    const char *why;
    size_t at = 0;

    ret_data->n = 0;
    while (at < frames->n && ws_head_parse(&h, gost_bytes(frames->p + at, frames->n - at), &rules,
                                           NULL, &why) == GOST_OK) {
        layer_chance_set(h.key, 4);
        ws_mask(ret_data->p + ret_data->n, frames->p + at + h.size, (size_t)h.length, h.key, 0);
        ret_data->n += (size_t)h.length;
        at += h.size + (size_t)h.length;
        rules.message = !h.fin;
    }
}

/* Our client with these words says what the recorded one said. */
static int client_is(const char *name, const char *const *words, const struct gost_map *header,
                     int frames)
{
    struct link l = {.client_header = header};
    char path[128];
    int good, i;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    load_record(&wanted, path, '>', 0);
    replay_key(&wanted);
    link_open(&l, words, NULL);
    settle(&l);
    good = hears(&l.server, wanted.p, wanted.n);
    load_record(&spoken, path, '<', 0);
    say_record(&l.server, &spoken);
    settle(&l);
    for (i = 1; i <= frames && good; i++) {
        load_record(&wanted, path, '>', i);
        replay_masks(&wanted, &spoken);
        say_record(&l.client, &spoken);
        settle(&l);
        good = hears(&l.server, wanted.p, wanted.n);
        load_record(&spoken, path, '<', i);
        say_record(&l.server, &spoken);
        settle(&l);
        hear(&l.client, &heard);
        good &= heard.n > 0 && heard.n < spoken.n && is_up(&l) &&
                memmem(spoken.p, spoken.n, heard.p, heard.n) != NULL;
    }
    link_close(&l);
    return good;
}

static void test_recorded_client(void)
{
    static const struct gost_pair fields[] = {
        {"x-one", "1"}, {"User-Agent", "agent/1"}, {"B-Header", "b"}};
    static const struct gost_map header = {fields, 3};
    struct link l = {.split = 0};

    ok(client_is("ws-relay", NONE, NULL, 1), "client as recorded: defaults");
    ok(client_is("ws-http", NONE, NULL, 2), "client as recorded: http above");
    ok(client_is("wss-relay", NONE, NULL, 1), "client as recorded: within TLS");
    ok(client_is("ws-path-host", W("path=/chat", "host=front.test"), NULL, 1),
       "client as recorded: path and host");
    ok(client_is("ws-large", NONE, NULL, 3), "client as recorded: fragments");
    ok(client_is("ws-compression", W(DEFLATE), NULL, 0), "client as recorded: compression offered");
    ok(client_is("ws-headers", NONE, &header, 1), "client as recorded: fields");

    load_record(&wanted, CAPTURES "ws-compression.txt", '>', 0);
    replay_key(&wanted);
    link_open(&l, W(DEFLATE), NULL);
    load_record(&spoken, CAPTURES "ws-compression.txt", '<', 0);
    say_record(&l.server, &spoken);
    load_record(&spoken, CAPTURES "ws-compression.txt", '<', 1);
    say_record(&l.server, &spoken);
    load_record(&spoken, CAPTURES "ws-compression.txt", '<', 2);
    say_record(&l.server, &spoken);
    settle(&l);
    ok(is_up(&l) && hears(&l.client, "\1\0\0\0pong-serverbye-server", 25),
       "compressed messages of the recorded server, right behind its answer");
    link_close(&l);

    load_record(&wanted, CAPTURES "ws-wrong-path.txt", '>', 0);
    replay_key(&wanted);
    link_open(&l, W("path=/other"), NULL);
    settle(&l);
    ok(hears(&l.server, wanted.p, wanted.n), "client as recorded: another path");
    load_record(&spoken, CAPTURES "ws-wrong-path.txt", '<', 0);
    say_record(&l.server, &spoken);
    settle(&l);
    ok(says(&l.client, "404 Not Found") && says(&l.client, "/other") &&
           l.client.ready_status == GOST_EPEER,
       "the error names answer and path");
    link_close(&l);
}

static void test_recorded_pings(void)
{
    struct link l = {.split = 0};
    int i, good = 1;

    load_record(&wanted, CAPTURES "ws-keepalive.txt", '>', 0);
    replay_key(&wanted);
    link_open(&l, W("ws.keepalive=true", "ttl=1s"), NULL);
    load_record(&spoken, CAPTURES "ws-keepalive.txt", '<', 0);
    say_record(&l.server, &spoken);
    settle(&l);
    hear(&l.server, &heard);
    load_record(&wanted, CAPTURES "ws-keepalive.txt", '>', 1);
    replay_masks(&wanted, &spoken);
    say_record(&l.client, &spoken);
    settle(&l);
    ok(hears(&l.server, wanted.p, wanted.n), "data before the first ping");
    for (i = 0; i < 5; i++) {
        layer_chance_set("abcd", 4);
        pass(&l, 1020 * GOST_MS);
        good &= hears(&l.server,
                      "\x89\x80"
                      "abcd",
                      6);
        say(&l.server, "\x8a\0", 2);
        settle(&l);
    }
    ok(good && is_up(&l), "a ping each second");
    link_close(&l);
}

/* ---- recordings: our server against the recorded client ---- */

/* An answer with today's Date in the place of the recorded one. */
static int same_answer(struct lend *e, struct record *want)
{
    const uint8_t *a, *b;

    hear(e, &heard);
    a = memmem(want->p, want->n, "\r\nDate: ", 8);
    b = memmem(heard.p, heard.n, "\r\nDate: ", 8);
    if (a && b && a - want->p == b - heard.p)
        memcpy(heard.p + (b - heard.p), a, 8 + 29);
    return record_is(want, heard.p, heard.n);
}

/* Our server with these words answers the recorded client as the recorded server did. The records
 * from `skip` on are not its own: what is above it speaks there. */
static int server_is(const char *name, const char *const *words, const struct gost_map *header,
                     size_t split, int answers)
{
    struct link l = {.server_header = header, .split = split};
    char path[128];
    int good = 1, i;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    link_open(&l, NULL, words);
    for (i = 0; i < answers && good; i++) {
        load_record(&spoken, path, '>', i);
        say_record(&l.client, &spoken);
        settle(&l);
        load_record(&wanted, path, '<', i);
        good = same_answer(&l.client, &wanted);
    }
    link_close(&l);
    return good;
}

static void test_recorded_server(void)
{
    static const struct gost_pair fields[] = {{"X-Srv", "yes"}, {"Server", "nginx"}};
    static const struct gost_map header = {fields, 2};
    static const char *const probes[] = {"raw-404",         "raw-405",         "raw-400-no-upgrade",
                                         "raw-400-version", "raw-400-garbage", "raw-redirect",
                                         "ws-wrong-path"};
    static const char *const flows[] = {"ws-relay", "ws-http", "ws-two", "wss-relay", "ws-large"};
    char name[100];
    size_t i, split;
    int good;

    for (i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        for (split = 1, good = 1; split < 100; split += 7)
            good &= server_is(probes[i], NONE, NULL, split, 1);
        snprintf(name, sizeof name, "server as recorded, at every split: %s", probes[i]);
        ok(good, name);
    }
    for (i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        snprintf(name, sizeof name, "server as recorded: %s", flows[i]);
        ok(server_is(flows[i], NONE, NULL, 0, 1), name);
    }
    ok(server_is("ws-path-host", W("path=/chat"), NULL, 0, 1), "server as recorded: path");
    ok(server_is("ws-compression", W(DEFLATE), NULL, 0, 1), "server as recorded: compression");
    ok(server_is("ws-headers", NONE, &header, 0, 1), "server as recorded: fields");
    ok(server_is("raw-ok", NONE, NULL, 0, 2), "server as recorded: a Ping is answered");
    ok(server_is("raw-unmasked", NONE, NULL, 0, 2), "server as recorded: an unmasked frame");
}

/* The recorded client's data arrive, and what is sent back looks as recorded. */
static void test_recorded_data(void)
{
    struct link l = {.split = 5};

    link_open(&l, NULL, NONE);
    load_record(&spoken, CAPTURES "raw-ok.txt", '>', 0);
    say_record(&l.client, &spoken);
    settle(&l);
    hear(&l.client, &heard);
    load_record(&spoken, CAPTURES "raw-ok.txt", '>', 2);
    say_record(&l.client, &spoken);
    settle(&l);
    ok(hears(&l.server, "\1\1\0\n\2\0\7\1\x7f\0\0\1F\xa0ping-client", 25),
       "two messages become bytes");
    say(&l.server, "\1\0\0\0pong-server", 15);
    settle(&l);
    load_record(&wanted, CAPTURES "raw-ok.txt", '<', 2);
    ok(hears(&l.client, wanted.p, wanted.n), "and bytes one message");
    load_record(&spoken, CAPTURES "raw-ok.txt", '>', 3);
    say_record(&l.client, &spoken);
    settle(&l);
    load_record(&wanted, CAPTURES "raw-ok.txt", '<', 3);
    ok(hears(&l.client, wanted.p, wanted.n) && hears_end(&l.client) && hears_end(&l.server) &&
           !l.server.flow->status,
       "a Close is echoed and ends both directions");
    say_text(&l.server, "too late");
    settle(&l);
    ok(l.server.flow->status == GOST_ECLOSED && says(&l.server, "closed the WebSocket"),
       "who writes then is told");
    link_close(&l);

    link_open(&l, NULL, NONE);
    load_record(&spoken, CAPTURES "raw-early-data.txt", '>', 0);
    l.split = 1000;
    say_record(&l.client, &spoken);
    settle(&l);
    ok(hears(&l.client, "", 0) && says(&l.server, "without waiting for the answer"),
       "frames before the answer get none");
    link_close(&l);

    link_open(&l, NULL, W(DEFLATE));
    load_record(&spoken, CAPTURES "ws-compression.txt", '>', 0);
    say_record(&l.client, &spoken);
    settle(&l);
    load_record(&spoken, CAPTURES "ws-compression.txt", '>', 1);
    say_record(&l.client, &spoken);
    settle(&l);
    ok(hears(&l.server, "\1\1\0\n\2\0\7\1\x7f\0\0\1F\xa0ping-client", 25),
       "a compressed message of the recorded client");
    link_close(&l);
}

/* ---- what GOST was not recorded doing ---- */

static void up(struct link *l, const char *const *words, int server)
{
    load_record(&spoken, CAPTURES "ws-compression.txt", '>', 0);
    if (!server)
        replay_key(&spoken);
    link_open(l, server ? NULL : words, server ? words : NULL);
    if (server)
        say_record(&l->client, &spoken);
    load_record(&spoken, CAPTURES "ws-compression.txt", '<', 0);
    if (!server)
        say_record(&l->server, &spoken);
    settle(l);
    hear(server ? &l->client : &l->server, &heard);
}

static int refuses_frame(const char *hex, uint32_t code, const char *why)
{
    struct record frame = {.n = 0};
    struct link l = {.split = 0};
    uint8_t close[WS_CONTROL_MAX + 2] = {0x88, (uint8_t)(strlen(why) + 2)};
    int good;

    gost_put16(close + 2, (uint16_t)code);
    memcpy(close + 4, why, strlen(why));
    record_hex(&frame, hex);
    up(&l, W(DEFLATE), 1);
    say_record(&l.client, &frame);
    settle(&l);
    good = hears(&l.client, close, strlen(why) + 4) && l.server.flow->status == GOST_EPROTO;
    link_close(&l);
    return good;
}

static void test_hostile_frames(void)
{
    ok(refuses_frame("f28000000000", 1002, "RSV2 set"), "RSV2");
    ok(refuses_frame("838000000000", 1002, "bad opcode"), "an unknown opcode");
    ok(refuses_frame("098000000000", 1002, "FIN not set on control"), "a ping in pieces");
    ok(refuses_frame("89fe00800000000000", 1002, "len > 125 for control"), "a long ping");
    ok(refuses_frame("80820000000000", 1002, "continuation after FIN"), "a stray continuation");
    ok(refuses_frame("0281000000006181810000000062", 1002, "data before FIN"),
       "a message within a message");
    ok(refuses_frame("82ff800000000000000000000000", 1002, "length with its highest bit set"),
       "an impossible length");
    ok(refuses_frame("88810000000003", 1002, "bad close payload"), "half a Close code");
    ok(refuses_frame("88820000000003ed", 1002, "bad close code"), "a Close code for nobody");
    ok(refuses_frame("c284000000000fffffff", 1007, "a message is not compressed as it says"),
       "a message that is not deflate");
}

static void test_lenient(void)
{
    struct link l = {.split = 3};
    struct record r = {.n = 0};

    up(&l, NONE, 1);
    /* a text message in three frames with a ping between them, empty frames and messages */
    record_hex(&r, "818000000000");
    record_hex(&r, "018100000000610080000000008981000000007000820000000062638083000000006465"
                   "66828000000000");
    say_record(&l.client, &r);
    settle(&l);
    ok(hears_text(&l.server, "abcdef") && hears(&l.client, "\x8a\1p", 3) && is_up(&l),
       "text, fragments, a ping between them, empty messages");
    r.n = 0;
    record_hex(&r, "888000000000");
    say_record(&l.client, &r);
    settle(&l);
    ok(hears(&l.client, "\x88\0", 2) && hears_end(&l.server), "a Close without a code");
    link_close(&l);

    up(&l, NONE, 1);
    r.n = 0;
    record_hex(&r, "8285000000006162");
    say_record(&l.client, &r);
    hang_up(&l.client);
    settle(&l);
    ok(l.server.flow->status == GOST_ECLOSED && says(&l.server, "in the middle of a WebSocket"),
       "an end within a frame is none");
    link_close(&l);
}

/* A peer that pings and reads nothing: the Pongs do not pile up, and what it sends arrives. */
static void test_ping_flood(void)
{
    struct link l = {.split = 4096};
    struct record r = {.n = 0};
    uint8_t big[16384];
    size_t before;
    int i;

    up(&l, NONE, 1);
    memset(big, 'x', sizeof big);
    for (i = 0; i < 40; i++) {
        say(&l.server, big, sizeof big);
        l.client.blocked = 1;
        settle(&l);
    }
    before = gost_tx_len(ge_stack_io(l.server.stack));
    record_hex(&r, "89820000000061628281000000007a");
    for (i = 0; i < 5000; i++)
        say_record(&l.client, &r);
    settle(&l);
    hear(&l.server, &heard);
    ok(heard.n == 5000 && gost_tx_len(ge_stack_io(l.server.stack)) <= before + 8192 && is_up(&l),
       "pings without end from a peer that does not read");
    link_close(&l);
}

static void test_bomb(void)
{
    struct link l = {.split = 0};
    struct ge_usage u;
    static uint8_t zeros[1 << 20], packed[1 << 16];
    uint8_t head[WS_HEAD_MAX];
    struct ws_head h = {.fin = 1, .rsv1 = 1, .opcode = WS_BINARY, .masked = 1};
    z_stream z;
    size_t n, total = 0, i, before;

    memset(&z, 0, sizeof z);
    deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    for (i = 0; i < 32; i++) {
        z.next_in = zeros;
        z.avail_in = sizeof zeros;
        deflate(&z, i == 31 ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    }
    h.length = sizeof packed - z.avail_out - 4;
    deflateEnd(&z);
    up(&l, W(DEFLATE), 1);
    say(&l.client, head, ws_head_put(head, &h));
    say(&l.client, packed, (size_t)h.length);
    settle(&l);
    ge_worker_usage(layer_worker, &u);
    ok(u.chunk_bytes < 1 << 20, "a small message that becomes 32 MB does not at once");
    do {
        before = total;
        do {
            hear(&l.server, &heard);
            n = heard.n;
            total += n;
        } while (n > 0 && gost_rx_len(ge_stack_io(l.server.stack)) > 0);
        settle(&l);
        total += gost_rx_len(ge_stack_io(l.server.stack));
        gost_consume(ge_stack_io(l.server.stack), gost_rx_len(ge_stack_io(l.server.stack)));
        settle(&l);
    } while (total > before);
    ok(total == 32u << 20 || total > 1u << 20, "but comes as it is read");
    ok(is_up(&l), "and nothing fails");
    link_close(&l);
}

static void test_no_answer(void)
{
    struct link l = {.split = 0};

    up(&l, W("ws.keepalive=true", "ttl=2s", DEFLATE), 0);
    layer_chance_set("abcd", 4);
    pass(&l, 2020 * GOST_MS);
    ok(is_up(&l) && hears(&l.server,
                          "\x89\x80"
                          "abcd",
                          6),
       "a ping");
    pass(&l, 2020 * GOST_MS);
    ok(l.client.flow->status == GOST_ETIMEDOUT && says(&l.client, "no WebSocket ping for 4000 ms"),
       "that nobody answers ends the connection");
    link_close(&l);

    link_open(&l, W("handshakeTimeout=3s"), NULL);
    settle(&l);
    pass(&l, 3020 * GOST_MS);
    ok(l.client.ready_status == GOST_ETIMEDOUT && says(&l.client, "(3000 ms)"),
       "a server that does not answer the handshake");
    link_close(&l);

    link_open(&l, NULL, W("handshakeTimeout=30s", "readHeaderTimeout=1s"));
    say_text(&l.client, "GET /ws HTTP/1.1\r\n");
    settle(&l);
    pass(&l, 1020 * GOST_MS);
    ok(l.server.ready_status == GOST_ETIMEDOUT && says(&l.server, "(1000 ms)"),
       "a client whose request does not end");
    link_close(&l);
}

static int wrong_answer(const char *answer, const char *error)
{
    struct link l = {.split = 0};
    int good;

    load_record(&wanted, CAPTURES "raw-ok.txt", '>', 0);
    replay_key(&wanted);
    link_open(&l, NONE, NULL);
    say_text(&l.server, answer);
    settle(&l);
    good = l.client.ready_status == GOST_EPROTO && says(&l.client, error);
    link_close(&l);
    return good;
}

#define UP     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static void test_wrong_answers(void)
{
    struct link l = {.split = 0};

    ok(wrong_answer("\x15\3\1\0\2\2\x46", "is there TLS at the other end"), "TLS");
    ok(wrong_answer("HTTP/1.1 101 x\r\n" ACCEPT "\r\n", "does not name it"), "no Upgrade");
    ok(wrong_answer(UP "\r\n", "not that of our key"), "no key");
    ok(wrong_answer(UP "Sec-WebSocket-Accept: DZVBYtwAVyolea9RD/BufiHe2ZE=\r\n\r\n",
                    "not that of our key"),
       "another key");
    ok(wrong_answer(UP ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", "a subprotocol"),
       "a subprotocol");
    ok(wrong_answer(UP ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                    "an extension"),
       "an extension");
    ok(wrong_answer("HTTP/1.1 101 x\nUpgrade: websocket\n\n\r\n\r\n", "no WebSocket handshake"),
       "a head that is not HTTP");

    link_open(&l, NONE, NULL);
    settle(&l);
    hang_up(&l.server);
    settle(&l);
    ok(l.client.ready_status == GOST_ECLOSED, "a server that hangs up");
    link_close(&l);
}

/* ---- the server beside its path ---- */

static int answers(const char *const *words, const char *request, const char *want)
{
    struct link l = {.split = 0};
    int good;

    link_open(&l, NULL, words);
    say_text(&l.client, request);
    settle(&l);
    hear(&l.client, &heard);
    heard.p[heard.n < sizeof heard.p ? heard.n : sizeof heard.p - 1] = 0;
    good = strstr((const char *)heard.p, want) != NULL;
    if (!good)
        printf("# %s\n# %s\n", request, (const char *)heard.p);
    link_close(&l);
    return good;
}

#define ASK(path)                                                                       \
    "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void test_web(void)
{
    ok(answers(NONE, ASK("/ws?x=y") "\r\n", " 101 "), "a query does not matter");
    ok(answers(NONE, ASK("http://front.test/ws") "\r\n", " 101 "), "a target with a host");
    ok(answers(NONE, ASK("/%77s") "\r\n", " 101 "), "an escaped path");
    ok(answers(W("path=/a/"), ASK("/a/b") "\r\n", " 101 "), "a path below");
    ok(answers(W("path=/a/"), ASK("/a?q") "\r\n", "Location: /a/?q\r\n"), "the path above it");
    ok(answers(W("path=a"), ASK("/a") "\r\n", " 101 "), "a path without its slash");
    ok(answers(W("path="), ASK("/ws") "\r\n", " 101 "), "no path is the usual one");
    ok(answers(NONE, "GET /x/../ws?a&b HTTP/1.1\r\nHost: x\r\n\r\n",
               "\r\n\r\n<a href=\"/ws?a&amp;b\">Temporary Redirect</a>.\n\n"),
       "a path with dots");
    ok(answers(NONE, "POST //ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
               "Location: /ws\r\n"),
       "a redirected POST");
    ok(answers(NONE, "GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"),
       "no Host");
    ok(answers(NONE, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 404 Not Found\r\n"), "HTTP/1.0");
    ok(answers(NONE, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
               "Content-Length: 19\r\n\r\nHTTP/1.1 400 Bad Request\r\n"),
       "HEAD, and a second request");
    ok(answers(NONE, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" ASK("/ws") "\r\n", " 101 "),
       "a probe, then a WebSocket");
    ok(answers(NONE, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
               "Connection: close\r\n"),
       "a body ends the connection");
    ok(answers(NONE, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
               "Connection: close\r\n"),
       "and so does Connection: close");
    ok(answers(NONE, "\x16\3\1\2\1\1\xfc\3\3\n", "400 Bad Request"), "TLS on a plain port");
    ok(answers(NONE, ASK("/ws") "X-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n\r\n", " 101 "),
       "a forwarded client");
}

static int source_is(const char *fields, const char *want)
{
    struct link l = {.split = 0};
    char text[GOST_ADDR_TEXT];
    int good;

    link_open(&l, NULL, NONE);
    say_text(&l.client, ASK("/ws"));
    say_text(&l.client, fields);
    say_text(&l.client, "\r\n");
    settle(&l);
    gost_addr_format(&l.server.flow->source, text, sizeof text);
    good = want ? l.server.flow->source_changed && strcmp(text, want) == 0
                : !l.server.flow->source_changed;
    if (!good)
        printf("# %s\n", text);
    link_close(&l);
    return good;
}

static void test_source(void)
{
    ok(source_is("X-Forwarded-For:  192.0.2.7 , 10.0.0.1\r\nX-Real-Ip: 192.0.2.9\r\n",
                 "192.0.2.7:0"),
       "X-Forwarded-For before X-Real-Ip");
    ok(source_is("X-Forwarded-For: 192.0.2.7\r\nCF-Connecting-IP: 2001:db8::1\r\n",
                 "[2001:db8::1]:0"),
       "CF-Connecting-IP before all");
    ok(source_is("X-Forwarded-For: unknown\r\nX-Real-Ip: 192.0.2.9\r\n", "192.0.2.9:0"),
       "what is no address is passed over");
    ok(source_is("X-Forwarded-For: a.example\r\n", NULL), "and names are none");
}

/* ---- configuration ---- */

static int refused(const char *const *words, const char *name, const char *value, const char *why)
{
    struct gost_pair pair = {name, value};
    struct gost_map header = {&pair, 1};
    struct ge_conf *conf = layer_conf(GOST_CLIENT, words, name ? &header : NULL);

    ge_conf_free(conf);
    return !conf && strstr(layer_refused, why) != NULL;
}

static void test_refused(void)
{
    char path[2100] = "path=/";

    memset(path + 6, 'x', sizeof path - 7);
    path[sizeof path - 1] = 0;
    ok(refused(NONE, "Upgrade", "x", "that the handshake itself needs") &&
           refused(NONE, "sec-websocket-key", "x", "that the handshake itself needs"),
       "fields of the handshake");
    ok(refused(NONE, "a b", "x", "not a field name") && refused(NONE, "a", "x\r\ny: z", "control"),
       "fields that are none");
    ok(refused(W("host=a\nb"), NULL, NULL, "ws.host"), "a host with a line end");
    ok(refused(W(path), NULL, NULL, "longer than"), "a long path");
}

int main(void)
{
    layer_begin();
    test_data();
    test_recorded_client();
    test_recorded_pings();
    test_recorded_server();
    test_recorded_data();
    test_hostile_frames();
    test_lenient();
    test_ping_flood();
    test_bomb();
    test_no_answer();
    test_wrong_answers();
    test_web();
    test_source();
    test_refused();
    return layer_finish();
}
