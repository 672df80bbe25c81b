/* icmp_frame.c - QUIC packets in echo messages, as GOST frames them. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <string.h>

#include "icmp.h"

/*
 *  type(1) code(1)=0 checksum(2) id(2) number(2) "GOST" flags(2) reserved(2)=0 length(2) data
 *
 * A client asks with the type of a request, a server answers with that of a reply, bit 0 of the
 * flags set: so a client knows it from the reply that the server's kernel gives by itself.
 */

enum { REQUEST4 = 8, REPLY4 = 0, REQUEST6 = 128, REPLY6 = 129 };
enum { AT_CHECKSUM = 2, AT_ID = 4, AT_NUMBER = 6, AT_MAGIC = 8, AT_FLAGS = 12, AT_LENGTH = 16 };

#define ACK 1u

static const uint8_t magic[4] = {'G', 'O', 'S', 'T'};

/* Number of the last request of each id: a reply has the same, or a firewall in between drops it.
 * As in GOST all addresses share it. */
static _Atomic uint16_t numbers[2][65536];

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 1071. */
static uint16_t checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (; n > 1; p += 2, n -= 2)
        sum += get16(p);
    if (n)
        sum += (uint32_t)*p << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

size_t icmp_put(enum icmp_family family, const struct gost_frame *frame, struct gost_bytes data,
                uint8_t *out)
{
    int server = frame->role == GOST_SERVER;
    uint16_t id = server ? frame->port : frame->tag;

    memset(out, 0, ICMP_HEAD);
    if (family == ICMP_V4)
        out[0] = server ? REPLY4 : REQUEST4;
    else
        out[0] = server ? REPLY6 : REQUEST6;
    put16(out + AT_ID, id);
    put16(out + AT_NUMBER, server ? atomic_load_explicit(&numbers[family][id], memory_order_relaxed)
                                  : frame->count + 1);
    memcpy(out + AT_MAGIC, magic, sizeof magic);
    put16(out + AT_FLAGS, server ? ACK : 0);
    put16(out + AT_LENGTH, (unsigned)data.n);
    memcpy(out + ICMP_HEAD, data.p, data.n);
    if (family == ICMP_V4)
        put16(out + AT_CHECKSUM, checksum(out, ICMP_HEAD + data.n));
    return ICMP_HEAD + data.n;
}

/* Without the header of IPv4 in front. 0: too short. */
static int skip_ip(struct gost_bytes *m)
{
    size_t head = m->n ? (m->p[0] & 15u) * 4u : 0;

    if (head < 20 || head > m->n)
        return 0;
    *m = gost_bytes(m->p + head, m->n - head);
    return 1;
}

int icmp_get(enum icmp_family family, const struct gost_frame *frame, struct gost_bytes m,
             struct gost_bytes *ret_data, uint16_t *ret_port)
{
    int server = frame->role == GOST_SERVER;
    unsigned type = family == ICMP_V4 ? (server ? REQUEST4 : REPLY4) : (server ? REQUEST6 : REPLY6);
    uint16_t id, n;

    if ((family == ICMP_V4 && !skip_ip(&m)) || m.n < ICMP_HEAD || m.p[0] != type || m.p[1] != 0 ||
        memcmp(m.p + AT_MAGIC, magic, sizeof magic) != 0)
        return GOST_EPROTO;
    id = get16(m.p + AT_ID);
    n = get16(m.p + AT_LENGTH);
    if (id == 0 || (!server && id != frame->tag) || !n || n > m.n - ICMP_HEAD ||
        (get16(m.p + AT_FLAGS) & ACK) == (unsigned)server)
        return GOST_EPROTO;
    if (server)
        atomic_store_explicit(&numbers[family][id], get16(m.p + AT_NUMBER), memory_order_relaxed);
    *ret_data = gost_bytes(m.p + ICMP_HEAD, n);
    *ret_port = server ? id : 0;
    return GOST_OK;
}
