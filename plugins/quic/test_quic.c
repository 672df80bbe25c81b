/* test_quic.c - the layer in memory: route(), both roles over a network that loses and swaps. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_tap.h"
#include "test_world.h"

/* ---- two sides ---- */

struct side {
    struct ge_conf *conf;
    struct ge_flow *flow;
    struct ge_stack *stack, *accepted;
    struct gost_addr addr;
    int ready, status, ended, end_status;
    size_t sent;
};

static struct side client, server;
static unsigned lose, passed; /* one packet in so many; 0: none */

static void on_ready(struct ge_stack *s, void *arg, int status)
{
    struct side *a = arg;

    a->ready = 1;
    a->status = status;
}

static void on_end(struct ge_stack *s, void *arg, int status)
{
    struct side *a = arg;

    a->ended = 1;
    a->end_status = status;
}

static void on_stream(struct ge_stack *s, void *arg, struct ge_stack *stream)
{
    struct side *a = arg;

    if (a->accepted)
        ge_stack_free(a->accepted, 1);
    a->accepted = stream;
}

static const struct ge_bottom_ops wire = {NULL, NULL};

static void side_open(struct side *a, uint32_t role, const char *const *options, uint16_t port)
{
    static const uint8_t ip[4] = {127, 0, 0, 1};
    struct ge_layer_spec spec = {.component = &gost_plugin_v1.components[0], .role = role};

    memset(a, 0, sizeof *a);
    gost_addr_set_ip(&a->addr, ip, 4, port);
    a->conf = world_conf(role, options);
    a->flow = ge_flow_new(world);
    a->flow->local = a->addr;
    a->stack = ge_stack_new(a->flow, GOST_DATAGRAM, &wire, NULL);
    spec.conf = ge_conf_data(a->conf);
    ge_stack_push(a->stack, &spec);
    ge_stack_on_ready(a->stack, on_ready, a);
    ge_session_on_stream(a->stack, on_stream, a);
    ge_session_on_end(a->stack, on_end, a);
}

static void side_close(struct side *a)
{
    if (a->accepted)
        ge_stack_free(a->accepted, 1);
    ge_stack_free(a->stack, 0);
    while (ge_run(world, 1000))
        ;
    ge_flow_unref(a->flow);
    ge_conf_free(a->conf);
}

/* Everything `from` has to send; segments are taken apart by the engine. */
static int pass(struct side *from, struct side *to)
{
    struct gost_packet p;
    int moved = 0;

    while (ge_tx_packet(from->stack, &p) == GOST_OK) {
        from->sent += p.data.n;
        passed++;
        moved = 1;
        p.addr = &from->addr;
        p.local = NULL;
        if (!(lose && passed % lose == 0))
            (void)ge_rx_packet(to->stack, &p);
        ge_tx_packet_drop(from->stack);
    }
    return moved;
}

/* Until nothing moves and no deadline comes within `ns`. */
static void run(uint64_t ns)
{
    uint64_t until = world_clock + ns, next;

    for (;;) {
        while (ge_run(world, 1000))
            ;
        if (pass(&client, &server) | pass(&server, &client))
            continue;
        next = ge_timers_next(world);
        if (next > until)
            break;
        world_clock = next > world_clock ? next : world_clock + 1;
        ge_timers_run(world);
    }
    world_clock = until;
}

static void both_open(const char *const *c, const char *const *s)
{
    side_open(&client, GOST_CLIENT, c, 1111);
    side_open(&server, GOST_SERVER, s, 2222);
    run(10 * GOST_MS);
}

static int both_close(void)
{
    struct ge_usage use;

    side_close(&client);
    side_close(&server);
    ge_worker_usage(world, &use);
    return use.stacks == 0 && use.flows == 0 && use.timers == 0 && use.chunks == 0;
}

static struct gost_io *top(struct ge_stack *s)
{
    return ge_stack_io(s);
}

static size_t drain(struct ge_stack *s, size_t at, int *ret_good)
{
    struct gost_bytes v;
    size_t n = 0, i;

    while ((v = gost_rx(top(s))).n > 0) {
        for (i = 0; i < v.n; i++)
            *ret_good &= v.p[i] == (uint8_t)((at + n + i) / 1000);
        n += v.n;
        gost_consume(top(s), v.n);
    }
    return n;
}

