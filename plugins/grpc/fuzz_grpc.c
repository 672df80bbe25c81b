/* fuzz_grpc.c - messages: whole or in pieces they give the same bytes; ours are read back. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct grpc_reader r;
    uint32_t hash;
    size_t n;
    int error;
};

static void check(int good)
{
    if (!good)
        abort();
}

static void feed(struct outcome *o, const uint8_t *p, size_t n)
{
    size_t k;
    int used;

    while (n > 0 && !o->error) {
        k = grpc_data(&o->r);
        if (k > 0) {
            k = k < n ? k : n;
            grpc_pass(&o->r, (uint32_t)k);
            o->n += k;
            for (size_t i = 0; i < k; i++)
                o->hash = o->hash * 31 + p[i];
        } else {
            used = grpc_feed(&o->r, gost_bytes(p, n));
            check(used != 0 && used <= (int)n);
            if (used < 0)
                o->error = used;
            k = used > 0 ? (size_t)used : 0;
        }
        p += k;
        n -= k;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = {{0}, 0, 0, 0}, pieces = whole, ours = whole;
    uint8_t prefix[GRPC_PREFIX_MAX];
    char path[64], method[80];
    size_t at, n;

    if (size > GRPC_CHUNK_MAX)
        return 0;
    feed(&whole, data, size);
    for (at = 0; at < size; at += n) {
        n = 1 + data[at] % 5;
        n = n < size - at ? n : size - at;
        feed(&pieces, data + at, n);
    }
    check(whole.error == pieces.error && whole.n == pieces.n && whole.hash == pieces.hash);
    if (size > 0) {
        feed(&ours, prefix, grpc_prefix(prefix, (uint32_t)size));
        check(!ours.error && grpc_data(&ours.r) == size);
        feed(&ours, data, size);
        check(ours.n == size && grpc_between(&ours.r));
    }
    n = size < sizeof path - 1 ? size : sizeof path - 1;
    if (n > 0)
        memcpy(path, data, n);
    path[n] = 0;
    n = grpc_method(method, sizeof method, path);
    check(n > 0 && strlen(method) == n && method[0] == '/');
    return 0;
}
