/* kcp.h - the kcp layer: options, and one connection's state. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_H
#define KCP_H

#include <gost/plugin.h>

#include "kcp_arq.h"
#include "kcp_crypt.h"
#include "kcp_fec.h"
#include "kcp_snappy.h"

/* What a configuration object (file or map) can change; the rest of it GOST ignores. */
struct kcp_object {
    int64_t data_shard, parity_shard, nodelay, resend, no_cwnd;
    int ack_nodelay, has_shards;
};

struct kcp_conf {
    struct gost_bytes key;
    const char *crypt, *mode, *file;
    struct gost_map config;
    int64_t mtu, snd_wnd, rcv_wnd, interval;
    uint32_t no_comp, tcp;
    /* prepared */
    struct kcp_object object;
    struct kcp_arq_conf arq;
    enum kcp_cipher cipher;
    uint8_t pass[KCP_PASS];
};

/* kcp_conf.c */
extern const struct gost_opt kcp_options[];
int kcp_prepare(void *conf, struct gost_prepare *p);
void kcp_release(void *conf);

/* kcp_object.c: GOST_OK, or an error with a sentence in p->error. */
int kcp_object_read(const struct kcp_conf *conf, struct kcp_object *ret, struct gost_prepare *p);

/* kcp_step.c */
struct kcp {
    struct kcp_arq *arq;
    struct kcp_crypt *crypt;
    struct kcp_fec_enc *enc;
    struct kcp_fec_dec *dec;
    struct kcp_snappy snappy;
    const struct kcp_conf *conf;
    uint8_t *out;       /* bytes that wait for the window; NULL: none */
    size_t out_at, out_n, out_room;
    uint64_t began;
    int snappy_began, wire_ended;
    int held; /* the socket takes no more just now */
};

extern const struct gost_layer_ops kcp_layer_ops;

#endif