/* n bytes from one side to the other, each thousand of them another one. */
static int transfer(struct ge_stack *from, struct ge_stack *to, size_t n)
{
    uint8_t buf[1000];
    size_t sent = 0, got = 0;
    int good = 1, rounds = 0;

    while (got < n && rounds++ < 20000) {
        while (sent < n && gost_tx_room(top(from)) > 0) {
            memset(buf, (int)(sent / 1000), sizeof buf);
            if (gost_send(top(from), buf, sizeof buf) != GOST_OK)
                return 0;
            sent += sizeof buf;
        }
        run(GOST_MS);
        got += drain(to, got, &good);
    }
    return good && got == n;
}

/* ---- tests ---- */

static void test_streams(void)
{
    struct ge_stack *a = NULL;
    int good = 1;

    both_open(NULL, NULL);
    ok(client.ready && client.status == 0 && server.ready && server.status == 0,
       "the handshake ends on both sides");
    ok(client.flow->alpn && strcmp(client.flow->alpn, "h3") == 0 && client.flow->secure == 1 &&
           server.flow->secure == 1,
       "and tells the host that it is secure, with h3");
    ok(ge_session_open(client.stack, client.flow, 0, &a) == GOST_OK, "a stream is opened");
    run(10 * GOST_MS);
    ok(server.accepted == NULL, "which the server learns of with the first byte only");
    gost_send(top(a), "x", 1);
    run(10 * GOST_MS);
    ok(server.accepted != NULL && gost_rx(top(server.accepted)).n == 1, "here it is");
    gost_consume(top(server.accepted), 1);
    ok(transfer(a, server.accepted, 3000000), "3 MB up");
    ok(transfer(server.accepted, a, 3000000), "3 MB down");
    gost_shut(top(a));
    run(10 * GOST_MS);
    ok(gost_rx_eof(top(server.accepted)) && !gost_rx_eof(top(a)), "half-close");
    gost_send(top(server.accepted), "late", 4);
    gost_shut(top(server.accepted));
    run(10 * GOST_MS);
    ok(gost_rx(top(a)).n == 4 && !memcmp(gost_rx(top(a)).p, "late", 4), "the other goes on");
    gost_consume(top(a), 4);
    ok(gost_rx_eof(top(a)), "and ends");
    ge_stack_free(a, 0);
    ge_stack_free(server.accepted, 0);
    server.accepted = NULL;
    run(10 * GOST_MS);
    ok(ge_session_streams(client.stack) == 0 && ge_session_streams(server.stack) == 0 &&
           !client.ended && good,
       "nothing is left of it, the session lives");
    ge_session_drain(client.stack);
    run(10 * GOST_MS);
    ok(client.ended && client.end_status == 0 && server.ended && server.end_status == GOST_ECLOSED,
       "a client that drains closes the connection, and the server hears of it");
    ok(both_close(), "nothing is left");
}

/* Together they fill the window of the connection before that of any of them. */
static void test_window(void)
{
    struct ge_stack *a[3], *b[3];
    size_t sent[3] = {0}, got[3] = {0}, all = 0;
    uint8_t buf[1000];
    int good = 1, rounds = 0, i;

    both_open(NULL, NULL);
    for (i = 0; i < 3; i++) {
        if (ge_session_open(client.stack, client.flow, 0, &a[i]) != GOST_OK)
            abort();
        gost_send(top(a[i]), "x", 1);
        run(10 * GOST_MS);
        b[i] = server.accepted;
        server.accepted = NULL;
        gost_consume(top(b[i]), 1);
    }
    while (all < 6000000 && rounds++ < 3000) {
        for (i = 0; i < 3; i++)
            while (sent[i] < 2000000 && gost_tx_room(top(a[i])) > 0) {
                memset(buf, (int)(sent[i] / 1000), sizeof buf);
                gost_send(top(a[i]), buf, sizeof buf);
                sent[i] += sizeof buf;
            }
        run(GOST_MS);
        for (i = 0; rounds % 50 == 0 && i < 3; i++) { /* they read now and then only */
            size_t n = drain(b[i], got[i], &good);

            got[i] += n;
            all += n;
        }
    }
    ok(good && all == 6000000, "three streams go on when the window of the connection was full");
    for (i = 0; i < 3; i++) {
        ge_stack_free(a[i], 1);
        ge_stack_free(b[i], 1);
    }
    ok(both_close(), "nothing is left");
}

