/* kcp_tea.c - TEA (8 cycles) and XTEA (32 cycles) in CFB mode: no library has them. */
/* SPDX-License-Identifier: MIT */
#include "kcp_tea.h"

#define DELTA 0x9e3779b9u

static void tea(const uint32_t k[4], uint32_t *a, uint32_t *b)
{
    uint32_t v = *a, w = *b, sum = 0;
    unsigned cycle;

    for (cycle = 0; cycle < 8; cycle++) {
        sum += DELTA;
        v += ((w << 4) + k[0]) ^ (w + sum) ^ ((w >> 5) + k[1]);
        w += ((v << 4) + k[2]) ^ (v + sum) ^ ((v >> 5) + k[3]);
    }
    *a = v;
    *b = w;
}

static void xtea(const uint32_t k[4], uint32_t *a, uint32_t *b)
{
    uint32_t v = *a, w = *b, sum = 0;
    unsigned cycle;

    for (cycle = 0; cycle < 32; cycle++) {
        v += ((w << 4 ^ w >> 5) + w) ^ (sum + k[sum & 3]);
        sum += DELTA;
        w += ((v << 4 ^ v >> 5) + v) ^ (sum + k[sum >> 11 & 3]);
    }
    *a = v;
    *b = w;
}

void kcp_tea_cfb(const uint32_t key[4], int is_xtea, const uint8_t *iv, uint8_t *p, size_t n,
                 int seal)
{
    uint8_t last[8], stream[8], in;
    size_t i, at;

    memcpy(last, iv, sizeof last);
    for (at = 0; at < n; at += 8) {
        uint32_t a = gost_get32(last), b = gost_get32(last + 4);

        if (is_xtea)
            xtea(key, &a, &b);
        else
            tea(key, &a, &b);
        gost_put32(gost_put32(stream, a), b);
        for (i = 0; i < 8 && at + i < n; i++) {
            in = p[at + i];
            p[at + i] ^= stream[i];
            last[i] = seal ? p[at + i] : in;
        }
    }
}
