/* kcp_fec.h - forward error correction of kcp-go: Reed-Solomon over groups of packets. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_FEC_H
#define KCP_FEC_H

#include <gost/base.h>

#define KCP_FEC_HEAD  8u /* seqid, type, and for data the size */
#define KCP_FEC_SHARD 1500u
#define KCP_FEC_MAX   255u /* data and parity together */

/* ---- sending ---- */

struct kcp_fec_enc;
struct kcp_fec_enc *kcp_fec_enc_new(unsigned data, unsigned parity); /* NULL: out of memory */
void kcp_fec_enc_free(struct kcp_fec_enc *e);
/* Puts the header before p[KCP_FEC_HEAD .. n). Returns 1 when the group is full: its parity packets
 * follow with kcp_fec_parity(). */
int kcp_fec_data(struct kcp_fec_enc *e, uint8_t *p, size_t n);
/* The next parity packet of the full group, header included, into out[KCP_FEC_SHARD +
 * KCP_FEC_HEAD]. 0: that was the last one. */
size_t kcp_fec_parity(struct kcp_fec_enc *e, uint8_t *out);

/* ---- receiving ---- */

struct kcp_fec_dec;
/* The geometry is a guess: the peer's own is learned from the order of its packets. */
struct kcp_fec_dec *kcp_fec_dec_new(unsigned data, unsigned parity);
void kcp_fec_dec_free(struct kcp_fec_dec *d);
/* 1: p is a packet with this header. */
int kcp_fec_is(const uint8_t *p, size_t n);
/* Takes a packet. got() is called for the KCP segments of a data packet (regular 1), and for those
 * of lost packets that can be computed now (regular 0). Returns what got() returned last that was
 * not GOST_OK. */
int kcp_fec_input(struct kcp_fec_dec *d, const uint8_t *p, size_t n, uint64_t now_ns,
                  int (*got)(void *arg, const uint8_t *p, size_t n, int regular), void *arg);

#endif
