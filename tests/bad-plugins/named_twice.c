/* named_twice.c - has the same component twice. */
/* SPDX-License-Identifier: MIT */
#define PROBE_COMPONENTS                                                                   \
    {.kind = GOST_KIND_HANDLER,                                                            \
     .name = "probe",                                                                      \
     .summary = "one",                                                                     \
     .ops = &probe_ops,                                                                    \
     .state_size = sizeof(struct probe),                                                   \
     .conf_size = sizeof(struct probe_conf),                                               \
     .options = probe_options},                                                            \
    {                                                                                      \
        .kind = GOST_KIND_HANDLER, .name = "prober", .aliases = "probe", .summary = "two", \
        .ops = &probe_ops, .state_size = sizeof(struct probe),                             \
        .conf_size = sizeof(struct probe_conf), .options = probe_options                   \
    }
#include "common.h"
