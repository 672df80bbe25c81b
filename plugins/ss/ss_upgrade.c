/* ss_upgrade.c - how handlers and connectors hand their keys to the codecs. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "ss.h"

int ss_upgrade(struct gost_io *io, uint32_t tag, uint32_t role, const char *codec,
               const struct ss_arg *arg)
{
    struct gost_act_upgrade a;

    memset(&a, 0, sizeof a);
    a.head.size = sizeof a;
    a.head.kind = GOST_ACT_UPGRADE;
    a.head.tag = tag;
    a.role = role;
    a.layer = gost_bytes_str(codec);
    a.arg = gost_bytes(arg, sizeof *arg);
    return gost_act(io, &a.head) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

int ss_arg_read(struct gost_io *io, struct ss_arg *ret_arg)
{
    struct gost_bytes arg = gost_arg(io);

    if (arg.n != sizeof *ret_arg)
        return gost_fail(io, GOST_EINTERNAL, "the codec was not given its keys");
    memcpy(ret_arg, arg.p, sizeof *ret_arg);
    return GOST_OK;
}
