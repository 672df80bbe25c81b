/* fuzz_otls.c - what a hostile peer sends, in both roles. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "otls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says who we are and how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record heard;
    struct link l = {.split = 0};
    struct lend *own, *peer;
    struct ge_usage u;
    int i;

    if (size < 1 || size > 65536)
        return 0;
    if (!layer_worker)
        layer_begin();
    link_open(&l, data[0] & 1 ? NULL : NONE, data[0] & 1 ? NONE : NULL);
    own = data[0] & 1 ? &l.server : &l.client;
    peer = data[0] & 1 ? &l.client : &l.server;
    l.split = data[0] & 4 ? 1 + data[0] / 8u : 65536;
    say(peer, data + 1, size - 1);
    for (i = 0; i < 4; i++) {
        say_text(own, "data of the user");
        settle(&l);
        hear(own, &heard);
        hear(peer, &heard);
    }
    hang_up(peer);
    settle(&l);
    link_close(&l);
    ge_worker_usage(layer_worker, &u);
    if (u.stacks || u.flows || u.chunks)
        abort();
    return 0;
}
