/* smux_wire.h - frames of smux and the arithmetic of its windows: pure functions. */
/* SPDX-License-Identifier: MIT */
#ifndef SMUX_WIRE_H
#define SMUX_WIRE_H

#include <gost/base.h>

enum {
    SMUX_HEAD = 8,
    SMUX_UPD_BODY = 8,
    SMUX_FRAME_MAX = 65535,
    SMUX_FIRST_WINDOW = 262144 /* what each end takes for the other's window before an UPD */
};

enum smux_cmd { SMUX_SYN, SMUX_FIN, SMUX_PSH, SMUX_NOP, SMUX_UPD };

struct smux_head {
    uint8_t version, cmd;
    uint16_t length;
    uint32_t id;
};

/* What a sender of version 2 knows of its peer. All numbers wrap at 2^32. */
struct smux_window {
    uint32_t sent, consumed, size;
};

void smux_head_get(const uint8_t p[SMUX_HEAD], struct smux_head *ret_head);
void smux_head_put(uint8_t p[SMUX_HEAD], const struct smux_head *head);
void smux_upd_get(const uint8_t p[SMUX_UPD_BODY], uint32_t *ret_consumed, uint32_t *ret_size);
void smux_upd_put(uint8_t p[SMUX_UPD_BODY], uint32_t consumed, uint32_t size);

/* NULL, or what is wrong with a frame at a receiver of this version; a literal. */
const char *smux_head_wrong(const struct smux_head *head, uint32_t version);

/* How much may be sent now. A window may shrink below what is under way: then nothing. */
uint32_t smux_window_room(const struct smux_window *w);

/* Takes over an UPD. 0: the peer says that it consumed what was never sent. */
int smux_window_update(struct smux_window *w, uint32_t consumed, uint32_t size);

#endif
