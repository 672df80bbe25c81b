/* test_addr.c - addresses, their SOCKS5 form, UDP frame headers, struct sockaddr. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "../../sdk/testkit/test_tap.h"
#include "sockaddr.h"
#include "udpframe.h"

/* ---- text ---- */

/* `text` is read and printed again as `want`, with this family and port; want NULL: refused. */
static void reads(const char *text, int family, int port, const char *want)
{
    char name[300], out[GOST_ADDR_TEXT] = "";
    struct gost_addr addr;
    int r, good;

    memset(&addr, 0x5a, sizeof addr);
    r = gost_addr_parse(&addr, text, strlen(text), 99);
    if (want) {
        gost_addr_format(&addr, out, sizeof out);
        good = r == GOST_OK && addr.family == family && addr.port == port && !strcmp(out, want);
    } else {
        good = r == GOST_EPROTO && addr.family == 0x5a && addr.port == 0x5a5a;
    }
    snprintf(name, sizeof name, "\"%s\" %s%s", text, want ? "reads as " : "is refused",
             want ? want : "");
    ok(good, name);
    if (!good)
        printf("# result %d, family %u, port %u, \"%s\"\n", r, addr.family, addr.port, out);
}

static void test_parse(void)
{
    reads("1.2.3.4:80", GOST_AF_IP4, 80, "1.2.3.4:80");
    reads("1.2.3.4", GOST_AF_IP4, 99, "1.2.3.4:99");
    reads("host.example:65535", GOST_AF_NAME, 65535, "host.example:65535");
    reads("host.example", GOST_AF_NAME, 99, "host.example:99");
    reads("host:", GOST_AF_NAME, 99, "host:99");
    reads("1.2.3", GOST_AF_NAME, 99, "1.2.3:99");
    reads("a:0", GOST_AF_NAME, 0, "a:0");
    reads("b:1", GOST_AF_NAME, 1, "b:1");
    reads(":8080", GOST_AF_NONE, 8080, ":8080");
    reads("", GOST_AF_NONE, 99, ":99");
    reads("[::1]:53", GOST_AF_IP6, 53, "[::1]:53");
    reads("[::1]", GOST_AF_IP6, 99, "[::1]:99");
    reads("[]:7", GOST_AF_NONE, 7, ":7");
    reads("[1.2.3.4]:7", GOST_AF_IP4, 7, "1.2.3.4:7");
    reads("2001:db8::1", GOST_AF_IP6, 99, "[2001:db8::1]:99");
    reads("::ffff:1.2.3.4", GOST_AF_IP6, 99, "[::ffff:1.2.3.4]:99");
    reads("fe80::1%7", GOST_AF_IP6, 99, "[fe80::1%7]:99");
    reads("[fe80::1%1]:5", GOST_AF_IP6, 5, "[fe80::1%1]:5");
    reads("fe80::1%no-such-interface", 0, 0, NULL);
    reads("a:b:c", 0, 0, NULL);
    reads("host:65536", 0, 0, NULL);
    reads("host:123456", 0, 0, NULL);
    reads("host:-1", 0, 0, NULL);
    reads("host:http", 0, 0, NULL);
    reads("host: 1", 0, 0, NULL);
    reads("[name]:1", GOST_AF_NAME, 1, "[name]:1");
    reads("[a:b]:1", 0, 0, NULL);
    reads("[::1", 0, 0, NULL);
    reads("[::1]x", 0, 0, NULL);
    reads("[::1]:x", 0, 0, NULL);
}

