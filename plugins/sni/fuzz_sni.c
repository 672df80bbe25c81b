/* fuzz_sni.c - ClientHellos and HTTP heads from arbitrary bytes, read and covered. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[3 * 65536];
    struct gost_http1_out out = {text, 0, sizeof text, 0};
    struct gost_bytes in = gost_bytes(data, size);
    char name[SNI_NAME_MAX];
    size_t need = 0, used = 0;
    int r;

    r = sni_hello_name(in, &need, name);
    require(r != GOST_AGAIN || need > size);
    require(strlen(name) < SNI_NAME_MAX);
    r = sni_hello_cover(&out, in, gost_bytes_str("cover.test"), &used, &need);
    require(r != GOST_AGAIN || need > size);
    if (r == GOST_OK) {
        require(used <= size);
        require(sni_hello_name(gost_bytes(text, out.n), &need, name) == GOST_OK);
        require(strcmp(name, "cover.test") == 0);
    }
    out.n = 0;
    out.full = 0;
    if (sni_http_cover(&out, in, gost_bytes_str("cover.test"), &used) == GOST_OK)
        require(used <= size);
    return 0;
}
