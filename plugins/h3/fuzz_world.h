/* fuzz_world.h - for fuzz targets: a server's layer, and a client that writes what it likes. */
/* SPDX-License-Identifier: MIT */
#ifndef H3_FUZZ_WORLD_H
#define H3_FUZZ_WORLD_H

#include "test_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPEN 6

/*
 * Each step: a byte that says on which stream (its low bits; 0 to 2 are one-way) and what (append,
 * append and end, reset, a head of its own before the bytes), a byte of length, bytes.
 */
static inline void step(struct ge_stack **open, const char *const *head, uint8_t what,
                        const uint8_t *p, size_t n)
{
    struct ge_stack **s = &open[(what & 15) % OPEN];
    uint8_t b[200];

    if (!*s)
        *s = open_stream(CLIENT, (what & 15) % OPEN < 3 ? GOST_STREAM_ONEWAY : 0);
    if (!*s)
        return;
    if (what & 16)
        gost_send(ge_stack_io(*s), b, head_text(b, head));
    if (n > 0)
        gost_send(ge_stack_io(*s), p, n);
    run();
    if (what & 32) {
        gost_shut(ge_stack_io(*s));
        run();
    }
    if (what & 96) {
        ge_stack_free(*s, (what & 64) != 0);
        *s = NULL;
        run();
    }
}

/* head: the lines of a request; take: reads what arrived, as a user would. */
static inline int fuzz_streams(const uint8_t *data, size_t size, const char *const *head,
                               void (*take)(void))
{
    struct ge_stack *open[OPEN] = {NULL};
    size_t at = 0, n, i;

    begin(CLIENT);
    while (at + 2 <= size) {
        n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        step(open, head, data[at], data + at + 2, n);
        at += 2 + n;
        take();
    }
    for (i = 0; i < OPEN; i++)
        if (open[i])
            ge_stack_free(open[i], 0);
    if (!end())
        abort();
    return 0;
}

#endif
