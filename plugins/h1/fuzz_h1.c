/* fuzz_h1.c - a connection whose peer sends anything: it ends or goes on, and leaks nothing. */
/* SPDX-License-Identifier: MIT */
#define EXCHANGE_LAYER "h1"
#include "../../sdk/testkit/test_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_all(unsigned what)
{
    int i;

    for (i = 0; i < side[SERVER].n_accepted; i++)
        if (side[SERVER].accepted[i])
            use_stream(side[SERVER].accepted[i], what, 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int begun;
    unsigned how = size ? data[0] : 0;
    int me = how & 1 ? CLIENT : SERVER;
    size_t at, n;

    if (size == 0)
        return 0;
    if (!begun++)
        test_begin();
    world_open(me == CLIENT ? "" : NULL, me == SERVER ? "" : NULL);
    if (me == CLIENT)
        (void)ask(how & 2 ? "HEAD" : "GET", "/", GOST_HEAD_NO_BODY);
    for (at = 1; at < size && side[me].session; at += n) {
        n = how & 4 ? 1 + data[at] % 32u : size;
        n = n < size - at ? n : size - at;
        feed(me, data + at, n);
        collect(me);
        use_all(how >> 3);
    }
    if (side[me].session)
        ge_rx_end(side[me].session, 0);
    run();
    pass_time(31 * GOST_S);
    if (!world_close())
        abort();
    return 0;
}
