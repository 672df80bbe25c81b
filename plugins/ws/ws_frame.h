/* ws_frame.h - WebSocket frames as pure functions over bytes (RFC 6455 section 5). */
/* SPDX-License-Identifier: MIT */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <gost/base.h>

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10
};

#define WS_HEAD_MAX    14    /* longest frame head */
#define WS_CONTROL_MAX 125   /* longest payload of a control frame */
#define WS_CLOSE_NONE  1005u /* "no code was given": never sent */

struct ws_head {
    uint64_t length; /* of the payload */
    uint8_t opcode;  /* enum ws_opcode */
    uint8_t fin, rsv1, masked;
    uint8_t size; /* bytes of the head */
    uint8_t key[4];
};

/* What a reader is in the middle of, and what it may get. */
struct ws_rules {
    uint32_t masked;  /* frames must be masked: we are the server */
    uint32_t rsv1;    /* RSV1 means something: compression was agreed on */
    uint32_t message; /* a fragmented message is under way */
};

/*
 * Read a head from the start of `in`. GOST_OK; GOST_AGAIN: *ret_need (may be NULL) is how many
 * bytes must be there; GOST_EPROTO: *ret_why is what the Close frame says.
 */
int ws_head_parse(struct ws_head *ret_head, struct gost_bytes in, const struct ws_rules *rules,
                  size_t *ret_need, const char **ret_why);

/* Write a head; masked when head->masked. Returns its length, at most WS_HEAD_MAX. */
size_t ws_head_put(uint8_t *to, const struct ws_head *head);

/* to[i] = from[i] ^ key[(at + i) % 4]; both may be the same. */
void ws_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4], size_t at);

/* The code of a Close payload: GOST_OK, WS_CLOSE_NONE for an empty one; GOST_EPROTO with why. */
int ws_close_parse(uint32_t *ret_code, struct gost_bytes payload, const char **ret_why);

#endif
