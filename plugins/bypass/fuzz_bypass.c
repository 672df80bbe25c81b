/* fuzz_bypass.c - patterns and addresses from hostile files. */
/* SPDX-License-Identifier: MIT */
#include "bypass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bypass_set *s = bypass_new();
    const uint8_t *end = data + size, *p = data, *nl;
    struct gost_addr a;

    while (s && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        (void)bypass_add(s, gost_bytes(p, (size_t)(nl - p)));
        p = nl + (nl < end);
    }
    if (s) {
        (void)bypass_sort(s);
        if (gost_addr_parse(&a, (const char *)data, size < 200 ? size : 200, 0) == GOST_OK)
            (void)bypass_match(s, &a);
    }
    bypass_free(s);
    return 0;
}
