/* sni_hello.c - read the server name of a TLS ClientHello, or replace it. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sni.h"

#define TLS_HANDSHAKE    22
#define CLIENT_HELLO     1
#define RECORD_MAX       16384
#define EXT_SERVER_NAME  0
#define EXT_REAL_NAME    0xfffe
#define HELLO_MAX        65535

/* Handshake bytes one after another, record headers stepped over. */
struct cursor {
    struct gost_bytes in;
    size_t at;     /* place in `in` */
    size_t record; /* bytes left in the current record */
    size_t left;   /* bytes left in the structure being read */
    size_t need;
    int error;     /* 0, GOST_AGAIN or GOST_EPROTO */
};

static int stop(struct cursor *c, int error)
{
    if (!c->error)
        c->error = error;
    return -1;
}

static int open_record(struct cursor *c)
{
    const uint8_t *p = c->in.p + c->at;

    if (c->in.n - c->at < 5) {
        c->need = c->at + 5;
        return stop(c, GOST_AGAIN);
    }
    if (p[0] != TLS_HANDSHAKE || p[1] != 3 || p[2] > 4)
        return stop(c, GOST_EPROTO);
    c->record = gost_get16(p + 3);
    if (c->record == 0 || c->record > RECORD_MAX)
        return stop(c, GOST_EPROTO);
    c->at += 5;
    return 0;
}

/* Next byte of the structure, or -1 with c->error set. */
static int next(struct cursor *c)
{
    if (c->error)
        return -1;
    if (c->left == 0)
        return stop(c, GOST_EPROTO);
    if (c->record == 0 && open_record(c) < 0)
        return -1;
    if (c->at == c->in.n) {
        c->need = c->at + c->record;
        return stop(c, GOST_AGAIN);
    }
    c->record--;
    c->left--;
    return c->in.p[c->at++];
}

static size_t number(struct cursor *c, int bytes)
{
    size_t v = 0;

    while (bytes-- > 0)
        v = v << 8 | (size_t)(next(c) & 0xff);
    return c->error ? 0 : v;
}

static void skip(struct cursor *c, size_t n)
{
    while (n-- > 0 && next(c) >= 0)
        ;
}

/* Message type and length; c->left becomes the length. */
static void open_hello(struct cursor *c)
{
    size_t n;

    c->left = 4;
    if (next(c) != CLIENT_HELLO)
        stop(c, GOST_EPROTO);
    n = number(c, 3);
    if (n > HELLO_MAX)
        stop(c, GOST_EPROTO);
    c->left = n;
}

/* The list in the server_name extension of n bytes. */
static void read_names(struct cursor *c, size_t n, char name[SNI_NAME_MAX])
{
    size_t list, len, i;
    int type;

    list = number(c, 2);
    if (!c->error && list + 2 != n)
        stop(c, GOST_EPROTO);
    while (!c->error && list >= 3) {
        type = next(c);
        len = number(c, 2);
        if (c->error || len + 3 > list || (type == 0 && (len == 0 || len >= SNI_NAME_MAX))) {
            stop(c, GOST_EPROTO);
            return;
        }
        list -= len + 3;
        if (type != 0 || name[0]) {
            skip(c, len);
            continue;
        }
        for (i = 0; i < len && !c->error; i++)
            name[i] = (char)next(c);
        name[len] = 0;
        if (!c->error && strlen(name) != len)
            stop(c, GOST_EPROTO);
    }
}

int sni_hello_name(struct gost_bytes in, size_t *ret_need, char name[SNI_NAME_MAX])
{
    struct cursor c = {in, 0, 0, 0, 0, 0};
    size_t exts, type, n;

    name[0] = 0;
    open_hello(&c);
    skip(&c, 2 + 32);
    skip(&c, number(&c, 1)); /* session id */
    skip(&c, number(&c, 2)); /* cipher suites */
    skip(&c, number(&c, 1)); /* compression methods */
    if (!c.error && c.left == 0)
        return GOST_OK;
    exts = number(&c, 2);
    if (!c.error && exts != c.left)
        stop(&c, GOST_EPROTO);
    while (!c.error && c.left > 0) {
        type = number(&c, 2);
        n = number(&c, 2);
        if (!c.error && n > c.left)
            stop(&c, GOST_EPROTO);
        if (type == EXT_SERVER_NAME && !c.error) {
            read_names(&c, n, name);
            break;
        }
        skip(&c, n);
    }
    if (c.error == GOST_AGAIN)
        *ret_need = c.need;
    return c.error;
}

/* ---- replacing ---- */

static void put16(struct gost_http1_out *out, size_t v)
{
    uint8_t b[2];

    gost_put16(b, (uint16_t)v);
    gost_http1_put(out, gost_bytes(b, 2));
}

static void put_server_name(struct gost_http1_out *out, struct gost_bytes host)
{
    put16(out, EXT_SERVER_NAME);
    put16(out, host.n + 5);
    put16(out, host.n + 3);
    gost_http1_put(out, gost_bytes("", 1));
    put16(out, host.n);
    gost_http1_put(out, host);
}

