/* no_summary.c - says nothing about itself. */
/* SPDX-License-Identifier: MIT */
#define PROBE_SUMMARY ""
#include "common.h"
