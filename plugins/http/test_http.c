/* test_http.c - the http plugin's texts against recorded exchanges: targets, replies, heads. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "http.h"

#define CAPTURES "plugins/http/captures/"

const struct gost_host *gost_host_; /* never called here */

static struct gost_http1_head head;
static struct record in, want;
static uint8_t text[20000];
static struct gost_http1_out out;

static void restart(void)
{
    memset(&out, 0, sizeof out);
    out.p = text;
    out.size = sizeof text;
}

static void load_request(const char *capture, int index)
{
    load_record(&in, capture, '>', index);
    if (gost_http1_parse_request(&head, gost_bytes(in.p, in.n), NULL) != GOST_OK)
        head.n_fields = head.length = 0;
}

static struct http_conf default_conf(void)
{
    struct http_conf conf;

    memset(&conf, 0, sizeof conf);
    conf.proxy_agent = "gost/3.0";
    conf.realm = "gost";
    return conf;
}

static int is_reply(const char *capture, int index)
{
    load_record(&want, capture, '<', index);
    return !out.full && record_is(&want, text, out.n);
}

static void test_replies(void)
{
    struct http_conf conf = default_conf();

    restart();
    http_put_established(&out, &conf);
    ok(is_reply(CAPTURES "connect-noauth.txt", 0), "200 to CONNECT");
    restart();
    http_put_reply(&out, &conf, 1, 503, HTTP_REPLY_AGENT | HTTP_REPLY_HEADERS);
    ok(is_reply(CAPTURES "connect-refused.txt", 0), "503 to CONNECT");
    restart();
    http_put_reply(&out, &conf, 1, 403, HTTP_REPLY_AGENT | HTTP_REPLY_HEADERS);
    ok(is_reply(CAPTURES "connect-bypass.txt", 0), "403 to CONNECT");
    restart();
    http_put_reply(&out, &conf, 1, 503, HTTP_REPLY_EMPTY);
    ok(is_reply(CAPTURES "get-refused.txt", 0), "503 to a forwarded request");
    restart();
    http_put_reply(&out, &conf, 1, 503, HTTP_REPLY_EMPTY);
    ok(is_reply(CAPTURES "get-origin-form.txt", 0), "503 to an origin-form request");
    restart();
    http_put_reply(&out, &conf, 1, 400, HTTP_REPLY_HEADERS);
    ok(is_reply(CAPTURES "get-scheme-ftp.txt", 0), "400 to another scheme");
    restart();
    http_put_reply(&out, &conf, 1, 403, HTTP_REPLY_EMPTY | HTTP_REPLY_HEADERS);
    ok(is_reply(CAPTURES "udp-disabled.txt", 0), "403 to UDP when it is off");
    restart();
    http_put_reply(&out, &conf, 1, 200, HTTP_REPLY_EMPTY | HTTP_REPLY_HEADERS);
    ok(is_reply(CAPTURES "udp.txt", 0), "200 to UDP");
}

static void test_decoys(void)
{
    struct http_conf conf = default_conf();

    restart();
    http_put_407(&out, &conf, 1);
    ok(is_reply(CAPTURES "connect-auth-wrong.txt", 0), "407");
    conf.realm = "myrealm";
    restart();
    http_put_407(&out, &conf, 1);
    ok(is_reply(CAPTURES "connect-auth-missing.txt", 0), "407 with a realm");
    restart();
    http_put_decoy_code(&out, 404);
    ok(is_reply(CAPTURES "probe-resist-code-404.txt", 0), "decoy code 404");
    restart();
    http_put_decoy_code(&out, 200);
    ok(is_reply(CAPTURES "probe-resist-code-200.txt", 0), "decoy code 200");
    restart();
    http_put_reply(&out, &conf, 1, 503, 0);
    ok(is_reply(CAPTURES "probe-resist-code-abc.txt", 0), "decoy that cannot be shown");
    restart();
    http_put_decoy_file(&out, 37);
    ok(is_reply(CAPTURES "probe-resist-file.txt", 0), "head of a decoy file");
}

