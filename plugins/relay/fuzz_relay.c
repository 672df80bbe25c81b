/* fuzz_relay.c - requests of hostile peers. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t b[RELAY_REQUEST_MAX];
    struct relay_message m, again;
    size_t n;

    if (size < RELAY_HEAD || relay_head(data) < 0)
        return 0;
    memset(&m, 0, sizeof m);
    m.code = data[1];
    if (relay_features(&m, gost_bytes(data + RELAY_HEAD, size - RELAY_HEAD)) != GOST_OK)
        return 0;
    (void)relay_to_network(&m);
    n = relay_put_request(b, &m, data[1] & 1);
    memset(&again, 0, sizeof again);
    if (relay_head(b) != (int)n - RELAY_HEAD ||
        relay_features(&again, gost_bytes(b + RELAY_HEAD, n - RELAY_HEAD)) != GOST_OK ||
        !gost_bytes_eq(again.user, m.user))
        abort();
    return 0;
}
