/* good.c - the plugin that must pass. */
/* SPDX-License-Identifier: MIT */
#include "common.h"
