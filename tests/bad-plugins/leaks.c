/* leaks.c - forgets to free its copy of the name. */
/* SPDX-License-Identifier: MIT */
#define PROBE_DESTROY
#include "common.h"

static void probe_destroy(void *state)
{
}
