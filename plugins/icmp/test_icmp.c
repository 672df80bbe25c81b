/* test_icmp - frames of both ends: what is taken, what is not, checksums, numbers. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../sdk/testkit/test_tap.h"
#include "icmp.h"

static const struct gost_frame client = {
    .size = sizeof client, .role = GOST_CLIENT, .tag = 0x3039, .count = 6};
static const struct gost_frame server = {
    .size = sizeof server, .role = GOST_SERVER, .port = 0x3039};

static uint8_t message[200];
static size_t message_n;
static struct gost_bytes got;
static uint16_t got_port;

/* A message as the raw socket of the other end gives it. */
static void send_one(enum icmp_family family, const struct gost_frame *frame, const char *text)
{
    size_t head = family == ICMP_V4 ? 20 : 0;

    memset(message, 0, sizeof message);
    message[0] = 0x45;
    message_n = head + icmp_put(family, frame, gost_bytes_str(text), message + head);
}

static int taken(enum icmp_family family, const struct gost_frame *frame)
{
    got = gost_bytes(NULL, 0);
    return icmp_get(family, frame, gost_bytes(message, message_n), &got, &got_port) == GOST_OK;
}

static int is(const char *text)
{
    return got.n == strlen(text) && memcmp(got.p, text, got.n) == 0;
}

static void test_bytes(void)
{
    static const uint8_t request[] = {8,   0, 0x68, 0xb6, 0x30, 0x39, 0, 7,   'G', 'O', 'S',
                                      'T', 0, 0,    0,    0,    0,    3, 'a', 'b', 'c'};
    static const uint8_t reply[] = {0,   0, 0x70, 0xb5, 0x30, 0x39, 0, 7,   'G', 'O', 'S',
                                    'T', 0, 1,    0,    0,    0,    3, 'a', 'b', 'c'};

    send_one(ICMP_V4, &client, "abc");
    ok(message_n == 20 + sizeof request && memcmp(message + 20, request, sizeof request) == 0,
       "a client's request of ICMPv4");
    ok(taken(ICMP_V4, &server) && is("abc") && got_port == 0x3039, "its server takes it");
    send_one(ICMP_V4, &server, "abc");
    ok(message_n == 20 + sizeof reply && memcmp(message + 20, reply, sizeof reply) == 0,
       "the reply has the number of the request");
    ok(taken(ICMP_V4, &client) && is("abc") && got_port == 0, "the client takes it");
    send_one(ICMP_V6, &client, "abcd");
    ok(message[0] == 128 && message[2] == 0 && message[3] == 0 && message[7] == 7 &&
           taken(ICMP_V6, &server) && is("abcd"),
       "a request of ICMPv6, with the checksum left to the kernel");
    send_one(ICMP_V6, &server, "x");
    ok(message[0] == 129 && message[7] == 7 && taken(ICMP_V6, &client) && is("x"), "and its reply");
}

/* The message with one byte changed. */
static int with(enum icmp_family family, const struct gost_frame *frame, size_t at, uint8_t v)
{
    size_t head = family == ICMP_V4 ? 20 : 0;
    uint8_t old = message[head + at];
    int r;

    message[head + at] = v;
    r = taken(family, frame);
    message[head + at] = old;
    return r;
}

static void test_refused(void)
{
    size_t n, whole;
    int any = 0;

    send_one(ICMP_V4, &client, "abc");
    ok(!taken(ICMP_V4, &client), "a client takes no request");
    ok(!with(ICMP_V4, &client, 0, 0), "nor the reply of its server's kernel");
    ok(!with(ICMP_V4, &server, 1, 1) && !with(ICMP_V4, &server, 8, 'g') &&
           !with(ICMP_V4, &server, 13, 1),
       "another code, another magic, a reply to a server");
    ok(!with(ICMP_V4, &server, 17, 4), "more bytes than there are");
    ok(!with(ICMP_V4, &server, 17, 0), "no bytes");
    ok(with(ICMP_V4, &server, 17, 2) && is("ab"), "what follows the bytes is nothing");
    message[24] = message[25] = 0;
    ok(!taken(ICMP_V4, &server), "id 0");
    send_one(ICMP_V4, &server, "abc");
    ok(!with(ICMP_V4, &client, 5, 0x40), "the reply to another client");
    send_one(ICMP_V4, &client, "abc");
    whole = message_n;
    for (n = 0; n < whole; n++) {
        message_n = n;
        any |= taken(ICMP_V4, &server);
    }
    ok(!any, "a message that is cut anywhere");
    message_n = whole;
    message[0] = 0x41;
    ok(!taken(ICMP_V4, &server), "a header of IP that is none");
    message[0] = 0x4f;
    ok(!taken(ICMP_V4, &server), "and one that is longer than all");
}

int main(void)
{
    test_bytes();
    test_refused();
    return test_end();
}
