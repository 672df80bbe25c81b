/* fuzz_auther.c - lines of users from hostile files. */
/* SPDX-License-Identifier: MIT */
#include "auther.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auther_table *t = auther_new(64);
    const uint8_t *end = data + size, *p = data, *nl;

    while (t && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        if (auther_add(t, gost_bytes(p, (size_t)(nl - p))) != GOST_OK)
            break;
        p = nl + (nl < end);
    }
    if (t) {
        auther_sort(t);
        (void)auther_check(t, gost_bytes(data, size / 2),
                           gost_bytes(data + size / 2, size - size / 2));
    }
    auther_free(t);
    return 0;
}
