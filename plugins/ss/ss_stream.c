/* ss_stream.c - the codec of streams: boxes, and which part is at work. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ss_stream.h"

#define HOLD_NS \
    (20 * GOST_MS) /* a server that speaks first must not wait for a client that listens */

uint64_t ss_unix(void)
{
    return gost_unix_time() / GOST_S;
}

static int box(const struct ss_method *m, struct ss_box *b, const uint8_t *psk, const uint8_t *salt,
               int sealing)
{
    uint8_t subkey[SS_KEY_MAX];
    int r = ss_subkey(m, psk, gost_bytes(salt, m->salt), subkey);

    if (r == GOST_OK)
        r = ss_box_init(b, m, subkey, sealing);
    gost_wipe(subkey, sizeof subkey);
    return r;
}

int ss_stream_open_box(struct ss_stream *s, const uint8_t *salt)
{
    int r = box(s->arg.keys->method, &s->in, s->key->psk, salt, 0);

    s->opened = r == GOST_OK;
    return r;
}

int ss_stream_seal_box(struct ss_stream *s, const uint8_t *salt)
{
    int r = box(s->arg.keys->method, &s->out, s->key->psk, salt, 1);

    s->sealed = r == GOST_OK;
    return r;
}

static int is_server(struct gost_io *io)
{
    return gost_flow(io)->role == GOST_SERVER;
}

static int stream_open(void *state, const void *conf, struct gost_io *io)
{
    struct ss_stream *s = state;
    int r = ss_arg_read(io, &s->arg);

    if (r != GOST_OK)
        return r;
    s->key = ss_keys_own(s->arg.keys);
    if (!is_server(io))
        gost_set_deadline(io, gost_now() + HOLD_NS);
    else if (s->arg.timeout_ns)
        gost_set_deadline(io, gost_now() + s->arg.timeout_ns);
    return GOST_OK;
}

static int stream_handshake(void *state, const void *conf, struct gost_io *io)
{
    int r = is_server(io) ? ss_server_handshake(state, io) : GOST_OK;

    if (r == GOST_OK && is_server(io))
        gost_set_deadline(io, 0);
    return r;
}

static int stream_decode(void *state, const void *conf, struct gost_io *io)
{
    struct ss_stream *s = state;
    int r;

    if (s->phase == SS_SALT) {
        r = ss_client_answer(s, io);
        if (r != GOST_OK)
            return r;
    }
    return ss_chunks_decode(s, io);
}

static int stream_encode(void *state, const void *conf, struct gost_io *io)
{
    struct ss_stream *s = state;
    struct gost_io *app = gost_app(io);
    int r;

    if (!s->sealed) {
        if (!gost_rx_len(app) && (is_server(io) || (!s->flushed && !gost_rx_eof(app))))
            return GOST_AGAIN;
        r = is_server(io) ? ss_server_first(s, io) : ss_client_first(s, io);
        if (r != GOST_OK)
            return gost_fail(io, r, "sealing the first bytes failed");
    }
    return ss_chunks_encode(s, io);
}

static int stream_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct ss_stream *s = state;

    if (is_server(io))
        return gost_fail(io, s->why ? GOST_EAUTH : GOST_ETIMEDOUT, "%s",
                         s->why ? s->why : "the client did not send its header in time");
    s->flushed = 1;
    return stream_encode(state, conf, io);
}

static void stream_destroy(void *state)
{
    struct ss_stream *s = state;

    ss_chunk_done(s);
    ss_box_free(&s->in);
    ss_box_free(&s->out);
}

const struct gost_layer_ops ss_stream_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_CODEC,
    .open = stream_open,
    .handshake = stream_handshake,
    .decode = stream_decode,
    .encode = stream_encode,
    .on_deadline = stream_deadline,
    .destroy = stream_destroy,
};
