/* yamux_wire.c - frames of yamux. */
/* SPDX-License-Identifier: MIT */
#include "yamux_wire.h"

void yamux_head_put(uint8_t p[YAMUX_HEAD], const struct yamux_head *head)
{
    p[0] = 0; /* the version */
    p[1] = head->type;
    gost_put16(p + 2, head->flags);
    gost_put32(p + 4, head->id);
    gost_put32(p + 8, head->length);
}

const char *yamux_head_get(const uint8_t p[YAMUX_HEAD], struct yamux_head *ret_head)
{
    ret_head->type = p[1];
    ret_head->flags = gost_get16(p + 2);
    ret_head->id = gost_get32(p + 4);
    ret_head->length = gost_get32(p + 8);
    if (p[0] != 0)
        return "is of another version";
    if (p[1] > YAMUX_GOAWAY)
        return "has an unknown type";
    if ((p[1] == YAMUX_PING || p[1] == YAMUX_GOAWAY) != (ret_head->id == 0))
        return ret_head->id == 0 ? "names no stream" : "names a stream where none belongs";
    return NULL;
}
