/* hello.h - the parser alone, so that tests and the fuzzer call it without a host. */
/* SPDX-License-Identifier: MIT */
#ifndef HELLO_H
#define HELLO_H

#include <gost/addr.h>

#define HELLO_MAX 512

struct hello_request {
    struct gost_bytes user, secret; /* views into the input */
    struct gost_addr target;
};

/* Bytes used, 0: more are needed, negative: not a request. */
int hello_parse(struct gost_bytes in, struct hello_request *ret_request);

#endif
