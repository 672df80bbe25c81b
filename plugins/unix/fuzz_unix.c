/* fuzz_unix.c - file modes as text. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "unix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t mode = 0xffffffff;
    char *text = malloc(size + 1);
    int r;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    r = unix_parse_mode(&mode, text);
    if (r == GOST_OK ? mode > 07777 : mode != 0xffffffff)
        abort();
    free(text);
    return 0;
}
