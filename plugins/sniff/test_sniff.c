/* test_sniff.c - protocols and hosts of first bytes, recorded and made up. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "sniff.h"

static struct record in;
static char host[SNIFF_HOST_MAX];

static struct gost_bytes view(const struct record *r, size_t n)
{
    return gost_bytes(r->p, n < r->n ? n : r->n);
}

static int is(const char *bytes, enum sniff_protocol want)
{
    enum sniff_protocol got = SNIFF_UNKNOWN;

    return sniff_detect(gost_bytes_str(bytes), &got) == GOST_OK && got == want;
}

static void test_detect(void)
{
    static const char *const words[] = {"GET /",   "PUT /",   "POST /",  "HEAD /",  "DELETE /",
                                        "OPTIONS", "PATCH /", "CONNECT", "TRACE /", "PRI * HTTP"};
    enum sniff_protocol got = SNIFF_SSH;
    size_t i, good = 0;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        good += (size_t)is(words[i], SNIFF_HTTP);
    ok(good == sizeof words / sizeof words[0], "the methods of HTTP");
    ok(is("SSH-2.0-x", SNIFF_SSH) && is("\x16\x03\x01..", SNIFF_TLS), "SSH and TLS");
    ok(is("*3\r\n", SNIFF_REDIS) && is("+OK", SNIFF_REDIS) && is("$", SNIFF_REDIS), "Redis");
    ok(is("\x16\x03\x05..", SNIFF_UNKNOWN) && is("\x16\x02\x01..", SNIFF_UNKNOWN) &&
           is("SSH-1.5", SNIFF_UNKNOWN) && is("BREW /", SNIFF_UNKNOWN),
       "what is none of them");
    ok(sniff_detect(gost_bytes_str("GET "), &got) == GOST_AGAIN && got == SNIFF_SSH &&
           sniff_detect(gost_bytes(NULL, 0), &got) == GOST_AGAIN,
       "four bytes are too few");
}

static void test_tls(void)
{
    static struct record parts;
    size_t i, at, n, need = 0, size, good = 0;

    load_record(&in, "plugins/sni/captures/sni-tls.txt", '>', 0);
    ok(sniff_tls_host(view(&in, in.n), &need, host) == GOST_OK &&
           strcmp(host, "example.test:443") == 0,
       "the name in a ClientHello");
    for (i = 0; i < in.n; i++)
        good += sniff_tls_host(view(&in, i), &need, host) == GOST_AGAIN && need > i && need <= in.n;
    ok(good == in.n, "each part of it asks for more");
    for (size = 1, good = 0; size < 300; size++) {
        for (at = 5, parts.n = 0; at < in.n; at += n) {
            n = in.n - at < size ? in.n - at : size;
            memcpy(parts.p + parts.n, "\x16\x03\x01", 3);
            gost_put16(parts.p + parts.n + 3, (uint16_t)n);
            memcpy(parts.p + parts.n + 5, in.p + at, n);
            parts.n += n + 5;
        }
        good += sniff_tls_host(view(&parts, parts.n), &need, host) == GOST_OK &&
                strcmp(host, "example.test:443") == 0;
    }
    ok(good == 299, "the name in a ClientHello over many records");
    in.p[5] = 2;
    ok(sniff_tls_host(view(&in, in.n), &need, host) == GOST_EPROTO, "a ServerHello is refused");
    in.p[5] = 1;
    in.p[6] = 1;
    ok(sniff_tls_host(view(&in, in.n), &need, host) == GOST_EPROTO, "so is one without end");
    in.p[6] = 0;
    in.p[8]--;
    ok(sniff_tls_host(view(&in, in.n), &need, host) == GOST_EPROTO, "and one cut short inside");
}

static int http(const char *text, const char *want)
{
    size_t need = 0;

    return sniff_http_host(gost_bytes_str(text), &need, host) == GOST_OK && strcmp(host, want) == 0;
}

static void test_http(void)
{
    size_t need = 0;

    load_record(&in, "plugins/sni/captures/sni-http.txt", '>', 0);
    ok(sniff_http_host(view(&in, in.n), &need, host) == GOST_OK &&
           strcmp(host, "example.test:18080") == 0,
       "the Host of a request");
    ok(sniff_http_host(view(&in, in.n - 1), &need, host) == GOST_AGAIN && need == in.n,
       "a part of it asks for more");
    ok(http("GET / HTTP/1.1\r\nhost: a.b\r\n\r\n", "a.b:80"), "port 80 when none is named");
    ok(http("GET http://c.d:81/x HTTP/1.1\r\nHost: a.b\r\n\r\n", "c.d:81") &&
           http("GET HTTP://c.d HTTP/1.1\r\nHost: a.b\r\n\r\n", "c.d:80"),
       "the target's own host comes first");
    ok(http("GET / HTTP/1.0\r\n\r\n", "") && http("PRI * HTTP/2.0\r\n\r\n", ""), "no host at all");
    ok(sniff_http_host(gost_bytes_str("GET / JUNK\r\n\r\n"), &need, host) < 0, "no request at all");
}

int main(void)
{
    test_detect();
    test_tls();
    test_http();
    return test_end();
}