static void test_custom_headers(void)
{
    static const struct gost_pair pairs[] = {{"x-b", "2"}, {"cache-Control", "no"}};
    struct http_conf conf = default_conf();

    conf.header.v = pairs;
    conf.header.n = 2;
    restart();
    http_put_reply(&out, &conf, 1, 503, HTTP_REPLY_AGENT | HTTP_REPLY_HEADERS);
    ok(gost_http1_is(gost_bytes(text, out.n),
                     "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                     "Cache-Control: no\r\nProxy-Agent: gost/3.0\r\nX-B: 2\r\n\r\n") &&
           memcmp(text + 53, "Cache-Control", 13) == 0,
       "configured fields are sorted and spelled as usual");
    ok(gost_http1_map_check(&conf.header) == NULL, "good fields pass");
    conf.header.v = (const struct gost_pair[]){{"x b", "2"}};
    conf.header.n = 1;
    ok(gost_http1_map_check(&conf.header) != NULL, "a bad name is refused");
    conf.header.v = (const struct gost_pair[]){{"x", "2\r\nY: 3"}};
    ok(gost_http1_map_check(&conf.header) != NULL, "a line end in a value is refused");
}

static void test_connect(void)
{
    struct http_connector_conf conf;

    memset(&conf, 0, sizeof conf);
    load_record(&want, CAPTURES "connect-noauth.txt", '>', 0);
    restart();
    http_put_connect(&out, &conf, "127.0.0.1:18080", 0);
    ok(record_is(&want, text, out.n), "CONNECT");
    load_record(&want, CAPTURES "connect-ipv6.txt", '>', 0);
    restart();
    http_put_connect(&out, &conf, "[::1]:18080", 0);
    ok(record_is(&want, text, out.n), "CONNECT to an IPv6 address");
    load_record(&want, CAPTURES "udp.txt", '>', 0);
    restart();
    http_put_connect(&out, &conf, "127.0.0.1:18080", 1);
    ok(record_is(&want, text, out.n), "CONNECT for UDP");
    load_record(&want, CAPTURES "udp-association.txt", '>', 0);
    restart();
    http_put_connect(&out, &conf, "", 1);
    ok(record_is(&want, text, out.n), "CONNECT for any UDP destination");
    conf.username = "user";
    conf.password = gost_bytes_str("pass");
    load_record(&want, CAPTURES "connect-auth.txt", '>', 0);
    restart();
    http_put_connect(&out, &conf, "127.0.0.1:18080", 0);
    ok(record_is(&want, text, out.n), "CONNECT with credentials");
    conf.header.v = (const struct gost_pair[]){{"x-a", "1"}, {"user-agent", "me"}, {"host", "h"}};
    conf.header.n = 3;
    restart();
    http_put_connect(&out, &conf, "a:1", 0);
    ok(gost_http1_is(gost_bytes(text, out.n),
                     "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nUser-Agent: me\r\n"
                     "Proxy-Authorization: Basic dXNlcjpwYXNz\r\nProxy-Connection: keep-alive\r\n"
                     "X-A: 1\r\n\r\n"),
       "CONNECT with configured fields");
    ok(gost_http1_error(407) == GOST_EAUTH && gost_http1_error(403) == GOST_EDENIED &&
           gost_http1_error(503) == GOST_EPEER && gost_http1_error(504) == GOST_ETIMEDOUT,
       "what a refusal means");
}

/* Result of http_target_parse() for a request; ret text "host:port path". */
static int target(const char *request, const char *expect)
{
    struct http_target t;
    char addr[GOST_ADDR_TEXT + 200];
    size_t n;
    int r;

    if (gost_http1_parse_request(&head, gost_bytes_str(request), NULL) != GOST_OK)
        return -1;
    r = http_target_parse(&t, &head);
    if (r != GOST_OK || !expect)
        return r;
    n = gost_addr_format(&t.addr, addr, GOST_ADDR_TEXT);
    snprintf(addr + n, sizeof addr - n, " %.*s", (int)t.path.n,
             t.path.n ? (const char *)t.path.p : "");
    return strcmp(addr, expect) == 0 ? GOST_OK : -2;
}

static void test_targets(void)
{
    ok(target("GET http://a.b:81/x?y HTTP/1.1\r\n\r\n", "a.b:81 /x?y") == 0, "absolute form");
    ok(target("GET HTTP://[::1] HTTP/1.1\r\n\r\n", "[::1]:80 ") == 0, "no path, no port");
    ok(target("GET http://a?y HTTP/1.1\r\n\r\n", "a:80 ?y") == 0, "a query without a path");
    ok(target("CONNECT a:443 HTTP/1.1\r\n\r\n", "a:443 ") == 0, "CONNECT");
    ok(target("CONNECT a HTTP/1.1\r\n\r\n", "a:80 ") == 0, "CONNECT without a port");
    ok(target("CONNECT  HTTP/1.1\r\nHost: h:1\r\n\r\n", "h:1 ") == 0, "CONNECT by Host");
    ok(target("CONNECT  HTTP/1.1\r\nHost: h x:1\r\n\r\n", NULL) == GOST_EPROTO,
       "CONNECT by a Host with a blank");
    ok(target("CONNECT a:1 HTTP/1.1\r\nGost-Target: tvpOuVpYaGhiWEJzWlM1amIyMA\r\n\r\n",
              "example.com:80 ") == 0,
       "a hidden target");
    ok(target("CONNECT  HTTP/1.1\r\n\r\n", NULL) == GOST_EPROTO, "CONNECT to nowhere");
    ok(target("GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL) == GOST_EUNSUPPORTED, "origin form");
    ok(target("GET / HTTP/1.1\r\n\r\n", NULL) == GOST_EPROTO, "origin form without a Host");
    ok(target("GET ftp://a/ HTTP/1.1\r\n\r\n", NULL) == GOST_EPROTO, "another scheme");
    ok(target("GET http://u:p@a/ HTTP/1.1\r\n\r\n", NULL) == GOST_EPROTO, "credentials in the URL");
    ok(target("GET http:/// HTTP/1.1\r\n\r\n", NULL) == GOST_EPROTO, "no host");
}

static int host_is(const char *request, const char *host)
{
    return gost_http1_parse_request(&head, gost_bytes_str(request), NULL) == GOST_OK &&
           gost_http1_is(http_request_host(&head), host);
}

static void test_knock(void)
{
    load_request(CAPTURES "probe-resist-knock.txt", 0);
    ok(gost_decoy_knocked("a.b, KNOCK.test", http_request_host(&head)), "a knock");
    load_request(CAPTURES "probe-resist-origin-form.txt", 0);
    ok(!gost_decoy_knocked("knock.test", http_request_host(&head)),
       "the Host field does not knock");
    ok(!gost_decoy_knocked("knock.test", gost_bytes_str("test")) &&
           !gost_decoy_knocked(NULL, gost_bytes_str("test")),
       "no knock");
    ok(host_is("CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "::1") &&
           host_is("CONNECT a.b:443 HTTP/1.1\r\n\r\n", "a.b"),
       "the host of a CONNECT");
}

static void test_decoy_config(void)
{
    char error[200];
    struct gost_prepare p = {sizeof p, GOST_SERVER, "test", error, sizeof error};
    struct http_conf conf = default_conf();

    conf.probe_resist = "code:404";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy == GOST_DECOY_CODE &&
           conf.decoy_code == 404,
       "code:404");
    conf.probe_resist = "code:abc";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy == GOST_DECOY_UNKNOWN, "code:abc");
    conf.probe_resist = "web:a.b/x";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy == GOST_DECOY_WEB &&
           conf.decoy_addr.port == 80 && gost_http1_is(conf.decoy_path, "/x") && !conf.decoy_tls,
       "web without a scheme");
    conf.probe_resist = "web:https://a.b";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy_addr.port == 443 && conf.decoy_tls,
       "web with https");
    conf.probe_resist = "host:";
    ok(http_decoy_prepare(&conf, &p) == GOST_EPROTO, "host without an address is refused");
    conf.probe_resist = "file:/x";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy == GOST_DECOY_FILE &&
           strcmp(conf.decoy_value, "/x") == 0,
       "file:/x");
    conf.probe_resist = "bogus";
    ok(http_decoy_prepare(&conf, &p) == GOST_OK && conf.decoy == GOST_DECOY_UNKNOWN, "bogus");
}