static void test_set(void)
{
    struct gost_addr addr, before;
    char text[GOST_ADDR_TEXT], longest[256];
    uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 9, 8, 7, 6};

    memset(longest, 'n', sizeof longest);
    ok(gost_addr_set_host(&addr, longest, 255, 65535) == GOST_OK && addr.len == 255,
       "a name of 255 bytes");
    ok(gost_addr_format(&addr, text, sizeof text) == 261 && strlen(text) == 261,
       "is printed whole");
    before = addr;
    ok(gost_addr_set_host(&addr, longest, 256, 1) == GOST_EPROTO &&
           memcmp(&addr, &before, sizeof addr) == 0,
       "one of 256 bytes is refused, the result untouched");
    ok(gost_addr_set_host(&addr, "a\0b", 3, 1) == GOST_EPROTO, "a zero byte is refused");
    ok(gost_addr_set_path(&addr, "/run/a.sock", 11) == GOST_OK && addr.family == GOST_AF_UNIX,
       "a path");
    gost_addr_format(&addr, text, sizeof text);
    ok(strcmp(text, "/run/a.sock") == 0, "is printed as it is");
    ok(gost_addr_set_path(&addr, longest, 256) == GOST_EPROTO, "a path of 256 bytes is refused");
    gost_addr_set_ip(&addr, mapped, 16, 5);
    ok(addr.family == GOST_AF_IP6, "a mapped address stays IPv6");
    gost_addr_host(&addr, text, sizeof text);
    ok(strcmp(text, "::ffff:9.8.7.6") == 0, "the host part alone");
    gost_addr_unmap(&addr);
    gost_addr_format(&addr, text, sizeof text);
    ok(addr.family == GOST_AF_IP4 && strcmp(text, "9.8.7.6:5") == 0, "until it is unmapped");
    memset(&addr, 0, sizeof addr);
    ok(gost_addr_host(&addr, text, sizeof text) == 0 && text[0] == 0, "no host is no text");
}

static struct gost_addr parsed(const char *text)
{
    struct gost_addr addr;

    if (gost_addr_parse(&addr, text, strlen(text), 0) != GOST_OK)
        exit(1);
    return addr;
}

static int equal(const char *a, const char *b)
{
    struct gost_addr x = parsed(a), y = parsed(b);

    return gost_addr_equal(&x, &y);
}

static void test_equal(void)
{
    struct gost_addr a = parsed("h:1"), b = parsed("H:2"), path;

    ok(equal("Example.ORG:1", "example.org:1"), "names are compared without case");
    ok(!equal("example.org:1", "example.org:2"), "ports differ");
    ok(!equal("example.org:1", "example.orga:1"), "names differ");
    ok(equal("[::1]:1", "[0:0::1]:1"), "IPv6 by value");
    ok(!equal("fe80::1%1", "fe80::1%2"), "scopes differ");
    ok(!equal("1.2.3.4:1", "1.2.3.5:1"), "IPv4 differ");
    ok(!equal("1.2.3.4:1", "[::ffff:1.2.3.4]:1"), "families differ");
    ok(gost_addr_same_host(&a, &b), "same host without the port");
    gost_addr_set_path(&path, "h", 1);
    ok(!gost_addr_same_host(&a, &path), "a path is no name");
    a = path;
    gost_addr_set_path(&path, "H", 1);
    ok(!gost_addr_same_host(&a, &path), "paths are compared with case");
}

/* ---- the SOCKS5 form ---- */

static void socks(const char *name, const char *bytes, size_t n, const char *want)
{
    struct gost_bytes in = gost_bytes(bytes, n);
    struct gost_addr addr;
    char text[GOST_ADDR_TEXT];
    size_t i;
    int good = 1;

    for (i = 0; i < n; i++)
        good = good && gost_socks_addr_parse(&addr, gost_bytes(bytes, i)) == 0;
    good = good && gost_socks_addr_size(in) == (int)n;
    good = good && gost_socks_addr_parse(&addr, in) == (int)n;
    if (good)
        gost_addr_format(&addr, text, sizeof text);
    ok(good && strcmp(text, want) == 0, name);
}

static int put_is(const char *text, const char *bytes, size_t n)
{
    uint8_t buf[GOST_SOCKS_ADDR_MAX];
    struct gost_addr addr = parsed(text);

    return gost_socks_addr_put(buf, &addr) == n && memcmp(buf, bytes, n) == 0;
}

