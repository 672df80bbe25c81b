/* kcp_step.c - the kcp layer: packets to a stream. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "kcp.h"

enum {
    AHEAD = 65536, /* bytes taken from the user before the window has room for them */
    BURST = 160,   /* packets that may wait to be sent: more would be dropped, and sent again */
    SLACK_MS = 1,
    PACKET = KCP_CRYPT_HEAD + KCP_FEC_HEAD + KCP_FEC_SHARD,
    BATCH_MAX = 65000 - PACKET,
    BATCH_COUNT = 44
};

static uint32_t now_ms(const struct kcp *k)
{
    return (uint32_t)((gost_now() - k->began) / GOST_MS);
}

static int kcp_open(void *state, const void *conf, struct gost_io *io)
{
    struct kcp *k = state;
    uint32_t conv;

    k->conf = conf;
    k->began = gost_now();
    k->arq = kcp_arq_new(&k->conf->arq);
    k->crypt = kcp_crypt_new(k->conf->cipher, k->conf->pass);
    if (!k->arq || !k->crypt)
        return gost_fail(io, GOST_ENOMEM, "no memory for a connection");
    if (gost_flow(io)->role == GOST_CLIENT) {
        gost_random(&conv, sizeof conv);
        kcp_arq_set_conv(k->arq, conv);
    }
    return GOST_OK;
}

static void kcp_destroy(void *state)
{
    struct kcp *k = state;

    kcp_arq_free(k->arq);
    kcp_crypt_free(k->crypt);
    kcp_fec_enc_free(k->enc);
    kcp_fec_dec_free(k->dec);
    kcp_snappy_free(&k->snappy);
    free(k->out);
}

/* ---- packets out ---- */

/* Packets of one length, sent as one: a call for each would be half of what a flow costs. */
struct out {
    struct kcp *kcp;
    struct gost_io *io;
    size_t used, segment;
    unsigned count;
    uint8_t buf[BATCH_MAX + PACKET];
};

static void out_flush(struct out *o)
{
    struct gost_packet p = {.size = sizeof p, .data = {o->buf, o->used}};

    if (o->count > 1)
        p.segment = (uint16_t)o->segment;
    if (o->count)
        (void)gost_packet_send(o->io, &p); /* what is dropped is sent again */
    o->used = o->count = 0;
}

/* Nonce, checksum and cipher for n bytes that were written behind what is there. */
static void out_add(struct out *o, size_t n)
{
    uint8_t *p = o->buf + o->used;

    gost_random(p, KCP_NONCE);
    kcp_crypt_seal(o->kcp->crypt, p, n);
    if (o->count && n > o->segment) {
        out_flush(o);
        memmove(o->buf, p, n);
    }
    if (!o->count)
        o->segment = n;
    o->used += n;
    o->count++;
    if (n < o->segment || o->used > BATCH_MAX || o->count == BATCH_COUNT)
        out_flush(o);
}

static void emit(void *arg, const uint8_t *p, size_t n)
{
    struct out *o = arg;
    struct kcp_fec_enc *enc = o->kcp->enc;
    size_t head = KCP_CRYPT_HEAD + (enc ? KCP_FEC_HEAD : 0), size;
    int full;

    memcpy(o->buf + o->used + head, p, n);
    full = enc && kcp_fec_data(enc, o->buf + o->used + KCP_CRYPT_HEAD, KCP_FEC_HEAD + n);
    out_add(o, head + n);
    while (full && (size = kcp_fec_parity(enc, o->buf + o->used + KCP_CRYPT_HEAD)) > 0)
        out_add(o, KCP_CRYPT_HEAD + size);
}

static void send_due(struct kcp *k, struct gost_io *io)
{
    struct out o;

    o.kcp = k;
    o.io = io;
    o.used = o.count = 0;
    kcp_arq_flush(k->arq, now_ms(k), emit, &o);
    out_flush(&o);
}

/* ---- the user's bytes ---- */