static void test_resets(void)
{
    struct ge_stack *a = NULL, *b = NULL;

    both_open(NULL, NULL);
    ge_session_open(client.stack, client.flow, 0, &a);
    gost_send(top(a), "said", 4);
    run(10 * GOST_MS);
    gost_abort(top(a), 77);
    ge_stack_free(a, 1);
    run(10 * GOST_MS);
    ok(server.accepted && gost_rx(top(server.accepted)).n == 4,
       "what was said before a reset is read");
    gost_consume(top(server.accepted), 4);
    ok(gost_rx_eof(top(server.accepted)), "then the reset is seen");
    ge_stack_free(server.accepted, 0);
    server.accepted = NULL;
    ge_session_open(client.stack, client.flow, 0, &b);
    gost_send(top(b), "more", 4);
    run(10 * GOST_MS);
    ok(server.accepted && gost_rx(top(server.accepted)).n == 4 && !client.ended,
       "other streams go on");
    ge_stack_free(b, 0);
    ok(both_close(), "nothing is left");
}

static void test_losses(void)
{
    struct ge_stack *a = NULL;

    lose = 7;
    side_open(&client, GOST_CLIENT, NULL, 1111);
    side_open(&server, GOST_SERVER, NULL, 2222);
    run(8 * GOST_S);
    ok(client.ready && client.status == 0, "a handshake although one packet in seven is lost");
    lose = 23;
    ge_session_open(client.stack, client.flow, 0, &a);
    gost_send(top(a), "x", 1);
    run(2 * GOST_S);
    ok(server.accepted != NULL, "a stream although one in 23 is lost");
    gost_consume(top(server.accepted), 1);
    ok(transfer(a, server.accepted, 300000) && transfer(server.accepted, a, 300000),
       "bytes come in order both ways");
    lose = 0;
    ge_stack_free(a, 1);
    ok(both_close(), "nothing is left");
}

static void test_address(void)
{
    struct ge_stack *a = NULL;

    both_open(NULL, NULL);
    ge_session_open(client.stack, client.flow, 0, &a);
    gost_send(top(a), "x", 1);
    run(10 * GOST_MS);
    gost_consume(top(server.accepted), 1);
    client.addr.port = 3333;
    ok(transfer(a, server.accepted, 100000) && transfer(server.accepted, a, 100000),
       "a client whose port changes goes on");
    ge_stack_free(a, 1);
    ok(both_close(), "nothing is left");
}

static void test_ends(void)
{
    static const char *const short_idle[] = {"maxIdleTimeout", "2s", "keepAlive", "false", NULL};
    static const char *const short_alive[] = {"maxIdleTimeout", "2s", NULL};
    static const char *const other_alpn[] = {"tls.options.alpn", "other", NULL};
    struct ge_usage use;
    size_t before;

    both_open(short_idle, short_idle);
    run(5 * GOST_S);
    ok(client.ended && client.end_status == GOST_ETIMEDOUT, "silence ends a connection");
    ok(both_close(), "nothing is left");

    both_open(short_alive, short_alive);
    before = client.sent;
    run(30 * GOST_S);
    ok(!client.ended && !server.ended && client.sent > before, "keepAlive keeps it");
    ok(ge_session_ping(client.stack, 5 * GOST_S) == GOST_OK, "a ping");
    run(10 * GOST_S);
    ok(!client.ended, "is answered");
    lose = 1;
    (void)ge_session_ping(client.stack, GOST_S);
    run(3 * GOST_S);
    lose = 0;
    ok(client.ended && client.end_status == GOST_ETIMEDOUT, "or the session ends");
    ok(both_close(), "nothing is left");

    both_open(other_alpn, NULL);
    ok(client.ready && client.status == GOST_ETLS && server.status == GOST_ETLS &&
           client.flow->error && strstr(client.flow->error, "refused the TLS handshake"),
       "without a common ALPN there is no connection");
    ok(both_close(), "nothing is left");

    side_open(&client, GOST_CLIENT, NULL, 1111);
    side_open(&server, GOST_SERVER, NULL, 2222);
    lose = 1;
    run(20 * GOST_S);
    lose = 0;
    ok(client.ready && client.status == GOST_ETIMEDOUT,
       "a server that does not answer is given up");
    ge_worker_usage(world, &use);
    ok(both_close(), "nothing is left");
}

