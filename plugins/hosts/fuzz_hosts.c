/* fuzz_hosts.c - lines of a hostile file. */
/* SPDX-License-Identifier: MIT */
#include "hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hosts_table *t = hosts_new();
    const uint8_t *end = data + size, *p = data, *nl;
    struct gost_a_addrs a;

    while (t && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        (void)hosts_add(t, gost_bytes(p, (size_t)(nl - p)));
        p = nl + (nl < end);
    }
    if (t) {
        hosts_sort(t);
        hosts_find(t, gost_bytes(data, size < 300 ? size : 300), 0, &a);
        hosts_find(t, gost_bytes_str("a.b.example"), 4, &a);
        if (a.n > GOST_ADDRS_MAX)
            __builtin_trap();
    }
    hosts_free(t);
    return 0;
}