/* Is every line of `a` one of `b`'s? The order is the client's, not gost's. */
static int same_lines(struct gost_bytes a, struct gost_bytes b)
{
    char line[512];
    size_t i, start = 0;

    if (a.n != b.n)
        return 0;
    for (i = 0; i < a.n; i++) {
        if (a.p[i] != '\n')
            continue;
        snprintf(line, sizeof line, "%.*s", (int)(i + 1 - start), (const char *)a.p + start);
        if (!memmem(b.p, b.n, line, strlen(line)))
            return 0;
        start = i + 1;
    }
    return 1;
}

static int forwards(const char *client, const char *origin, uint32_t flags)
{
    struct http_target t;

    load_request(client, 0);
    if (http_target_parse(&t, &head) != GOST_OK)
        return 0;
    restart();
    http_put_request(&out, &head, &t, flags);
    load_record(&want, origin, '>', 0);
    want.n = gost_http1_find_end(gost_bytes(want.p, want.n), &(size_t){0});
    return same_lines(gost_bytes(text, out.n), gost_bytes(want.p, want.n));
}

/* Read the first response of one file, write it, compare with the first one of another. */
static int returns(const char *origin, const char *client, uint32_t minor, uint32_t flags)
{
    load_record(&in, origin, '<', 0);
    if (gost_http1_parse_response(&head, gost_bytes(in.p, in.n), NULL) != GOST_OK)
        return 0;
    restart();
    gost_http1_put_response(&out, &head, minor, flags);
    load_record(&want, client, '<', 0);
    want.n = gost_http1_find_end(gost_bytes(want.p, want.n), &(size_t){0});
    return same_lines(gost_bytes(text, out.n), gost_bytes(want.p, want.n));
}

