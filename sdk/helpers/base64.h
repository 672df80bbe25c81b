/* base64.h - the digits of base64 (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_BASE64_H
#define GOST_BASE64_H

#include <gost/base.h>

/* 0 to 63, or -1. `last` is the alphabet's end: "+/" or, for URLs, "-_". [any], pure */
static inline int gost_base64_digit(uint8_t c, const char *last)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == (uint8_t)last[0] ? 62 : c == (uint8_t)last[1] ? 63 : -1;
}

/* Encoded length of n bytes, with padding. [any], pure */
static inline size_t gost_base64_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* Write the encoding of b to `to` (gost_base64_size() bytes of room); returns the length. [any] */
static inline size_t gost_base64_put(char *to, struct gost_bytes b, const char *alphabet, int pad)
{
    size_t i, n = 0;
    uint32_t v;

    for (i = 0; i < b.n; i += 3) {
        v = (uint32_t)b.p[i] << 16;
        if (i + 1 < b.n)
            v |= (uint32_t)b.p[i + 1] << 8;
        if (i + 2 < b.n)
            v |= b.p[i + 2];
        to[n++] = alphabet[v >> 18 & 63];
        to[n++] = alphabet[v >> 12 & 63];
        if (i + 1 < b.n || pad)
            to[n++] = i + 1 < b.n ? alphabet[v >> 6 & 63] : '=';
        if (i + 2 < b.n || pad)
            to[n++] = i + 2 < b.n ? alphabet[v & 63] : '=';
    }
    return n;
}

#endif
