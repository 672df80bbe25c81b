/* test_http_flow.c - whole connections through handler and connector, with ends in memory. */
/* SPDX-License-Identifier: MIT */
#include "http.h"
#include "../../sdk/testkit/test_flow.h"

static struct http_conf conf;

#define OK200     "HTTP/1.1 200 OK\r\n"
#define ESTABLISHED "HTTP/1.1 200 Connection established\r\nProxy-Agent: gost/3.0\r\n\r\n"
#define SENT(line, host) line " HTTP/1.1\r\nHost: " host "\r\nUser-Agent: t\r\n"
#define UA "User-Agent: t\r\n"

static void defaults(void)
{
    memset(&conf, 0, sizeof conf);
    conf.proxy_agent = "gost/3.0";
    conf.realm = "gost";
    conf.read_timeout = 15 * GOST_S;
}

static void open_handler(void)
{
    flow_open(component("http", GOST_KIND_HANDLER), &conf, NULL, 0);
}

static void test_connect(void)
{
    defaults();
    open_handler();
    say(0, "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\nping");
    ok(t.n_ends == 2 && t.end[1].addr.port == 443 && strcmp(t.end[1].addr.name, "a.b") == 0,
       "CONNECT dials");
    ok(got(0, ESTABLISHED), "CONNECT is answered");
    ok(got(1, "ping"), "bytes behind the request are relayed");
    say(1, "pong");
    end_input(0, 0);
    ok(got(0, "pong") && t.end[1].fin, "answers and the end are relayed");
    say(1, "bye");
    end_input(1, 0);
    ok(got(0, "bye") && t.end[0].fin && t.ended && t.status == 0, "the tunnel ends");
    open_handler();
    say_bytewise(0, "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\nping");
    ok(got(0, ESTABLISHED) && got(1, "ping"), "byte by byte");
    open_handler();
    t.dial_status = GOST_EREFUSED;
    say(0, "CONNECT a.b:443 HTTP/1.1\r\n\r\n");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nProxy-Agent: gost/3.0\r\n"
              "\r\n") &&
           t.ended && t.status == GOST_EREFUSED,
       "a refused target");
    open_handler();
    t.dial_status = GOST_EDENIED;
    say(0, "CONNECT a.b:443 HTTP/1.1\r\n\r\n");
    ok(got(0, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nProxy-Agent: gost/3.0\r\n\r\n") &&
           t.ended,
       "a forbidden target");
}

