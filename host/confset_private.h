/* confset_private.h - between confset.c and confset_use.c. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONFSET_PRIVATE_H
#define GH_CONFSET_PRIVATE_H

#include "confset.h"

struct block {
    struct block *next;
    size_t size;
    char data[];
};

struct made {
    struct made *next;
    const struct gost_component *component;
    uint32_t role;
    struct ge_conf *conf;
};

struct gh_confset {
    char *object;
    uint32_t role;
    uint32_t n, room;
    struct ge_kv *kv;
    bool *meta; /* of each kv: it is metadata */
    struct block *blocks;
    struct made *made;
};

#endif
