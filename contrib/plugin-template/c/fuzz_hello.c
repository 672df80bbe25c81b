/* fuzz_hello.c - clang -fsanitize=fuzzer,address fuzz_hello.c hello_parse.c $(pkg-config ...) */
/* SPDX-License-Identifier: MIT */
#include "hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hello_request rq;
    int n = hello_parse(gost_bytes(data, size), &rq);

    return n > 0 && (size_t)n > size ? -1 : 0;
}
