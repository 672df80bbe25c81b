/* test_socks4.c - SOCKS4 messages. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "socks4.h"

/* Every proper prefix must ask for more; the whole must be used up to `used`. */
static int whole(const void *p, size_t n, int used, struct gost_addr *a, struct gost_bytes *user)
{
    uint8_t command;
    size_t i;

    for (i = 0; i < (size_t)used; i++)
        if (socks4_parse_request(gost_bytes(p, i), &command, user, a) != 0)
            return 0;
    return socks4_parse_request(gost_bytes(p, n), &command, user, a) == used &&
           command == SOCKS4_CONNECT;
}

int main(void)
{
    static const uint8_t v4[] = {4, 1, 0, 80, 127, 0, 0, 1, 'b', 'o', 'b', 0, 'X'};
    static const uint8_t v4a[] = {4, 1, 1, 187, 0, 0, 0, 9, 0, 'h', '.', 'x', 0};
    static const uint8_t from_gost[] = {0x04, 0x01, 0x46, 0xa0, 0,   0,   0,   1,   0,   'e', 'x',
                                        'a',  'm',  'p',  'l',  'e', '.', 't', 'e', 's', 't', 0};
    uint8_t buf[SOCKS4_REQUEST_MAX], command;
    struct gost_bytes user;
    struct gost_addr a;
    size_t n;

    ok(whole(v4, sizeof v4, 12, &a, &user) && a.family == GOST_AF_IP4 && a.port == 80 &&
           gost_bytes_eq(user, gost_bytes_str("bob")),
       "an address and a user id");
    ok(whole(v4a, sizeof v4a, sizeof v4a, &a, &user) && a.family == GOST_AF_NAME && a.port == 443,
       "a name (4a)");
    n = socks4_put_request(buf, &a, "bob", 1);
    ok(socks4_parse_request(gost_bytes(buf, n), &command, &user, &a) == (int)n, "there and back");
    (void)gost_addr_parse(&a, "example.test:18080", 18, 0);
    n = socks4_put_request(buf, &a, NULL, 1);
    ok(gost_bytes_eq(gost_bytes(buf, n), gost_bytes(from_gost, sizeof from_gost)),
       "the request as GOST writes it");
    ok(socks4_put_request(buf, &a, NULL, 0) == 0, "a name needs 4a");
    ok(socks4_parse_request(gost_bytes("\5", 1), &command, &user, &a) == GOST_EPROTO,
       "a SOCKS5 client");
    ok(socks4_parse_request(gost_bytes("\4\3", 2), &command, &user, &a) == GOST_EPROTO,
       "an unknown command");
    memset(buf, 'a', sizeof buf);
    memcpy(buf, v4, 8);
    ok(socks4_parse_request(gost_bytes(buf, sizeof buf), &command, &user, &a) == GOST_EPROTO,
       "a user id without end");
    return test_end();
}
