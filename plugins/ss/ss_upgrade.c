/* ss_upgrade.c - how handlers and connectors hand their keys to the codecs. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "ss.h"

int ss_upgrade(struct gost_io *io, uint32_t tag, uint32_t role, const char *codec,
               const struct ss_arg *arg)
{
    return gost_asked(gost_upgrade_arg(io, tag, 0, role, codec, gost_bytes(arg, sizeof *arg)));
}

int ss_arg_read(struct gost_io *io, struct ss_arg *ret_arg)
{
    struct gost_bytes arg = gost_arg(io);

    if (arg.n != sizeof *ret_arg)
        return gost_fail(io, GOST_EINTERNAL, "the codec was not given its keys");
    memcpy(ret_arg, arg.p, sizeof *ret_arg);
    return GOST_OK;
}
