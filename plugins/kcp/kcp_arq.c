/* kcp_arq.c - the KCP protocol: windows, acknowledgements, retransmission. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "kcp_arq.h"

enum {
    RTO_FIRST = 200,
    RTO_MIN = 100,
    RTO_MIN_NODELAY = 30,
    RTO_MAX = 60000,
    PROBE_FIRST = 7000,
    PROBE_MAX = 120000,
    SSTHRESH_MIN = 2,
    ACKS_MAX = 4096 /* of one flush: a peer that floods gets no more of our memory */
};

struct seg {
    uint32_t sn, ts, rto, resend_at, skipped;
    uint16_t n;
    uint8_t sent; /* how often, up to 255 */
    uint8_t data[];
};

struct ack {
    uint32_t sn, ts;
};

struct kcp_arq {
    struct kcp_arq_conf conf;
    uint32_t conv;
    int has_conv, has_peer;  /* has_peer: something came */
    struct seg **snd, **rcv; /* rings by sequence number */
    uint32_t snd_mask, rcv_mask;
    uint32_t una, nxt;      /* sent: first not acknowledged, next new one */
    uint32_t read, rcv_nxt; /* received: next to hand up, next expected */
    uint32_t peer_wnd, cwnd, ssthresh, incr;
    uint32_t srtt, rttvar, rto, probe_wait, probe_at;
    struct ack *acks;
    unsigned n_acks, room_acks;
    int tell, was_full;
};

/* a - b of numbers that wrap. */
static int32_t diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static uint32_t ring_size(uint32_t window)
{
    uint32_t n = 16;

    while (n < window)
        n *= 2;
    return n;
}

struct kcp_arq *kcp_arq_new(const struct kcp_arq_conf *conf)
{
    struct kcp_arq *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->conf = *conf;
    a->snd_mask = ring_size(conf->snd_wnd) - 1;
    a->rcv_mask = ring_size(conf->rcv_wnd) - 1;
    a->snd = calloc((size_t)a->snd_mask + 1, sizeof *a->snd);
    a->rcv = calloc((size_t)a->rcv_mask + 1, sizeof *a->rcv);
    if (!a->snd || !a->rcv) {
        kcp_arq_free(a);
        return NULL;
    }
    a->peer_wnd = KCP_WND_FIRST;
    a->cwnd = 1;
    a->ssthresh = SSTHRESH_MIN;
    a->incr = conf->mtu - KCP_HEAD;
    a->rto = RTO_FIRST;
    return a;
}

static void free_ring(struct seg **ring, uint32_t mask)
{
    uint32_t i;

    for (i = 0; ring && i <= mask; i++)
        free(ring[i]);
    free(ring);
}

void kcp_arq_free(struct kcp_arq *a)
{
    if (!a)
        return;
    free_ring(a->snd, a->snd_mask);
    free_ring(a->rcv, a->rcv_mask);
    free(a->acks);
    free(a);
}

void kcp_arq_set_conv(struct kcp_arq *a, uint32_t conv)
{
    a->conv = conv;
    a->has_conv = 1;
}

static uint32_t mss(const struct kcp_arq *a)
{
    return a->conf.mtu - KCP_HEAD;
}

static uint32_t in_flight(const struct kcp_arq *a)
{
    return a->nxt - a->una;
}

/* ---- what the peer says of our segments ---- */

/* RFC 6298 in whole milliseconds, with the interval as granularity. */
static void measure(struct kcp_arq *a, uint32_t rtt)
{
    uint32_t least = a->conf.nodelay ? RTO_MIN_NODELAY : RTO_MIN, delta, slack;

    if (a->srtt == 0) {
        a->srtt = rtt ? rtt : 1;
        a->rttvar = rtt / 2;
    } else {
        delta = rtt > a->srtt ? rtt - a->srtt : a->srtt - rtt;
        a->rttvar = (3 * a->rttvar + delta) / 4;
        a->srtt = (7 * a->srtt + rtt) / 8;
        if (a->srtt == 0)
            a->srtt = 1;
    }
    slack = 4 * a->rttvar > a->conf.interval ? 4 * a->rttvar : a->conf.interval;
    a->rto = a->srtt + slack;
    a->rto = a->rto < least ? least : a->rto > RTO_MAX ? RTO_MAX : a->rto;
}

static void drop(struct kcp_arq *a, uint32_t sn)
{
    struct seg **at = &a->snd[sn & a->snd_mask];

    if (diff(sn, a->una) < 0 || diff(sn, a->nxt) >= 0)
        return;
    free(*at);
    *at = NULL;
}

