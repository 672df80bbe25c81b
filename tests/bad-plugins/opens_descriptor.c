/* opens_descriptor.c - keeps a descriptor of its own. */
/* SPDX-License-Identifier: MIT */
#define PROBE_INIT probe_init
#include <fcntl.h>

static int probe_init(void);
#include "common.h"

static int probe_init(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : -1; /* the defect */
}
