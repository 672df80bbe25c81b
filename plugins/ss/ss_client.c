/* ss_client.c - the client's end of a stream: the request's header and the server's answer. */
/* SPDX-License-Identifier: MIT */
#include "ss_stream.h"

/* Identity headers of all keys but the last, each sealed for the server on the way. */
static int put_identities(const struct ss_keys *k, const uint8_t *salt, uint8_t *out)
{
    uint8_t key[SS_KEY_MAX];
    uint32_t i;
    int r = GOST_OK;

    for (i = 0; r == GOST_OK && i + 1 < k->n_psk; i++) {
        ss_identity_key(k->method, k->key[i].psk, salt, key);
        r = ss_block(k->method, key, k->key[i + 1].hash, out + i * SS_BLOCK, 1);
    }
    gost_wipe(key, sizeof key);
    return r;
}

/* Address, padding when nothing else gives the request a length of its own, first bytes. */
static size_t put_variable(const struct ss_arg *arg, uint8_t *out, struct gost_bytes data)
{
    size_t n = arg->addr_n, pad = 0;
    uint8_t v[2];

    if (data.n == 0) {
        gost_random(v, sizeof v);
        pad = 1 + gost_get16(v) % SS_PADDING_MAX;
    }
    memcpy(out, arg->addr, n);
    gost_put16(out + n, (uint16_t)pad);
    n += 2;
    gost_random(out + n, pad);
    n += pad;
    if (data.n)
        memcpy(out + n, data.p, data.n);
    return n + data.n;
}

/* Everything of 2022 in one piece, so that it leaves in one write. */
static int request_2022(struct ss_stream *s, struct gost_io *io, uint8_t *out)
{
    const struct ss_keys *k = s->arg.keys;
    const struct ss_method *m = k->method;
    struct gost_bytes data = gost_rx(gost_app(io));
    size_t before = m->salt + SS_BLOCK * (k->n_psk - 1);
    size_t room = SS_PIECE - before - SS_REQUEST_FIXED - 2u * m->tag - SS_VARIABLE_MAX;
    uint8_t head[SS_REQUEST_FIXED], *at = out + before + SS_REQUEST_FIXED + m->tag;
    size_t n;
    int r = put_identities(k, out, out + m->salt);

    if (data.n > room)
        data.n = room;
    n = put_variable(&s->arg, at, data);
    ss_stamp_put(head, SS_FROM_CLIENT, ss_unix());
    gost_put16(head + 9, (uint16_t)n);
    if (r == GOST_OK)
        r = ss_box_seal(&s->out, out + before, gost_bytes(head, sizeof head));
    if (r == GOST_OK)
        r = ss_box_seal(&s->out, at, gost_bytes(at, n));
    if (r != GOST_OK)
        return r;
    gost_commit(io, before + SS_REQUEST_FIXED + 2u * m->tag + n);
    gost_consume(gost_app(io), data.n);
    return GOST_OK;
}

/* 2017: the address is a chunk of its own, as GOST sends it; the first bytes follow at once. */
static int request_2017(struct ss_stream *s, struct gost_io *io, uint8_t *out)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t len[2];
    int r;

    gost_put16(len, (uint16_t)s->arg.addr_n);
    r = ss_box_seal(&s->out, out + m->salt, gost_bytes(len, 2));
    if (r == GOST_OK)
        r = ss_box_seal(&s->out, out + m->salt + 2 + m->tag,
                        gost_bytes(s->arg.addr, s->arg.addr_n));
    if (r == GOST_OK)
        gost_commit(io, m->salt + 2 + 2u * m->tag + s->arg.addr_n);
    return r;
}

int ss_client_first(struct ss_stream *s, struct gost_io *io)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t *out = gost_reserve(io, SS_PIECE);
    int r;

    if (!out)
        return GOST_ENOMEM;
    gost_set_deadline(io, 0);
    gost_random(out, m->salt);
    memcpy(s->request_salt, out, m->salt);
    r = ss_stream_seal_box(s, out);
    if (r != GOST_OK)
        return r;
    return m->family == SS_2022 ? request_2022(s, io, out) : request_2017(s, io, out);
}

static int not_ours(struct gost_io *io)
{
    return gost_fail(io, GOST_EPROTO,
                     "the server's answer does not authenticate: another key or method, or no "
                     "Shadowsocks at all");
}

/* 2022: type, time, our own salt, and the length of the first payload. */
static int check_response(struct ss_stream *s, struct gost_io *io, const uint8_t *head, size_t n)
{
    size_t salt = s->arg.keys->method->salt;
    const char *why;

    if (ss_stamp_check(head, SS_FROM_SERVER, ss_unix(), &why) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the server's answer: %s", why);
    if (!s->sealed || !gost_equal_ct(gost_bytes(head + 9, salt), gost_bytes(s->request_salt, salt)))
        return gost_fail(io, GOST_EPROTO, "the server answers another request");
    s->len = gost_get16(head + n - 2);
    s->awaiting = 1;
    return GOST_OK;
}

int ss_client_answer(struct ss_stream *s, struct gost_io *io)
{
    const struct ss_method *m = s->arg.keys->method;
    size_t n = m->family == SS_2022 ? SS_RESPONSE_FIXED(m) : 2;
    uint8_t head[SS_RESPONSE_MAX];
    const uint8_t *p = gost_peek(io, m->salt + n + m->tag);

    if (!p && gost_rx_eof(io) && gost_rx_len(io))
        return gost_fail(io, GOST_ECLOSED, "the server's answer ended early");
    if (!p)
        return GOST_AGAIN; /* ended without a byte: Shadowsocks says no more of a failure */
    if (ss_stream_open_box(s, p) != GOST_OK)
        return gost_fail(io, GOST_ENOMEM, "no memory for a cipher");
    if (ss_box_open(&s->in, head, gost_bytes(p + m->salt, n + m->tag)) != GOST_OK)
        return not_ours(io);
    if (m->family == SS_2022) {
        if (check_response(s, io, head, n) != GOST_OK)
            return GOST_EPROTO;
    } else {
        s->len = gost_get16(head);
        s->awaiting = 1;
    }
    gost_consume(io, m->salt + n + m->tag);
    s->phase = SS_CHUNKS;
    return GOST_OK;
}
