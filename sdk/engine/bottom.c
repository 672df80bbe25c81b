/* bottom.c - how the embedder moves bytes and packets through a stack's bottom, and pairs. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

struct gost_bytes ge_rx_reserve(struct ge_stack *s)
{
    size_t room = 0;
    uint8_t *p;

    if (s->freed || s->bottom.up.end || s->bottom.up.bytes >= s->w->high)
        return gost_bytes(NULL, 0);
    p = ge_queue_reserve(s->w, &s->bottom.up, 0, &room);
    return gost_bytes(p, p ? room : 0);
}

void ge_rx_commit(struct ge_stack *s, size_t n)
{
    ge_queue_commit(s->w, &s->bottom.up, n);
    if (s->bottom.up.bytes >= s->w->high)
        s->rx_paused = 1;
    if (n > 0)
        ge_up_produced(&s->bottom);
}

int ge_rx_wanted(const struct ge_stack *s)
{
    return !s->freed && !s->rx_paused && !s->bottom.up.end && !s->spliced;
}

void ge_rx_end(struct ge_stack *s, int status)
{
    if (s->bottom.up.end) { /* it ended cleanly, and then broke for the other direction */
        if (status && !s->bottom.up.status)
            ge_stack_fail(s, status);
        return;
    }
    s->bottom.up.end = 1;
    s->bottom.up.status = status;
    ge_up_produced(&s->bottom);
}

void ge_rx_reset(struct ge_stack *s, int status, uint64_t code)
{
    s->code = code;
    ge_rx_end(s, status);
}

void ge_stack_resets(struct ge_stack *s)
{
    s->resets = 1;
}

void ge_stack_no_half_close(struct ge_stack *s)
{
    s->no_half_close = 1;
}

uint64_t ge_stack_code(const struct ge_stack *s)
{
    return s->code;
}

int ge_tx_iov(struct ge_stack *s, struct iovec *iov, int max)
{
    struct ge_seg *g;
    int n = 0;

    for (g = s->bottom.down.head; g && n < max; g = g->next) {
        if (g->len == 0)
            continue;
        iov[n].iov_base = g->chunk->data + g->off;
        iov[n].iov_len = g->len;
        n++;
    }
    return n;
}

/* The bottom got rid of something it had to send. */
void ge_bottom_sent(struct ge_stack *s)
{
    ge_down_consumed(&s->bottom);
    if (s->lingering) {
        s->sent_at = ge_now(s->w);
        if (s->bottom.down.bytes == 0) /* sent: from now on it waits for the peer's end */
            ge_timer_start(s->w, &s->linger, ge_now(s->w) + GE_LINGER_NS);
        ge_stack_ready(s);
    }
}

void ge_tx_consume(struct ge_stack *s, size_t n)
{
    ge_queue_consume(s->w, &s->bottom.down, n);
    ge_bottom_sent(s);
}

int ge_tx_shut(const struct ge_stack *s)
{
    return s->bottom.down.end && s->bottom.down.bytes == 0 && !s->tx_shut_done;
}

void ge_tx_shut_done(struct ge_stack *s)
{
    s->tx_shut_done = 1;
    if (s->lingering)
        ge_stack_ready(s);
}

int ge_rx_packet(struct ge_stack *s, const struct gost_packet *p)
{
    int r;

    if (s->freed || s->bottom.up.end)
        return GOST_FULL;
    r = ge_queue_put_packet(&s->bottom.up, p);
    if (r == GOST_OK)
        ge_up_produced(&s->bottom);
    return r;
}

void ge_stack_take_segments(struct ge_stack *s, int yes)
{
    s->segments = yes != 0;
}

int ge_tx_packet(struct ge_stack *s, struct gost_packet *ret_p)
{
    if (ge_tx_packets(s, ret_p, 1) == 1)
        return GOST_OK;
    return s->bottom.down.end ? GOST_END : GOST_AGAIN;
}

unsigned ge_tx_packets(struct ge_stack *s, struct gost_packet *v, unsigned max)
{
    const struct ge_pkt *k = s->bottom.down.phead;
    unsigned n;

    for (n = 0; k && n < max; n++, k = k->next) {
        v[n].size = sizeof v[n];
        ge_pkt_view(k, &v[n]);
    }
    return n;
}

void ge_tx_packet_drop(struct ge_stack *s)
{
    free(ge_queue_get_packet(&s->bottom.down));
    ge_down_consumed(&s->bottom);
}

int ge_route(struct ge_worker *w, const struct gost_component *layer, const void *conf,
             const struct gost_packet *p, struct gost_route_key *ret_key, uint8_t *reply,
             size_t *ret_reply_n)
{
    const struct gost_attach_ops *attach = GE_OP(layer->ops, struct gost_layer_ops, attach);
    int r;

    ge_current = w;
    ge_running(layer->name, layer->kind, "route");
    r = attach->route(conf, p, ret_key, reply, ret_reply_n);
    ge_running_end();
    return r;
}

void ge_stack_pair(struct ge_flow *flow, uint32_t type, struct ge_stack **ret_a,
                   struct ge_stack **ret_b)
{
    struct ge_stack *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);

    if (!a || !b) {
        free(a);
        free(b);
        *ret_a = *ret_b = NULL;
        return;
    }
    ge_stack_init(a, flow, type);
    ge_stack_init(b, flow, type);
    a->peer = b;
    b->peer = a;
    *ret_a = a;
    *ret_b = b;
}
