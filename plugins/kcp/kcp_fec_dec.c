/* kcp_fec_dec.c - forward error correction of kcp-go: the receiving side. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <isa-l.h>

#include "kcp_arq.h"
#include "kcp_fec.h"
#include "kcp_rs.h"

#define GROUPS      3u
#define OLD_NS      (60 * 1000000000ull)
#define CERTAIN     2   /* so often the same geometry is seen before it is believed */
#define LEARNED_MAX 64u /* data and parity of one that is not ours: recovery costs their cube */

enum { TYPE_DATA = 0xf1, TYPE_PARITY = 0xf2 };

struct shard {
    uint16_t n; /* 0: not here */
    uint8_t p[KCP_FEC_SHARD];
};

struct group {
    uint32_t first; /* seqid of its first packet */
    unsigned have, have_data;
    uint64_t since;
    int used, done;
    struct shard *shard; /* data + parity of them; NULL until it is used */
};

struct kcp_fec_dec {
    unsigned data, parity;
    unsigned own_data, own_parity; /* as configured */
    uint8_t *matrix;
    struct group group[GROUPS];
    /* What the order of the peer's packets says of its geometry. */
    uint32_t last_seq, last_type;
    unsigned run, data_run, seen_data, seen_parity, times;
    int in_order, whole; /* whole: the run began at a change of types */
};

static int set_geometry(struct kcp_fec_dec *d, unsigned data, unsigned parity)
{
    uint8_t *m = kcp_rs_matrix(data, parity);
    unsigned i;

    if (!m)
        return GOST_ENOMEM;
    free(d->matrix);
    d->matrix = m;
    d->data = data;
    d->parity = parity;
    for (i = 0; i < GROUPS; i++) {
        free(d->group[i].shard);
        memset(&d->group[i], 0, sizeof d->group[i]);
    }
    return GOST_OK;
}

struct kcp_fec_dec *kcp_fec_dec_new(unsigned data, unsigned parity)
{
    struct kcp_fec_dec *d = calloc(1, sizeof *d);

    if (d && set_geometry(d, data, parity) == GOST_OK) {
        d->own_data = data;
        d->own_parity = parity;
        return d;
    }
    free(d);
    return NULL;
}

void kcp_fec_dec_free(struct kcp_fec_dec *d)
{
    unsigned i;

    if (!d)
        return;
    for (i = 0; i < GROUPS; i++)
        free(d->group[i].shard);
    free(d->matrix);
    free(d);
}

/* ---- the peer's geometry ---- */

/* A whole run of parity packets ended: one group is d->data_run + d->run packets. */
static void judge_group(struct kcp_fec_dec *d)
{
    unsigned data = d->data_run, parity = d->run;
    int own = data == d->own_data && parity == d->own_parity;

    if (!data || !parity || (!own && data + parity > LEARNED_MAX))
        return;
    d->times = data == d->seen_data && parity == d->seen_parity ? d->times + 1 : 1;
    d->seen_data = data;
    d->seen_parity = parity;
    if (d->times >= CERTAIN && (data != d->data || parity != d->parity))
        (void)set_geometry(d, data, parity);
}

/* Runs count only while no packet is missing among them. */
static void learn(struct kcp_fec_dec *d, uint32_t seq, uint32_t type)
{
    int next = d->in_order && seq == d->last_seq + 1;

    if (!next) {
        d->whole = 0;
        d->data_run = 0;
        d->run = 1;
    } else if (type == d->last_type) {
        d->run++;
    } else {
        if (type == TYPE_DATA)
            judge_group(d);
        d->data_run = type == TYPE_PARITY && d->whole ? d->run : 0;
        d->whole = 1;
        d->run = 1;
    }
    d->in_order = 1;
    d->last_seq = seq;
    d->last_type = type;
}

/* ---- groups ---- */

static struct group *group_of(struct kcp_fec_dec *d, uint32_t seq, uint64_t now)
{
    uint32_t first = seq - seq % (d->data + d->parity);
    struct group *g, *oldest = &d->group[0];
    unsigned i;

