/* ss_server.c - the server's end of a stream: who is there, and the answer's header. */
/* SPDX-License-Identifier: MIT */
#include "ss_stream.h"

/*
 * Whoever does not hold the key must learn nothing from us: what is wrong, late, repeated or simply
 * short is all treated alike. Nothing is answered, everything is read, and the connection ends when
 * its handshake's time is over or the other side ends it. Errors behind the header end it at once.
 */
static int drain(struct ss_stream *s, struct gost_io *io, const char *why)
{
    if (s->phase != SS_DRAIN) {
        s->phase = SS_DRAIN;
        s->why = why;
        ss_chunk_done(s);
        gost_log(io, GOST_LOG_DEBUG, "%s; reading on in silence", why);
    }
    gost_consume(io, gost_rx_len(io));
    gost_want(io, 1);
    return gost_rx_eof(io) ? gost_fail(io, GOST_EAUTH, "%s", s->why) : GOST_AGAIN;
}

static int wait_more(struct gost_io *io)
{
    return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "the client left before its header")
                           : GOST_AGAIN;
}

/* The identity header behind the salt says which user's key goes on. */
static int identify(struct ss_stream *s, const uint8_t *salt)
{
    const struct ss_keys *k = s->arg.keys;
    uint8_t key[SS_KEY_MAX], hash[SS_BLOCK];
    int r;

    ss_identity_key(k->method, k->key[0].psk, salt, key);
    r = ss_block(k->method, key, salt + k->method->salt, hash, 0);
    gost_wipe(key, sizeof key);
    if (r != GOST_OK)
        return r;
    s->key = ss_keys_user(k, hash);
    return s->key ? GOST_OK : GOST_EAUTH;
}

/* Salt and first box. GOST_OK: authentic, timely and new; consumed. */
static int read_head(struct ss_stream *s, struct gost_io *io)
{
    const struct ss_keys *k = s->arg.keys;
    const struct ss_method *m = k->method;
    size_t before = m->salt + (k->n_users ? SS_BLOCK : 0u);
    size_t n = m->family == SS_2022 ? SS_REQUEST_FIXED : 2;
    uint8_t head[SS_REQUEST_FIXED];
    const uint8_t *p = gost_peek(io, before + n + m->tag);
    const char *why;

    if (!p)
        return wait_more(io);
    if (k->n_users && identify(s, p) != GOST_OK)
        return drain(s, io, "no user has the key that the client names");
    if (ss_stream_open_box(s, p) != GOST_OK)
        return gost_fail(io, GOST_ENOMEM, "no memory for a cipher");
    if (ss_box_open(&s->in, head, gost_bytes(p + before, n + m->tag)) != GOST_OK)
        return drain(s, io,
                     "the header does not authenticate: another key or method, or no "
                     "Shadowsocks at all");
    if (m->family == SS_2022 && ss_stamp_check(head, SS_FROM_CLIENT, ss_unix(), &why) != GOST_OK)
        return drain(s, io, why);
    if (k->memory && !ss_replay_fresh(k->memory->salts, gost_bytes(p, m->salt), gost_now()))
        return drain(s, io, "the salt was seen before: a replay");
    memcpy(s->request_salt, p, m->salt);
    gost_consume(io, before + n + m->tag);
    s->len = gost_get16(head + n - 2);
    s->phase = m->family == SS_2022 ? SS_VARIABLE : SS_FIRST;
    return GOST_OK;
}

/* The first payload holds address, padding and more; the user gets it without the padding. */
static int read_first(struct ss_stream *s, struct gost_io *io)
{
    struct gost_io *app = gost_app(io);
    struct ss_variable v;
    struct gost_bytes plain;
    int r = ss_chunk_collect(s, io, &plain);

    if (r == GOST_AGAIN)
        return wait_more(io);
    if (r == GOST_ENOMEM)
        return gost_fail(io, r, "no memory for a chunk");
    if (r != GOST_OK)
        return drain(s, io, "the first chunk does not authenticate");
    if (s->phase == SS_FIRST) {
        gost_send(app, plain.p, plain.n);
    } else if (ss_variable_parse(&v, plain) == GOST_OK) {
        gost_send(app, v.addr.p, v.addr.n);
        gost_send(app, v.payload.p, v.payload.n);
    } else {
        return drain(s, io, "malformed header of a client with the right key");
    }
    ss_chunk_done(s);
    s->phase = SS_CHUNKS;
    return GOST_OK;
}

int ss_server_handshake(struct ss_stream *s, struct gost_io *io)
{
    int r;

    gost_phase(io, "the Shadowsocks header");
    if (s->phase == SS_DRAIN)
        return drain(s, io, s->why);
    if (s->phase == SS_SALT) {
        r = read_head(s, io);
        if (r != GOST_OK)
            return r;
    }
    return read_first(s, io);
}

/* 2022: the response's header names the request and holds the length of the first payload. */
static int response(struct ss_stream *s, uint8_t *out, struct gost_bytes data)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t head[SS_RESPONSE_MAX];
    size_t n = SS_RESPONSE_FIXED(m);
    int r;

    ss_stamp_put(head, SS_FROM_SERVER, ss_unix());
    memcpy(head + 9, s->request_salt, m->salt);
    gost_put16(head + n - 2, (uint16_t)data.n);
    r = ss_box_seal(&s->out, out, gost_bytes(head, n));
    return r == GOST_OK ? ss_box_seal(&s->out, out + n + m->tag, data) : r;
}

int ss_server_first(struct ss_stream *s, struct gost_io *io)
{
    const struct ss_method *m = s->arg.keys->method;
    struct gost_bytes data = gost_rx(gost_app(io));
    size_t n = m->salt, head = SS_RESPONSE_FIXED(m) + 2u * m->tag;
    uint8_t *out;
    int r;

    if (data.n > SS_PIECE - n - head)
        data.n = SS_PIECE - n - head;
    out = gost_reserve(io, m->family == SS_2022 ? n + head + data.n : n);
    if (!out)
        return GOST_ENOMEM;
    gost_random(out, n);
    r = ss_stream_seal_box(s, out);
    if (r == GOST_OK && m->family == SS_2022) {
        r = response(s, out + n, data);
        n += head + data.n;
    }
    if (r != GOST_OK)
        return r;
    gost_commit(io, n);
    if (m->family == SS_2022)
        gost_consume(gost_app(io), data.n);
    return GOST_OK;
}
