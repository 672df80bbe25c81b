/* fuzz_ws_frames.c - frames of a hostile peer, in both roles, with and without compression. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "BAQEBAQEBAQEBAQEBAQEBA==" /* what the chance of the tests gives */

/* Bit 1: with compression. */
static void come_up(struct link *l, int server, uint8_t how)
{
    static const char ask[] = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Extensions: ";
    static const char answer[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: ";
    int deflate = (how & 2) != 0;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    layer_fuzz(data, size, come_up);
    return 0;
}
