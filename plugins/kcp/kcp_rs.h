/* kcp_rs.h - the matrix that both sides of the error correction share. */
/* SPDX-License-Identifier: MIT */
#ifndef KCP_RS_H
#define KCP_RS_H

#include <stdint.h>

/* (d + p) rows of d bytes, owned by the caller; NULL: out of memory. d + p <= 255. */
uint8_t *kcp_rs_matrix(unsigned d, unsigned p);

#endif
