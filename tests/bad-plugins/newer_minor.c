/* newer_minor.c - needs a newer interface than there is. */
/* SPDX-License-Identifier: MIT */
#define GOST_NEED_MINOR 60000
#include "common.h"
