/* ss_keys.h - what a configuration's credentials become: keys, users, a memory against replay. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_KEYS_H
#define SS_KEYS_H

#include <gost/options.h>

#include "ss_crypto.h"
#include "ss_memory.h"

#define SS_PSK_MAX 8

/* A key, and the hash that names it. */
struct ss_key {
    uint8_t psk[SS_KEY_MAX], hash[SS_BLOCK];
};

/* Made once per configuration, then only read; the memory locks itself. */
struct ss_keys {
    const struct ss_method *method;
    uint32_t n_psk; /* a client with identity headers: those for servers on the way come first */
    struct ss_key key[SS_PSK_MAX];
    uint32_t n_users; /* a server with users expects one identity header */
    struct ss_key *users;
    struct ss_memory *memory; /* servers, unless nothing is authenticated */
};

/* The key that streams and packets are sealed with: the last one, or the only one. */
const struct ss_key *ss_keys_own(const struct ss_keys *k);

/* The user's key by the hash in an identity header; NULL: nobody. [any] */
const struct ss_key *ss_keys_user(const struct ss_keys *k, const uint8_t hash[SS_BLOCK]);

/* Bytes of base64 text, either alphabet, padded or not; -1: malformed or above max. [any] */
int ss_base64(uint8_t *ret_bytes, size_t max, struct gost_bytes text);

struct ss_conf;

/* The components' prepare and release. [main] */
int ss_prepare(void *conf, struct gost_prepare *p);
void ss_release(void *conf);

#endif
