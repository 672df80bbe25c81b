/* ss_session.h - packet sessions of the methods of 2022, as a server keeps them. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_SESSION_H
#define SS_SESSION_H

#include "ss_crypto.h"

#define SS_SESSION_ID     8
#define SS_WINDOW         2048u /* packet ids; the oldest 64 of them are refused */
#define SS_SESSIONS_MAX   16384u
#define SS_SESSION_IDLE_S 60u

/* Which packet ids were seen: a sliding window (RFC 6479). Zeros: none. */
struct ss_window {
    uint64_t top; /* the highest seen + 1 */
    uint64_t bits[SS_WINDOW / 64];
};

/* 1: this id is new; it is marked. 0: seen, or too old to tell. */
int ss_window_fresh(struct ss_window *w, uint64_t id);

/*
 * The sessions of one key, shared by workers: they outlive the association that a
 * client's address makes, so ids stay unique and replays stay known. At most 16,384 of about 350
 * bytes; one that was idle for a minute makes room for a new one, and without such a one the new
 * one is refused.
 */
struct ss_sessions;

struct ss_sessions *ss_sessions_new(void);
void ss_sessions_free(struct ss_sessions *t);

/* An authenticated packet came. 1: new. 0: a replay, or there is no room. [any] */
int ss_sessions_fresh(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                      const uint8_t client[SS_SESSION_ID], uint64_t id, uint64_t now_ns);

/* The next packet to a client: our own session id and the packet's number. GOST_OK; GOST_ECLOSED:
 * the session is forgotten. [any] */
int ss_sessions_next(struct ss_sessions *t, const uint8_t who[SS_BLOCK],
                     const uint8_t client[SS_SESSION_ID], uint64_t now_ns,
                     uint8_t ret_own[SS_SESSION_ID], uint64_t *ret_id);

#endif
