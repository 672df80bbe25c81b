/* bad_stack.c - has a stack whose layers are not separated as they should be. */
/* SPDX-License-Identifier: MIT */
#define PROBE_COMPONENTS                                                                     \
    {                                                                                        \
        .kind = GOST_KIND_STACK, .name = "probe", .summary = "a listener", .ops = &stack_ops \
    }
#define PROBE_NOTE "listener:probe"
#include <gost/component.h>
static const struct gost_stack_ops stack_ops = {sizeof(struct gost_stack_ops), GOST_SERVER,
                                                "tcp tls", NULL, NULL};
#define PROBE_UNUSED_HANDLER
#include "common.h"
