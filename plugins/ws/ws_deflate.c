/* ws_deflate.c - permessage-deflate: compressed messages, without context between them. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <zlib.h>

#include "ws.h"

#define LEVEL 1 /* as GOST */
#define PIECE 8192u
#define TAIL  4 /* bytes that a flush ends with and that are not sent */

/* Lives from the first to the last byte of one message: idle connections hold none. */
struct ws_inflate {
    z_stream z;
    uint8_t over; /* the stream has said that it ends: what follows means nothing */
    uint8_t tail; /* the tail was given */
};

static const uint8_t tail_bytes[TAIL] = {0, 0, 0xff, 0xff};

static struct ws_inflate *begin(struct ws_state *s)
{
    struct ws_inflate *f = s->inflate;

    if (f)
        return f;
    f = calloc(1, sizeof *f);
    if (f && inflateInit2(&f->z, -MAX_WBITS) != Z_OK) {
        free(f);
        f = NULL;
    }
    s->inflate = f;
    return f;
}

void ws_inflate_end(struct ws_state *s)
{
    if (!s->inflate)
        return;
    inflateEnd(&s->inflate->z);
    free(s->inflate);
    s->inflate = NULL;
}

/* Until the input is used up or app is full. */
static int run(struct ws_state *s, struct gost_io *app)
{
    struct ws_inflate *f = s->inflate;
    uint8_t *to;
    int r;

    while (!f->over && (f->z.avail_in > 0 || s->pending)) {
        if (gost_tx_room(app) == 0)
            return GOST_FULL;
        to = gost_reserve(app, PIECE);
        if (!to)
            return GOST_ENOMEM;
        f->z.next_out = to;
        f->z.avail_out = PIECE;
        r = inflate(&f->z, Z_SYNC_FLUSH);
        gost_commit(app, PIECE - f->z.avail_out);
        s->pending = f->z.avail_out == 0;
        f->over = r == Z_STREAM_END;
        if (r == Z_MEM_ERROR)
            return GOST_ENOMEM;
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return GOST_EPROTO;
    }
    if (f->over)
        s->pending = 0;
    return GOST_OK;
}

int ws_inflate(struct ws_state *s, struct gost_io *app, struct gost_bytes in, size_t *ret_used)
{
    struct ws_inflate *f = begin(s);
    int r;

    if (!f)
        return GOST_ENOMEM;
    f->z.next_in = (Bytef *)in.p;
    f->z.avail_in = (uInt)in.n;
    r = run(s, app);
    *ret_used = f->over ? in.n : in.n - f->z.avail_in;
    f->z.avail_in = 0;
    return r;
}

int ws_inflate_finish(struct ws_state *s, struct gost_io *app)
{
    struct ws_inflate *f = begin(s);
    int r;

    if (!f)
        return GOST_ENOMEM;
    f->z.next_in = (Bytef *)tail_bytes + f->tail;
    f->z.avail_in = (uInt)(TAIL - f->tail);
    r = run(s, app);
    f->tail = (uint8_t)(TAIL - f->z.avail_in);
    if (r != GOST_FULL)
        ws_inflate_end(s);
    return r;
}

/* ---- sending ---- */

/* Compress n bytes of app into `to`. Returns the bytes of the message, 0 when memory lacks. */
static size_t compress_run(struct gost_io *app, size_t n, uint8_t *to, size_t size)
{
    struct gost_bytes run;
    z_stream z;

    memset(&z, 0, sizeof z);
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return 0;
    z.next_out = to;
    z.avail_out = (uInt)size;
    while (n > 0) {
        run = gost_rx(app);
        run.n = run.n < n ? run.n : n;
        n -= run.n;
        z.next_in = (Bytef *)run.p;
        z.avail_in = (uInt)run.n;
        deflate(&z, n > 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH);
        gost_consume(app, run.n);
    }
    size -= z.avail_out;
    deflateEnd(&z);
    return size - TAIL;
}

int ws_deflate(const struct ws_state *s, struct gost_io *io, struct gost_io *app, size_t n,
               size_t frame)
{
    size_t size = compressBound((uLong)n) + 64, at = 0;
    uint8_t *packed = malloc(size);
    struct ws_head head = {.rsv1 = 1, .opcode = WS_BINARY, .masked = s->client};

    size = packed ? compress_run(app, n, packed, size) : 0;
    while (at < size) {
        head.length = size - at < frame ? size - at : frame;
        head.fin = at + head.length == size;
        ws_send_frame(io, &head, packed + at);
        at += (size_t)head.length;
        head.rsv1 = 0;
        head.opcode = WS_CONTINUATION;
    }
    free(packed);
    return size ? GOST_OK : GOST_ENOMEM;
}
