/* service.h - one service: a listener, a handler and what they refer to; and accepting. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SERVICE_H
#define GH_SERVICE_H

#include <stdatomic.h>

#include "chain.h"
#include "limits.h"
#include "naming.h"
#include "net.h"
#include "record.h"

struct gh_generation;

/*
 * Immutable but for the counters. Counted: the running table, each flow and each listener that
 * calls gh_service_accept() with it hold one reference. Strings are *borrowed* from the
 * generation's configuration.
 */
struct gh_service {
    _Atomic uint32_t refs;
    struct gh_generation *generation; /* counted */
    const struct gh_value *conf;
    const char *name, *addr_text, *handler_type;
    const char *of;           /* the name its flows have: the service's whose entry point this is */
    struct gost_bytes arg;    /* for its handlers; empty: the service's own listener */
    char *own_name, *own_arg; /* *owned*: of an entry point; NULL else */
    bool internal;            /* of the host's own errands: not counted, not logged */
    /* listener */
    struct gh_confset *listener_set;
    struct gh_stackdef listener;
    struct gh_names admissions;
    const char *limiter, *climiter, *rlimiter; /* NULL: none */
    struct gh_recordings recordings;
    const char *observer; /* NULL: none */
    enum gh_limits_scope limiter_scope;
    struct gost_addr addr;
    struct gh_chain_group listener_chains; /* of one that listens at the end of a chain */
    /* handler */
    struct gh_confset *handler_set;
    const struct gost_component *handler;
    const void *handler_conf;
    struct gh_names authers, bypasses;
    struct gh_policy *own_auther; /* *owned*; NULL: none */
    struct gh_names skip_auth;    /* IP addresses and networks whose clients need no credentials */
    /* routing */
    struct gh_chain_group chains;
    struct gh_naming_by naming; /* of targets */
    struct gh_hop *targets;     /* the forwarder; NULL: none */
    bool owns_targets;
    bool hash_target;
    unsigned retries;
    uint64_t dial_timeout;    /* ns per attempt; 0: none */
    struct gh_sockopt direct; /* of dials that take no chain */
    /* counters */
    _Atomic uint64_t total, live, failed, rx, tx;
};

/* Builds a service of the generation; it holds one reference for the caller. NULL: `errs` says why.
 * [main] */
struct gh_service *gh_service_build(struct gh_build *b, struct gh_generation *generation,
                                    const struct gh_value *conf);

/* Where else the host listens for it: its handler's options with GOST_OPT_LISTEN. Calls `add` for
 * each, which takes the reference over. False: `errs` says why. [main] */
bool gh_service_entries(struct gh_build *b, const struct gh_service *s,
                        bool (*add)(void *arg, struct gh_service *entry), void *arg);
struct gh_service *gh_service_ref(struct gh_service *s);

/* What the host's own errands run under: no listener, no policies; dials take `chain`, NULL: none.
 * `name` is a literal. NULL: no memory. [main] */
struct gh_service *gh_service_internal(struct gh_generation *generation, const char *name,
                                       struct gh_chain *chain);
void gh_service_unref(struct gh_service *s); /* [any] */

/* A connection or a new peer of a listener; `arg` is the service. [worker] */
void gh_service_accept(void *arg, struct gh_accepted *a);

/* "tcp" or "udp": what the listener's transport carries, for messages. */
const char *gh_service_network(const struct gh_service *s);

#endif
