/* kcp_fec.c - forward error correction of kcp-go: the sending side, and the matrix of both. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <isa-l.h>

#include "kcp_arq.h"
#include "kcp_fec.h"
#include "kcp_rs.h"

enum { TYPE_DATA = 0xf1, TYPE_PARITY = 0xf2 };

/* The code's matrix: a Vandermonde matrix (row r, column c: r to the power c) times the inverse of
 * its upper square, so that data goes through as it is. Rows from d on make the parity. */
uint8_t *kcp_rs_matrix(unsigned d, unsigned p)
{
    unsigned rows = d + p, r, c, i;
    uint8_t *v = calloc((size_t)rows * d, 1), *top = calloc((size_t)d * d, 1);
    uint8_t *inverse = calloc((size_t)d * d, 1), *m = calloc((size_t)rows * d, 1);

    if (v && top && inverse && m) {
        for (r = 0; r < rows; r++)
            for (c = 0, v[r * d] = 1; c + 1 < d; c++)
                v[r * d + c + 1] = gf_mul(v[r * d + c], (uint8_t)r);
        memcpy(top, v, (size_t)d * d);
        if (gf_invert_matrix(top, inverse, (int)d)) {
            free(m);
            m = NULL;
        }
    }
    for (r = 0; m && inverse && r < rows; r++)
        for (c = 0; c < d; c++)
            for (i = 0; i < d; i++)
                m[r * d + c] ^= gf_mul(v[r * d + i], inverse[i * d + c]);
    free(v);
    free(top);
    free(inverse);
    return m;
}

struct kcp_fec_enc {
    unsigned data, parity, n; /* n: data packets of this group so far */
    unsigned next_parity;
    uint32_t seq, seq_end;
    size_t longest;
    uint8_t *tables; /* of the parity rows, as the library wants them */
    uint8_t **shard; /* data, then parity */
    uint8_t *store;
};

struct kcp_fec_enc *kcp_fec_enc_new(unsigned data, unsigned parity)
{
    struct kcp_fec_enc *e = calloc(1, sizeof *e);
    uint8_t *m = e ? kcp_rs_matrix(data, parity) : NULL;
    unsigned i;

    if (m) {
        e->tables = malloc((size_t)data * parity * 32);
        e->shard = calloc(data + parity, sizeof *e->shard);
        e->store = calloc(data + parity, KCP_FEC_SHARD);
    }
    if (!m || !e->tables || !e->shard || !e->store) {
        free(m);
        kcp_fec_enc_free(e);
        return NULL;
    }
    ec_init_tables((int)data, (int)parity, m + (size_t)data * data, e->tables);
    free(m);
    for (i = 0; i < data + parity; i++)
        e->shard[i] = e->store + (size_t)i * KCP_FEC_SHARD;
    e->data = data;
    e->parity = parity;
    e->seq_end = 0xffffffffu / (data + parity) * (data + parity);
    return e;
}

void kcp_fec_enc_free(struct kcp_fec_enc *e)
{
    if (!e)
        return;
    free(e->tables);
    free(e->shard);
    free(e->store);
    free(e);
}

static void put_head(struct kcp_fec_enc *e, uint8_t *p, uint32_t type)
{
    kcp_put16(kcp_put32(p, e->seq), type);
    e->seq++;
    if (e->seq == e->seq_end)
        e->seq = 0;
}

int kcp_fec_data(struct kcp_fec_enc *e, uint8_t *p, size_t n)
{
    size_t body = n - 6; /* the size and the segments are what is coded */
    uint8_t *shard = e->shard[e->n++];

    put_head(e, p, TYPE_DATA);
    kcp_put16(p + 6, (uint32_t)(n - KCP_FEC_HEAD + 2));
    memcpy(shard, p + 6, body);
    memset(shard + body, 0, KCP_FEC_SHARD - body);
    e->longest = body > e->longest ? body : e->longest;
    if (e->n < e->data)
        return 0;
    ec_encode_data((int)e->longest, (int)e->data, (int)e->parity, e->tables, e->shard,
                   e->shard + e->data);
    e->next_parity = 0;
    return 1;
}

size_t kcp_fec_parity(struct kcp_fec_enc *e, uint8_t *out)
{
    size_t n = e->longest;

    if (e->n < e->data)
        return 0;
    if (e->next_parity == e->parity) {
        e->n = 0;
        e->longest = 0;
        return 0;
    }
    put_head(e, out, TYPE_PARITY);
    memcpy(out + 6, e->shard[e->data + e->next_parity++], n);
    return n + 6;
}

int kcp_fec_is(const uint8_t *p, size_t n)
{
    uint32_t type = n >= KCP_FEC_HEAD ? kcp_get16(p + 4) : 0;

    return type == TYPE_DATA || type == TYPE_PARITY;
}
