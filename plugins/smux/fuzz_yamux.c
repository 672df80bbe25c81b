/* fuzz_yamux.c - a session of yamux against any bytes; the first byte chooses role and split. */
/* SPDX-License-Identifier: MIT */
#include "fuzz_session.h"
#include "yamux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Heads that are in order are written as they were read. */
static void heads(const uint8_t *data, size_t size)
{
    uint8_t again[YAMUX_HEAD];
    struct yamux_head head;

    for (; size >= YAMUX_HEAD; data += YAMUX_HEAD, size -= YAMUX_HEAD) {
        if (yamux_head_get(data, &head))
            continue;
        yamux_head_put(again, &head);
        if (memcmp(again, data, YAMUX_HEAD) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    world_layer = "yamux";
    heads(data + 1, size - 1);
    fuzz_session(data, size, data[0] & 2 ? "mux.maxStreamWindow=300000" : "");
    return 0;
}