static int reserve_out(struct kcp *k, size_t more)
{
    size_t room = k->out_n + more;
    uint8_t *p;

    if (k->out_at && k->out_at == k->out_n)
        k->out_at = k->out_n = 0;
    if (k->out_at) {
        memmove(k->out, k->out + k->out_at, k->out_n - k->out_at);
        k->out_n -= k->out_at;
        k->out_at = 0;
    }
    if (k->out_n + more <= k->out_room)
        return GOST_OK;
    p = realloc(k->out, room);
    if (!p)
        return GOST_ENOMEM;
    k->out = p;
    k->out_room = room;
    return GOST_OK;
}

/* From the user into what waits for the window, compressed unless that is off. */
static int take_bytes(struct kcp *k, struct gost_io *io)
{
    struct gost_io *app = gost_app(io);
    struct gost_bytes b;

    while (k->out_n - k->out_at < AHEAD && (b = gost_rx(app)).n) {
        b.n = b.n < KCP_SNAPPY_CHUNK ? b.n : KCP_SNAPPY_CHUNK;
        if (reserve_out(k, k->conf->no_comp ? b.n : KCP_SNAPPY_ROOM) != GOST_OK)
            return gost_fail(io, GOST_ENOMEM, "no memory for bytes to send");
        if (k->conf->no_comp) {
            memcpy(k->out + k->out_n, b.p, b.n);
            k->out_n += b.n;
        } else {
            k->out_n += kcp_snappy_put(k->out + k->out_n, b.p, b.n, &k->snappy_began);
        }
        gost_consume(app, b.n);
    }
    return GOST_OK;
}

/* New segments, as many as the window and the socket take. */
static int fill_window(struct kcp *k, struct gost_io *io)
{
    size_t room, n, burst = gost_tx_len(io) / k->conf->arq.mtu;
    int r;

    while ((room = kcp_arq_room(k->arq)) > 0) {
        if (k->out_at == k->out_n) {
            r = take_bytes(k, io);
            if (r != GOST_OK)
                return r;
        }
        n = k->out_n - k->out_at < room ? k->out_n - k->out_at : room;
        k->held = n > 0 && burst >= BURST;
        if (n == 0 || k->held)
            return GOST_OK;
        if (kcp_arq_push(k->arq, k->out + k->out_at, n) != GOST_OK)
            return gost_fail(io, GOST_ENOMEM, "no memory for bytes to send");
        k->out_at += n;
        burst++;
    }
    k->held = 0;
    return GOST_OK;
}

/* Everything that may be sent now is sent; then the time of the next look is set. */
static int pump(struct kcp *k, struct gost_io *io)
{
    uint32_t due;
    int r = fill_window(k, io);

    if (r != GOST_OK)
        return r;
    if (k->out_at == k->out_n) { /* nothing is kept for a quiet connection */
        free(k->out);
        k->out = NULL;
        k->out_at = k->out_n = k->out_room = 0;
    }
    send_due(k, io);
    due = kcp_arq_due(k->arq, now_ms(k));
    if (due == UINT32_MAX) {
        gost_set_deadline(io, 0);
    } else {
        due = due > k->conf->arq.interval ? due : k->conf->arq.interval;
        gost_set_deadline(io, gost_now() + (due + SLACK_MS) * GOST_MS);
    }
    return GOST_OK;
}

/* ---- packets in ---- */

static int got_segments(void *arg, const uint8_t *p, size_t n, int regular)
{
    struct kcp *k = arg;

    return kcp_arq_input(k->arq, p, n, now_ms(k), regular);
}

static int one_packet(struct kcp *k, uint8_t *p, size_t n)
{
    if (kcp_crypt_open(k->crypt, p, n) != GOST_OK)
        return GOST_OK; /* another key, or damaged: as if it had been lost */
    p += KCP_CRYPT_HEAD;
    n -= KCP_CRYPT_HEAD;
    if (!kcp_fec_is(p, n))
        return got_segments(k, p, n, 1);
    if (!k->dec) {
        unsigned d = (unsigned)k->conf->object.data_shard;
        unsigned c = (unsigned)k->conf->object.parity_shard;

        k->dec = kcp_fec_dec_new(d && c ? d : 10, d && c ? c : 3);
        if (!k->dec)
            return GOST_OK;
    }
    return kcp_fec_input(k->dec, p, n, gost_now(), got_segments, k);
}

