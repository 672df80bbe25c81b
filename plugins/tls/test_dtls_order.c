/* test_dtls_order - records of DTLS: in order, kept, in doubt, lost. */
/* SPDX-License-Identifier: MIT */

#include "../../sdk/testkit/test_tap.h"
#include "tls.h"

#define DATA      23
#define HANDSHAKE 22

static struct dtls_order order;
static uint64_t now = 5 * GOST_S;
static char got[256]; /* first byte of each record that was delivered; $ is the end */

static size_t put(uint8_t *p, unsigned type, unsigned epoch, unsigned number, unsigned n)
{
    memset(p, 0, 13);
    p[0] = (uint8_t)type;
    p[4] = (uint8_t)epoch;
    p[9] = (uint8_t)(number >> 8);
    p[10] = (uint8_t)number;
    p[12] = (uint8_t)n;
    return 13 + n;
}

static void packet(unsigned type, unsigned epoch, unsigned number)
{
    uint8_t p[64];

    dtls_order_packet(&order, p, put(p, type, epoch, number, 10));
}

static void deliver(const uint8_t *p, size_t n, int end)
{
    size_t at = strlen(got);

    got[at] = end ? '$' : (char)p[0];
    got[at + 1] = 0;
}

static void deliver_kept(void)
{
    struct gost_bytes b;
    int end;

    while (dtls_order_next(&order, &b, &end)) {
        deliver(b.p, b.n, end);
        dtls_order_next_done(&order, now);
    }
}

/* A record with data, of which OpenSSL gives one byte: the letter of its number. */
static int record(unsigned number)
{
    uint8_t byte = (uint8_t)('a' + number % 26);
    int r;

    packet(DATA, 1, number);
    r = dtls_order_record(&order, &byte, 1, 0, now);
    if (r == GOST_OK)
        deliver(&byte, 1, 0);
    if (r == GOST_OK)
        deliver_kept();
    return r;
}

static void begin(unsigned finished)
{
    dtls_order_free(&order);
    memset(&order, 0, sizeof order);
    got[0] = 0;
    packet(HANDSHAKE, 0, 3);
    packet(HANDSHAKE, 1, finished);
}

static void test_places(void)
{
    int i, kept = 1;

    begin(0);
    ok(record(1) == GOST_OK && record(2) == GOST_OK && strcmp(got, "bc") == 0, "in order");
    ok(record(4) == GOST_AGAIN && record(6) == GOST_AGAIN && record(5) == GOST_AGAIN &&
           strcmp(got, "bc") == 0,
       "what comes too early is kept");
    ok(record(3) == GOST_OK && strcmp(got, "bcdefg") == 0, "until the one before it is there");
    ok(record(2) == GOST_AGAIN && strcmp(got, "bcdefg") == 0, "an old one is nothing");
    ok(record(9) == GOST_AGAIN && dtls_order_late(&order, now) == GOST_AGAIN &&
           dtls_order_late(&order, now + GOST_S) == GOST_AGAIN &&
           dtls_order_late(&order, now + 3 * GOST_S) == GOST_ELIMIT,
       "one that does not come in time is lost");
    begin(0);
    for (i = 0; i < 256; i++)
        kept &= record(2 + (unsigned)i) == GOST_AGAIN;
    ok(kept && record(300) == GOST_ELIMIT, "so is one that 256 others wait for");
}

static void test_last(void)
{
    begin(0);
    packet(21, 1, 2);
    ok(dtls_order_record(&order, NULL, 0, 1, now) == GOST_AGAIN && got[0] == 0,
       "an end that comes too early waits");
    ok(record(1) == GOST_OK && strcmp(got, "b$") == 0, "for the last record");
}

static void test_handshake(void)
{
    uint8_t p[128];
    size_t n;

    begin(0);
    n = put(p, 20, 0, 4, 1);
    n += put(p + n, HANDSHAKE, 1, 0, 20);
    n += put(p + n, DATA, 1, 1, 5);
    dtls_order_packet(&order, p, n);
    ok(order.known && order.number == 1, "the record with data of a packet with others");
    begin(0);
    packet(HANDSHAKE, 1, 1);
    packet(HANDSHAKE, 1, 3);
    ok(record(2) == GOST_OK && record(4) == GOST_OK && strcmp(got, "ce") == 0,
       "a repeated end of the handshake is no hole");
    begin(2);
    ok(record(4) == GOST_AGAIN && dtls_order_late(&order, now) == GOST_AGAIN &&
           dtls_order_late(&order, now + GOST_S / 2) == GOST_OK,
       "where some were lost, a hole may be one of them");
    deliver_kept();
    ok(record(5) == GOST_OK && strcmp(got, "ef") == 0, "and the stream begins behind it");
    begin(2);
    order.next = 40;
    ok(record(42) == GOST_AGAIN && dtls_order_late(&order, now + GOST_S / 2) == GOST_AGAIN &&
           dtls_order_late(&order, now + 3 * GOST_S) == GOST_ELIMIT,
       "later it is not");
    begin(0);
    packet(DATA, 0, 7);
    p[0] = 'x';
    ok(!order.known && dtls_order_record(&order, p, 1, 0, now) == GOST_OK && record(5) == GOST_OK,
       "after a record without a known number the next one counts");
    dtls_order_packet(&order, p, 12);
    ok(!order.known, "a packet without a whole head has none");
}

int main(void)
{
    test_places();
    test_last();
    test_handshake();
    dtls_order_free(&order);
    return test_end();
}