static void test_sealed(void)
{
    static const char *const key[] = {"cipherKey", "0123456789abcdef", NULL};
    static const char *const bad[] = {"cipherKey", "0123456789", NULL};
    struct ge_stack *a = NULL;
    struct ge_conf *conf;

    both_open(key, key);
    ok(client.ready && client.status == 0, "a handshake with cipherKey");
    ge_session_open(client.stack, client.flow, 0, &a);
    gost_send(top(a), "x", 1);
    run(10 * GOST_MS);
    gost_consume(top(server.accepted), 1);
    ok(transfer(a, server.accepted, 100000) && transfer(server.accepted, a, 100000), "and bytes");
    ge_stack_free(a, 1);
    ok(both_close(), "nothing is left");
    conf = world_conf(GOST_CLIENT, bad);
    ok(!conf && strstr(world_text, "10 bytes"), "a key of 10 bytes is refused by its length");
}

/* ---- route() ---- */

static const struct gost_attach_ops *attach(void)
{
    return ((const struct gost_layer_ops *)gost_plugin_v1.components[0].ops)->attach;
}

static uint8_t reply[4096];
static size_t reply_n;

static int ask(const struct ge_conf *conf, struct gost_bytes data, unsigned flags,
               struct gost_route_key *key)
{
    struct gost_packet p = {
        .size = sizeof p, .flags = (uint8_t)flags, .data = data, .addr = &client.addr};

    reply_n = data.n * 3 < sizeof reply ? data.n * 3 : sizeof reply;
    memset(key, 0, sizeof *key);
    return ge_route(world, &gost_plugin_v1.components[0], ge_conf_data(conf), &p, key, reply,
                    &reply_n);
}

