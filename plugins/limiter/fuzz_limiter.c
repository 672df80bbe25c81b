/* fuzz_limiter.c - rules of a hostile file. */
/* SPDX-License-Identifier: MIT */
#include "limiter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Byte 0 chooses the kind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ip[4] = {192, 0, 2, 7};
    const uint8_t *end = data + size, *p = data + 1, *nl;
    struct limiter_rules *r;
    struct gost_addr client;
    struct gost_a_rate a;
    const char *why;

    if (size < 1)
        return 0;
    r = limiter_new((enum limiter_kind)(data[0] % 3));
    while (r && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        (void)limiter_add(r, gost_bytes(p, (size_t)(nl - p)), &why);
        p = nl + (nl < end);
    }
    if (r) {
        gost_addr_set_ip(&client, ip, 4, 1);
        limiter_sort(r);
        limiter_find(r, &client, &a);
        if (a.n > GOST_RATES_MAX)
            __builtin_trap();
    }
    limiter_free(r);
    return 0;
}
