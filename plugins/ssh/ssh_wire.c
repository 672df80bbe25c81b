/* ssh_wire.c - the data types of RFC 4251, and base64. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base64.h"
#include "ssh_wire.h"

/* ---- reading ---- */

struct ssh_in ssh_in(struct gost_bytes b)
{
    struct ssh_in in = {b.p, b.n, 0};

    return in;
}

struct gost_bytes ssh_get_bytes(struct ssh_in *in, size_t n)
{
    struct gost_bytes b;

    if (in->bad || n > in->n) {
        in->bad = 1;
        return gost_bytes(NULL, 0);
    }
    b = gost_bytes(in->p, n);
    in->p = n ? in->p + n : in->p;
    in->n -= n;
    return b;
}

uint8_t ssh_get_u8(struct ssh_in *in)
{
    struct gost_bytes b = ssh_get_bytes(in, 1);

    return b.n ? b.p[0] : 0;
}

uint32_t ssh_get_u32(struct ssh_in *in)
{
    struct gost_bytes b = ssh_get_bytes(in, 4);

    return b.n ? gost_get32(b.p) : 0;
}

struct gost_bytes ssh_get_string(struct ssh_in *in)
{
    return ssh_get_bytes(in, ssh_get_u32(in));
}

struct gost_bytes ssh_get_mpint(struct ssh_in *in)
{
    struct gost_bytes b = ssh_get_string(in);

    if (b.n && (b.p[0] & 0x80))
        in->bad = 1;
    while (b.n && b.p[0] == 0) {
        b.p++;
        b.n--;
    }
    return in->bad ? gost_bytes(NULL, 0) : b;
}

int ssh_is(struct gost_bytes b, const char *text)
{
    return gost_bytes_eq(b, gost_bytes_str(text));
}

int ssh_has_name(struct gost_bytes list, const char *word)
{
    size_t i, from = 0;

    for (i = 0; i <= list.n; i++) {
        if (i < list.n && list.p[i] != ',')
            continue;
        if (i > from && ssh_is(gost_bytes(list.p + from, i - from), word))
            return 1;
        from = i + 1;
    }
    return 0;
}

/* ---- writing ---- */

static int grow(struct ssh_out *o, size_t n)
{
    size_t cap = o->cap ? o->cap : 256;
    uint8_t *p;

    if (o->bad)
        return 0;
    if (n <= o->cap - o->n)
        return 1;
    while (cap - o->n < n)
        cap *= 2;
    p = malloc(cap);
    if (!p) {
        o->bad = 1;
        return 0;
    }
    if (o->n)
        memcpy(p, o->p, o->n);
    if (o->p)
        gost_wipe(o->p, o->n);
    free(o->p);
    o->p = p;
    o->cap = cap;
    return 1;
}

void ssh_put(struct ssh_out *o, const void *p, size_t n)
{
    if (n == 0 || !grow(o, n))
        return;
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

void ssh_put_u8(struct ssh_out *o, uint8_t v)
{
    ssh_put(o, &v, 1);
}

void ssh_put_u32(struct ssh_out *o, uint32_t v)
{
    uint8_t b[4];

    gost_put32(b, v);
    ssh_put(o, b, sizeof b);
}

void ssh_put_string(struct ssh_out *o, struct gost_bytes b)
{
    ssh_put_u32(o, (uint32_t)b.n);
    ssh_put(o, b.p, b.n);
}

void ssh_put_text(struct ssh_out *o, const char *text)
{
    ssh_put_string(o, gost_bytes_str(text));
}

void ssh_put_mpint(struct ssh_out *o, struct gost_bytes number)
{
    while (number.n && number.p[0] == 0) {
        number.p++;
        number.n--;
    }
    if (number.n && (number.p[0] & 0x80)) {
        ssh_put_u32(o, (uint32_t)number.n + 1);
        ssh_put_u8(o, 0);
    } else {
        ssh_put_u32(o, (uint32_t)number.n);
    }
    ssh_put(o, number.p, number.n);
}

struct gost_bytes ssh_out_bytes(const struct ssh_out *o)
{
    return gost_bytes(o->p, o->n);
}

void ssh_out_free(struct ssh_out *o)
{
    if (o->p)
        gost_wipe(o->p, o->n);
    free(o->p);
    memset(o, 0, sizeof *o);
}

/* ---- base64 ---- */

static int is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int ssh_base64(struct gost_bytes text, uint8_t *out, size_t room, size_t *ret_n)
{
    uint32_t bits = 0;
    unsigned have = 0, digits = 0, pads = 0;
    size_t i, n = 0;

    for (i = 0; i < text.n; i++) {
        int d = gost_base64_digit(text.p[i], "+/");

        if (is_space(text.p[i]))
            continue;
        if (text.p[i] == '=' && pads < 2) {
            pads++;
            continue;
        }
        if (d < 0 || pads)
            return GOST_EPROTO;
        digits++;
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have < 8)
            continue;
        if (n == room)
            return GOST_ETOOBIG;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
        bits &= (1u << have) - 1;
    }
    if ((digits + pads) % 4 || bits)
        return GOST_EPROTO;
    *ret_n = n;
    return GOST_OK;
}
