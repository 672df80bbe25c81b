/* parcel.c - what travels from one worker to another: chunks and packets, without copies. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

/*
 * Reference counts of chunks, the pools and the segments that point into chunks belong to one
 * worker. So a parcel holds no segments, and a chunk goes along only when this queue was its sole
 * holder; what somebody else also points into is copied. The chunk is then counted by nobody until
 * the other worker takes it over, whose pool gets it in the end. Whoever hands the parcel over
 * synchronises (a lock, a posted message): its plain fields need no atomics.
 */
struct piece {
    struct ge_chunk *chunk; /* *owned*, the only reference */
    uint32_t off, len;
};

struct ge_parcel {
    struct ge_parcel *next; /* of the bridge */
    size_t bytes;
    struct ge_pkt *packets, **packets_tail;
    uint32_t n_packets, n_pieces;
    struct piece piece[];
};

struct ge_parcel **ge_parcel_next(struct ge_parcel *p)
{
    return &p->next;
}

size_t ge_parcel_bytes(const struct ge_parcel *p)
{
    return p->bytes;
}

uint32_t ge_parcel_packets(const struct ge_parcel *p)
{
    return p->n_packets;
}

void ge_parcel_free(struct ge_parcel *p)
{
    struct ge_pkt *k;
    uint32_t i;

    while ((k = p->packets)) {
        p->packets = k->next;
        free(k);
    }
    for (i = 0; i < p->n_pieces; i++)
        free(p->piece[i].chunk);
    free(p);
}

/* ---- leaving ---- */

static struct ge_chunk *own_copy(struct ge_worker *w, const struct ge_seg *s)
{
    struct ge_chunk *c = ge_chunk_new(w, s->len);

    if (!c)
        return NULL;
    memcpy(c->data, s->chunk->data + s->off, s->len);
    c->used = s->len;
    return c;
}

/* 0: no memory, the segment is as it was. */
static int detach(struct ge_worker *w, struct ge_seg *s, struct piece *to)
{
    struct ge_chunk *c = s->chunk;
    uint32_t off = s->off;

    if (c->refs > 1) {
        if (!(c = own_copy(w, s)))
            return 0;
        off = 0;
        ge_chunk_unref(w, s->chunk);
    }
    to->chunk = c;
    to->off = off;
    to->len = s->len;
    w->usage.chunks--;
    w->usage.chunk_bytes -= c->cap;
    return 1;
}

static uint32_t count(const struct ge_queue *q)
{
    const struct ge_seg *s;
    uint32_t n = 0;

    for (s = q->head; s; s = s->next)
        n++;
    return n;
}

static struct ge_parcel *parcel_new(uint32_t pieces)
{
    struct ge_parcel *p = calloc(1, sizeof *p + pieces * sizeof p->piece[0]);

    if (p)
        p->packets_tail = &p->packets;
    return p;
}

static struct ge_parcel *take_bytes(struct ge_stack *s, size_t max)
{
    struct ge_queue *from = &s->bottom.down, pack;
    struct ge_worker *w = s->w;
    struct ge_parcel *p;
    struct ge_seg *g;

    memset(&pack, 0, sizeof pack);
    ge_queue_move(w, &pack, from, max); /* small pieces travel together */
    p = parcel_new(count(&pack));
    while (p && (g = pack.head) && detach(w, g, &p->piece[p->n_pieces])) {
        p->bytes += g->len;
        p->n_pieces++;
        pack.head = g->next;
        pack.bytes -= g->len;
        if (!pack.head)
            pack.tail = NULL;
        ge_seg_drop(w, g);
    }
    ge_queue_splice_front(from, &pack); /* without memory: the rest is tried again */
    if (p && !p->n_pieces) {
        free(p);
        p = NULL;
    }
    return p;
}

static struct ge_parcel *take_packets(struct ge_stack *s, size_t max)
{
    struct ge_parcel *p = max ? parcel_new(0) : NULL;
    struct ge_pkt *k;

    while (p && p->n_packets < max && (k = ge_queue_get_packet(&s->bottom.down))) {
        k->next = NULL;
        *p->packets_tail = k;
        p->packets_tail = &k->next;
        p->n_packets++;
        p->bytes += k->len;
    }
    return p;
}

struct ge_parcel *ge_parcel_take(struct ge_stack *s, size_t max)
{
    struct ge_parcel *p;

    if (s->bottom.type == GOST_DATAGRAM)
        p = s->bottom.down.packets ? take_packets(s, max) : NULL;
    else
        p = s->bottom.down.bytes && max ? take_bytes(s, max) : NULL;
    if (p && !s->freed)
        ge_bottom_sent(s);
    return p;
}

/* ---- arriving ---- */

static int give_bytes(struct ge_stack *s, struct ge_parcel *p)
{
    struct ge_worker *w = s->w;
    struct ge_queue unpacked;
    uint32_t i;

    memset(&unpacked, 0, sizeof unpacked);
    for (i = 0; i < p->n_pieces; i++) {
        struct piece *piece = &p->piece[i];

        if (ge_queue_adopt(w, &unpacked, piece->chunk, piece->off, piece->len) != GOST_OK)
            break;
        p->bytes -= piece->len;
    }
    p->n_pieces -= i;
    memmove(p->piece, p->piece + i, p->n_pieces * sizeof p->piece[0]);
    ge_queue_move(w, &s->bottom.up, &unpacked, unpacked.bytes);
    return p->n_pieces ? GOST_ENOMEM : GOST_OK;
}

static int give_packets(struct ge_stack *s, struct ge_parcel *p)
{
    struct ge_pkt *k, *next;

    while ((k = p->packets)) {
        next = k->next;
        if (ge_queue_add_packet(&s->bottom.up, k) != GOST_OK)
            return GOST_FULL;
        p->packets = next;
        p->n_packets--;
        p->bytes -= k->len;
    }
    return GOST_OK;
}

int ge_parcel_give(struct ge_stack *s, struct ge_parcel *p)
{
    int r;

    if (s->bottom.up.end) { /* nobody will read it */
        ge_parcel_free(p);
        return GOST_OK;
    }
    r = s->bottom.type == GOST_DATAGRAM ? give_packets(s, p) : give_bytes(s, p);
    s->rx_paused = r == GOST_FULL || s->bottom.up.bytes >= s->w->high;
    ge_up_produced(&s->bottom);
    if (r == GOST_OK)
        ge_parcel_free(p);
    return r;
}
