/* test_h1.c - the layer h1: heads, bodies, one exchange after the other, peers that are wrong. */
/* SPDX-License-Identifier: MIT */
#define EXCHANGE_LAYER "h1"
#include "../../sdk/testkit/test_exchange.h"

static struct gost_head head;

static int has_head(struct ge_stack *s)
{
    return s && gost_head_recv(top(s), &head) == GOST_OK;
}

static int is(struct gost_bytes b, const char *text)
{
    return gost_bytes_eq(b, gost_bytes_str(text));
}

static int sent(int which, const char *want)
{
    collect(which);
    if (peer_out_n == strlen(want) && memcmp(peer_out, want, peer_out_n) == 0)
        return 1;
    printf("# sent: %.*s\n", (int)peer_out_n, (const char *)peer_out);
    return 0;
}

static void say_to(int which, const char *text)
{
    feed(which, text, strlen(text));
    run();
}

#define DATE "Date: Mon, 23 Nov 2026 07:20:30 GMT\r\n"

/* ---- both sides ---- */

static void both(void)
{
    struct ge_stack *c, *s;
    int i, good = 1;

    world_open("", "");
    for (i = 0; i < 3; i++) { /* on one connection */
        c = ask("POST", "/push?a=b", 0);
        say(c, "some bytes");
        run();
        s = accepted();
        good &= has_head(s) && is(head.method, "POST") && is(head.path, "/push?a=b") &&
                is(head.authority, "a.example:80");
        good &= got(s, "some bytes") && open_stream() == NULL;
        gost_shut(top(c));
        run();
        good &= gost_rx_eof(top(s));
        respond(s, 200, 0);
        say(s, "an answer");
        gost_shut(top(s));
        run();
        good &= has_head(c) && head.status == 200 && got(c, "an answer") && gost_rx_eof(top(c));
        let_go(c);
        let_go(s);
    }
    ok(good, "three exchanges in a row, one at a time");
    ok(side[SERVER].n_accepted == 3 && side[CLIENT].ended == 0, "the connection goes on");
    c = ask("GET", "/", GOST_HEAD_NO_BODY);
    let_go(c);
    ok(side[CLIENT].ended == 1 || !side[CLIENT].session,
       "one that is given up takes the connection along");
    ok(world_close(), "nothing is left behind");
}

static void every_split(void)
{
    int good = 1;
    size_t i;

    for (i = 1; i < 40; i++) {
        struct ge_stack *c, *s;

        world_open("", "");
        wire_step = i;
        c = ask("POST", "/x", 0);
        say(c, "0123456789");
        gost_shut(top(c));
        run();
        s = accepted();
        good &= has_head(s) && got(s, "0123456789") && gost_rx_eof(top(s));
        respond(s, 404, 0);
        say(s, "not here");
        gost_shut(top(s));
        run();
        good &= has_head(c) && head.status == 404 && got(c, "not here") && gost_rx_eof(top(c));
        good &= world_close();
    }
    ok(good, "heads and chunks in pieces of every size");
}

/* ---- what is on the wire ---- */

static void server_bytes(void)
{
    struct gost_field f[] = {{gost_bytes_str("content-length"), gost_bytes_str("2")},
                             {gost_bytes_str("content-type"), gost_bytes_str("text/plain")}};
    struct gost_head h = {.size = sizeof h, .status = 200, .fields = f, .n_fields = 2};

    world_open(NULL, "");
    say_to(SERVER, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nX-Y: z\r\n\r\n"
                   "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(has_head(accepted()) && is(head.path, "/a") && head.n_fields == 1 &&
           !strcmp(value_of(&head, "x-y"), "z") && (head.flags & GOST_HEAD_NO_BODY),
       "a request's fields but for those of the connection");
    ok(side[SERVER].n_accepted == 1, "a request behind it waits");
    gost_head_send(top(accepted()), &h);
    say(accepted(), "ok");
    gost_shut(top(accepted()));
    run();
    let_go(accepted());
    ok(sent(SERVER,
            "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"),
       "an answer of known length: its fields in the order of Go");
    ok(side[SERVER].n_accepted == 2 && has_head(accepted()) && is(head.path, "/b"),
       "then it is served");
    respond(accepted(), 200, 0);
    say(accepted(), "x\n");
    ok(sent(SERVER, "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n2\r\nx\n\r\n"),
       "an answer of unknown length is chunked and goes out at once");
    gost_shut(top(accepted()));
    run();
    ok(sent(SERVER, "0\r\n\r\n"), "and ended");
    let_go(accepted());
    say_to(SERVER, "HEAD / HTTP/1.0\r\n\r\n");
    respond(accepted(), 403, GOST_HEAD_NO_BODY);
    gost_shut(top(accepted()));
    run();
    ok(sent(SERVER,
            "HTTP/1.1 403 Forbidden\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n"),
       "an older client's connection is closed");
    ok(world_close(), "nothing is left behind");
}

