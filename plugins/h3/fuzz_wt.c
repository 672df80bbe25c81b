/* fuzz_wt.c - WebTransport of a server, and a peer that writes what it likes on all streams. */
/* SPDX-License-Identifier: MIT */
#include "fuzz_world.h"
#include "wt.h"

static void take(void)
{
    struct side *s = &t.side[SERVER];
    int i;

    for (i = 0; i < s->n_accepted; i++) {
        struct gost_io *io = ge_stack_io(s->accepted[i]);

        gost_consume(io, gost_rx_len(io));
    }
    run();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wt_conf conf = {.h3 = {1, 1, 1, 8000}, .path = "/wt", .header = {NULL, 0}};
    static const char *const head[] = {":method: CONNECT", ":protocol: webtransport",
                                       ":scheme: https",   ":authority: a",
                                       ":path: /wt",       NULL};

    world_layer = 1;
    world_conf = &conf;
    return fuzz_streams(data, size, head, take);
}
