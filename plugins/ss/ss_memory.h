/* ss_memory.h - what a server must not accept twice, by key. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_MEMORY_H
#define SS_MEMORY_H

#include "ss_replay.h"
#include "ss_session.h"

/*
 * One per key and method in the whole process: it goes over from a configuration to the next at a
 * reload, and services with the same key know each other's salts. It ends with the last
 * configuration that has the key; a restart begins anew.
 */
struct ss_memory {
    struct ss_memory *next;
    const struct ss_method *method;
    uint8_t hash[SS_BLOCK];       /* of the key */
    uint32_t users;               /* configurations that hold it */
    struct ss_replay *salts;      /* of streams */
    struct ss_replay *packets;    /* of 2017 */
    struct ss_sessions *sessions; /* of 2022 */
};

/* The key's memory, made when there is none. NULL: out of memory. [any] */
struct ss_memory *ss_memory_get(const struct ss_method *m, const uint8_t hash[SS_BLOCK]);

/* Let go of it. NULL is allowed. [any] */
void ss_memory_put(struct ss_memory *memory);

#endif
