/* fuzz_redis.c - replies of a hostile redis server. */
/* SPDX-License-Identifier: MIT */
#include "redis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_answer a;
    size_t at, half;

    if (size < 2 || size > 4096)
        return 0;
    memset(&a, 0, sizeof a);
    a.left = 1 + (data[0] >> 2) % 3;
    half = (size - 1) / 2;
    for (at = 1; at < size; at += half + 1) {
        size_t n = size - at < half + 1 ? size - at : half + 1;

        if (redis_feed(&a, data[0] & 3, gost_bytes(data + at, n)) != GOST_AGAIN)
            break;
    }
    redis_answer_free(&a);
    return 0;
}
