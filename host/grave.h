/* grave.h - freeing what stacks that still flush may be reading. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_GRAVE_H
#define GH_GRAVE_H

#include "net.h"

/* Frees `object` with `release` on the main thread, once every stack that was left to flush when
 * this was called is gone. Before the workers run it is freed at once. [any] */
void gh_bury(void *object, void (*release)(void *object));

/* Frees everything that still waits: no worker runs any more. [main] */
void gh_graves_clear(void);

#endif
