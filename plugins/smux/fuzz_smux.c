/* fuzz_smux.c - a session against any bytes; the first byte chooses role, version and the split. */
/* SPDX-License-Identifier: MIT */
#include "test_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Heads and windows are read back as they were written. */
static void wire(const uint8_t *data, size_t size)
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
    static uint8_t out[1 << 16];
    struct ge_stack *own = NULL;
    struct side s;
    size_t at, n;

    if (size < 1)
        return 0;
    wire(data + 1, size - 1);
    world_begin();
    side_open(&s, data[0] & 1 ? GOST_CLIENT : GOST_SERVER,
              data[0] & 2 ? "mux.version=2 mux.maxReceiveBuffer=70000"
                          : "mux.version=1 mux.maxReceiveBuffer=70000");
    memset(out, 1, 1000);
    if ((data[0] & 1) && ge_session_open(s.stack, s.flow, 0, &own) == GOST_OK)
        say(own, out, 1000);
    for (at = 1; at < size && s.stack; at += n) {
        n = size - at < 64u + (data[0] & 0xf0u) ? size - at : 64u + (data[0] & 0xf0u);
        if (feed(&s, data + at, n, 1u + (data[0] >> 2) * 3u) == 0)
            break;
        side_use(&s, data[at]);
        (void)drain(&s, out, sizeof out);
    }
    later(11 * GOST_S);
    if (s.stack)
        ge_rx_end(s.stack, 0);
    run();
    if (own)
        ge_stack_free(own, 0);
    side_close(&s);
    if (!world_end())
        abort();
    return 0;
}
