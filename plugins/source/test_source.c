/* test_source.c - URLs and answers of web servers. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "source.h"

static const struct {
    const char *text, *host, *target, *user;
    int tls, port;
} urls[] = {
    {"http://a.example", "a.example", "", NULL, 0, 80},
    {"HTTPS://a.example/x?y=1#z", "a.example", "/x?y=1", NULL, 1, 443},
    {"http://bob:pw@[2001:db8::1]:81/p", "2001:db8::1", "/p", "bob", 0, 81},
    {"https://a.example:8443?q", "a.example", "?q", NULL, 1, 8443},
};

static void test_urls(void)
{
    static const char *const bad[] = {"ftp://a/",  "http://",     "http:///x",
                                      "a.example", "http://a b/", "http://a/\r\nX",
                                      "",          "https://@/",  "http://a:70000/"};
    struct gost_url u;
    char host[GOST_ADDR_TEXT];
    size_t i;

    for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        int r = gost_url_parse(&u, gost_bytes_str(urls[i].text));

        ok(r == GOST_OK && gost_addr_host(&u.addr, host, sizeof host) == strlen(urls[i].host) &&
               strcmp(host, urls[i].host) == 0 && u.tls == urls[i].tls &&
               u.addr.port == urls[i].port &&
               gost_bytes_eq(u.target, gost_bytes_str(urls[i].target)) &&
               (urls[i].user ? gost_bytes_eq(u.user, gost_bytes_str(urls[i].user)) : !u.user.p),
           urls[i].text);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(gost_url_parse(&u, gost_bytes_str(bad[i])) == GOST_EPROTO, "no URL is refused");
}

/* Feeds `text` in pieces of `step` bytes. The result of the last call, or of the end. */
static int feed(struct gost_answer *a, const char *text, size_t step)
{
    struct gost_bytes all = gost_bytes_str(text);
    size_t from = 0, to = 0, used;
    const char *why;
    int r = GOST_AGAIN;

    memset(a, 0, sizeof *a);
    while (r == GOST_AGAIN && to < all.n) {
        to = to + step < all.n ? to + step : all.n;
        r = gost_answer_feed(a, gost_bytes(all.p + from, to - from), &used, &why);
        from += used;
    }
    return r == GOST_AGAIN ? gost_answer_end(a) : r;
}

static const struct {
    const char *name, *text, *body;
    int result;
    uint32_t status;
} answers[] = {
    {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\nb\nrest", "a\nb\n", GOST_OK, 200},
    {"until the end", "HTTP/1.0 200 OK\r\n\r\nall of it", "all of it", GOST_OK, 200},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab\n\r\n2;x=y\r\ncd\r\n0\r\n\r\n",
     "ab\ncd", GOST_OK, 200},
    {"an early head", "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "",
     GOST_OK, 404},
    {"a short body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "short", GOST_ECLOSED,
     200},
    {"a cut head", "HTTP/1.1 200 OK\r\nContent-Le", "", GOST_ECLOSED, 0},
    {"no HTTP", "SSH-2.0-x\r\n\r\n", "", GOST_EPROTO, 0},
};

int main(void)
{
    struct gost_answer a;
    size_t i, step;

    test_urls();
    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        int good = 1;

        for (step = 1; step <= 40; step++) {
            int r = feed(&a, answers[i].text, step);

            good = good && r == answers[i].result && a.status == answers[i].status &&
                   gost_bytes_eq(gost_bytes(a.data, a.n), gost_bytes_str(answers[i].body));
            gost_answer_free(&a);
        }
        ok(good, answers[i].name);
    }
    ok(feed(&a, "HTTP/1.1 302 Found\r\nLocation: /new\r\n\r\n", 5) == GOST_OK && a.redirect &&
           strcmp(a.location, "/new") == 0,
       "a redirect");
    gost_answer_free(&a);
    return test_end();
}