static void test_refusals(void)
{
    defaults();
    open_handler();
    say(0, "SSH-2.0-x\r\n");
    ok(got(0, "") && t.ended && t.status == GOST_EPROTO, "another protocol is closed at once");
    open_handler();
    say(0, "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    ok(got(0, "") && t.ended && t.n_ends == 1, "two framings are closed");
    open_handler();
    say(0, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") && t.ended,
       "an origin-form request");
    open_handler();
    say(0, "GET ftp://a/ HTTP/1.1\r\n\r\n");
    ok(got(0, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") && t.ended, "ftp");
    open_handler();
    say(0, "CONNECT a:1 HTTP/1.1\r\nX-Gost-Protocol: udp\r\n\r\n");
    ok(got(0, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") && t.ended, "UDP is off");
    open_handler();
    say(0, "GET / HT");
    end_input(0, 0);
    ok(t.ended && t.status == GOST_ECLOSED, "an end in the middle of a head");
    open_handler();
    end_input(0, 0);
    ok(t.ended && t.status == 0, "an end before any request");
}

static void test_auth(void)
{
    defaults();
    open_handler();
    t.user = "user";
    t.secret = "pass";
    say(0, "GET http://a/ HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n" UA "\r\n");
    ok(got(0, "") && got(1, SENT("GET /", "a") "Connection: close\r\n\r\n"), "a login");
    open_handler();
    t.user = "user";
    t.secret = "pass";
    say(0, "GET http://a/ HTTP/1.1\r\nProxy-Connection: keep-alive\r\n\r\n");
    ok(got(0, "HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\n"
              "Proxy-Authenticate: Basic realm=\"gost\"\r\nProxy-Connection: close\r\n\r\n") &&
           t.ended && t.status == GOST_EAUTH && t.n_ends == 1,
       "no login");
}

static void fail_login(const char *probe_resist)
{
    static char error[200];
    struct gost_prepare p = {sizeof p, GOST_SERVER, "test", error, sizeof error};

    defaults();
    conf.probe_resist = probe_resist;
    if (http_decoy_prepare(&conf, &p) != GOST_OK)
        printf("# %s\n", error);
    open_handler();
    t.user = "user";
    t.secret = "pass";
    t.file = strstr(probe_resist, "none") ? NULL : "page";
    t.dial_status = strstr(probe_resist, "down") ? GOST_EREFUSED : 0;
    say(0, "GET http://a/x HTTP/1.1\r\n" UA "Proxy-Authorization: Basic Og==\r\n\r\n");
}

static void test_decoys(void)
{
    fail_login("code:404");
    ok(got(0, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n") && t.ended, "decoy code");
    fail_login("file:/x");
    ok(got(0, OK200 "Content-Length: 4\r\nConnection: keep-alive\r\nContent-Type: text/html\r\n\r\n"
                    "page") &&
           t.ended,
       "decoy file");
    fail_login("file:none");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n") && t.ended,
       "decoy file that is not there");
    fail_login("web:decoy/p");
    ok(got(1, "GET /p HTTP/1.1\r\nHost: decoy\r\nUser-Agent: Go-http-client/1.1\r\n"
              "Connection: close\r\n\r\n") &&
           (t.end[1].flags & GOST_DIAL_DIRECT),
       "decoy web is asked");
    say(1, OK200 "Content-Length: 3\r\n\r\nabc");
    ok(got(0, OK200 "Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc") && t.ended,
       "decoy web is shown");
    fail_login("web:down/p");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n") && t.ended,
       "decoy web that is down");
    fail_login("web:decoy/p");
    flow_pass(16 * GOST_S);
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n") && t.ended,
       "decoy web that does not answer");
    fail_login("host:decoy:81");
    ok(got(1, SENT("GET /x", "a") "\r\n") && t.end[1].addr.port == 81,
       "decoy host gets the request without the login");
    say(1, "anything");
    ok(got(0, "anything"), "decoy host is relayed");
}

static void test_keepalive(void)
{
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\nGET http://a/2 HTTP/1.1\r\n" UA "\r\n");
    ok(got(1, SENT("GET /1", "a") "\r\n"), "one of two requests at once is sent");
    say(1, OK200 "Content-Length: 2\r\n\r\nab");
    ok(got(0, OK200 "Content-Length: 2\r\n\r\nab"), "its response comes");
    ok(t.n_ends == 2 && got(1, SENT("GET /2", "a") "\r\n"), "the second goes the same way");
    say(1, "HTTP/1.1 204 No Content\r\n\r\n");
    ok(got(0, "HTTP/1.1 204 No Content\r\n\r\n") && !t.ended, "a response without a body");
    say(0, "GET http://b/3 HTTP/1.1\r\n" UA "\r\n");
    ok(t.n_ends == 3 && t.end[1].fin && got(2, SENT("GET /3", "b") "\r\n"),
       "another host is dialed, the first one closed");
    say(2, OK200 "Connection: close\r\nContent-Length: 1\r\n\r\nx");
    ok(got(0, OK200 "Content-Length: 1\r\n\r\nx") && !t.ended && t.end[2].fin,
       "an upstream that closes does not close the client");
    say(0, "HEAD http://b/4 HTTP/1.1\r\n" UA "\r\n");
    say(3, OK200 "Content-Length: 100\r\n\r\n");
    ok(got(0, OK200 "Content-Length: 100\r\n\r\n") && !t.ended, "an answer to HEAD has no body");
    say(0, "CONNECT c:1 HTTP/1.1\r\n\r\n");
    ok(t.n_ends == 5 && got(0, ESTABLISHED), "a tunnel at last");
}

static void test_reuse_race(void)
{
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    say(1, OK200 "Content-Length: 0\r\n\r\n");
    got(0, OK200 "Content-Length: 0\r\n\r\n");
    say(0, "GET http://a/2 HTTP/1.1\r\n" UA "\r\n");
    end_input(1, 0);
    ok(t.n_ends == 3 && got(2, SENT("GET /2", "a") "\r\n"),
       "a used upstream closes: the request goes to a new one");
    say(2, OK200 "Content-Length: 0\r\n\r\n");
    ok(got(0, OK200 "Content-Length: 0\r\n\r\n"), "and is answered");
    end_input(2, 0);
    say(0, "GET http://a/3 HTTP/1.1\r\n" UA "\r\n");
    ok(t.n_ends == 4 && got(3, SENT("GET /3", "a") "\r\n"), "an upstream closed while idle");
    say(3, OK200 "Content-Length: 0\r\n\r\n");
    got(0, OK200 "Content-Length: 0\r\n\r\n");
    say(0, "POST http://a/4 HTTP/1.1\r\n" UA "\r\n");
    end_input(3, 0);
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") && t.ended &&
           t.n_ends == 4,
       "a POST is not repeated");
}

static void test_close(void)
{
    defaults();
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    ok(got(1, SENT("GET /1", "a") "Connection: close\r\n\r\n"), "keepalive is off");
    say(1, OK200 "Connection: close\r\nContent-Length: 2\r\n\r\nab");
    ok(got(0, OK200 "Connection: close\r\nContent-Length: 2\r\n\r\nab") && t.ended && t.status == 0,
       "the first response ends the connection");
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    say(1, OK200 "\r\nuntil");
    ok(got(0, OK200 "Connection: close\r\n\r\nuntil") && !t.ended, "a body until close");
    say(1, " close");
    end_input(1, 0);
    ok(got(0, " close") && t.ended && t.status == 0 && t.end[0].fin, "and its end");
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    say(1, OK200 "Content-Length: 10\r\n\r\nshort");
    end_input(1, 0);
    ok(t.ended && t.status == GOST_ECLOSED, "a body that breaks off");
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    say(1, "rubbish\r\n");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") && t.ended,
       "an upstream that does not speak HTTP");
    open_handler();
    say(0, "GET http://a/1 HTTP/1.1\r\n" UA "\r\n");
    flow_pass(16 * GOST_S);
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") && t.ended &&
           t.status == GOST_ETIMEDOUT,
       "an upstream that does not answer");
}

/* A body much larger than the queues, up and down, in odd pieces. */
static void test_large(void)
{
    static char body[300001];
    char head[200];
    size_t i, n = sizeof body - 1;

    for (i = 0; i < n; i++)
        body[i] = (char)('a' + i % 26);
    defaults();
    conf.keepalive = 1;
    open_handler();
    snprintf(head, sizeof head, "PUT http://a/ HTTP/1.1\r\n" UA "Content-Length: %zu\r\n\r\n", n);
    say(0, head);
    for (i = 0; i < n; i += 7777)
        feed(0, body + i, n - i < 7777 ? n - i : 7777);
    ok(t.end[1].n > n && memcmp(t.end[1].got + t.end[1].n - n, body, n) == 0, "a large upload");
    snprintf(head, sizeof head, OK200 "Content-Length: %zu\r\n\r\n", n);
    say(1, head);
    feed(1, body, n);
    ok(t.end[0].n == n + strlen(head) && memcmp(t.end[0].got + strlen(head), body, n) == 0,
       "a large response");
    t.end[0].n = t.end[1].n = 0;
    say(0, "PUT http://a/ HTTP/1.1\r\n" UA "Transfer-Encoding: chunked\r\n\r\n30d40\r\n");
    feed(0, body, 200000);
    say(0, "\r\n0\r\n\r\n");
    ok(t.end[1].n > 200012 && memcmp(t.end[1].got + t.end[1].n - 7, "\r\n0\r\n\r\n", 7) == 0,
       "a large chunk upwards");
    say(1, OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n30D40;x=y\r\n");
    feed(1, body, 200000);
    say_bytewise(1, "\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n");
    ok(t.end[0].n > 200000 && !t.ended &&
           memcmp(t.end[0].got + t.end[0].n - 19, "\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n", 19) == 0,
       "a large chunk downwards, trailers");
    t.end[0].n = t.end[1].n = 0;
    say(0, "GET http://a/ HTTP/1.1\r\n" UA "\r\n");
    ok(t.n_ends == 2 && got(1, SENT("GET /", "a") "\r\n"), "the connections live on");
}

/* A client that does not read stops the upstream, and goes on later. */
static void test_slow_client(void)
{
    static char chunk[1010];
    size_t fed = 0, i;

    memcpy(chunk, "3e8\r\n", 5);
    memset(chunk + 5, 'x', 1000);
    memcpy(chunk + 1005, "\r\n", 3);
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "GET http://a/ HTTP/1.1\r\n" UA "\r\n");
    t.end[0].reading = 1;
    say(1, OK200 "Transfer-Encoding: chunked\r\n\r\n");
    for (i = 0; i < 4000 && ge_rx_wanted(t.end[1].stack); i++, fed++)
        say(1, chunk);
    ok(fed < 4000, "reading from the upstream stops");
    t.end[0].reading = 0;
    end_want(t.end[0].stack, &t.end[0], GE_WANT_WRITE);
    flow_run();
    say(1, "0\r\n\r\n");
    ok(t.end[0].n == fed * 1007 + strlen(OK200 "Transfer-Encoding: chunked\r\n\r\n") + 5,
       "and nothing is lost");
}

static void test_early_answer(void)
{
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "POST http://a/ HTTP/1.1\r\n" UA "Content-Length: 100000\r\n\r\nsome");
    say(1, "HTTP/1.1 413 Too Big\r\nContent-Length: 2\r\n\r\nno");
    ok(got(0, "HTTP/1.1 413 Too Big\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno") &&
           t.ended && t.status == 0,
       "an answer during the upload, then the end");
    open_handler();
    say(0, "POST http://a/ HTTP/1.1\r\n" UA "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    ok(got(1, SENT("POST /", "a") "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
       "Expect is passed on");
    say(1, "HTTP/1.1 100 Continue\r\n\r\n");
    ok(got(0, "HTTP/1.1 100 Continue\r\n\r\n"), "100 is passed back");
    say(0, "body");
    ok(got(1, "body"), "the body follows");
    say(1, OK200 "Content-Length: 0\r\n\r\n");
    ok(got(0, OK200 "Content-Length: 0\r\n\r\n") && !t.ended, "and the answer");
    open_handler();
    say(0, "POST http://a/ HTTP/1.1\r\n" UA "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    ok(t.ended && t.status == GOST_EPROTO, "a bad chunk ends all");
}

static void test_upgrade(void)
{
    defaults();
    open_handler();
    say(0, "GET http://a/ HTTP/1.1\r\n" UA "Connection: Upgrade\r\nUpgrade: x\r\n\r\n");
    ok(got(1, SENT("GET /", "a") "Connection: Upgrade\r\nUpgrade: x\r\n\r\n"),
       "an upgrade is asked");
    say(1, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: X\r\n\r\nfirst");
    ok(got(0, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: X\r\n\r\nfirst"),
       "and agreed to");
    say(0, "up");
    say(1, "down");
    ok(got(1, "up") && got(0, "down"), "what follows is relayed");
    open_handler();
    say(0, "GET http://a/ HTTP/1.1\r\n" UA "\r\n");
    say(1, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    ok(got(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") && t.ended,
       "an upgrade nobody asked for");
}

static void test_http10(void)
{
    defaults();
    conf.keepalive = 1;
    open_handler();
    say(0, "GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n" UA "\r\n");
    ok(got(1, SENT("GET /", "a") "\r\n"), "HTTP/1.0 becomes HTTP/1.1");
    say(1, "HTTP/1.1 103 Early Hints\r\n\r\n" OK200 "Content-Length: 1\r\n\r\nx");
    ok(got(0, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx") &&
           !t.ended,
       "its response, without 1xx");
    say(0, "GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n" UA "\r\n");
    say(1, OK200 "Transfer-Encoding: chunked\r\n\r\n"
                 "5\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n");
    ok(got(0, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello world") && t.ended,
       "chunks are taken off");
}

static struct http_connector_conf connector;

static void open_connector(const char *target, uint32_t network, uint32_t verb)
{
    static struct gost_target tgt;

    memset(&tgt, 0, sizeof tgt);
    tgt.size = sizeof tgt;
    tgt.network = network;
    gost_addr_parse(&tgt.addr, target, strlen(target), 0);
    flow_open(component("http", GOST_KIND_CONNECTOR), &connector, &tgt, verb);
}

static void test_connector(void)
{
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    ok(got(0, "CONNECT a.b:1 HTTP/1.1\r\nHost: a.b:1\r\nUser-Agent: Go-http-client/1.1\r\n"
              "Proxy-Connection: keep-alive\r\n\r\n"),
       "the connector asks");
    say_bytewise(0, "HTTP/1.1 200 Connection established\r\nProxy-Agent: x\r\n\r");
    ok(!t.ended, "and waits for the whole head");
    say(0, "\nfirst");
    ok(t.ended && t.status == 0 && t.taken && gost_rx_len(ge_stack_io(t.taken)) == 5,
       "and is connected, with the target's first bytes");
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    say(0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    ok(t.ended && t.status == GOST_EPEER && strstr(t.error, "503 Service Unavailable"),
       "a refusal is told with its text");
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    say(0, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    ok(t.ended && t.status == GOST_EAUTH, "a missing login");
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    end_input(0, 0);
    ok(t.ended && t.status == GOST_ECLOSED, "a proxy that closes");
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    say(0, "SSH-2.0-x\r\n");
    ok(t.ended && t.status == GOST_EPROTO, "a server that is no proxy");
    connector.timeout = 5 * GOST_S;
    open_connector("a.b:1", GOST_NET_TCP, GE_CONNECT);
    flow_pass(6 * GOST_S);
    ok(t.ended && t.status == GOST_ETIMEDOUT, "a proxy that does not answer");
}

/* One packet waits at io with this text and port. */
static int packet_is(struct gost_io *io, const char *text, uint16_t port)
{
    struct gost_packet p;

    return gost_packet_recv(io, &p) == GOST_OK && p.addr && p.addr->port == port &&
           gost_bytes_eq(p.data, gost_bytes_str(text));
}

static void test_udp_handler(void)
{
    struct record r;

    defaults();
    conf.udp = 1;
    open_handler();
    load_record(&r, "plugins/http/captures/udp-association.txt", '>', 0);
    feed(0, r.p, r.n);
    ok(got(0, OK200 "Content-Length: 0\r\n\r\n") && t.packets, "a UDP association");
    load_record(&r, "plugins/http/captures/udp-association.txt", '>', 1);
    feed(0, r.p, r.n);
    ok(packet_is(ge_stack_io(t.packets), "ping-client", 18080), "a frame becomes a packet");
    load_record(&r, "plugins/http/captures/udp-association.txt", '<', 1);
    {
        struct gost_addr from;

        gost_addr_parse(&from, "127.0.0.1:18080", 15, 0);
        gost_packet_put(ge_stack_io(t.packets), gost_bytes_str("pong-server"), &from);
    }
    flow_run();
    ok(t.end[0].n == r.n && memcmp(t.end[0].got, r.p, r.n) == 0, "a packet becomes a frame");
    end_input(0, 0);
    ok(t.ended && t.status == 0, "the client ends the association");
}

static void test_udp_connector(void)
{
    struct record r;

    memset(&connector, 0, sizeof connector);
    open_connector("127.0.0.1:18080", GOST_NET_UDP, GE_CONNECT);
    load_record(&r, "plugins/http/captures/udp.txt", '>', 0);
    ok(t.end[0].n == r.n && memcmp(t.end[0].got, r.p, r.n) == 0, "the connector asks for UDP");
    say(0, OK200 "Content-Length: 0\r\n\r\n");
    ok(t.ended && t.status == 0 && ge_stack_top_type(t.taken) == GOST_DATAGRAM,
       "and gets packets");
    t.end[0].n = 0;
    gost_packet_put(ge_stack_io(t.taken), gost_bytes_str("ping-client"), NULL);
    flow_run();
    load_record(&r, "plugins/http/captures/udp.txt", '>', 1);
    ok(t.end[0].n == r.n && memcmp(t.end[0].got, r.p, r.n) == 0,
       "a packet without an address goes to the target");
    load_record(&r, "plugins/http/captures/udp.txt", '<', 1);
    feed(0, r.p, r.n);
    ok(packet_is(ge_stack_io(t.taken), "pong-server", 18080), "a reply comes with its source");
    open_connector("", GOST_NET_UDP, GE_ASSOCIATE);
    load_record(&r, "plugins/http/captures/udp-association.txt", '>', 0);
    ok(t.end[0].n == r.n && memcmp(t.end[0].got, r.p, r.n) == 0, "the connector asks for any UDP");
}

int main(void)
{
    test_connect();
    test_refusals();
    test_auth();
    test_decoys();
    test_keepalive();
    test_reuse_race();
    test_close();
    test_large();
    test_slow_client();
    test_early_answer();
    test_upgrade();
    test_http10();
    test_connector();
    test_udp_handler();
    test_udp_connector();
    flow_close();
    return test_end();
}
