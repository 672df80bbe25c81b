/* wrong_note.c - names other components in its note than in its table. */
/* SPDX-License-Identifier: MIT */
#define PROBE_NOTE "handler:probe handler:prober connector:probe"
#include "common.h"
