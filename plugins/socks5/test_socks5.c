/* test_socks5.c - SOCKS5 messages. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "socks5.h"

static void test_offer(void)
{
    static const uint8_t gost[] = {5, 4, 0, 2, 0x80, 0x82, 'X'};
    struct socks5_offer o;
    int i, early = 0;

    for (i = 0; i < 6; i++)
        early += socks5_parse_offer(gost_bytes(gost, (size_t)i), &o) != 0;
    ok(early == 0, "an offer at every split asks for more");
    ok(socks5_parse_offer(gost_bytes(gost, sizeof gost), &o) == 6, "a whole offer");
    ok(socks5_offers(&o, 0) && socks5_offers(&o, 2) && socks5_offers(&o, 0x80) &&
           socks5_offers(&o, 0x82) && !socks5_offers(&o, 1),
       "its methods");
    ok(socks5_parse_offer(gost_bytes("\4", 1), &o) == GOST_EPROTO, "another version");
    ok(socks5_parse_offer(gost_bytes("\5\0", 2), &o) == GOST_EPROTO, "no methods at all");
}

static void test_userpass(void)
{
    uint8_t buf[SOCKS5_USERPASS_MAX];
    struct gost_bytes u, p;
    size_t n = socks5_put_userpass(buf, gost_bytes_str("bob"), gost_bytes_str("pw")), i;
    int early = 0;

    ok(n == 8 && !memcmp(buf, "\1\3bob\2pw", 8), "user and password as RFC 1929 writes them");
    for (i = 0; i < n; i++)
        early += socks5_parse_userpass(gost_bytes(buf, i), &u, &p) != 0;
    ok(early == 0, "at every split it asks for more");
    ok(socks5_parse_userpass(gost_bytes(buf, n), &u, &p) == 8 &&
           gost_bytes_eq(u, gost_bytes_str("bob")) && gost_bytes_eq(p, gost_bytes_str("pw")),
       "there and back");
    n = socks5_put_userpass(buf, gost_bytes(NULL, 0), gost_bytes(NULL, 0));
    ok(socks5_parse_userpass(gost_bytes(buf, n), &u, &p) == 3 && !u.n && !p.n, "empty ones");
    ok(socks5_parse_userpass(gost_bytes("\5", 1), &u, &p) == GOST_EPROTO, "another version");
}

static void test_request(void)
{
    static const char *const addrs[] = {"192.0.2.1:80", "[2001:db8::1]:443", "example.com:65535"};
    uint8_t buf[SOCKS5_REQUEST_MAX], command;
    struct gost_addr a, b;
    size_t i, k, n;
    int bad = 0;

    for (i = 0; i < 3; i++) {
        (void)gost_addr_parse(&a, addrs[i], strlen(addrs[i]), 0);
        n = socks5_put_request(buf, SOCKS5_CONNECT, &a);
        for (k = 0; k < n; k++)
            bad += socks5_parse_request(gost_bytes(buf, k), &command, &b) != 0;
        bad += socks5_parse_request(gost_bytes(buf, n), &command, &b) != (int)n ||
               !gost_addr_equal(&a, &b) || command != SOCKS5_CONNECT;
    }
    ok(bad == 0, "requests there and back, at every split");
    ok(socks5_parse_request(gost_bytes("\5\1\0\5xxxxxxxxx", 13), &command, &b) == GOST_EPROTO,
       "an unknown address type");
}

int main(void)
{
    test_offer();
    test_userpass();
    test_request();
    ok(socks5_reply_of(GOST_EDENIED) == SOCKS5_DENIED, "a bypass is answered with 2");
    ok(socks5_reply_of(GOST_EREFUSED) == SOCKS5_NET_UNREACHABLE, "a failed dial with 3");
    ok(socks5_error_of(5) == GOST_EREFUSED && socks5_error_of(200) == GOST_EPEER,
       "replies as errors");
    return test_end();
}
