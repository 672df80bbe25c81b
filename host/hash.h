/* hash.h - a keyed hash: strangers who choose the keys cannot choose the buckets. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_HASH_H
#define GH_HASH_H

#include <gost/base.h>

/* gh_siphash() under a key that is drawn at the first call. [any] */
uint64_t gh_hash(struct gost_bytes data);

#endif
