/* memory.h - two marks of memory in use: one stops accepting, one sheds idle connections. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_MEMORY_H
#define GH_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

/* Bytes of anonymous memory; 0: no mark. [main], before anything else here */
void gh_memory_marks(uint64_t high, uint64_t max);

/* Whether new connections have to wait. Measures now and then, else costs one load. [any] */
bool gh_memory_is_high(void);

/* About once a second while there are marks: says what changed. Above the second one shed() is
 * called on each worker: end every share-th of its connections. [main] */
void gh_memory_tick(void (*shed)(struct gh_worker *w, unsigned share));

#endif