static void test_socks(void)
{
    static const char ip6[] = "\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x35";
    uint8_t buf[GOST_SOCKS_ADDR_MAX];
    struct gost_addr addr;
    char longest[255];

    socks("IPv4, at every split", "\1\1\2\3\4\0\x50", 7, "1.2.3.4:80");
    socks("IPv6, at every split", ip6, 19, "[2001:db8::1]:53");
    socks("name, at every split", "\3\4host\1\0", 8, "host:256");
    socks("an empty name is no host", "\3\0\0\7", 4, ":7");
    socks("a name that is an IP address",
          "\3\7"
          "1.2.3.4\0\1",
          11, "1.2.3.4:1");
    ok(gost_socks_addr_parse(&addr, gost_bytes("\2", 1)) == GOST_EPROTO, "unknown type, one byte");
    ok(gost_socks_addr_size(gost_bytes("\5\1", 2)) == GOST_EPROTO, "unknown type, two bytes");
    ok(gost_socks_addr_parse(&addr, gost_bytes("\3\2a\0\0\1", 6)) == GOST_EPROTO,
       "a zero byte in a name");
    ok(put_is("1.2.3.4:80", "\1\1\2\3\4\0\x50", 7), "put IPv4");
    ok(put_is("[2001:db8::1]:53", ip6, 19), "put IPv6");
    ok(put_is("host:256", "\3\4host\1\0", 8), "put name");
    ok(put_is(":7", "\1\0\0\0\0\0\7", 7), "no host is 0.0.0.0");
    ok(put_is("[::ffff:1.2.3.4]:80", "\1\1\2\3\4\0\x50", 7), "mapped addresses are IPv4");
    gost_addr_set_path(&addr, "t.sock", 6);
    ok(gost_socks_addr_put(buf, &addr) == 10 && memcmp(buf, "\3\6t.sock\0\0", 10) == 0,
       "a path is a name");
    memset(longest, 'n', sizeof longest);
    (void)gost_addr_set_host(&addr, longest, 255, 1);
    ok(gost_socks_addr_put(buf, &addr) == 259 &&
           gost_socks_addr_parse(&addr, gost_bytes(buf, 259)) == 259,
       "the longest name there and back");
}

/* ---- UDP frames ---- */

static void test_frames(void)
{
    static const char f1[] = "\0\4\xff\1\x08\x08\x08\x08\0\x35ping";
    struct gost_udpframe frame;
    uint8_t buf[GOST_UDPFRAME_MAX];
    size_t need, i;
    int good = 1;

    for (i = 0; i < 10; i++)
        good = good && gost_udpframe_parse(&frame, &need, gost_bytes(f1, i)) == 0 && need > i &&
               need <= 10;
    ok(good, "a header asks for more until it is whole, never for too much");
    ok(gost_udpframe_parse(&frame, &need, gost_bytes(f1, 14)) == 10 && frame.rsv == 4 &&
           frame.frag == 0xff && frame.addr.port == 53,
       "a stream frame's header");
    ok(gost_udpframe_put(buf, &frame) == 10 && memcmp(buf, f1, 10) == 0, "and back");
    ok(gost_udpframe_parse(&frame, &need, gost_bytes("\0\0\0\x5c\x39", 5)) == GOST_EPROTO,
       "an unknown address type");
    good = gost_udpframe_parse(&frame, &need, gost_bytes("\0\0\0\3\xff", 5)) == 0;
    ok(good && need == 3 + 1 + 1 + 255 + 2, "the longest name");
}

/* ---- struct sockaddr ---- */

static int there_and_back(struct gost_addr addr)
{
    struct sockaddr_storage ss;
    struct gost_addr back;
    socklen_t n = gost_sockaddr_put(&ss, &addr);

    gost_sockaddr_get(&back, &ss, n);
    return n > 0 && gost_addr_equal(&addr, &back);
}

static void test_sockaddr(void)
{
    struct sockaddr_storage ss;
    struct sockaddr_un un;
    struct gost_addr addr, back;
    char path[255];

    ok(there_and_back(parsed("1.2.3.4:80")), "IPv4 there and back");
    ok(there_and_back(parsed("[fe80::1%1]:80")), "IPv6 with a scope there and back");
    gost_addr_set_path(&addr, "/run/x", 6);
    ok(there_and_back(addr), "a path there and back");
    gost_addr_set_path(&addr, "@x", 2);
    ok(there_and_back(addr), "an abstract path there and back");
    addr = parsed("[::ffff:1.2.3.4]:9");
    gost_sockaddr_get(&back, &ss, gost_sockaddr_put(&ss, &addr));
    ok(back.family == GOST_AF_IP4 && back.port == 9, "mapped addresses come back as IPv4");
    addr = parsed("name:1");
    ok(gost_sockaddr_put(&ss, &addr) == 0, "a name has none");
    memset(path, 'p', sizeof path);
    gost_addr_set_path(&addr, path, sizeof un.sun_path);
    ok(gost_sockaddr_put(&ss, &addr) == 0, "a path that is too long has none");
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    memset(&ss, 0, sizeof ss);
    memcpy(&ss, &un, sizeof un.sun_family);
    gost_sockaddr_get(&back, &ss, sizeof un.sun_family);
    ok(back.family == GOST_AF_NONE, "an unnamed unix socket has no address");
}

int main(void)
{
    test_parse();
    test_set();
    test_equal();
    test_socks();
    test_frames();
    test_sockaddr();
    return test_end();
}
