/* fuzz_session.h - for fuzz targets: a session against any bytes. */
/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include "test_world.h"

/* The first byte chooses role and split. */
static inline void fuzz_session(const uint8_t *data, size_t size, const char *words)
{
    static uint8_t out[1 << 16];
    struct ge_stack *own = NULL;
    struct side s;
    size_t at, n;

    world_begin();
    side_open(&s, data[0] & 1 ? GOST_CLIENT : GOST_SERVER, words);
    memset(out, 1, 1000);
    if ((data[0] & 1) && ge_session_open(s.session, s.flow, 0, &own) == GOST_OK)
        say(own, out, 1000);
    for (at = 1; at < size && s.session; at += n) {
        n = size - at < 64u + (data[0] & 0xf0u) ? size - at : 64u + (data[0] & 0xf0u);
        if (feed(&s, data + at, n, 1u + (data[0] >> 2) * 3u) == 0)
            break;
        side_use(&s, data[at]);
        (void)drain(&s, out, sizeof out);
    }
    pass_time(11 * GOST_S);
    if (s.session)
        ge_rx_end(s.session, 0);
    run();
    if (own)
        ge_stack_free(own, 0);
    side_close(&s);
    if (!world_end())
        abort();
}

#endif
