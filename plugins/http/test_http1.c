/* test_http1.c - the HTTP/1 helpers: heads, framing, building, credentials, hidden targets. */
/* SPDX-License-Identifier: MIT */
#include <gost/http1.h>

#include "../../sdk/testkit/test_capture.h"

static struct gost_http1_head head;

static int request(const char *text)
{
    return gost_http1_parse_request(&head, gost_bytes_str(text), NULL);
}

static int response(const char *text)
{
    return gost_http1_parse_response(&head, gost_bytes_str(text), NULL);
}

static void test_requests(void)
{
    ok(request("GET http://a/b HTTP/1.1\r\nHost: a\r\nX:  y \t\r\n\r\nrest") == GOST_OK &&
           head.length == 45 && head.minor == 1 && head.n_fields == 2 && head.status == 0,
       "a request with a body behind it");
    ok(gost_http1_is(head.method, "GET") && gost_http1_is(head.target, "http://a/b"),
       "method and target");
    ok(gost_bytes_eq(gost_http1_get(&head, "x"), gost_bytes_str("y")), "a value is trimmed");
    ok(gost_http1_get(&head, "y").p == NULL, "an absent field");
    ok(request("\r\nGET / HTTP/1.0\r\n\r\n") == GOST_OK && head.length == 20 && head.minor == 0,
       "one empty line may lead");
    ok(request("\r\n\r\nGET / HTTP/1.0\r\n\r\n") == GOST_EPROTO, "two empty lines are refused");
    ok(request("CONNECT  HTTP/1.1\r\nHost: \r\n\r\n") == GOST_OK && head.target.n == 0,
       "CONNECT with an empty target");
    ok(request("GET  HTTP/1.1\r\n\r\n") == GOST_EPROTO, "GET with an empty target");
    ok(request("GET / HTTP/1.1\r\nA: b\r\n") == GOST_AGAIN && request("GET") == GOST_AGAIN &&
           request("") == GOST_AGAIN && request("\r") == GOST_AGAIN,
       "an unfinished head");
    ok(request("SSH-2.0-x\r\n") == GOST_EPROTO, "a first line of something else, at once");
    ok(request("\x16\x03\x01") == GOST_EPROTO, "a ClientHello, at once");
    ok(request("PRI * HTTP/2.0\r\n\r\n") == GOST_EPROTO, "HTTP/2");
}

