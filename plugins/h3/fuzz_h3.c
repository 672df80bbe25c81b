/* fuzz_h3.c - HTTP/3 of a server, and a peer that writes what it likes on streams of all kinds. */
/* SPDX-License-Identifier: MIT */
#include "fuzz_world.h"

/* What arrived is read, as a user would. */
static void take(void)
{
    struct side *s = &t.side[SERVER];
    struct gost_head h;
    int i;

    for (i = 0; i < s->n_accepted; i++) {
        struct gost_io *io = ge_stack_io(s->accepted[i]);

        while (gost_head_recv(io, &h) == GOST_OK)
            if (!h.status && !(h.flags & GOST_HEAD_TRAILERS) && h.method.n == 0)
                abort();
        gost_consume(io, gost_rx_len(io));
    }
    run();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const head[] = {":method: POST", ":scheme: https", ":path: /", NULL};

    return fuzz_streams(data, size, head, take);
}
