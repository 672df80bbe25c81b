/* fuzz_resolver.c - replies of hostile name servers, and how servers are written. */
/* SPDX-License-Identifier: MIT */
#include "resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Byte 0 chooses the family; then the reply, whose id and question are made to fit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resolver_question q = {.id = 0x1234, .name = {(const uint8_t *)"example.test", 12}};
    struct resolver_server server;
    struct resolver_reply r;
    uint8_t message[2048], query[RESOLVER_QUERY_MAX];
    char text[600];
    size_t n;

    if (size < 2 || size > 1500)
        return 0;
    q.family = data[0] & 1 ? 6 : 4;
    (void)resolver_reply_parse(&r, gost_bytes(data + 1, size - 1), &q);
    n = resolver_query_put(query, &q);
    memcpy(message, query, n);
    memcpy(message + n, data + 1, size - 1);
    message[2] |= 0x80;
    message[6] = data[size - 1]; /* answers */
    message[7] = data[0];
    if (resolver_reply_parse(&r, gost_bytes(message, n + size - 1), &q) == GOST_OK &&
        r.n > GOST_ADDRS_MAX)
        __builtin_trap();
    q.name = gost_bytes(data + 1, size - 1);
    (void)resolver_query_put(query, &q);
    n = size - 1 < sizeof text ? size - 1 : sizeof text - 1;
    memcpy(text, data + 1, n);
    text[n] = 0;
    (void)resolver_server_parse(&server, text);
    return 0;
}
