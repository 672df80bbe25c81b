/* fuzz_smux.c - a session against any bytes; the first byte chooses role, version and the split. */
/* SPDX-License-Identifier: MIT */
#include "fuzz_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Heads and windows are read back as they were written. */
static void wire_heads(const uint8_t *data, size_t size)
{
    struct smux_window w = {0, 0, SMUX_FIRST_WINDOW};
    uint8_t again[SMUX_HEAD];
    struct smux_head head;
    uint32_t a, b;

    for (; size >= SMUX_HEAD; data += SMUX_HEAD, size -= SMUX_HEAD) {
        smux_head_get(data, &head);
        smux_head_put(again, &head);
        if (memcmp(again, data, SMUX_HEAD) != 0)
            abort();
        (void)smux_head_wrong(&head, 2);
        smux_upd_get(data, &a, &b);
        w.sent += head.length;
        if (smux_window_update(&w, a, b) && smux_window_room(&w) > INT32_MAX)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    wire_heads(data + 1, size - 1);
    fuzz_session(data, size,
                 data[0] & 2 ? "mux.version=2 mux.maxReceiveBuffer=70000"
                             : "mux.version=1 mux.maxReceiveBuffer=70000");
    return 0;
}
