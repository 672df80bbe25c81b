/* fuzz_socks5.c - all SOCKS5 parsers on hostile bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size), u, p;
    uint8_t buf[SOCKS5_REQUEST_MAX], command;
    struct socks5_offer offer;
    struct gost_addr a, b;
    int n;
    size_t k;

    n = socks5_parse_offer(in, &offer);
    if (n > 0 && (size_t)n > size)
        abort();
    n = socks5_parse_userpass(in, &u, &p);
    if (n > 0 && ((size_t)n > size || u.n > 255 || p.n > 255))
        abort();
    n = socks5_parse_request(in, &command, &a);
    if (n <= 0)
        return 0;
    k = socks5_put_request(buf, command, &a);
    if ((size_t)n > size || socks5_parse_request(gost_bytes(buf, k), &command, &b) != (int)k)
        abort();
    return 0;
}
