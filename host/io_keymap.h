/* io_keymap.h - which instance of a datagram layer has which key; all workers share it. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_IO_KEYMAP_H
#define GH_IO_KEYMAP_H

#include <gost/session.h>

#include "siphash.h"

#define GH_KEY_MAX  22u
#define GH_KEYS_MAX 32u /* of one instance */

/* A key, from the first packet with it until its instance ends. */
struct gh_key {
    struct gh_key *hash_next;
    struct gh_key *next; /* of the same instance */
    void *owner;         /* the instance; NULL: its worker has not made it yet */
    unsigned worker;     /* where it lives; constant */
    uint8_t n, own;      /* own: the instance chose it; else a peer did */
    uint8_t k[GH_KEY_MAX];
};

/* Nothing here locks: its user does. */
struct gh_keymap {
    struct gh_key **bucket;
    size_t n_buckets, n;
    uint8_t secret[GH_SIPHASH_KEY];
};

int gh_keymap_init(struct gh_keymap *map);  /* GOST_OK or GOST_ENOMEM */
void gh_keymap_fini(struct gh_keymap *map); /* frees the keys that are left */
struct gh_key *gh_keymap_find(const struct gh_keymap *map, const void *k, size_t n);
/* The key must not be there yet. NULL: no memory. */
struct gh_key *gh_keymap_add(struct gh_keymap *map, const void *k, size_t n, unsigned worker);
void gh_keymap_remove(struct gh_keymap *map, struct gh_key *key); /* frees it */

#endif
