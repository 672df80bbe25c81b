/* fuzz_ss_blake3.c - any input: outputs of all lengths begin alike, and modes differ. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ss_blake3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size);
    uint8_t zero[SS_BLAKE3_KEY] = {0}, whole[200], part[200], keyed[32], derived[32];
    size_t n = size % sizeof part;

    ss_blake3_hash(whole, sizeof whole, in);
    ss_blake3_hash(part, n, in);
    ss_blake3_keyed(keyed, sizeof keyed, zero, in);
    ss_blake3_derive(derived, sizeof derived, "", in);
    if (memcmp(whole, part, n) != 0 || memcmp(whole, keyed, 32) == 0 ||
        memcmp(whole, derived, 32) == 0 || memcmp(keyed, derived, 32) == 0)
        abort();
    return 0;
}