    for (i = 0; i < GROUPS; i++) {
        g = &d->group[i];
        if (g->used && g->first == first && now - g->since < OLD_NS)
            return g;
        if (!g->used || (oldest->used && (int32_t)(g->first - oldest->first) < 0))
            oldest = g;
    }
    if (oldest->used && now - oldest->since < OLD_NS && (int32_t)(first - oldest->first) < 0)
        return NULL; /* older than all that are kept */
    g = oldest;
    if (!g->shard)
        g->shard = malloc((d->data + d->parity) * sizeof *g->shard);
    if (!g->shard)
        return NULL;
    for (i = 0; i < d->data + d->parity; i++)
        g->shard[i].n = 0;
    g->first = first;
    g->have = g->have_data = 0;
    g->since = now;
    g->used = 1;
    g->done = 0;
    return g;
}

/* One lost data packet, computed from `data` others. row: of the inverted matrix. */
static size_t compute(struct kcp_fec_dec *d, const struct group *g, const unsigned *from,
                      const uint8_t *row, size_t longest, uint8_t *out)
{
    uint8_t *tables = malloc((size_t)d->data * 32);
    uint8_t **in = malloc(d->data * sizeof *in);
    unsigned i;
    size_t n = 0;

    if (tables && in) {
        for (i = 0; i < d->data; i++)
            in[i] = g->shard[from[i]].p;
        ec_init_tables((int)d->data, 1, (uint8_t *)row, tables);
        ec_encode_data((int)longest, (int)d->data, 1, tables, in, &out);
        n = kcp_get16(out);
    }
    free(tables);
    free(in);
    return n >= 2 && n <= longest ? n : 0;
}

/* Enough packets of a group are here: hand up those that are not. */
static int recover(struct kcp_fec_dec *d, struct group *g,
                   int (*got)(void *arg, const uint8_t *p, size_t n, int regular), void *arg)
{
    unsigned rows = d->data + d->parity, from[KCP_FEC_MAX], n = 0, i;
    uint8_t *square = malloc((size_t)d->data * d->data * 2), *inverse, out[KCP_FEC_SHARD];
    size_t longest = 0, size;
    int r = GOST_OK, one;

    g->done = 1;
    if (!square)
        return GOST_OK; /* it will be sent again */
    inverse = square + (size_t)d->data * d->data;
    for (i = 0; i < rows && n < d->data; i++) {
        if (!g->shard[i].n)
            continue;
        memcpy(square + (size_t)n * d->data, d->matrix + (size_t)i * d->data, d->data);
        from[n++] = i;
        longest = g->shard[i].n > longest ? g->shard[i].n : longest;
    }
    if (gf_invert_matrix(square, inverse, (int)d->data) == 0) {
        for (i = 0; i < d->data; i++) {
            if (g->shard[i].n)
                continue;
            size = compute(d, g, from, inverse + (size_t)i * d->data, longest, out);
            one = size > 2 ? got(arg, out + 2, size - 2, 0) : GOST_OK;
            r = one != GOST_OK ? one : r;
        }
    }
    free(square);
    return r;
}

static void keep(struct kcp_fec_dec *d, struct group *g, uint32_t at, const uint8_t *p, size_t n)
{
    struct shard *s = &g->shard[at];

    if (s->n)
        return;
    memcpy(s->p, p, n);
    memset(s->p + n, 0, KCP_FEC_SHARD - n);
    s->n = (uint16_t)n;
    g->have++;
    g->have_data += at < d->data;
}

int kcp_fec_input(struct kcp_fec_dec *d, const uint8_t *p, size_t n, uint64_t now_ns,
                  int (*got)(void *arg, const uint8_t *p, size_t n, int regular), void *arg)
{
    uint32_t seq = kcp_get32(p), type = kcp_get16(p + 4), size = kcp_get16(p + 6), at;
    struct group *g;
    int r = GOST_OK, one;

    if (n < KCP_FEC_HEAD || n - 6 > KCP_FEC_SHARD)
        return GOST_EPROTO;
    if (type == TYPE_DATA && (size < 2 || size > n - 6))
        return GOST_EPROTO;
    learn(d, seq, type);
    if (type == TYPE_DATA)
        r = got(arg, p + KCP_FEC_HEAD, size - 2, 1);
    g = group_of(d, seq, now_ns);
    at = seq % (d->data + d->parity);
    if (!g || g->done || (at < d->data) != (type == TYPE_DATA))
        return r;
    keep(d, g, at, p + 6, n - 6);
    if (g->have_data == d->data)
        g->done = 1;
    else if (g->have >= d->data) {
        one = recover(d, g, got, arg);
        r = one != GOST_OK ? one : r;
    }
    return r;
}
