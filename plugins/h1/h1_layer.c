/* h1_layer.c - the layer h1: exchanges one after the other, deadlines, the end. */
/* SPDX-License-Identifier: MIT */
#include "h1.h"

static int h1_open(void *state, const void *conf, struct gost_io *io)
{
    struct h1 *h = state;

    h->client = gost_flow(io)->role == GOST_CLIENT;
    h1_arm(h, conf, io);
    return GOST_OK;
}

/* How long a client may take: until the end of a head, or without a request. */
void h1_arm(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    uint64_t after = gost_rx_len(io) > 0 || h->last_id == 0 ? c->head_timeout : c->idle_timeout;

    if (h->client)
        return;
    if (h->s || h->over || after == 0)
        gost_set_deadline(io, 0);
    else
        gost_set_deadline(io, gost_now() + after);
}

static int h1_late(void *state, const void *conf, struct gost_io *io)
{
    struct h1 *h = state;

    if (h->s || h->over)
        return GOST_OK;
    if (gost_rx_len(io) > 0)
        return gost_fail(io, GOST_ETIMEDOUT, "the head of the request did not come in time");
    h->over = 1;
    gost_session_goaway(io);
    return GOST_OK;
}

/* Both messages are complete: the connection is free for the next exchange, or it ends. A server
 * that has answered reads no rest of the request. */
void h1_finished(struct h1 *h, const struct h1_conf *c, struct gost_io *io)
{
    if (!h->s || h->out != H1_OUT_DONE || (h->in != H1_IN_DONE && h->client))
        return;
    if (h->in != H1_IN_DONE)
        gost_shut(h->s);
    if (h->in != H1_IN_DONE || h->closing) {
        h->closing = h->over = 1;
        gost_session_goaway(io);
    }
    gost_set_data(h->s, NULL);
    h->s = NULL;
    h->in = H1_IN_HEAD;
    h->out = H1_OUT_HEAD;
    h1_arm(h, c, io);
}

/* ---- what the host asks ---- */

static int op_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                   uint32_t flags, uint64_t *ret_id)
{
    struct h1 *h = state;

    if (!h->client)
        return gost_fail(io, GOST_EUNSUPPORTED, "a server of HTTP/1 asks nothing");
    if (h->s || h->closing)
        return GOST_FULL;
    gost_set_data(s, h);
    h->s = s;
    h->in = H1_IN_HEAD;
    h->out = H1_OUT_HEAD;
    *ret_id = ++h->last_id;
    return GOST_OK;
}

/* An exchange cannot be given up alone: its connection goes with it. */
static int op_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    uint64_t code)
{
    struct h1 *h = state;

    if (h->s != s)
        return GOST_OK;
    h->closing = h->over = 1;
    gost_abort(io, 0);
    return GOST_OK;
}

static void op_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    struct h1 *h = state;

    if (h->s != s)
        return;
    h->s = NULL;
    h->closing = h->over = 1;
}

static const struct gost_session_ops session = {
    .size = sizeof(struct gost_session_ops),
    .open = op_open,
    .reset = op_reset,
    .closed = op_closed,
};

const struct gost_layer_ops h1_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .above = GOST_EXCHANGE,
    .open = h1_open,
    .decode = h1_decode,
    .encode = h1_encode,
    .on_deadline = h1_late,
    .session = &session,
};