static int take_packets(struct kcp *k, struct gost_io *io)
{
    uint8_t packet[PACKET];
    struct gost_packet in;
    int r;

    while ((r = gost_packet_recv(io, &in)) == GOST_OK) {
        if (in.data.n > sizeof packet)
            continue;
        memcpy(packet, in.data.p, in.data.n);
        if (one_packet(k, packet, in.data.n) == GOST_ECLOSED)
            return gost_fail(io, GOST_ECLOSED, "the client began a new connection");
    }
    k->wire_ended |= r == GOST_END;
    return GOST_OK;
}

/* A server believes in a client when a packet of the right key came: until then it keeps little,
 * and the host's deadline for handshakes holds. */
static int kcp_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct kcp *k = state;
    int r = take_packets(k, io);

    if (r != GOST_OK || (gost_flow(io)->role == GOST_SERVER && !kcp_arq_heard(k->arq)))
        return r != GOST_OK ? r : GOST_AGAIN;
    if (k->conf->object.data_shard && k->conf->object.parity_shard) {
        k->enc = kcp_fec_enc_new((unsigned)k->conf->object.data_shard,
                                 (unsigned)k->conf->object.parity_shard);
        if (!k->enc)
            return gost_fail(io, GOST_ENOMEM, "no memory for error correction");
    }
    return GOST_OK;
}

static void got_plain(void *arg, const uint8_t *p, size_t n)
{
    (void)gost_send(gost_app(arg), p, n);
}

static int hand_up(struct kcp *k, struct gost_io *io)
{
    struct gost_bytes b;
    int r;

    while (gost_tx_room(gost_app(io)) && (b = kcp_arq_read(k->arq)).p) {
        if (k->conf->no_comp) {
            gost_send(gost_app(io), b.p, b.n);
        } else {
            r = kcp_snappy_input(&k->snappy, b.p, b.n, got_plain, io);
            if (r != GOST_OK)
                return gost_fail(io, r,
                                 "the peer's bytes are not snappy chunks: kcp.nocomp must be the "
                                 "same on both sides");
        }
        kcp_arq_read_done(k->arq);
    }
    return GOST_OK;
}

static int kcp_decode(void *state, const void *conf, struct gost_io *io)
{
    struct kcp *k = state;
    int r = take_packets(k, io);

    if (r == GOST_OK)
        r = hand_up(k, io);
    if (r == GOST_OK)
        r = pump(k, io);
    if (r != GOST_OK)
        return r;
    if (kcp_arq_read(k->arq).p || k->held)
        return GOST_FULL;
    if (!k->wire_ended)
        return GOST_AGAIN;
    gost_shut(gost_app(io));
    return GOST_END;
}

static int kcp_encode(void *state, const void *conf, struct gost_io *io)
{
    struct kcp *k = state;
    int r = pump(k, io);

    if (r != GOST_OK || k->held)
        return r != GOST_OK ? r : GOST_FULL;
    return gost_rx_eof(gost_app(io)) && k->out_n == k->out_at && kcp_arq_idle(k->arq) ? GOST_END
                                                                                      : GOST_AGAIN;
}

static int kcp_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct kcp *k = state;
    int r = pump(k, io);

    return r == GOST_OK ? GOST_AGAIN : r;
}

const struct gost_layer_ops kcp_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_NO_HALF_CLOSE,
    .open = kcp_open,
    .handshake = kcp_handshake,
    .decode = kcp_decode,
    .encode = kcp_encode,
    .on_deadline = kcp_on_deadline,
    .destroy = kcp_destroy,
};