static void client_bytes(void)
{
    struct gost_field f[] = {{gost_bytes_str("user-agent"), gost_bytes_str("Go")},
                             {gost_bytes_str("content-length"), gost_bytes_str("5")}};
    struct gost_head h = request("POST", "/push");
    struct ge_stack *c;

    h.fields = f;
    h.n_fields = 2;
    world_open("", NULL);
    c = open_stream();
    gost_head_send(top(c), &h);
    say(c, "QUJD\n");
    gost_shut(top(c));
    ok(sent(CLIENT, "POST /push HTTP/1.1\r\nHost: a.example:80\r\nUser-Agent: Go\r\n"
                    "Content-Length: 5\r\n\r\nQUJD\n"),
       "a request of known length");
    say_to(CLIENT, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ok(has_head(c) && (head.flags & GOST_HEAD_INTERIM) && has_head(c) && head.status == 200 &&
           gost_rx_eof(top(c)),
       "an interim answer, then the final one");
    let_go(c);
    c = ask("GET", "/", GOST_HEAD_NO_BODY);
    ok(c != NULL, "the connection is used again");
    gost_shut(top(c));
    say_to(CLIENT, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
    ge_rx_end(side[CLIENT].session, 0);
    run();
    ok(has_head(c) && got(c, "until the end"), "a body that lasts until the connection ends");
    ok(world_close(), "nothing is left behind");
}

/* ---- peers that are wrong ---- */

static void wrong_clients(void)
{
    static const char *const bad[] = {
        "GET / HTTP/9.9\r\n\r\n", "garbage\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "\x16\x03\x01\x02\r\n\r\n"};
    size_t i;
    int good = 1;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        world_open(NULL, "");
        say_to(SERVER, bad[i]);
        good &= sent(SERVER, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; "
                             "charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request");
        good &= side[SERVER].n_accepted == 0 && world_close();
    }
    ok(good, "what is no request is answered 400");
    world_open(NULL, "h1.maxHeaderSize=1KB");
    for (i = 0; i < 100; i++)
        feed(SERVER, "GET /aaaaaaaaaaaa", 17);
    collect(SERVER);
    ok(peer_out_n > 12 && !memcmp(peer_out, "HTTP/1.1 431", 12), "a head that is too long: 431");
    ok(world_close(), "nothing is left behind");
    world_open(NULL, "");
    say_to(SERVER, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    ok(side[SERVER].ended == 1 && side[SERVER].end_status == GOST_EPROTO,
       "broken chunks end the connection");
    ok(world_close(), "nothing is left behind");
    world_open(NULL, "");
    say_to(SERVER, "GET / HT");
    pass_time(31 * GOST_S);
    ok(side[SERVER].ended == 1, "a head that does not end is not waited for");
    ok(world_close(), "nothing is left behind");
}

static void wrong_servers(void)
{
    struct ge_stack *c;

    world_open("", NULL);
    c = ask("GET", "/", GOST_HEAD_NO_BODY);
    say_to(CLIENT, "SSH-2.0-x\r\n\r\n");
    ok(side[CLIENT].ended == 1 && !has_head(c), "an answer that is none ends the connection");
    ok(world_close(), "nothing is left behind");
    world_open("", NULL);
    say_to(CLIENT, "HTTP/1.1 200 OK\r\n\r\n");
    ok(side[CLIENT].ended == 1, "so does one that nobody asked for");
    ok(world_close(), "nothing is left behind");
}

int main(void)
{
    test_begin();
    both();
    every_split();
    server_bytes();
    client_bytes();
    wrong_clients();
    wrong_servers();
    return test_finish();
}
