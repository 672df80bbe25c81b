/* ss_blake3.h - BLAKE3: hash, keyed hash and key derivation, in one call each. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_BLAKE3_H
#define SS_BLAKE3_H

#include <gost/base.h>

#define SS_BLAKE3_KEY 32

/* All three write ret_n bytes of output, any number. [any], pure */
void ss_blake3_hash(uint8_t *ret_out, size_t ret_n, struct gost_bytes in);
void ss_blake3_keyed(uint8_t *ret_out, size_t ret_n, const uint8_t key[SS_BLAKE3_KEY],
                     struct gost_bytes in);

/* A key for one purpose, named by the context, from secret material. */
void ss_blake3_derive(uint8_t *ret_out, size_t ret_n, const char *context,
                      struct gost_bytes material);

#endif
