/* test_resolver.c - DNS messages and name servers. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/testkit/test_tap.h"
#include "resolver.h"

static size_t unhex(uint8_t *to, const char *hex)
{
    size_t n = 0;
    unsigned v;

    for (; sscanf(hex, "%2x", &v) == 1 && hex[0]; hex += 2)
        to[n++] = (uint8_t)v;
    return n;
}

/* Recorded of GOST: the query with and without a client subnet. */
static void test_queries(void)
{
    static const uint8_t ip[4] = {192, 0, 2, 200};
    struct resolver_question q = {
        .id = 0x1234, .family = 4, .name = {(const uint8_t *)"example.test", 12}};
    uint8_t buf[RESOLVER_QUERY_MAX], want[RESOLVER_QUERY_MAX];
    struct gost_addr subnet;
    char name[300];
    size_t n;

    n = unhex(want, "123401000001000000000000076578616d706c6504746573740000010001");
    ok(resolver_query_put(buf, &q) == n && memcmp(buf, want, n) == 0, "a query as GOST sends it");
    gost_addr_set_ip(&subnet, ip, 4, 0);
    q.subnet = &subnet;
    n = unhex(want, "123401000001000000000001076578616d706c6504746573740000010001"
                    "000029000000000000000b0008000700011800c00002");
    ok(resolver_query_put(buf, &q) == n && memcmp(buf, want, n) == 0, "with a client subnet");
    q.subnet = NULL;
    q.name = gost_bytes_str("a..b");
    ok(resolver_query_put(buf, &q) == 0, "an empty label");
    q.name = gost_bytes_str("a.");
    ok(resolver_query_put(buf, &q) == 12 + 3 + 4, "a dot at the end");
    q.name = gost_bytes_str("a..");
    ok(resolver_query_put(buf, &q) == 0, "two of them");
    memset(name, 'x', sizeof name);
    q.name = gost_bytes(name, 64);
    ok(resolver_query_put(buf, &q) == 0, "a label of 64 bytes");
    q.name = gost_bytes(name, 63);
    ok(resolver_query_put(buf, &q) != 0, "a label of 63 bytes");
    for (n = 20; n < sizeof name; n += 20)
        name[n] = '.';
    q.name = gost_bytes(name, 253);
    ok(resolver_query_put(buf, &q) != 0, "a name of 253 bytes");
    q.name = gost_bytes(name, 254);
    ok(resolver_query_put(buf, &q) == 0, "a name of 254 bytes");
}

#define QUESTION "076578616d706c6504746573740000010001"

static const struct {
    const char *name, *hex, *addrs;
    int result;
    uint32_t ttl, rcode;
} replies[] = {
    {"one address", "123481800001000100000000" QUESTION "c00c000100010000012c0004c0000207",
     "192.0.2.7", GOST_OK, 300, 0},
    {"another case in the question",
     "123481800001000100000000"
     "074558414d504c4504746573740000010001"
     "c00c000100010000012c0004c0000207",
     "192.0.2.7", GOST_OK, 300, 0},
    {"an alias, then its address",
     "123481800001000200000000" QUESTION "c00c000500010000000a00040161c0"
     "0c"
     "c02a000100010000012c0004c0000207",
     "192.0.2.7", GOST_OK, 10, 0},
    {"an address of the other family",
     "123481800001000100000000" QUESTION "c00c001c00010000012c001020010db8000000000000000000000001",
     "", GOST_OK, 300, 0},
    {"no answers", "123481800001000000000000" QUESTION, "", GOST_OK, 0, 0},
    {"NXDOMAIN", "123481830001000000000000" QUESTION, "", GOST_OK, 0, 3},
    {"another id", "123581800001000100000000" QUESTION "c00c000100010000012c0004c0000207", "",
     GOST_AGAIN, 0, 0},
    {"a query", "123401000001000000000000" QUESTION, "", GOST_AGAIN, 0, 0},
    {"another question",
     "123481800001000100000000"
     "076578616d706c6504746573750000010001"
     "c00c000100010000012c0004c0000207",
     "", GOST_AGAIN, 0, 0},
    {"another type",
     "123481800001000100000000"
     "076578616d706c65047465737400001c0001"
     "c00c000100010000012c0004c0000207",
     "", GOST_AGAIN, 0, 0},
    {"a cut record", "123481800001000100000000" QUESTION "c00c000100010000012c0004c00002", "",
     GOST_EPROTO, 0, 0},
    {"a cut record, said to be truncated",
     "123483800001000100000000" QUESTION "c00c000100010000012c0004c00002", "", GOST_OK, 0, 0},
    {"a label that is none", "123481800001000100000000" QUESTION "800c000100010000012c0004c0000207",
     "", GOST_EPROTO, 0, 0},
    {"half a head", "12348180", "", GOST_AGAIN, 0, 0},
};

static void test_reply(size_t i)
{
    struct resolver_question q = {
        .id = 0x1234, .family = 4, .name = {(const uint8_t *)"example.test", 12}};
    uint8_t *exact, buf[512];
    struct resolver_reply r;
    char text[GOST_ADDR_TEXT] = "";
    size_t n = unhex(buf, replies[i].hex);
    int result;

    exact = malloc(n); /* reading beyond it is seen */
    if (!exact)
        exit(1);
    memcpy(exact, buf, n);
    memset(&r, 0, sizeof r);
    result = resolver_reply_parse(&r, gost_bytes(exact, n), &q);
    if (r.n)
        (void)gost_addr_host(&r.addr[0], text, sizeof text);
    ok(result == replies[i].result && strcmp(text, replies[i].addrs) == 0 &&
           r.ttl == replies[i].ttl && r.rcode == replies[i].rcode,
       replies[i].name);
    free(exact);
}

static const struct {
    const char *text, *host, *path;
    uint32_t scheme;
    int port;
} servers[] = {
    {"1.1.1.1", "1.1.1.1", "/", RESOLVER_UDP, 53},
    {"tls://1.1.1.1", "1.1.1.1", "/", RESOLVER_TLS, 53},
    {"dot://dns.example:853", "dns.example", "/", RESOLVER_TLS, 853},
    {"tcp://[2001:db8::1]:54", "2001:db8::1", "/", RESOLVER_TCP, 54},
    {"https://dns.example/dns-query", "dns.example", "/dns-query", RESOLVER_HTTPS, 443},
    {"https://dns.example?x=1", "dns.example", "/?x=1", RESOLVER_HTTPS, 443},
};

int main(void)
{
    static const char *const bad[] = {"", "udp://", "quic://1.1.1.1", "https:///x",
                                      "1.1.1.1:99999"};
    struct resolver_server s;
    char host[GOST_ADDR_TEXT];
    size_t i;

    test_queries();
    for (i = 0; i < sizeof replies / sizeof replies[0]; i++)
        test_reply(i);
    for (i = 0; i < sizeof servers / sizeof servers[0]; i++)
        ok(resolver_server_parse(&s, servers[i].text) == GOST_OK && s.scheme == servers[i].scheme &&
               s.addr.port == servers[i].port && strcmp(s.path, servers[i].path) == 0 &&
               gost_addr_host(&s.addr, host, sizeof host) && strcmp(host, servers[i].host) == 0,
           servers[i].text);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(resolver_server_parse(&s, bad[i]) == GOST_EPROTO, "no name server");
    return test_end();
}
