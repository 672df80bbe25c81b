/* fuzz_socks4.c - requests of hostile clients. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "socks4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t command, buf[SOCKS4_REQUEST_MAX];
    struct gost_bytes user;
    struct gost_addr a, b;
    int n = socks4_parse_request(gost_bytes(data, size), &command, &user, &a);
    char text[256];
    size_t k;

    if (n <= 0)
        return 0;
    if ((size_t)n > size || user.n > 255)
        abort();
    memcpy(text, user.p, user.n);
    text[user.n] = 0;
    k = socks4_put_request(buf, &a, text, 1);
    if (k && (socks4_parse_request(gost_bytes(buf, k), &command, &user, &b) != (int)k ||
              !gost_addr_equal(&a, &b)))
        abort();
    return 0;
}
