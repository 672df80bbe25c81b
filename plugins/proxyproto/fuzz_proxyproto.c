/* fuzz_proxyproto.c - headers from hostile proxies, at every split. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxyproto_header h, again;
    uint8_t buf[PROXYPROTO_HEADER_MAX];
    int r = proxyproto_parse(gost_bytes(data, size), 1, &h);
    size_t n;

    if (r > 0 && (size_t)r > size)
        abort();
    (void)proxyproto_parse(gost_bytes(data, size / 2), 0, &again);
    if (r > 0 && h.has_addresses &&
        (n = proxyproto_put(buf, 2, GOST_NET_TCP, &h.source, &h.destination)) > 0 &&
        proxyproto_parse(gost_bytes(buf, n), 1, &again) != (int)n)
        abort();
    return 0;
}
