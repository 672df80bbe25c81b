/* ss_replay.h - a bounded memory of salts that were seen. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_REPLAY_H
#define SS_REPLAY_H

#include <gost/base.h>

/*
 * Shared by all workers; its lock is held for one look-up. Only salts of authenticated headers are
 * put in, so a stranger cannot fill it. It starts with room for 1024, grows as it needs to, and is
 * exact: no salt is taken for another.
 *
 *   methods of 2017   there are no timestamps, so a salt has to be remembered for ever; the latest
 *                     65,536 are (1.8 MB), and then the oldest is forgotten
 *   methods of 2022   a header is valid within 30 seconds to both sides, so after 60 seconds its
 *                     salt is of no use to anybody; when 1,048,576 (29 MB) are younger, new ones
 *                     are refused rather than old ones forgotten
 */
#define SS_REPLAY_MAX       65536u
#define SS_REPLAY_MAX_TIMED 1048576u
#define SS_SEEN_NS          61000000000ull

struct ss_replay;

/* max: a power of two. ttl_ns 0: entries are forgotten only for room. NULL: out of memory. */
struct ss_replay *ss_replay_new(uint32_t max, uint64_t ttl_ns);
void ss_replay_free(struct ss_replay *r);

/* 1: new, and remembered from now on. 0: seen before, or there is no room to remember it. [any] */
int ss_replay_fresh(struct ss_replay *r, struct gost_bytes salt, uint64_t now_ns);

#endif
