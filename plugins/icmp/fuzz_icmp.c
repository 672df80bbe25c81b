/* fuzz_icmp - messages for both ends; the first byte chooses family and end. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_frame frame = {.size = sizeof frame, .role = GOST_CLIENT, .tag = 0x3039};
    enum icmp_family family;
    struct gost_bytes b;
    uint16_t port = 0;
    uint8_t *out;

    if (!size)
        return 0;
    family = data[0] & 1 ? ICMP_V6 : ICMP_V4;
    if (data[0] & 2)
        frame.role = GOST_SERVER;
    if (icmp_get(family, &frame, gost_bytes(data + 1, size - 1), &b, &port) != GOST_OK)
        return 0;
    if (b.n == 0 || b.p < data + 1 + ICMP_HEAD || b.p + b.n > data + size ||
        (frame.role == GOST_SERVER) != (port != 0))
        abort();
    frame.port = port;
    out = malloc(b.n + GOST_FRAME_MAX);
    if (out && icmp_put(family, &frame, b, out) != b.n + ICMP_HEAD)
        abort();
    free(out);
    return 0;
}