/* Copy the extensions with the new name in place of the old, and the hidden one at the end. */
static void put_extensions(struct gost_http1_out *out, struct gost_bytes exts,
                           struct gost_bytes host, struct gost_bytes hidden)
{
    size_t at = 0, n;

    while (at + 4 <= exts.n) {
        n = 4 + gost_get16(exts.p + at + 2);
        if (gost_get16(exts.p + at) == EXT_SERVER_NAME)
            put_server_name(out, host);
        else
            gost_http1_put(out, gost_bytes(exts.p + at, n));
        at += n;
    }
    put16(out, EXT_REAL_NAME);
    put16(out, hidden.n);
    gost_http1_put(out, hidden);
}

/* Write message bytes as records of the first record's version. */
static void put_records(struct gost_http1_out *out, struct gost_bytes hello, uint8_t minor)
{
    uint8_t head[5] = {TLS_HANDSHAKE, 3, minor, 0, 0};
    size_t n;

    for (; hello.n > 0; hello.p += n, hello.n -= n) {
        n = hello.n < RECORD_MAX ? hello.n : RECORD_MAX;
        gost_put16(head + 3, (uint16_t)n);
        gost_http1_put(out, gost_bytes(head, sizeof head));
        gost_http1_put(out, gost_bytes(hello.p, n));
    }
}

/* Offset of the extensions' length in a message that sni_hello_name() has found good. */
static size_t extensions_at(const uint8_t *msg)
{
    size_t at = 4 + 2 + 32;

    at += 1 + (size_t)msg[at];
    at += 2 + (size_t)gost_get16(msg + at);
    at += 1 + (size_t)msg[at];
    return at;
}

/* Extensions after the server name have not been looked at yet. */
static int extensions_valid(struct gost_bytes exts)
{
    size_t at = 0, names = 0;

    while (at < exts.n) {
        if (exts.n - at < 4 || exts.n - at - 4 < gost_get16(exts.p + at + 2))
            return 0;
        names += gost_get16(exts.p + at) == EXT_SERVER_NAME;
        at += 4 + (size_t)gost_get16(exts.p + at + 2);
    }
    return names == 1;
}

static int rebuild(struct gost_http1_out *out, struct gost_bytes msg, uint8_t minor,
                   struct gost_bytes host, const char *name)
{
    char hidden[GOST_HTTP1_TARGET_MAX];
    struct gost_http1_out to = {NULL, 0, 0, 0};
    size_t at = extensions_at(msg.p), n;
    struct gost_bytes exts = gost_bytes(msg.p + at + 2, msg.n - at - 2);

    n = gost_http1_target_encode(hidden, sizeof hidden, gost_bytes_str(name));
    if (n == 0 || !extensions_valid(exts))
        return GOST_EPROTO;
    to.size = msg.n + SNI_COVER_EXTRA;
    to.p = malloc(to.size);
    if (!to.p)
        return GOST_ENOMEM;
    gost_http1_put(&to, gost_bytes(msg.p, at + 2));
    put_extensions(&to, exts, host, gost_bytes(hidden, n));
    if (to.full || to.n > HELLO_MAX) {
        free(to.p);
        return GOST_ETOOBIG;
    }
    gost_put16(to.p + at, (uint16_t)(to.n - at - 2));
    gost_put16(to.p + 2, (uint16_t)(to.n - 4));
    put_records(out, gost_bytes(to.p, to.n), minor);
    free(to.p);
    return out->full ? GOST_ETOOBIG : GOST_OK;
}

/* Collect the whole message, without record headers, into msg (HELLO_MAX + 4 bytes). */
static int collect(struct cursor *c, uint8_t *msg, size_t *ret_n)
{
    size_t n = 0;
    int b;

    c->left = 4;
    while (n < 4 && (b = next(c)) >= 0)
        msg[n++] = (uint8_t)b;
    if (c->error)
        return c->error;
    if (msg[0] != CLIENT_HELLO || msg[1] != 0)
        return GOST_EPROTO;
    c->left = gost_get16(msg + 2);
    while (c->left > 0 && (b = next(c)) >= 0)
        msg[n++] = (uint8_t)b;
    /* A record may not hold the start of another message. */
    if (!c->error && c->record != 0)
        stop(c, GOST_EPROTO);
    *ret_n = n;
    return c->error;
}

int sni_hello_cover(struct gost_http1_out *out, struct gost_bytes in, struct gost_bytes host,
                    size_t *ret_used, size_t *ret_need)
{
    struct cursor c = {in, 0, 0, 0, 0, 0};
    char name[SNI_NAME_MAX];
    uint8_t *msg;
    size_t n;
    int r;

    r = sni_hello_name(in, ret_need, name);
    if (r != GOST_OK)
        return r;
    if (name[0] == 0)
        return GOST_EUNSUPPORTED;
    msg = malloc(HELLO_MAX + 4);
    if (!msg)
        return GOST_ENOMEM;
    r = collect(&c, msg, &n);
    if (r == GOST_OK)
        r = rebuild(out, gost_bytes(msg, n), in.p[2], host, name);
    if (r == GOST_OK)
        *ret_used = c.at;
    else if (r == GOST_AGAIN)
        *ret_need = c.need;
    free(msg);
    return r;
}