static void test_forwarding(void)
{
    ok(forwards(CAPTURES "get-default.txt", CAPTURES "origin-get-default.txt",
                GOST_HTTP1_PUT_CLOSE),
       "a forwarded request, keepalive off");
    ok(forwards(CAPTURES "get-keepalive.txt", CAPTURES "origin-get-keepalive.txt", 0),
       "a forwarded request, keepalive on");
    ok(returns(CAPTURES "origin-get-keepalive.txt", CAPTURES "get-keepalive.txt", 1, 0),
       "a response, kept");
    ok(returns(CAPTURES "origin-get-default.txt", CAPTURES "get-default.txt", 1,
               GOST_HTTP1_PUT_CLOSE),
       "a response, closed");
    ok(returns(CAPTURES "origin-get-keepalive.txt", CAPTURES "get-http10.txt", 0,
               GOST_HTTP1_PUT_KEEP),
       "a response to HTTP/1.0, kept");
    ok(returns(CAPTURES "upgrade-websocket.txt", CAPTURES "upgrade-websocket.txt", 1,
               GOST_HTTP1_PUT_UPGRADE),
       "101");
    load_request(CAPTURES "upgrade-websocket.txt", 0);
    restart();
    http_put_request(&out, &head, &(struct http_target){.authority = gost_bytes_str("h")},
                     GOST_HTTP1_PUT_UPGRADE);
    ok(memmem(text, out.n, "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 43) != NULL,
       "an upgrade request keeps its two fields");
}

static void test_hop_by_hop(void)
{
    struct http_target t;
    const char *request = "GET http://a/ HTTP/1.1\r\nHost: wrong\r\nConnection: keep-alive, x-a\r\n"
                          "Keep-Alive: 5\r\nProxy-Authorization: Basic c2VjcmV0\r\nX-A: 1\r\n"
                          "Gost-Record: off\r\nX-B: 2\r\n\r\n";

    ok(target(request, "a:80 /") == 0 && http_target_parse(&t, &head) == GOST_OK,
       "a request with fields for the proxy alone");
    restart();
    http_put_request(&out, &head, &t, 0);
    ok(gost_http1_is(gost_bytes(text, out.n), "GET / HTTP/1.1\r\nHost: a\r\n"
                                              "User-Agent: Go-http-client/1.1\r\nX-B: 2\r\n\r\n"),
       "they are not passed on; Host is that of the URL");
    gost_http1_parse_response(
        &head, gost_bytes_str("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"),
        NULL);
    restart();
    gost_http1_put_response(&out, &head, 0, GOST_HTTP1_PUT_CLOSE | GOST_HTTP1_PUT_STRIP);
    ok(gost_http1_is(gost_bytes(text, out.n),
                     "HTTP/1.0 200 OK\r\nConnection: close\r\nA: b\r\n\r\n"),
       "chunks are not announced to HTTP/1.0");
}

int main(void)
{
    test_replies();
    test_decoys();
    test_custom_headers();
    test_connect();
    test_targets();
    test_knock();
    test_decoy_config();
    test_forwarding();
    test_hop_by_hop();
    return test_end();
}
