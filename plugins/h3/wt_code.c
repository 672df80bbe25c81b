/* wt_code.c - codes of WebTransport's streams among those of HTTP/3. Pure. */
/* SPDX-License-Identifier: MIT */
#include "wt.h"

/* draft-ietf-webtrans-http3, section 4.3: 32 bits, spread so that no greased code is hit. */
#define FIRST 0x52e4a40fa8dbull
#define LAST  0x52e5ac983162ull

uint64_t wt_code_put(uint64_t code)
{
    code &= 0xffffffffu;
    return FIRST + code + code / 0x1e;
}

uint64_t wt_code_get(uint64_t code)
{
    uint64_t n = code - FIRST;

    if (code < FIRST || code > LAST || (code - 0x21) % 0x1f == 0)
        return 0;
    return n - n / 0x1f;
}
