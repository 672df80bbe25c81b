/* load_idle.c - pairs that have worked and now rest, for the memory they cost.
 * SPDX-License-Identifier: MIT
 *
 * The driver's lines: "open N" brings the number of pairs to N, "check" proves that each is
 * still alive, the end of the pipe ends it. Each line is answered by one line.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOGETHER 16 /* pairs that work at the same time */

struct pairs {
    struct load_flow *flows;
    unsigned len;
    unsigned cap;
};

static void open_some(struct pairs *p, unsigned n, const struct load_options *o)
{
    struct load_flow *first = p->flows + p->len;

    for (unsigned i = 0; i < n; i++) {
        memset(&first[i], 0, sizeof(first[i]));
        first[i].fd = load_dial_wait(o);
    }
    load_bulk_move(first, n, LOAD_OP_UP, o->bytes, 0);
    load_bulk_move(first, n, LOAD_OP_DOWN, o->bytes, 0);
    p->len += n;
}

static void check_all(const struct pairs *p)
{
    for (unsigned i = 0; i < p->len; i++) {
        uint64_t seed = load_new_seed();

        load_request(p->flows[i].fd, LOAD_OP_HELLO, seed, 0);
        load_expect_reply(p->flows[i].fd, seed, 0);
    }
}

int load_run_idle(const struct load_options *o)
{
    struct pairs p = {.flows = calloc(o->flows, sizeof(*p.flows)), .cap = o->flows};
    char line[64];
    unsigned want;

    if (p.flows == NULL)
        load_die("no memory for %u pairs", o->flows);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (sscanf(line, "open %u", &want) == 1) {
            if (want > p.cap)
                load_die("open %u: --flows allows %u", want, p.cap);
            while (p.len < want)
                open_some(&p, want - p.len < TOGETHER ? want - p.len : TOGETHER, o);
        } else if (strcmp(line, "check\n") == 0) {
            check_all(&p);
        } else {
            load_die("unknown line of the driver: %s", line);
        }
        printf("{\"pairs\": %u}\n", p.len);
        fflush(stdout);
    }
    free(p.flows);
    return 0;
}
