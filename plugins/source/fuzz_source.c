/* fuzz_source.c - URLs of redirects and answers of hostile web servers. */
/* SPDX-License-Identifier: MIT */
/* covers: sdk/helpers/http1.c sdk/helpers/http1_client.c */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes at once and cut at the place the first byte names give the same data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_answer whole, cut;
    struct gost_url url;
    const char *why;
    size_t used, at;
    int r;

    if (size < 2)
        return 0;
    (void)gost_url_parse(&url, gost_bytes(data + 1, size - 1));
    memset(&whole, 0, sizeof whole);
    memset(&cut, 0, sizeof cut);
    r = gost_answer_feed(&whole, gost_bytes(data + 1, size - 1), &used, &why);
    at = data[0] % size;
    if (gost_answer_feed(&cut, gost_bytes(data + 1, at), &used, &why) == GOST_AGAIN) {
        int q = gost_answer_feed(&cut, gost_bytes(data + 1 + used, size - 1 - used), &used, &why);

        if (q == GOST_OK && r == GOST_OK && (cut.n != whole.n || cut.status != whole.status))
            __builtin_trap();
    }
    (void)gost_answer_end(&whole);
    gost_answer_free(&whole);
    gost_answer_free(&cut);
    return 0;
}
