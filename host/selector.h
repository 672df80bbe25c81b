/* selector.h - choosing one of several nodes: failure marks and strategies. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SELECTOR_H
#define GH_SELECTOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include <gost/addr.h>

#include "conf_tree.h"

/*
 * The failure mark of a node: of the whole process, kept over reloads under the node's path and
 * address. Never freed while the process runs, so that any thread may hold it.
 */
struct gh_mark {
    struct gh_mark *next;
    char *key;
    _Atomic uint32_t failures;
    _Atomic uint64_t last; /* gost_now() of the last failure */
};

/* The mark of this key, made when it is new. NULL: no memory. [main] */
struct gh_mark *gh_mark_get(const char *key);
void gh_mark_failed(struct gh_mark *mark, uint64_t now); /* NULL is fine. [any] */
void gh_mark_worked(struct gh_mark *mark);               /* NULL is fine. [any] */
void gh_marks_free(void);                                /* at the end of the process [main] */

enum gh_strategy {
    GH_ROUND,
    GH_RANDOM,
    GH_FIFO,
    GH_HASH
};

/* Immutable but for the counter. */
struct gh_selector {
    enum gh_strategy strategy;
    uint32_t max_fails;
    uint64_t fail_timeout; /* ns */
    _Atomic uint32_t round;
};

/* From a selector object; NULL: the defaults. */
void gh_selector_init(struct gh_selector *s, const struct gh_value *conf);

/* What a selector needs to know of an item. */
struct gh_choice {
    struct gh_mark *mark;
    uint32_t max_fails;    /* 0: the selector's */
    uint64_t fail_timeout; /* 0: the selector's */
    uint32_t weight;
    bool backup;
};

/* What a choice may depend on. All views are *borrowed*. */
struct gh_pick {
    uint64_t now;
    uint32_t network;
    const struct gost_addr *target;  /* as the handler asks for it */
    const struct gost_addr *client;
    const char *user;                /* "" when none */
    bool hash_target;                /* hash by target instead of client */
    struct gost_bytes host, protocol, path; /* forward targets: what was sniffed; may be empty */
    bool peek;                       /* --explain: count nothing */
};

bool gh_choice_failed(const struct gh_selector *s, const struct gh_choice *c, uint64_t now);

/* The chosen one of `n` > 0 items; NULL: all are failed. */
const struct gh_choice *gh_selector_choose(struct gh_selector *s,
                                           const struct gh_choice *const *items, unsigned n,
                                           const struct gh_pick *pick);

#endif
