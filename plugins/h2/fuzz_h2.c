/* fuzz_h2.c - a session whose peer sends anything: it ends or goes on, and leaks nothing. */
/* SPDX-License-Identifier: MIT */
#include "test_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the first byte. */
#define AS_CLIENT 1u /* we are the client */
#define GREETED   2u /* the peer's preface and SETTINGS come before the input */
#define IN_PIECES 4u
#define EXTENDED  8u

static void check(int good)
{
    if (!good)
        abort();
}

static void use_all(unsigned what)
{
    unsigned how;
    int i;

    for (i = 0; i < side[SERVER].n_accepted; i++) {
        how = what + (unsigned)i;
        if (side[SERVER].accepted[i])
            use_stream(side[SERVER].accepted[i], how, 200 + how % 4 * 100);
    }
}

static void play(int me, unsigned how, const uint8_t *p, size_t n)
{
    size_t step;

    if (how & GREETED) {
        if (me == SERVER)
            feed(me, MAGIC, 24);
        frame(me, 4, 0, 0, NULL, 0);
        frame(me, 4, 1, 0, NULL, 0);
    }
    for (; n > 0 && side[me].session; p += step, n -= step) {
        step = how & IN_PIECES ? 1 + p[0] % 32u : n;
        step = step < n ? step : n;
        feed(me, p, step);
        collect(me);
        use_all(p[0]);
    }
    if (side[me].session)
        ge_rx_end(side[me].session, 0);
    run();
    pass_time(11 * GOST_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int begun;
    unsigned how = size ? data[0] : 0;
    int me = how & AS_CLIENT ? CLIENT : SERVER;
    const char *words =
        how & EXTENDED && me == SERVER ? "h2.extendedConnect=true h2.http1Status=405" : "";

    if (size == 0)
        return 0;
    if (!begun++)
        test_begin();
    world_open(me == CLIENT ? words : NULL, me == SERVER ? words : NULL);
    if (me == CLIENT) {
        (void)ask("CONNECT", "", 0);
        (void)ask("GET", "/", GOST_HEAD_NO_BODY);
        collect(me);
    }
    play(me, how, data + 1, size - 1);
    check(world_close());
    return 0;
}
