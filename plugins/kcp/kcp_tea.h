/* kcp_tea.h - TEA (8 cycles) and XTEA (32 cycles) in CFB mode: no library has them. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_TEA_H
#define KCP_TEA_H

#include <gost/base.h>

/* In place, big-endian words, the initial vector's first 8 bytes. */
void kcp_tea_cfb(const uint32_t key[4], int xtea, const uint8_t *iv, uint8_t *p, size_t n,
                 int seal);

#endif
