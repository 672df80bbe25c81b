/* kcp_snappy.h - the snappy framing format, a chunk at a time. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_SNAPPY_H
#define KCP_SNAPPY_H

#include <gost/base.h>

#define KCP_SNAPPY_CHUNK 65536u /* plain bytes of one chunk */
#define KCP_SNAPPY_ROOM  (10u + 8u + 32u + KCP_SNAPPY_CHUNK + KCP_SNAPPY_CHUNK / 6u)

/* Writes one chunk of at most KCP_SNAPPY_CHUNK bytes, before the first one the identifier. out has
 * KCP_SNAPPY_ROOM bytes. Returns how many are used. */
size_t kcp_snappy_put(uint8_t *out, const uint8_t *p, size_t n, int *began);

/* What is held of an unfinished chunk. */
struct kcp_snappy {
    uint8_t *chunk;
    size_t n, room;
    int identified;
};

void kcp_snappy_free(struct kcp_snappy *s);
/* Takes bytes; plain ones go to got(). GOST_OK, GOST_EPROTO, GOST_ENOMEM. */
int kcp_snappy_input(struct kcp_snappy *s, const uint8_t *p, size_t n,
                     void (*got)(void *arg, const uint8_t *p, size_t n), void *arg);

#endif
