/* test_peer.h - frames of a peer that the test plays, and what it is answered. */
/* SPDX-License-Identifier: MIT */
#ifndef H2_TEST_PEER_H
#define H2_TEST_PEER_H

#include "test_world.h"

/* A frame to side `which`. */
static inline void frame(int which, uint8_t type, uint8_t flags, uint32_t id, const void *p,
                         size_t n)
{
    uint8_t b[9 + 20000];

    b[0] = (uint8_t)(n >> 16);
    gost_put16(b + 1, (uint16_t)n);
    b[3] = type;
    b[4] = flags;
    gost_put32(b + 5, id);
    if (n)
        memcpy(b + 9, p, n);
    feed(which, b, 9 + n);
}

/* A frame of that type in what was collected: its payload; NULL: none. */
static inline const uint8_t *sent_frame(uint8_t type, uint32_t id, size_t *ret_n)
{
    size_t at = 0, n;

    while (at + 9 <= peer_out_n) {
        n = (size_t)peer_out[at] << 16 | gost_get16(peer_out + at + 1);
        if (peer_out[at + 3] == type && gost_get32(peer_out + at + 5) == id) {
            *ret_n = n;
            return peer_out + at + 9;
        }
        at += 9 + n;
    }
    return NULL;
}

/* The code of a RST_STREAM or GOAWAY; -1: none was sent. */
static inline int64_t sent_code(uint8_t type, uint32_t id)
{
    size_t n;
    const uint8_t *p = sent_frame(type, id, &n);

    return p ? (int64_t)gost_get32(p + (type == 7 ? 4 : 0)) : -1;
}

#define MAGIC "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* The server and a client that is us, past the first frames. */
static inline void play_client(const char *words)
{
    world_open(NULL, words);
    feed(SERVER, MAGIC, 24);
    frame(SERVER, 4, 0, 0, NULL, 0);
    collect(SERVER);
}

static const uint8_t get_root[] = {0x82, 0x86, 0x84, 0x41, 0x01, 'a'};

#endif
