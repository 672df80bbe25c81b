/* siphash.h - a keyed hash for tables whose keys strangers choose. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SIPHASH_H
#define GH_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define GH_SIPHASH_KEY 16

/* SipHash-2-4 of n bytes: without the key nobody can find colliding input. [any] */
uint64_t gh_siphash(const uint8_t key[GH_SIPHASH_KEY], const void *p, size_t n);

#endif
