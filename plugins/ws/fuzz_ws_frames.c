/* fuzz_ws_frames.c - frames of a hostile peer, in both roles, with and without compression. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "BAQEBAQEBAQEBAQEBAQEBA==" /* what the chance of the tests gives */

static void come_up(struct link *l, int server, int deflate)
{
    static const char ask[] = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Extensions: ";
    static const char answer[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: ";
    const char *const *words = deflate ? W("enableCompression=true") : NONE;
    struct lend *peer = server ? &l->client : &l->server;
    char accept[WS_ACCEPT_SIZE];

    ws_key_accept(accept, gost_bytes_str(KEY));
    link_open(l, server ? NULL : words, server ? words : NULL);
    if (server) {
        say_text(peer, ask);
        say_text(peer, ws_deflate_offer);
    } else {
        say_text(peer, answer);
        say(peer, accept, sizeof accept);
        if (deflate) {
            say_text(peer, "\r\nSec-WebSocket-Extensions: ");
            say_text(peer, ws_deflate_offer);
        }
    }
    say_text(peer, "\r\n\r\n");
    settle(l);
    if (!is_up(l))
        abort();
}

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
    come_up(&l, data[0] & 1, (data[0] & 2) != 0);
    own = data[0] & 1 ? &l.server : &l.client;
    peer = data[0] & 1 ? &l.client : &l.server;
    l.split = data[0] & 4 ? 1 + data[0] / 8u : 65536;
    say(peer, data + 1, size - 1);
    for (i = 0; i < 8; i++) {
        settle(&l);
        hear(own, &heard);
        hear(peer, &heard);
        say_text(own, "data of the user");
    }
    hang_up(peer);
    settle(&l);
    ge_worker_usage(layer_worker, &u);
    if (u.chunk_bytes > 4u << 20)
        abort();
    link_close(&l);
    ge_worker_usage(layer_worker, &u);
    if (u.stacks || u.flows || u.chunks)
        abort();
    return 0;
}
