/* test_sni.c - server names in ClientHellos and HTTP heads, against recorded ones. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "sni.h"

#define CAPTURES "plugins/sni/captures/"

static struct record in, want;
static char name[SNI_NAME_MAX];
static uint8_t text[70000];
static struct gost_http1_out out;

static void restart(void)
{
    memset(&out, 0, sizeof out);
    out.p = text;
    out.size = sizeof text;
}

/* Put the handshake bytes of a one-record hello into records of `size` bytes. */
static void fragment(struct record *to, const struct record *from, size_t size)
{
    size_t at, n;

    to->n = 0;
    for (at = 5; at < from->n; at += n) {
        n = from->n - at < size ? from->n - at : size;
        memcpy(to->p + to->n, "\x16\x03\x01", 3);
        gost_put16(to->p + to->n + 3, (uint16_t)n);
        memcpy(to->p + to->n + 5, from->p + at, n);
        to->n += n + 5;
    }
}

static void test_name(void)
{
    static struct record parts;
    size_t need, i, good = 0, last = 0;

    load_record(&in, CAPTURES "sni-tls.txt", '>', 0);
    ok(sni_hello_name(gost_bytes(in.p, in.n), &need, name) == GOST_OK &&
           strcmp(name, "example.test") == 0,
       "the name in a ClientHello");
    load_record(&want, CAPTURES "sni-tls-host.txt", '>', 0);
    ok(sni_hello_name(gost_bytes(want.p, want.n), &need, name) == GOST_OK &&
           strcmp(name, "cover.test") == 0,
       "the name in a covered ClientHello");
    for (i = 1; i < 200; i++) {
        fragment(&parts, &in, i);
        good += sni_hello_name(gost_bytes(parts.p, parts.n), &need, name) == GOST_OK &&
                strcmp(name, "example.test") == 0;
    }
    ok(good == 199, "the name in a ClientHello over many records");
    fragment(&parts, &in, 7);
    for (i = 0, good = 1; good && i < 120; i++) {
        need = 0;
        if (sni_hello_name(gost_bytes(parts.p, i), &need, name) != GOST_AGAIN)
            break;
        good = need > i && need >= last;
        last = need;
    }
    ok(good && i > 80, "each short read says how much more is needed");
}

static void test_bad_hello(void)
{
    static struct record bad;
    size_t need, i;

    ok(sni_hello_name(gost_bytes("\x15\x03\x01\x00\x02\x01\x00", 7), &need, name) == GOST_EPROTO,
       "an alert is no ClientHello");
    ok(sni_hello_name(gost_bytes("\x16\x03\x01\x00\x00", 5), &need, name) == GOST_EPROTO,
       "an empty record");
    ok(sni_hello_name(gost_bytes("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9), &need, name) ==
           GOST_EPROTO,
       "a ServerHello");
    for (i = 9; i < in.n; i++) { /* no mutation may read past the end: the sanitizer looks */
        bad = in;
        bad.p[i] ^= 0xff;
        sni_hello_name(gost_bytes(bad.p, bad.n), &need, name);
    }
    bad = in;
    memcpy(bad.p + 116, "\xff\xff", 2); /* the extensions' length */
    ok(sni_hello_name(gost_bytes(bad.p, bad.n), &need, name) == GOST_EPROTO,
       "extensions longer than the message");
}

static void test_cover(void)
{
    size_t used = 0, need;
    int r;

    load_record(&in, CAPTURES "sni-tls.txt", '>', 0);
    restart();
    r = sni_hello_cover(&out, gost_bytes(in.p, in.n), gost_bytes_str("cover.test"), &used, &need);
    ok(r == GOST_OK && used == in.n, "a ClientHello is covered");
    ok(sni_hello_name(gost_bytes(text, out.n), &need, name) == GOST_OK &&
           strcmp(name, "cover.test") == 0,
       "it shows the other name");
    load_record(&want, CAPTURES "sni-tls-host.txt", '>', 0);
    /* Both hellos come from the same client and differ only in random values. */
    ok(out.n == want.n && memcmp(text + out.n - 31, want.p + out.n - 31, 31) == 0,
       "the real name is in the last extension, as recorded");
    ok(memcmp(text, want.p, 11) == 0 && memcmp(text + 114, want.p + 114, 25) == 0,
       "lengths and the shown name are as recorded");
    restart();
    ok(sni_hello_cover(&out, gost_bytes(in.p, 100), gost_bytes_str("c"), &used, &need) ==
           GOST_AGAIN,
       "half a ClientHello waits");
}

static void test_http(void)
{
    size_t used = 0;

    load_record(&in, CAPTURES "sni-http.txt", '>', 0);
    load_record(&want, CAPTURES "sni-http-host.txt", '>', 0);
    restart();
    ok(sni_http_cover(&out, gost_bytes(in.p, in.n), gost_bytes_str("cover.test:18080"), &used) ==
               GOST_OK &&
           used == in.n && record_is(&want, text, out.n),
       "an HTTP head is covered as recorded");
    ok(sni_http_cover(&out, gost_bytes(in.p, 30), gost_bytes_str("c"), &used) == GOST_AGAIN,
       "half a head waits");
    ok(sni_http_cover(&out, gost_bytes_str("GET / HTTP/1.0\r\n\r\n"), gost_bytes_str("c"), &used) ==
           GOST_EUNSUPPORTED,
       "a head without Host stays");
    ok(sni_http_likely(gost_bytes_str("GET /")) && sni_http_likely(gost_bytes_str("GE")) &&
           !sni_http_likely(gost_bytes_str("SSH-2.0")) && !sni_http_likely(gost_bytes_str(" ")) &&
           !sni_http_likely(gost_bytes_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
       "what may be HTTP");
}

int main(void)
{
    test_name();
    test_bad_hello();
    test_cover();
    test_http();
    return test_end();
}
