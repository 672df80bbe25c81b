/* pht_wire.c - tokens and lines. Pure. */
/* SPDX-License-Identifier: MIT */
#include "base64.h"
#include "pht.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- lines ---- */

size_t pht_line_size(size_t n)
{
    return gost_base64_size(n) + 1;
}

size_t pht_line(char *to, struct gost_bytes data)
{
    size_t n = gost_base64_put(to, data, alphabet, 1);

    to[n] = '\n';
    return n + 1;
}

/* The end of a line: no digits may be left over. */
static int end_line(struct pht_decoder *d)
{
    int whole = d->digits == 0;

    memset(d, 0, sizeof *d);
    return whole ? GOST_OK : GOST_EPROTO;
}

static int digit(struct pht_decoder *d, uint8_t c, uint8_t *to, size_t *n)
{
    int v = c == '=' ? 0 : gost_base64_digit(c, "+/");

    if (v < 0 || (c != '=' && d->pads > 0) || (c == '=' && (d->digits < 2 || d->pads == 2)))
        return GOST_EPROTO;
    d->pads += c == '=';
    d->acc = d->acc << 6 | (uint32_t)v;
    if (++d->digits < 4)
        return GOST_OK;
    if (d->acc & (d->pads == 2 ? 0xffffu : d->pads == 1 ? 0xffu : 0))
        return GOST_EPROTO;
    to[(*n)++] = (uint8_t)(d->acc >> 16);
    if (d->pads < 2)
        to[(*n)++] = (uint8_t)(d->acc >> 8);
    if (d->pads < 1)
        to[(*n)++] = (uint8_t)d->acc;
    d->acc = d->digits = 0;
    return GOST_OK; /* pads stay: nothing may follow them */
}

int pht_decode(struct pht_decoder *d, struct gost_bytes in, uint8_t *to, size_t *ret_n,
               int *ret_line)
{
    size_t i, n = 0;
    int r = GOST_OK;

    *ret_line = 0;
    for (i = 0; i < in.n && i < GOST_PEEK_MAX && r == GOST_OK && !*ret_line; i++) {
        uint8_t c = in.p[i];

        if (c == '\n') {
            *ret_line = 1;
            r = end_line(d);
        } else if (c != '\r') {
            r = d->pads > 0 && d->digits == 0 ? GOST_EPROTO : digit(d, c, to, &n);
        }
    }
    *ret_n = n;
    return r == GOST_OK ? (int)i : r;
}

/* ---- tokens ---- */

int pht_is_token(struct gost_bytes t)
{
    size_t i;

    for (i = 0; i < t.n; i++) {
        uint8_t c = t.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return 0;
    }
    return t.n > 0 && t.n <= PHT_TOKEN_MAX;
}

static struct gost_bytes token_or_none(struct gost_bytes t)
{
    return pht_is_token(t) ? t : gost_bytes(NULL, 0);
}

struct gost_bytes pht_query_token(struct gost_bytes query)
{
    static const char name[] = "token=";
    size_t k = sizeof name - 1;

    while (query.n > 0) {
        const uint8_t *end = memchr(query.p, '&', query.n);
        size_t n = end ? (size_t)(end - query.p) : query.n;

        if (n > k && memcmp(query.p, name, k) == 0)
            return token_or_none(gost_bytes(query.p + k, n - k));
        n += end != NULL;
        query = gost_bytes(query.p + n, query.n - n);
    }
    return gost_bytes(NULL, 0);
}

struct gost_bytes pht_answer_token(struct gost_bytes body)
{
    while (body.n > 0 && (body.p[body.n - 1] == '\n' || body.p[body.n - 1] == '\r'))
        body.n--;
    return pht_query_token(body);
}

void pht_token(char *to, const uint8_t *random12)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint32_t acc = 0, bits = 0, i, n = 0;

    for (i = 0; i < 12; i++) {
        acc = acc << 8 | random12[i];
        for (bits += 8; bits >= 5; bits -= 5)
            to[n++] = digits[acc >> (bits - 5) & 31];
    }
    to[n] = digits[acc << (5 - bits) & 31]; /* one bit is left */
}