static void drop_before(struct kcp_arq *a, uint32_t una)
{
    if (diff(una, a->nxt) > 0)
        return; /* it acknowledges what was never sent */
    while (diff(a->una, una) < 0) {
        drop(a, a->una);
        a->una++;
    }
}

static void forward_una(struct kcp_arq *a)
{
    while (a->una != a->nxt && !a->snd[a->una & a->snd_mask])
        a->una++;
}

/* A later one arrived: those before it may be lost. */
static void count_skipped(struct kcp_arq *a, uint32_t sn, uint32_t ts)
{
    uint32_t i;

    for (i = a->una; diff(i, sn) < 0 && i != a->nxt; i++) {
        struct seg *s = a->snd[i & a->snd_mask];

        if (s && s->sent && diff(s->ts, ts) <= 0)
            s->skipped++;
    }
}

/* Something was acknowledged: the congestion window opens, first fast, then slowly. */
static void open_cwnd(struct kcp_arq *a)
{
    uint32_t unit = mss(a);

    if (a->cwnd >= a->peer_wnd)
        return;
    if (a->cwnd < a->ssthresh) {
        a->cwnd++;
        a->incr += unit;
    } else {
        a->incr = a->incr < unit ? unit : a->incr;
        a->incr += unit * unit / a->incr + unit / 16;
        if ((a->cwnd + 1) * unit <= a->incr)
            a->cwnd = (a->incr + unit - 1) / unit;
    }
    if (a->cwnd > a->peer_wnd) {
        a->cwnd = a->peer_wnd;
        a->incr = a->peer_wnd * unit;
    }
}

/* ---- what the peer sends ---- */

static void add_ack(struct kcp_arq *a, uint32_t sn, uint32_t ts)
{
    if (a->n_acks == a->room_acks) {
        unsigned room = a->room_acks ? a->room_acks * 2 : 32;
        struct ack *more = room > ACKS_MAX ? NULL : realloc(a->acks, room * sizeof *more);

        if (!more)
            return; /* the sender tries again */
        a->acks = more;
        a->room_acks = room;
    }
    a->acks[a->n_acks].sn = sn;
    a->acks[a->n_acks++].ts = ts;
}

static void take(struct kcp_arq *a, uint32_t sn, uint32_t ts, const uint8_t *p, uint16_t n)
{
    struct seg **at = &a->rcv[sn & a->rcv_mask], *s;

    if (diff(sn, a->read + a->rcv_mask + 1) >= 0 || diff(sn, a->rcv_nxt + a->conf.rcv_wnd) >= 0)
        return; /* beyond the window */
    add_ack(a, sn, ts);
    if (diff(sn, a->rcv_nxt) < 0 || *at)
        return; /* had it */
    s = malloc(sizeof *s + n);
    if (!s) {
        a->n_acks--;
        return;
    }
    memset(s, 0, sizeof *s);
    s->sn = sn;
    s->n = n;
    memcpy(s->data, p, n);
    *at = s;
    while (diff(a->rcv_nxt, a->read + a->rcv_mask + 1) < 0 && a->rcv[a->rcv_nxt & a->rcv_mask])
        a->rcv_nxt++;
}

struct heard {
    uint32_t una, last_sn, last_ts;
    int acked;
};

static int one_segment(struct kcp_arq *a, const uint8_t *p, uint32_t n, uint32_t now, int regular,
                       struct heard *h)
{
    uint32_t wnd = kcp_get16(p + 6), ts = kcp_get32(p + 8), sn = kcp_get32(p + 12);

    if (regular)
        a->peer_wnd = wnd;
    drop_before(a, kcp_get32(p + 16));
    forward_una(a);
    switch (p[4]) {
    case KCP_ACK:
        drop(a, sn);
        forward_una(a);
        if (!h->acked || diff(sn, h->last_sn) > 0) {
            h->last_sn = sn;
            h->last_ts = ts;
        }
        h->acked = 1;
        if (regular && diff(now, ts) >= 0)
            measure(a, now - ts);
        return GOST_OK;
    case KCP_PUSH:
        take(a, sn, ts, p + KCP_HEAD, (uint16_t)n);
        return GOST_OK;
    case KCP_WASK:
        a->tell = 1;
        return GOST_OK;
    case KCP_WINS:
        return GOST_OK;
    default:
        return GOST_EPROTO;
    }
}

/* Whose conversation is it? A client that began anew says so by its first sequence number. */
static int check_conv(struct kcp_arq *a, const uint8_t *p)
{
    uint32_t conv = kcp_get32(p);

    if (!a->has_conv)
        kcp_arq_set_conv(a, conv);
    if (conv == a->conv)
        return GOST_OK;
    return p[4] == KCP_PUSH && kcp_get32(p + 12) == 0 ? GOST_ECLOSED : GOST_EPROTO;
}

