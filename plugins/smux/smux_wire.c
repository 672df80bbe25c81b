/* smux_wire.c - frames of smux and the arithmetic of its windows. */
/* SPDX-License-Identifier: MIT */
#include "smux_wire.h"

/* Little endian, unlike the readers of gost/base.h. */
static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

void smux_head_get(const uint8_t p[SMUX_HEAD], struct smux_head *ret_head)
{
    ret_head->version = p[0];
    ret_head->cmd = p[1];
    ret_head->length = (uint16_t)(p[2] | p[3] << 8);
    ret_head->id = get32(p + 4);
}

void smux_head_put(uint8_t p[SMUX_HEAD], const struct smux_head *head)
{
    p[0] = head->version;
    p[1] = head->cmd;
    p[2] = (uint8_t)head->length;
    p[3] = (uint8_t)(head->length >> 8);
    put32(p + 4, head->id);
}

void smux_upd_get(const uint8_t p[SMUX_UPD_BODY], uint32_t *ret_consumed, uint32_t *ret_size)
{
    *ret_consumed = get32(p);
    *ret_size = get32(p + 4);
}

void smux_upd_put(uint8_t p[SMUX_UPD_BODY], uint32_t consumed, uint32_t size)
{
    put32(p, consumed);
    put32(p + 4, size);
}

const char *smux_head_wrong(const struct smux_head *head, uint32_t version)
{
    if (head->version != version)
        return "is of another version";
    if (head->cmd > SMUX_UPD)
        return "has an unknown command";
    if (head->cmd == SMUX_UPD)
        return head->length == SMUX_UPD_BODY ? NULL : "is a window update of a wrong length";
    return head->cmd == SMUX_PSH || head->length == 0 ? NULL : "has a payload where none belongs";
}

uint32_t smux_window_room(const struct smux_window *w)
{
    uint32_t room = w->size - (w->sent - w->consumed);

    return room <= INT32_MAX ? room : 0;
}

int smux_window_update(struct smux_window *w, uint32_t consumed, uint32_t size)
{
    if (w->sent - consumed > INT32_MAX)
        return 0;
    w->consumed = consumed;
    w->size = size;
    return 1;
}
