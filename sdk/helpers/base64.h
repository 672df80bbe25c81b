/* base64.h - the digits of base64 (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_BASE64_H
#define GOST_BASE64_H

#include <stdint.h>

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

#endif
