/* kcp_arq.h - the KCP protocol: a byte stream over packets that may be lost. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_ARQ_H
#define KCP_ARQ_H

#include <gost/base.h>

#define KCP_HEAD      24u /* of a segment */
#define KCP_WND_MAX   32768u
#define KCP_MTU_MAX   1500u
#define KCP_WND_FIRST 32u /* what a peer is taken to receive before it says so */

enum kcp_cmd { KCP_PUSH = 81, KCP_ACK = 82, KCP_WASK = 83, KCP_WINS = 84 };

struct kcp_arq_conf {
    uint32_t mtu; /* of what emit() is given */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t interval; /* ms */
    uint32_t resend;   /* so many later ones acknowledged: it is lost. 0: never told so */
    uint32_t nodelay;  /* 1: shorter timeouts */
    uint32_t no_cwnd;  /* 1: no congestion window */
};

struct kcp_arq;

struct kcp_arq *kcp_arq_new(const struct kcp_arq_conf *conf);
void kcp_arq_free(struct kcp_arq *a);
void kcp_arq_set_conv(struct kcp_arq *a, uint32_t conv); /* a client chooses, a server learns */

/* What came in one packet. regular: as it was sent, not recovered later. GOST_OK; GOST_EPROTO: it
 * is broken from some segment on; GOST_ECLOSED: its peer began a new conversation. */
int kcp_arq_input(struct kcp_arq *a, const uint8_t *p, size_t n, uint32_t now, int regular);

/* The next received bytes in order; empty: none. They stay until kcp_arq_read_done(). */
struct gost_bytes kcp_arq_read(const struct kcp_arq *a);
void kcp_arq_read_done(struct kcp_arq *a);

/* How many bytes one segment may take now; 0: the window is full. */
size_t kcp_arq_room(const struct kcp_arq *a);
int kcp_arq_push(struct kcp_arq *a, const uint8_t *p, size_t n); /* GOST_OK, GOST_ENOMEM */

/* Sends what is due: acknowledgements, new segments, lost ones. */
void kcp_arq_flush(struct kcp_arq *a, uint32_t now,
                   void (*emit)(void *arg, const uint8_t *p, size_t n), void *arg);

int kcp_arq_acks(const struct kcp_arq *a);  /* 1: acknowledgements wait */
int kcp_arq_heard(const struct kcp_arq *a); /* 1: a segment of the peer came */
int kcp_arq_idle(const struct kcp_arq *a);  /* 1: all is acknowledged, nothing has to be sent */
/* Milliseconds from now until flush has something to do; UINT32_MAX: never by itself. */
uint32_t kcp_arq_due(const struct kcp_arq *a, uint32_t now);

/* Little endian, as all of KCP is. */
static inline uint32_t kcp_get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t kcp_get32(const uint8_t *p)
{
    return kcp_get16(p) | kcp_get16(p + 2) << 16;
}

static inline uint8_t *kcp_put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    return p + 2;
}

static inline uint8_t *kcp_put32(uint8_t *p, uint32_t v)
{
    return kcp_put16(kcp_put16(p, v), v >> 16);
}

#endif
