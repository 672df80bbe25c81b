/* dtls_order.c - records in the order in which they were sent, or an end: never a hole. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tls.h"

#define HELD_MAX  256 /* records that wait for one before them */
#define PATIENCE  (2 * GOST_S)
#define DOUBT     (300 * GOST_MS) /* as long, where what is missing may be no part of the stream */
#define HEAD      13 /* of a record: type, version, epoch, number, length (RFC 6347, section 4.1) */
#define HANDSHAKE 22
#define NONE      UINT64_MAX
#define REPEATED  32 /* records of a handshake are sent again among the first numbers only */

struct dtls_held {
    struct dtls_held *next;
    uint64_t number;
    size_t n;
    uint8_t end; /* it is the peer's close_notify */
    uint8_t data[];
};

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* A record that carries no bytes of the stream has its number, too. */
static void pass_over(struct dtls_order *o, uint64_t number)
{
    if (number != 0 && number != NONE)
        o->repeated = 1;
    if (number == o->next)
        o->next++;
    else if (number > o->next && number < REPEATED)
        o->passed |= 1u << number;
    while (o->next < REPEATED && (o->passed & 1u << o->next))
        o->next++;
}

void dtls_order_packet(struct dtls_order *o, const uint8_t *p, size_t n)
{
    size_t size;

    o->known = 0;
    for (; n >= HEAD && !o->known; p += size, n -= size) {
        uint64_t number = big_endian(p + 5, 6);

        size = HEAD + (size_t)big_endian(p + 11, 2);
        size = size < n ? size : n;
        if (big_endian(p + 3, 2) != 1)
            continue;
        if (p[0] == HANDSHAKE) {
            pass_over(o, number);
            continue;
        }
        o->number = number;
        o->known = 1;
    }
}

/* A Finished was sent more than once: of those that got lost we know nothing but that their numbers
 * are missing. */
static int in_doubt(const struct dtls_order *o)
{
    return o->repeated && o->next < REPEATED;
}

static int hold(struct dtls_order *o, const uint8_t *p, size_t n, uint64_t number, int end,
                uint64_t now)
{
    struct dtls_held **at = &o->held, *h;

    if (o->n_held == HELD_MAX)
        return GOST_ELIMIT;
    h = malloc(sizeof *h + n);
    if (!h)
        return GOST_ENOMEM;
    h->number = number;
    h->n = n;
    h->end = (uint8_t)end;
    if (n)
        memcpy(h->data, p, n);
    while (*at && (*at)->number < h->number)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
    if (o->n_held++ == 0)
        o->give_up = now + (in_doubt(o) ? DOUBT : PATIENCE);
    return GOST_OK;
}

int dtls_order_record(struct dtls_order *o, const uint8_t *p, size_t n, int end, uint64_t now)
{
    uint64_t number = o->number++;

    /* OpenSSL kept it from before the handshake ended: which one it was is not known. */
    if (!o->known) {
        o->adopt = 1;
        return GOST_OK;
    }
    if (o->adopt || number == o->next) {
        o->adopt = 0;
        o->next = number + 1;
        pass_over(o, NONE);
        return GOST_OK;
    }
    if (number < o->next)
        return GOST_AGAIN;
    return hold(o, p, n, number, end, now) == GOST_OK ? GOST_AGAIN : GOST_ELIMIT;
}

int dtls_order_next(const struct dtls_order *o, struct gost_bytes *ret_bytes, int *ret_end)
{
    const struct dtls_held *h = o->held;

    if (!h || h->number > o->next)
        return 0;
    *ret_bytes = gost_bytes(h->data, h->n);
    *ret_end = h->end;
    return 1;
}

void dtls_order_next_done(struct dtls_order *o, uint64_t now)
{
    struct dtls_held *h = o->held;

    if (h->number == o->next)
        o->next++;
    pass_over(o, NONE);
    o->held = h->next;
    o->n_held--;
    o->give_up = now + (in_doubt(o) ? DOUBT : PATIENCE);
    free(h);
}

int dtls_order_late(struct dtls_order *o, uint64_t now)
{
    if (!o->held || now < o->give_up)
        return GOST_AGAIN;
    if (!in_doubt(o))
        return GOST_ELIMIT;
    o->next = o->held->number;
    return GOST_OK;
}

void dtls_order_free(struct dtls_order *o)
{
    struct dtls_held *h;

    while ((h = o->held)) {
        o->held = h->next;
        free(h);
    }
}