static void test_route(void)
{
    struct gost_route_key key, again;
    uint8_t first[2048], packet[1300];
    struct gost_packet p;
    size_t n;
    int fresh;

    side_open(&client, GOST_CLIENT, NULL, 1111);
    side_open(&server, GOST_SERVER, NULL, 2222);
    while (ge_run(world, 1000))
        ;
    if (ge_tx_packet(client.stack, &p) != GOST_OK)
        abort();
    n = p.data.n;
    memcpy(first, p.data.p, n);
    fresh = ask(server.conf, gost_bytes(first, n), 0, &key) == GOST_ROUTE_KEY && key.fresh;
    ok(fresh && key.n == first[5] && memcmp(key.k, first + 6, key.n) == 0,
       "a first packet may make a connection, by the id its client chose");
    ok(ask(server.conf, gost_bytes(first, n), GOST_PACKET_BUSY, &again) == GOST_ROUTE_KEY &&
           !again.fresh && memcmp(again.k, key.k, key.n) == 0,
       "not under load: it may be one of a connection under way");
    ok(ask(server.conf, gost_bytes(first, n), GOST_PACKET_BUSY | GOST_PACKET_STRAY, &again) ==
               GOST_ROUTE_ANSWER &&
           (reply[0] & 0xf0) == 0xf0 && reply_n < n,
       "if it is not, a Retry is answered");
    ok(ask(server.conf, gost_bytes(first, n), GOST_PACKET_STRAY, &again) == GOST_ROUTE_DROP,
       "a full table answers nothing");
    ok(ask(server.conf, gost_bytes(first, 1199), 0, &again) != GOST_ROUTE_KEY || !again.fresh,
       "one of less than 1200 bytes makes nothing");

    /* the client takes the Retry, and its next packet has the token */
    (void)ask(server.conf, gost_bytes(first, n), GOST_PACKET_BUSY | GOST_PACKET_STRAY, &again);
    ge_tx_packet_drop(client.stack);
    p = (struct gost_packet){
        .size = sizeof p, .data = gost_bytes(reply, reply_n), .addr = &server.addr};
    (void)ge_rx_packet(client.stack, &p);
    while (ge_run(world, 1000))
        ;
    if (ge_tx_packet(client.stack, &p) == GOST_OK) {
        n = p.data.n;
        memcpy(first, p.data.p, n);
    }
    ok(ask(server.conf, gost_bytes(first, n), GOST_PACKET_BUSY, &key) == GOST_ROUTE_KEY &&
           key.fresh,
       "a client that proved its address may make one under load");
    client.addr.port++;
    ok(ask(server.conf, gost_bytes(first, n), 0, &key) == GOST_ROUTE_DROP,
       "the token is good for its address only");
    client.addr.port--;
    world_clock += 60 * GOST_S;
    ok(ask(server.conf, gost_bytes(first, n), 0, &key) == GOST_ROUTE_DROP, "and for ten seconds");
    world_clock -= 60 * GOST_S;
    run(GOST_S);
    ok(client.ready && client.status == 0 && server.ready && server.status == 0,
       "the connection is made with it");

    memset(packet, 0, sizeof packet);
    memcpy(packet,
           "\xc0\x1a\x2a\x3a\x4a\x03"
           "abc"
           "\x02"
           "de",
           12);
    ok(ask(server.conf, gost_bytes(packet, 1200), 0, &key) == GOST_ROUTE_ANSWER &&
           memcmp(reply + 1,
                  "\0\0\0\0\x02"
                  "de"
                  "\x03"
                  "abc\0\0\0\1",
                  15) == 0,
       "an unknown version is answered with those we know");
    ok(ask(server.conf, gost_bytes(packet, 1199), 0, &key) == GOST_ROUTE_DROP,
       "not a small packet");
    memcpy(packet,
           "\x40"
           "12345678",
           9);
    ok(ask(server.conf, gost_bytes(packet, 100), 0, &key) == GOST_ROUTE_KEY && key.n == 8 &&
           !key.fresh && memcmp(key.k, "12345678", 8) == 0,
       "a short packet belongs to the id in it");
    ok(ask(server.conf, gost_bytes(packet, 100), GOST_PACKET_STRAY, &key) == GOST_ROUTE_ANSWER &&
           reply_n < 100 && (reply[0] & 0xc0) == 0x40,
       "a stray one is answered with a shorter reset");
    memcpy(first, reply + reply_n - 16, 16);
    (void)ask(server.conf, gost_bytes(packet, 200), GOST_PACKET_STRAY, &key);
    ok(memcmp(first, reply + reply_n - 16, 16) == 0, "with the same token each time");
    ok(ask(server.conf, gost_bytes(packet, 41), GOST_PACKET_STRAY, &key) == GOST_ROUTE_DROP &&
           ask(server.conf, gost_bytes(packet, 8), 0, &key) == GOST_ROUTE_DROP &&
           ask(server.conf, gost_bytes(packet, 0), 0, &key) == GOST_ROUTE_DROP,
       "tiny ones are dropped");
    ok(attach()->attach == GOST_ATTACH_KEY && both_close(), "nothing is left");
}

/* Every byte of a handshake changed, one after the other: the connection is made all the same. */
static void test_hostile(void)
{
    struct gost_packet p;
    uint8_t copy[2048];
    size_t n, i;

    side_open(&client, GOST_CLIENT, NULL, 1111);
    side_open(&server, GOST_SERVER, NULL, 2222);
    while (ge_run(world, 1000))
        ;
    if (ge_tx_packet(client.stack, &p) != GOST_OK || p.data.n > sizeof copy)
        abort();
    n = p.data.n;
    p.addr = &client.addr;
    (void)ge_rx_packet(server.stack, &p); /* its connection exists now */
    while (ge_run(world, 1000))
        ;
    for (i = 0; i < n; i += 7) {
        memcpy(copy, p.data.p, n);
        copy[i] ^= (uint8_t)(1 + i);
        (void)ge_rx_packet(server.stack, &(struct gost_packet){.size = sizeof p,
                                                               .data = gost_bytes(copy, n - i / 3),
                                                               .addr = &client.addr});
        while (ge_run(world, 1000))
            ;
    }
    run(8 * GOST_S);
    ok(client.ready && client.status == 0 && server.ready && server.status == 0,
       "changed packets beside a handshake change nothing");
    ok(both_close(), "nothing is left");
}

int main(void)
{
    world_begin();
    test_streams();
    test_window();
    test_resets();
    test_losses();
    test_address();
    test_ends();
    test_sealed();
    test_route();
    test_hostile();
    ge_worker_free(world);
    return test_end();
}
