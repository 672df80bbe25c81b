/* test_relay.c - relay messages. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "relay.h"

static struct gost_relay_message message(uint8_t code, uint16_t network, const char *addr,
                                         const char *user)
{
    struct gost_relay_message m;

    memset(&m, 0, sizeof m);
    m.code = code;
    m.network = network;
    m.n_addr = 1;
    if (*addr)
        (void)gost_addr_parse(&m.addr, addr, strlen(addr), 0);
    m.has_auth = *user != 0;
    m.user = gost_bytes_str(user);
    m.password = gost_bytes_str("pass");
    return m;
}

static int same(const uint8_t *p, size_t n, const char *hex)
{
    size_t i;
    unsigned v;

    for (i = 0; i < n; i++)
        if (sscanf(hex + 2 * i, "%2x", &v) != 1 || v != p[i])
            return 0;
    return hex[2 * n] == 0;
}

/* Requests as a real GOST sent them. */
static void test_put(void)
{
    uint8_t b[GOST_RELAY_REQUEST_MAX];
    struct gost_relay_message m =
        message(GOST_RELAY_CONNECT, GOST_RELAY_TCP, "127.0.0.1:18080", "");

    ok(same(b, relay_put_request(b, &m, 0), "0101000a020007017f00000146a0"), "CONNECT");
    m = message(GOST_RELAY_CONNECT, GOST_RELAY_TCP, "127.0.0.1:18080", "user");
    ok(same(b, relay_put_request(b, &m, 0),
            "0101001701000a04757365720470617373020007017f00000146a0"),
       "CONNECT with credentials");
    m = message(GOST_RELAY_CONNECT | GOST_RELAY_UDP_FLAG, GOST_RELAY_UDP, "127.0.0.1:18080", "");
    ok(same(b, relay_put_request(b, &m, 0), "0181000f0400020001020007017f00000146a0"),
       "CONNECT udp");
    m = message(GOST_RELAY_CONNECT, GOST_RELAY_TCP, "", "");
    ok(same(b, relay_put_request(b, &m, 0), "0101000702000403000000"), "CONNECT without a target");
    m = message(GOST_RELAY_BIND | GOST_RELAY_UDP_FLAG, GOST_RELAY_UDP, "", "");
    ok(same(b, relay_put_request(b, &m, 1), "0182000f040002000102000701000000000000"),
       "an association");
}

static int parse(struct gost_relay_message *m, const void *p, size_t n)
{
    memset(m, 0, sizeof *m);
    return gost_relay_features(m, gost_bytes(p, n));
}

static void test_parse(void)
{
    static const char bug[] = "\2\0\x11\3\x0d"
                              "0.0.0.0::2222\0\0";
    uint8_t b[GOST_RELAY_REQUEST_MAX], odd[] = {0x77, 0, 2, 'x', 'y', 4, 0, 2, 0, 1};
    struct gost_relay_message m = message(GOST_RELAY_CONNECT, GOST_RELAY_TCP, "example.com:80",
                                          "u"),
                              got;
    size_t n = relay_put_request(b, &m, 0), i;
    int cut = 0;

    ok(gost_relay_head(b) == (int)n - GOST_RELAY_HEAD, "the head tells the length");
    ok(gost_relay_head((const uint8_t *)"\2\1\0\0") == GOST_EPROTO, "another version");
    ok(parse(&got, b + GOST_RELAY_HEAD, n - GOST_RELAY_HEAD) == GOST_OK &&
           gost_addr_equal(&got.addr, &m.addr) && gost_bytes_eq(got.user, m.user) &&
           gost_bytes_eq(got.password, m.password),
       "there and back");
    for (i = 1; i < n - GOST_RELAY_HEAD; i++)
        cut += parse(&got, b + GOST_RELAY_HEAD, i) == GOST_OK &&
               i != 10; /* 10: exactly the first feature */
    ok(cut == 0, "cut anywhere it is refused");
    ok(parse(&got, odd, sizeof odd) == GOST_OK && got.network == GOST_RELAY_UDP,
       "unknown features are passed over");
    ok(parse(&got, bug, sizeof bug - 1) != GOST_EPROTO && got.addr.port == 2222,
       "the port of a wrongly joined bind address is found");
}

int main(void)
{
    uint8_t b[GOST_RELAY_RESPONSE_MAX];
    struct gost_addr a;

    test_put();
    test_parse();
    ok(same(b, gost_relay_put_response(b, GOST_RELAY_OK, NULL), "01000000"), "OK");
    ok(same(b, gost_relay_put_response(b, GOST_RELAY_NET_UNREACHABLE, NULL), "01070000"),
       "a failure");
    (void)gost_addr_parse(&a, "[::]:44855", 10, 0);
    ok(same(b, gost_relay_put_response(b, GOST_RELAY_OK, &a),
            "010000160200130400000000000000000000000000000000af37"),
       "OK with a bound address");
    ok(gost_relay_error(GOST_RELAY_UNAUTHORIZED) == GOST_EAUTH &&
           gost_relay_error(99) == GOST_EPEER,
       "statuses as errors");
    return test_end();
}
