/* extra_symbol.c - exports more than its one object. */
/* SPDX-License-Identifier: MIT */
#include "common.h"

GOST_PUBLIC int probe_helper(void);

GOST_PUBLIC int probe_helper(void)
{
    return 1;
}
