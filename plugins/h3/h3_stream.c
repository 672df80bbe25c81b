/* h3_stream.c - streams of a session: life, and what the host asks of the session. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "h3.h"

#define DATAGRAM_MAX 1500u

struct h3_stream *h3_stream_new(struct h3 *h, struct gost_io *wire, enum h3_kind kind)
{
    struct h3_stream *st = calloc(1, sizeof *st);

    if (!st)
        return NULL;
    st->wire = wire;
    st->kind = (uint8_t)kind;
    st->id = gost_stream_id(wire);
    st->expect = UINT64_MAX;
    st->next = h->streams;
    st->prev = &h->streams;
    if (st->next)
        st->next->prev = &st->next;
    h->streams = st;
    gost_set_data(wire, st);
    return st;
}

void h3_stream_free(struct h3_stream *st)
{
    *st->prev = st->next;
    if (st->next)
        st->next->prev = st->prev;
    free(st);
}

/* The stream is of no use any more: both ends are told. It is freed unless it has a user. */
void h3_stream_cut(struct h3_stream *st, uint64_t code)
{
    if (st->wire)
        gost_wire_reset(st->wire, code);
    st->wire = NULL;
    if (st->s)
        gost_stream_reset(st->s, code);
    else
        h3_stream_free(st);
}

/* ---- what the host asks ---- */

static int op_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                   uint32_t flags, uint64_t *ret_id)
{
    struct h3 *h = state;
    struct h3_stream *st;
    struct gost_io *wire;

    h->wire = io;
    if (!h->client)
        return GOST_EUNSUPPORTED;
    wire = h->dead || h->closing ? NULL : gost_wire_open(io, 0);
    if (!wire)
        return GOST_FULL;
    st = h3_stream_new(h, wire, H3_REQUEST);
    if (!st) {
        gost_wire_reset(wire, H3_INTERNAL_ERROR);
        return GOST_ENOMEM;
    }
    st->s = s;
    gost_set_data(s, st);
    *ret_id = st->id;
    return GOST_OK;
}

/* There is room again for what comes in. */
static int op_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *s, size_t n)
{
    struct h3 *h = state;
    struct h3_stream *st = gost_data(s);

    h->wire = io;
    return st && st->wire && !h->dead ? h3_recv(h, st) : GOST_OK;
}

static int op_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    uint64_t code)
{
    struct h3 *h = state;
    struct h3_stream *st = gost_data(s);

    h->wire = io;
    if (!st || !st->wire)
        return GOST_OK;
    if (!h->client && st->we_ended && code == 0)
        return GOST_OK; /* answered in full: the rest of the request is not needed */
    gost_wire_reset(st->wire, code >= H3_NO_ERROR ? code : (uint64_t)H3_REQUEST_CANCELLED);
    st->wire = NULL;
    return GOST_OK;
}

static void op_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    struct h3 *h = state;
    struct h3_stream *st = gost_data(s);

    h->wire = io;
    if (!st)
        return;
    gost_set_data(s, NULL);
    if (st->wire)
        gost_wire_leave(st->wire);
    h3_stream_free(st);
}

static int op_goaway(void *state, const void *conf, struct gost_io *io)
{
    struct h3 *h = state;

    h->wire = io;
    h->closing = 1;
    return h->dead ? GOST_OK : h3_control_goaway(h);
}

static int op_datagram(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                       struct gost_bytes data)
{
    struct h3 *h = state;
    struct h3_stream *st = s ? gost_data(s) : NULL;
    uint8_t buf[DATAGRAM_MAX];
    size_t n;

    h->wire = io;
    if (!h->conf->datagrams || !h->peer.datagram || !st || !st->wire)
        return GOST_EUNSUPPORTED;
    n = h3_varint_put(buf, st->id / 4);
    if (data.n > sizeof buf - n)
        return GOST_ETOOBIG;
    if (data.n)
        memcpy(buf + n, data.p, data.n);
    return gost_wire_datagram(io, gost_bytes(buf, n + data.n));
}

/* What the peer's SETTINGS say is not known before they are there: then it may be. */
static int op_datagrams(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    const struct h3 *h = state;

    return s && h->conf->datagrams && (h->peer.datagram || !h->got_settings);
}

const struct gost_session_ops h3_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET | GOST_SESSION_DATAGRAMS,
    .open = op_open,
    .credit = op_credit,
    .reset = op_reset,
    .closed = op_closed,
    .goaway = op_goaway,
    .datagram = op_datagram,
    .datagrams = op_datagrams,
};
