/* fuzz_sniff.c - first bytes from arbitrary ones. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size < SNIFF_LIMIT ? size : SNIFF_LIMIT);
    enum sniff_protocol protocol = SNIFF_UNKNOWN;
    char host[SNIFF_HOST_MAX];
    size_t need = 0;
    int r;

    r = sniff_detect(in, &protocol);
    require(r == GOST_OK || (r == GOST_AGAIN && in.n < 5));
    r = sniff_tls_host(in, &need, host);
    require(r != GOST_AGAIN || need > in.n);
    require(strlen(host) < SNIFF_HOST_MAX && (r == GOST_OK || host[0] == 0));
    r = sniff_http_host(in, &need, host);
    require(r != GOST_AGAIN || need > in.n);
    require(strlen(host) < SNIFF_HOST_MAX && (r == GOST_OK || host[0] == 0));
    return 0;
}
