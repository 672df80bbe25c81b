/* fuzz_masque.c - paths of CONNECT-UDP: what is taken is written the same way, and read back. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "masque.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MASQUE_PATH_MAX];
    struct gost_addr a, b;
    size_t n;

    if (masque_path_parse(gost_bytes(data, size), &a) != GOST_OK)
        return 0;
    n = masque_path_put(path, sizeof path, &a);
    if (a.port == 0 || a.family == GOST_AF_NONE || n == 0 || n >= sizeof path ||
        masque_path_parse(gost_bytes(path, n), &b) != GOST_OK || a.port != b.port ||
        a.family != b.family || strcmp(a.name, b.name) != 0)
        abort();
    return 0;
}