int kcp_arq_input(struct kcp_arq *a, const uint8_t *p, size_t n, uint32_t now, int regular)
{
    struct heard h = {a->una, 0, 0, 0};
    int r = n < KCP_HEAD ? GOST_EPROTO : GOST_OK;

    while (r == GOST_OK && n >= KCP_HEAD) {
        uint32_t len = kcp_get32(p + 20);

        r = check_conv(a, p);
        if (r == GOST_OK && (len > n - KCP_HEAD || len > UINT16_MAX))
            r = GOST_EPROTO;
        if (r == GOST_OK)
            r = one_segment(a, p, len, now, regular, &h);
        if (r != GOST_OK)
            break;
        a->has_peer = 1;
        p += KCP_HEAD + len;
        n -= KCP_HEAD + len;
    }
    if (h.acked)
        count_skipped(a, h.last_sn, h.last_ts);
    if (diff(a->una, h.una) > 0)
        open_cwnd(a);
    return r;
}

struct gost_bytes kcp_arq_read(const struct kcp_arq *a)
{
    const struct seg *s = a->read != a->rcv_nxt ? a->rcv[a->read & a->rcv_mask] : NULL;

    return s ? gost_bytes(s->data, s->n) : gost_bytes(NULL, 0);
}

static uint32_t free_window(const struct kcp_arq *a)
{
    uint32_t held = a->rcv_nxt - a->read;

    return held < a->conf.rcv_wnd ? a->conf.rcv_wnd - held : 0;
}

void kcp_arq_read_done(struct kcp_arq *a)
{
    struct seg **at = &a->rcv[a->read & a->rcv_mask];

    if (a->read == a->rcv_nxt)
        return;
    if (free_window(a) == 0)
        a->tell = 1; /* the peer may be waiting */
    free(*at);
    *at = NULL;
    a->read++;
}

/* ---- sending ---- */

static uint32_t window(const struct kcp_arq *a)
{
    uint32_t w = a->conf.snd_wnd < a->peer_wnd ? a->conf.snd_wnd : a->peer_wnd;

    return !a->conf.no_cwnd && a->cwnd < w ? a->cwnd : w;
}

size_t kcp_arq_room(const struct kcp_arq *a)
{
    return in_flight(a) < window(a) ? mss(a) : 0;
}

int kcp_arq_push(struct kcp_arq *a, const uint8_t *p, size_t n)
{
    struct seg *s = malloc(sizeof *s + n);

    if (!s)
        return GOST_ENOMEM;
    memset(s, 0, sizeof *s);
    s->sn = a->nxt;
    s->n = (uint16_t)n;
    memcpy(s->data, p, n);
    a->snd[a->nxt++ & a->snd_mask] = s;
    return GOST_OK;
}

/* Segments are gathered into packets of at most the MTU. */
struct packet {
    struct kcp_arq *a;
    void (*emit)(void *arg, const uint8_t *p, size_t n);
    void *arg;
    size_t n;
    uint8_t data[KCP_MTU_MAX];
};

static void send_packet(struct packet *k)
{
    if (k->n)
        k->emit(k->arg, k->data, k->n);
    k->n = 0;
}

static void add(struct packet *k, enum kcp_cmd cmd, uint32_t sn, uint32_t ts,
                struct gost_bytes data)
{
    uint8_t *p;

    if (k->n + KCP_HEAD + data.n > k->a->conf.mtu)
        send_packet(k);
    p = kcp_put32(k->data + k->n, k->a->conv);
    *p++ = (uint8_t)cmd;
    *p++ = 0; /* a stream has no fragments */
    p = kcp_put16(p, free_window(k->a));
    p = kcp_put32(p, ts);
    p = kcp_put32(p, sn);
    p = kcp_put32(p, k->a->rcv_nxt);
    p = kcp_put32(p, (uint32_t)data.n);
    if (data.n)
        memcpy(p, data.p, data.n);
    k->n += KCP_HEAD + data.n;
}

/* Those that the peer knows from `una` anyway are left out, but for the last one. */
static void add_acks(struct packet *k)
{
    struct kcp_arq *a = k->a;
    unsigned i;

    for (i = 0; i < a->n_acks; i++)
        if (diff(a->acks[i].sn, a->rcv_nxt) >= 0 || i + 1 == a->n_acks)
            add(k, KCP_ACK, a->acks[i].sn, a->acks[i].ts, gost_bytes(NULL, 0));
    a->n_acks = 0;
}

