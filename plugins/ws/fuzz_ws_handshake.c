/* fuzz_ws_handshake.c - requests, answers, paths and extensions of a hostile peer. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_paths(struct gost_bytes in)
{
    static char clean[65536 + 2], again[65536 + 2];
    struct gost_bytes path, query;
    size_t n;

    ws_target_split(in, &path, &query);
    if (path.n + query.n > in.n + 1)
        abort();
    n = ws_path_clean(clean, path);
    if (n > path.n + 1 || clean[0] != '/' || clean[n])
        abort();
    if (ws_path_clean(again, gost_bytes(clean, n)) != n || memcmp(clean, again, n) != 0)
        abort();
    (void)ws_path_is("/ws", path);
    (void)ws_path_is("/a/", gost_bytes(clean, n));
    (void)ws_key_valid(in);
}

/* The first byte says who we are and how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record heard;
    struct link l = {.split = 0};
    struct lend *peer;
    int server;

    if (size < 1 || size > 65536)
        return 0;
    if (!layer_worker)
        layer_begin();
    server = data[0] & 1;
    try_paths(gost_bytes(data + 1, size - 1));
    l.split = data[0] & 4 ? 1 + data[0] / 8u : 65536;
    link_open(&l, server ? NULL : W("enableCompression=true"),
              server ? W("enableCompression=true", "path=/ws/") : NULL);
    peer = server ? &l.client : &l.server;
    say(peer, data + 1, size - 1);
    settle(&l);
    hear(peer, &heard);
    hang_up(peer);
    settle(&l);
    link_close(&l);
    return 0;
}
