/* fuzz_source.c - URLs of redirects and answers of hostile web servers. */
/* SPDX-License-Identifier: MIT */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes at once and cut at the place the first byte names give the same data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source_answer whole, cut;
    struct source_url url;
    const char *why;
    size_t used, at;
    int r;

    if (size < 2)
        return 0;
    (void)source_url_parse(&url, gost_bytes(data + 1, size - 1));
    memset(&whole, 0, sizeof whole);
    memset(&cut, 0, sizeof cut);
    r = source_answer_feed(&whole, gost_bytes(data + 1, size - 1), &used, &why);
    at = data[0] % size;
    if (source_answer_feed(&cut, gost_bytes(data + 1, at), &used, &why) == GOST_AGAIN) {
        int q = source_answer_feed(&cut, gost_bytes(data + 1 + used, size - 1 - used), &used, &why);

        if (q == GOST_OK && r == GOST_OK && (cut.n != whole.n || cut.status != whole.status))
            __builtin_trap();
    }
    (void)source_answer_end(&whole);
    source_answer_free(&whole);
    source_answer_free(&cut);
    return 0;
}