/* A peer with a closed window is asked now and then whether it opened. */
static void add_probe(struct packet *k, uint32_t now)
{
    struct kcp_arq *a = k->a;

    if (a->peer_wnd) {
        a->probe_wait = 0;
    } else if (!a->probe_wait) {
        a->probe_wait = PROBE_FIRST;
        a->probe_at = now + a->probe_wait;
    } else if (diff(now, a->probe_at) >= 0) {
        a->probe_wait += a->probe_wait / 2;
        a->probe_wait = a->probe_wait < PROBE_MAX ? a->probe_wait : PROBE_MAX;
        a->probe_at = now + a->probe_wait;
        add(k, KCP_WASK, 0, 0, gost_bytes(NULL, 0));
    }
    if (a->tell)
        add(k, KCP_WINS, 0, 0, gost_bytes(NULL, 0));
    a->tell = 0;
}

enum verdict { WAIT, FRESH, SKIPPED, LATE };

static enum verdict judge(const struct kcp_arq *a, struct seg *s, uint32_t now, int fresh_ones)
{
    if (s->sent == 0) {
        s->rto = a->rto;
        return FRESH;
    }
    if (a->conf.resend && s->skipped >= a->conf.resend)
        return SKIPPED;
    if (s->skipped && !fresh_ones)
        return SKIPPED; /* nothing new would tell us of more: try it early */
    return diff(now, s->resend_at) >= 0 ? LATE : WAIT;
}

static void add_data(struct packet *k, struct seg *s, enum verdict v, uint32_t now)
{
    if (v == SKIPPED)
        s->rto = k->a->rto;
    else if (v == LATE)
        s->rto += k->a->conf.nodelay ? k->a->rto / 2 : k->a->rto;
    s->rto = s->rto < RTO_MAX ? s->rto : RTO_MAX;
    s->skipped = 0;
    s->resend_at = now + s->rto;
    s->ts = now;
    s->sent = s->sent < 255 ? s->sent + 1 : 255;
    add(k, KCP_PUSH, s->sn, now, gost_bytes(s->data, s->n));
}

static void shrink_cwnd(struct kcp_arq *a, int skipped, int late)
{
    uint32_t half;

    if (skipped) {
        half = in_flight(a) / 2;
        a->ssthresh = half > SSTHRESH_MIN ? half : SSTHRESH_MIN;
        a->cwnd = a->ssthresh + (a->conf.resend ? a->conf.resend : 0);
    }
    if (late) {
        half = a->cwnd / 2;
        a->ssthresh = half > SSTHRESH_MIN ? half : SSTHRESH_MIN;
        a->cwnd = 1;
    }
    if (skipped || late)
        a->incr = a->cwnd * mss(a);
}

static void add_segments(struct packet *k, uint32_t now)
{
    struct kcp_arq *a = k->a;
    const struct seg *last = a->nxt != a->una ? a->snd[(a->nxt - 1) & a->snd_mask] : NULL;
    int skipped = 0, late = 0, fresh_ones = last && last->sent == 0;
    uint32_t i;

    for (i = a->una; i != a->nxt; i++) {
        struct seg *s = a->snd[i & a->snd_mask];
        enum verdict v = s ? judge(a, s, now, fresh_ones) : WAIT;

        if (v == WAIT)
            continue;
        skipped |= v == SKIPPED;
        late |= v == LATE;
        add_data(k, s, v, now);
    }
    shrink_cwnd(a, skipped, late);
}

void kcp_arq_flush(struct kcp_arq *a, uint32_t now,
                   void (*emit)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    struct packet k;

    if (!a->has_conv)
        return;
    k.a = a;
    k.emit = emit;
    k.arg = arg;
    k.n = 0;
    add_acks(&k);
    add_probe(&k, now);
    add_segments(&k, now);
    send_packet(&k);
}

int kcp_arq_acks(const struct kcp_arq *a)
{
    return a->n_acks > 0 || a->tell;
}

int kcp_arq_heard(const struct kcp_arq *a)
{
    return a->has_peer;
}

int kcp_arq_idle(const struct kcp_arq *a)
{
    return a->una == a->nxt && !kcp_arq_acks(a);
}

uint32_t kcp_arq_due(const struct kcp_arq *a, uint32_t now)
{
    uint32_t due = UINT32_MAX, i;

    for (i = a->una; i != a->nxt; i++) {
        const struct seg *s = a->snd[i & a->snd_mask];
        int32_t left = s ? s->sent ? diff(s->resend_at, now) : 0 : INT32_MAX;

        if (left <= 0)
            return 0;
        if ((uint32_t)left < due)
            due = (uint32_t)left;
    }
    if (a->probe_wait) {
        int32_t left = diff(a->probe_at, now);

        due = left <= 0 ? 0 : (uint32_t)left < due ? (uint32_t)left : due;
    }
    return due;
}
