/* fuzz_h1.c - a connection whose peer sends anything: it ends or goes on, and leaks nothing. */
/* SPDX-License-Identifier: MIT */
#define EXCHANGE_LAYER "h1"
#include "../../sdk/testkit/test_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a handler might do with each stream. */
static void use_all(unsigned what)
{
    struct gost_head h;
    int i;

    for (i = 0; i < side[SERVER].n_accepted; i++) {
        struct ge_stack *s = side[SERVER].accepted[i];

        if (!s)
            continue;
        while (gost_head_recv(top(s), &h) == GOST_OK)
            ;
        gost_consume(top(s), gost_rx_len(top(s)));
        if (what & 1)
            respond(s, 200, what & 2 ? GOST_HEAD_NO_BODY : 0);
        if ((what & 5) == 5)
            say(s, "some bytes of the answer");
        if (what & 8)
            gost_shut(top(s));
        if (what & 16)
            let_go(s);
        run();
    }
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
