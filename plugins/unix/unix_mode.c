/* unix_mode.c - file modes as text. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "unix.h"

int unix_parse_mode(uint32_t *ret_mode, const char *text)
{
    char *end;
    unsigned long v;

    if (text[0] < '0' || text[0] > '9')
        return GOST_EPROTO;
    if (text[0] == '0' && (text[1] == 'o' || text[1] == 'O'))
        v = strtoul(text + 2, &end, 8);
    else
        v = strtoul(text, &end, 0);
    if (*end || v > 07777)
        return GOST_EPROTO;
    *ret_mode = (uint32_t)v;
    return GOST_OK;
}
