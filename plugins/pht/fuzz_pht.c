/* fuzz_pht.c - lines and tokens: whole or in pieces they give the same; ours are read back. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "pht.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct pht_decoder d;
    uint8_t out[8192];
    size_t n;
    int lines, error;
};

static void check(int good)
{
    if (!good)
        abort();
}

static void feed(struct outcome *o, const uint8_t *p, size_t n)
{
    size_t got;
    int used, line;

    while (n > 0 && !o->error) {
        used = pht_decode(&o->d, gost_bytes(p, n), o->out + o->n, &got, &line);
        check(used != 0 && used <= (int)n);
        if (used < 0) {
            o->error = used;
            return;
        }
        o->n += got;
        o->lines += line;
        p += used;
        n -= (size_t)used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole, pieces, ours;
    static char text[8192];
    struct gost_bytes token;
    size_t at, n;

    if (size > 4096)
        return 0;
    memset(&whole, 0, sizeof whole);
    memset(&pieces, 0, sizeof pieces);
    memset(&ours, 0, sizeof ours);
    feed(&whole, data, size);
    for (at = 0; at < size; at += n) {
        n = 1 + data[at] % 5;
        n = n < size - at ? n : size - at;
        feed(&pieces, data + at, n);
    }
    check(whole.error == pieces.error && whole.lines == pieces.lines);
    check(whole.error || (whole.n == pieces.n && !memcmp(whole.out, pieces.out, whole.n)));
    n = pht_line(text, gost_bytes(data, size));
    check(n == pht_line_size(size));
    feed(&ours, (const uint8_t *)text, n);
    check(!ours.error && ours.lines == 1 && ours.n == size && !memcmp(ours.out, data, size));
    token = pht_query_token(gost_bytes(data, size));
    check(token.n == 0 || (pht_is_token(token) && token.p >= data && token.p < data + size));
    (void)pht_answer_token(gost_bytes(data, size));
    return 0;
}
