/* test_proxyproto.c - PROXY headers, read and written. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "proxyproto.h"

static struct gost_addr addr(const char *text)
{
    struct gost_addr a;

    memset(&a, 0, sizeof a);
    if (*text)
        (void)gost_addr_parse(&a, text, strlen(text), 0);
    return a;
}

/* Parse at every split; the verdict of the whole must be the same as what the last piece says. */
static int parse(const void *p, size_t n, struct proxyproto_header *h)
{
    int whole = proxyproto_parse(gost_bytes(p, n), 1, h), r = PROXYPROTO_MORE;
    size_t i;

    for (i = 0; i <= n && r == PROXYPROTO_MORE; i++)
        r = proxyproto_parse(gost_bytes(p, i), i == n, h);
    if (r != whole)
        printf("# split gives %d, whole %d\n", r, whole);
    return r == whole ? r : -9999;
}

static void test_v1(void)
{
    static const char good[] = "PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\nGET";
    static const char six[] = "PROXY TCP6 2001:db8::1 2001:db8::2 5000 80\r\n";
    struct proxyproto_header h;
    struct gost_addr want = addr("192.0.2.1:5000");

    ok(parse(good, sizeof good - 1, &h) == (int)sizeof good - 4 &&
           gost_addr_equal(&h.source, &want),
       "v1 TCP4");
    want = addr("[2001:db8::2]:80");
    ok(parse(six, sizeof six - 1, &h) == (int)sizeof six - 1 &&
           gost_addr_equal(&h.destination, &want),
       "v1 TCP6");
    ok(parse("PROXY UNKNOWN\r\n", 15, &h) == 15 && !h.has_addresses, "v1 UNKNOWN");
    ok(parse("PROXY UNKNOWN a b c\r\n", 21, &h) == 21, "v1 UNKNOWN with words behind");
    ok(parse("PROXY TCP4 1.2.3.4 1.2.3.4 5 6\n", 31, &h) == GOST_EPROTO, "v1 without CR");
    ok(parse("PROXY TCP4 1.2.3.4 ::1 5 6\r\n", 28, &h) == GOST_EPROTO, "v1 of mixed families");
    ok(parse("PROXY TCP4 1.2.3.4 1.2.3.4 5 65536\r\n", 36, &h) == GOST_EPROTO,
       "v1 with a bad port");
    ok(parse("GET / HTTP/1.1\r\n", 16, &h) == 0, "no header");
    ok(parse("PROXI", 5, &h) == 0, "nearly a header");
    ok(parse("PRO", 3, &h) == 0, "the beginning of a header, then the end");
    ok(proxyproto_parse(gost_bytes("PRO", 3), 0, &h) == PROXYPROTO_MORE,
       "the beginning of a header: more");
}

static void test_v2(void)
{
    uint8_t buf[PROXYPROTO_HEADER_MAX], tlv[200] = {0};
    struct gost_addr s = addr("192.0.2.1:5000"), d = addr("192.0.2.2:80");
    struct proxyproto_header h;
    size_t n = proxyproto_put(buf, 2, GOST_NET_TCP, &s, &d);

    ok(n == 28 && parse(buf, n, &h) == 28 && gost_addr_equal(&h.source, &s) &&
           gost_addr_equal(&h.destination, &d),
       "v2 there and back");
    memcpy(tlv, buf, n);
    gost_put16(tlv + 14, 12 + 7);
    ok(parse(tlv, 28 + 7, &h) == 35, "v2 with TLVs");
    buf[12] = 0x20;
    ok(parse(buf, n, &h) == 28 && !h.has_addresses, "v2 LOCAL");
    buf[12] = 0x31;
    ok(parse(buf, n, &h) == GOST_EPROTO, "a version 3");
    buf[12] = 0x21;
    gost_put16(buf + 14, 8);
    ok(parse(buf, n, &h) == GOST_EPROTO, "v2 too short for its family");
    gost_put16(buf + 14, 60000);
    ok(parse(buf, n, &h) == GOST_EPROTO, "v2 with a huge length");
    s = addr("[2001:db8::1]:1");
    ok(proxyproto_put(buf, 2, GOST_NET_UDP, &s, &d) == 52 && buf[13] == 0x22, "v2 UDP6");
}

static void test_put(void)
{
    uint8_t buf[PROXYPROTO_HEADER_MAX];
    struct gost_addr s = addr("192.0.2.1:5000"), d = addr("192.0.2.2:80"), none = addr(""),
                     six = addr("[::1]:9"), any = addr("[::]:80");
    size_t n = proxyproto_put(buf, 1, GOST_NET_TCP, &s, &d);

    ok(gost_bytes_eq(gost_bytes(buf, n),
                     gost_bytes_str("PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n")),
       "v1 written");
    n = proxyproto_put(buf, 1, GOST_NET_UDP, &s, &d);
    ok(gost_bytes_eq(gost_bytes(buf, n), gost_bytes_str("PROXY UNKNOWN\r\n")), "v1 knows no UDP");
    ok(proxyproto_put(buf, 1, GOST_NET_TCP, &s, &none) == 0, "a missing address: nothing");
    ok(proxyproto_put(buf, 2, GOST_NET_TCP, &s, &six) == 0, "families that do not fit: nothing");
    n = proxyproto_put(buf, 1, GOST_NET_TCP, &s, &any);
    ok(gost_bytes_eq(gost_bytes(buf, n),
                     gost_bytes_str("PROXY TCP4 192.0.2.1 0.0.0.0 5000 80\r\n")),
       ":: is 0.0.0.0");
}

int main(void)
{
    test_v1();
    test_v2();
    test_put();
    return test_end();
}
