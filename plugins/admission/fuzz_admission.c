/* fuzz_admission.c - lines of a hostile file. */
/* SPDX-License-Identifier: MIT */
#include "admission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nobody(const char *name, struct gost_addr *ret_addr)
{
    return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admission_set *s = admission_new();
    const uint8_t *end = data + size, *p = data, *nl;
    struct gost_addr a;

    while (s && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        (void)admission_add(s, gost_bytes(p, (size_t)(nl - p)), nobody);
        p = nl + (nl < end);
    }
    if (s) {
        admission_sort(s);
        if (gost_addr_parse(&a, (const char *)data, size < 100 ? size : 100, 0) == GOST_OK)
            (void)admission_match(s, &a);
    }
    admission_free(s);
    return 0;
}
