/* ss_chunks.c - chunks: a sealed length, then so many sealed bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ss_stream.h"

static int lost(struct gost_io *io)
{
    return gost_fail(io, GOST_EPROTO,
                     "a chunk does not authenticate: it was changed on its way, or the peer is "
                     "defective");
}

/* GOST_OK: s->len says how long the payload is. */
static int read_length(struct ss_stream *s, struct gost_io *io)
{
    uint8_t len[2];
    const uint8_t *p = gost_take(io, 2u + s->in.tag);

    if (!p)
        return GOST_AGAIN;
    if (ss_box_open(&s->in, len, gost_bytes(p, 2u + s->in.tag)) != GOST_OK)
        return GOST_EAUTH;
    s->len = gost_get16(len);
    s->awaiting = 1;
    return GOST_OK;
}

void ss_chunk_done(struct ss_stream *s)
{
    if (!s->big)
        return;
    gost_wipe(s->big, s->big_n);
    free(s->big);
    s->big = NULL;
    s->awaiting = 0;
}

int ss_chunk_collect(struct ss_stream *s, struct gost_io *io, struct gost_bytes *ret_plain)
{
    const uint8_t *tag;
    size_t n;

    if (!s->big) {
        s->big = malloc(s->len + 1u);
        s->big_n = 0;
        if (!s->big || ss_box_open_start(&s->in) != GOST_OK)
            return GOST_ENOMEM;
    }
    while (s->big_n < s->len) {
        struct gost_bytes run = gost_rx(io);

        n = s->len - s->big_n < run.n ? s->len - s->big_n : run.n;
        if (n == 0) {
            gost_want(io, 1);
            return GOST_AGAIN;
        }
        if (ss_box_open_some(&s->in, s->big + s->big_n, gost_bytes(run.p, n)) != GOST_OK)
            return GOST_EAUTH;
        s->big_n += (uint32_t)n;
        gost_consume(io, n);
    }
    if (s->in.tag) {
        tag = gost_take(io, s->in.tag);
        if (!tag)
            return GOST_AGAIN;
        if (ss_box_open_finish(&s->in, tag) != GOST_OK)
            return GOST_EAUTH;
    }
    *ret_plain = gost_bytes(s->big, s->len);
    return GOST_OK;
}

/* Most payloads fit a reserved piece: decrypted straight into the user's queue. */
static int read_small(struct ss_stream *s, struct gost_io *io)
{
    struct gost_io *app = gost_app(io);
    size_t n = s->len + (size_t)s->in.tag;
    const uint8_t *p = gost_take(io, n);
    uint8_t *out;

    if (!p && n)
        return GOST_AGAIN;
    out = gost_reserve(app, s->len ? s->len : 1);
    if (!out)
        return GOST_ENOMEM;
    if (ss_box_open(&s->in, out, gost_bytes(p, n)) != GOST_OK) {
        gost_wipe(out, s->len);
        return GOST_EAUTH;
    }
    gost_commit(app, s->len);
    s->awaiting = 0;
    return GOST_OK;
}

static int read_payload(struct ss_stream *s, struct gost_io *io)
{
    struct gost_bytes plain;
    int r;

    if (s->len <= SS_PIECE)
        return read_small(s, io);
    r = ss_chunk_collect(s, io, &plain);
    if (r == GOST_OK) {
        gost_send(gost_app(io), plain.p, plain.n);
        ss_chunk_done(s);
    }
    return r;
}

int ss_chunks_decode(struct ss_stream *s, struct gost_io *io)
{
    int r;

    for (;;) {
        if (gost_tx_room(gost_app(io)) == 0)
            return GOST_FULL;
        r = s->awaiting ? read_payload(s, io) : read_length(s, io);
        if (r == GOST_AGAIN && s->awaiting && gost_rx_eof(io))
            return gost_fail(io, GOST_ECLOSED, "the peer closed the connection inside a chunk");
        if (r == GOST_AGAIN)
            return r;
        if (r == GOST_ENOMEM)
            return gost_fail(io, r, "no memory for a chunk");
        if (r != GOST_OK)
            return lost(io);
    }
}

/* One chunk of at most n bytes from the user's queue. */
static int write_chunk(struct ss_stream *s, struct gost_io *io, struct gost_bytes data)
{
    uint8_t len[2], *out;

    if (data.n > SS_CHUNK_MAX)
        data.n = SS_CHUNK_MAX;
    out = gost_reserve(io, 2 + 2 * (size_t)s->out.tag + data.n);
    if (!out)
        return GOST_ENOMEM;
    gost_put16(len, (uint16_t)data.n);
    if (ss_box_seal(&s->out, out, gost_bytes(len, 2)) != GOST_OK ||
        ss_box_seal(&s->out, out + 2 + s->out.tag, data) != GOST_OK)
        return GOST_EINTERNAL;
    gost_commit(io, 2 + 2 * (size_t)s->out.tag + data.n);
    gost_consume(gost_app(io), data.n);
    return GOST_OK;
}

int ss_chunks_encode(struct ss_stream *s, struct gost_io *io)
{
    struct gost_bytes run;
    int r;

    while ((run = gost_rx(gost_app(io))).n > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        r = write_chunk(s, io, run);
        if (r != GOST_OK)
            return gost_fail(io, r, "sealing a chunk failed");
    }
    return GOST_AGAIN;
}
