/* layers.c - a plugin of third parties: layers that say they are identity, or never do. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

/* ---- greet: one line of the client, then nothing any more ---- */

static int greet_handshake(void *state, const void *conf, struct gost_io *io)
{
    const uint8_t *p;

    if (gost_flow(io)->role == GOST_CLIENT)
        return gost_send(io, "GREET\n", 6) == GOST_OK ? GOST_OK : GOST_ENOMEM;
    p = gost_take(io, 6);
    if (!p)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "no greeting") : GOST_AGAIN;
    return memcmp(p, "GREET\n", 6) == 0 ? GOST_OK : gost_fail(io, GOST_EPROTO, "another greeting");
}

static const struct gost_layer_ops greet_ops = {
    .size = sizeof greet_ops,
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .handshake = greet_handshake,
};

/* ---- flip: every bit, for ever. settle: until the end of the first line of either side ---- */

enum { LINES = 2 };

struct settle {
    int over[LINES];
};

/* Move what is there, flipped, but no further than a line's end when `line` is wanted. 1: seen. */
static int flip(struct gost_io *to, struct gost_io *from, int line)
{
    struct gost_bytes in;
    uint8_t *out;
    size_t n;

    while ((in = gost_rx(from)).n > 0 && gost_tx_room(to) > 0) {
        in.n = in.n < 16384 ? in.n : 16384;
        out = gost_reserve(to, in.n);
        if (!out)
            return 0;
        for (n = 0; n < in.n; n++) {
            out[n] = (uint8_t)~in.p[n];
            if (line && (in.p[n] == '\n' || out[n] == '\n'))
                break;
        }
        line = line && n < in.n ? 2 : line;
        n += n < in.n;
        gost_commit(to, n);
        gost_consume(from, n);
        if (line == 2)
            return 1;
    }
    return 0;
}

static int result(struct gost_io *to, struct gost_io *from)
{
    if (gost_rx_len(from) > 0)
        return GOST_FULL;
    return gost_rx_eof(from) ? GOST_END : GOST_AGAIN;
}

static int flip_decode(void *state, const void *conf, struct gost_io *io)
{
    flip(gost_app(io), io, 0);
    if (gost_rx_eof(io))
        gost_shut(gost_app(io));
    return result(gost_app(io), io);
}

static int flip_encode(void *state, const void *conf, struct gost_io *io)
{
    flip(io, gost_app(io), 0);
    return result(io, gost_app(io));
}

static const struct gost_layer_ops flip_ops = {
    .size = sizeof flip_ops,
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .decode = flip_decode,
    .encode = flip_encode,
};

static int settle(struct settle *s, int side, struct gost_io *io, struct gost_io *to,
                  struct gost_io *from)
{
    if (!s->over[side])
        s->over[side] = flip(to, from, 1);
    if (s->over[side])
        gost_move(to, from, gost_rx_len(from));
    if (s->over[0] && s->over[1])
        gost_identity(io);
    return result(to, from);
}

static int settle_decode(void *state, const void *conf, struct gost_io *io)
{
    int r = settle(state, 0, io, gost_app(io), io);

    if (r == GOST_END)
        gost_shut(gost_app(io));
    return r;
}

static int settle_encode(void *state, const void *conf, struct gost_io *io)
{
    return settle(state, 1, io, io, gost_app(io));
}

static const struct gost_layer_ops settle_ops = {
    .size = sizeof settle_ops,
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .decode = settle_decode,
    .encode = settle_encode,
};

static const struct gost_component components[] = {
    {.kind = GOST_KIND_LAYER, .name = "greet", .summary = "a greeting", .ops = &greet_ops},
    {.kind = GOST_KIND_LAYER, .name = "flip", .summary = "flips all bits", .ops = &flip_ops},
    {.kind = GOST_KIND_LAYER,
     .name = "settle",
     .summary = "flips the first line each way",
     .ops = &settle_ops,
     .state_size = sizeof(struct settle)},
};

GOST_PLUGIN("layers", "0.7", "MIT", "layers of a test", components,
            "layer:greet layer:flip layer:settle");
