/* fuzz_relay.c - requests of hostile peers. */
/* SPDX-License-Identifier: MIT */
/* covers: sdk/helpers/relay_message.c plugins/relay/relay_request.c */
#include <stdlib.h>

#include "relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t b[GOST_RELAY_REQUEST_MAX];
    struct gost_relay_message m, again;
    size_t n;

    if (size < GOST_RELAY_HEAD || gost_relay_head(data) < 0)
        return 0;
    memset(&m, 0, sizeof m);
    m.code = data[1];
    if (gost_relay_features(&m, gost_bytes(data + GOST_RELAY_HEAD, size - GOST_RELAY_HEAD)) !=
        GOST_OK)
        return 0;
    (void)gost_relay_to_network(&m);
    n = relay_put_request(b, &m, data[1] & 1);
    memset(&again, 0, sizeof again);
    if (gost_relay_head(b) != (int)n - GOST_RELAY_HEAD ||
        gost_relay_features(&again, gost_bytes(b + GOST_RELAY_HEAD, n - GOST_RELAY_HEAD)) !=
            GOST_OK ||
        !gost_bytes_eq(again.user, m.user))
        abort();
    return 0;
}