static void test_refusals(void)
{
    static const struct {
        const char *text, *name;
    } bad[] = {
        {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "a folded field"},
        {"GET / HTTP/1.1\r\n A: b\r\n\r\n", "a folded first field"},
        {"GET / HTTP/1.1\nA: b\n\n", "lone LFs"},
        {"GET / HTTP/1.1\r\nA: b\n\r\n", "one lone LF"},
        {"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "a lone CR in a value"},
        {"GET / HTTP/1.1\r\nA : b\r\n\r\n", "a blank before the colon"},
        {"GET / HTTP/1.1\r\n: b\r\n\r\n", "a field without a name"},
        {"GET / HTTP/1.1\r\nA\r\n\r\n", "a field without a colon"},
        {"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", "a control byte in a value"},
        {"GET /a b HTTP/1.1\r\n\r\n", "a blank in the target"},
        {"GET / HTTP/1.2\r\n\r\n", "an unknown version"},
        {"G@T / HTTP/1.1\r\n\r\n", "a method that is no token"},
        {"GET /\r\n\r\n", "no version"},
    };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(request(bad[i].text) == GOST_EPROTO, bad[i].name);
    ok(gost_http1_parse_request(&head, gost_bytes("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24), NULL) ==
           GOST_EPROTO,
       "a zero byte in a value");
}

static void test_limits(void)
{
    static char text[GOST_HTTP1_HEAD_MAX + 100];
    size_t n = 0, scanned = 0, i;
    int again = 0;

    n = (size_t)sprintf(text, "GET / HTTP/1.1\r\n");
    for (i = 0; i <= GOST_HTTP1_FIELDS_MAX; i++)
        n += (size_t)sprintf(text + n, "A: b\r\n");
    sprintf(text + n, "\r\n");
    ok(request(text) == GOST_ETOOBIG, "too many fields");
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
    ok(request(text) == GOST_ETOOBIG, "a head that is too long");
    ok(gost_http1_parse_request(&head, gost_bytes(text, GOST_HTTP1_HEAD_MAX - 1), NULL) ==
           GOST_AGAIN,
       "a head that may still end in time");
    strcpy(text, "GET / HTTP/1.1\r\nA: b\r\n\r\n");
    for (i = 1; i < 24; i++)
        again += gost_http1_find_end(gost_bytes(text, i), &scanned) == 0;
    ok(again == 23 && gost_http1_find_end(gost_bytes(text, 24), &scanned) == 24,
       "the end is found byte by byte");
}

static void test_responses(void)
{
    ok(response("HTTP/1.1 200 OK\r\nA: b\r\n\r\n") == GOST_OK && head.status == 200 &&
           gost_http1_is(head.reason, "ok") && head.length == 25,
       "a response");
    ok(response("HTTP/1.1 200\r\n\r\n") == GOST_OK && head.reason.n == 0, "no reason");
    ok(response("HTTP/1.0 404 \r\n\r\n") == GOST_OK && head.minor == 0, "an empty reason");
    ok(response("HTTP/1.1 20 OK\r\n\r\n") == GOST_EPROTO, "a short status");
    ok(response("HTTP/1.1 099 OK\r\n\r\n") == GOST_EPROTO, "a status below 100");
    ok(response("HTTP/2 200\r\n\r\n") == GOST_EPROTO, "a response of another version");
    ok(response("\r\nHTTP/1.1 200 OK\r\n\r\n") == GOST_EPROTO,
       "no empty line before a response");
}

static int persistent(const char *text)
{
    return request(text) == GOST_OK ? gost_http1_persistent(&head) : -1;
}

static void test_connection(void)
{
    ok(persistent("GET / HTTP/1.1\r\n\r\n") == 1, "HTTP/1.1 persists");
    ok(persistent("GET / HTTP/1.1\r\nConnection: x, CLOSE\r\n\r\n") == 0, "unless it says close");
    ok(persistent("GET / HTTP/1.0\r\n\r\n") == 0, "HTTP/1.0 closes");
    ok(persistent("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") == 1,
       "unless it says keep-alive");
    ok(request("GET / HTTP/1.1\r\nConnection: x-a, host\r\nX-A: 1\r\nHost: h\r\nTE: t\r\n"
               "X-B: 2\r\nContent-Length: 1\r\n\r\n") == GOST_OK,
       "a request with a Connection field");
    ok(gost_http1_hop_by_hop(&head, 0) && gost_http1_hop_by_hop(&head, 1) &&
           gost_http1_hop_by_hop(&head, 3),
       "Connection, what it names and TE stay here");
    ok(!gost_http1_hop_by_hop(&head, 2) && !gost_http1_hop_by_hop(&head, 4) &&
           !gost_http1_hop_by_hop(&head, 5),
       "Host, other fields and Content-Length go on");
}

/* The framing of a request or response head, or an error. */
static int framing(const char *text, const char *method)
{
    struct gost_http1_body b;
    int r = method ? response(text) : request(text);

    if (r == GOST_OK)
        r = method ? gost_http1_response_body(&b, &head, gost_bytes_str(method), NULL)
                   : gost_http1_request_body(&b, &head, NULL);
    return r == GOST_OK ? (int)b.framing : r;
}

static void test_framing(void)
{
    ok(framing("GET / HTTP/1.1\r\n\r\n", NULL) == GOST_HTTP1_NONE, "a request without a body");
    ok(framing("P / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", NULL) == GOST_HTTP1_LENGTH, "a length");
    ok(framing("P / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n", NULL) == GOST_HTTP1_CHUNKED,
       "chunked");
    ok(framing("P / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", NULL) ==
           GOST_EPROTO,
       "length and chunked together");
    ok(framing("P / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", NULL) ==
           GOST_EPROTO,
       "two lengths");
    ok(framing("P / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", NULL) == GOST_EPROTO,
       "a signed length");
    ok(framing("P / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", NULL) == GOST_EPROTO,
       "a length list");
    ok(framing("P / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", NULL) ==
           GOST_EPROTO,
       "a length that overflows");
    ok(framing("P / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", NULL) == GOST_EPROTO,
       "another coding");
    ok(framing("P / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", NULL) == GOST_EPROTO,
       "chunked in HTTP/1.0");
    ok(framing("HTTP/1.1 200 OK\r\n\r\n", "GET") == GOST_HTTP1_CLOSE, "a response until close");
    ok(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD") == GOST_HTTP1_NONE,
       "an answer to HEAD");
    ok(framing("HTTP/1.1 204 No\r\n\r\n", "GET") == GOST_HTTP1_NONE &&
           framing("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "GET") == GOST_HTTP1_NONE &&
           framing("HTTP/1.1 100 C\r\n\r\n", "GET") == GOST_HTTP1_NONE,
       "204, 304 and 1xx have no body");
    ok(framing("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET") == GOST_HTTP1_NONE,
       "a response of length 0");
    ok(framing("HTTP/1.1 200 OK\r\n\r\n", "CONNECT") == GOST_HTTP1_NONE, "200 to CONNECT");
}

/* Run a chunked body in pieces; the raw bytes of the body, or an error. */
static int chunked(const char *raw, size_t piece)
{
    struct gost_http1_body b = {GOST_HTTP1_CHUNKED, 0, 0, 0, 0};
    size_t n = strlen(raw), at = 0, end;
    uint64_t opaque;
    int r;

    while (at < n && !gost_http1_body_done(&b)) {
        end = at + piece < n ? at + piece : n;
        while (at < end && !gost_http1_body_done(&b)) {
            opaque = gost_http1_body_opaque(&b);
            if (opaque > end - at)
                opaque = end - at;
            gost_http1_body_pass(&b, opaque);
            at += opaque;
            r = opaque ? 0 : gost_http1_body_feed(&b, gost_bytes(raw + at, end - at));
            if (r < 0)
                return r;
            at += (size_t)r;
        }
    }
    return gost_http1_body_end(&b) == GOST_OK ? (int)at : GOST_ECLOSED;
}

static void test_chunked(void)
{
    static const char *const bad[] = {"x\r\n", "\r\n", "5\nhello", "5\r\nhelloX", "-1\r\n",
                                      "0\r\n folded\r\n\r\n", "1;a\x01\r\n",
                                      "1234567890123456\r\n", "5 \rx"};
    const char *body = "5;ext=1\r\nhello\r\n0b\r\nhello world\r\n0\r\nTrailer: x\r\n\r\nNEXT";
    size_t i, good = 0, refused = 0;

    for (i = 1; i < 70; i++)
        good += chunked(body, i) == (int)strlen(body) - 4;
    ok(good == 69, "a chunked body ends at the same byte for all piece sizes");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused += chunked(bad[i], 100) == GOST_EPROTO && chunked(bad[i], 1) == GOST_EPROTO;
    ok(refused == sizeof bad / sizeof bad[0], "bad chunks are refused");
    ok(chunked("5\r\nhel", 100) == GOST_ECLOSED && chunked("0\r\n", 1) == GOST_ECLOSED,
       "an end in the middle is told");
}

static void test_bodies(void)
{
    struct gost_http1_body b = {GOST_HTTP1_LENGTH, 0, 0, 0, 5};

    gost_http1_body_pass(&b, 3);
    ok(gost_http1_body_opaque(&b) == 2 && !gost_http1_body_done(&b), "a length counts down");
    ok(gost_http1_body_end(&b) == GOST_ECLOSED, "an end before the length");
    gost_http1_body_pass(&b, 2);
    ok(gost_http1_body_done(&b), "a length is reached");
    memset(&b, 0, sizeof b);
    b.framing = GOST_HTTP1_CLOSE;
    gost_http1_body_pass(&b, 100);
    ok(gost_http1_body_opaque(&b) == UINT64_MAX && !gost_http1_body_done(&b), "until close");
    ok(gost_http1_body_end(&b) == GOST_OK && gost_http1_body_done(&b) &&
           gost_http1_body_opaque(&b) == 0,
       "closed");
}

static int basic(const char *value, const char *user, const char *secret)
{
    uint8_t buf[GOST_HTTP1_BASIC_MAX];
    struct gost_bytes u, s;

    if (gost_http1_basic_parse(gost_bytes_str(value), buf, &u, &s) != GOST_OK)
        return 0;
    return gost_bytes_eq(u, gost_bytes_str(user)) && gost_bytes_eq(s, gost_bytes_str(secret));
}

static void test_basic(void)
{
    struct gost_http1_out out;
    uint8_t buf[64];

    ok(basic("Basic dXNlcjpwYXNz", "user", "pass"), "basic credentials");
    ok(basic("basic  dXNlcjpwOnE=", "user", "p:q"), "a colon in the password");
    ok(basic("Basic Og==", "", ""), "empty user and password");
    ok(!basic("Bearer x", "", "") && !basic("Basic dXNlcg==", "user", "") &&
           !basic("Basic dXNlcjpwYXN", "user", "pas") && !basic("Basic ====", "", "") &&
           !basic("Basic dXN!cjpw", "", "") && !basic("Basic", "", "") && !basic("", "", "") &&
           !basic("Basic Oh==", "", ""),
       "bad credentials are refused");
    memset(&out, 0, sizeof out);
    out.p = buf;
    out.size = sizeof buf;
    gost_http1_put_basic(&out, gost_bytes_str("user"), gost_bytes_str("pass"));
    ok(!out.full && gost_bytes_eq(gost_bytes(buf, out.n), gost_bytes_str("Basic dXNlcjpwYXNz")),
       "credentials are encoded");
    out.size = out.n + 10;
    gost_http1_put_basic(&out, gost_bytes_str("user"), gost_bytes_str("pass"));
    ok(out.full, "too little room is told");
}

static int round_trip(const char *name)
{
    char text[GOST_HTTP1_TARGET_MAX], back[256];
    size_t n = gost_http1_target_encode(text, sizeof text, gost_bytes_str(name)), m;

    if (n == 0 || gost_http1_target_decode(back, sizeof back, &m, gost_bytes(text, n)) != GOST_OK)
        return 0;
    return gost_bytes_eq(gost_bytes(back, m), gost_bytes_str(name));
}

static void test_target(void)
{
    char text[GOST_HTTP1_TARGET_MAX];
    size_t n = gost_http1_target_encode(text, sizeof text, gost_bytes_str("example.com"));

    ok(gost_bytes_eq(gost_bytes(text, n), gost_bytes_str("tvpOuVpYaGhiWEJzWlM1amIyMA")),
       "a target is hidden");
    ok(round_trip("a") && round_trip("ab") && round_trip("example.test:18080"), "and found again");
    ok(gost_http1_target_decode(text, sizeof text, &n,
                                gost_bytes_str("uvpOuVpYaGhiWEJzWlM1amIyMA")) == GOST_EPROTO,
       "a wrong sum is refused");
    ok(gost_http1_target_encode(text, 10, gost_bytes_str("example.com")) == 0, "no room");
}

int main(void)
{
    test_requests();
    test_refusals();
    test_limits();
    test_responses();
    test_connection();
    test_framing();
    test_chunked();
    test_bodies();
    test_basic();
    test_target();
    return test_end();
}
