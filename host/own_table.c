/* own_table.c - the table that components of the host itself call; a test may bring its own. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

const struct gost_host *gost_host_; /* set by gh_pin_init() */
