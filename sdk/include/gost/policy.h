/* policy.h - policies: a source fetches lines, an index answers questions, a remote decides. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_POLICY_H
#define GOST_POLICY_H

#include <gost/action.h>
#include <gost/component.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gost_policy_kind {
    GOST_POLICY_AUTHER = 1,
    GOST_POLICY_ADMISSION = 2,
    GOST_POLICY_BYPASS = 3,
    GOST_POLICY_RESOLVER = 4,
    GOST_POLICY_HOSTS = 5,
    GOST_POLICY_INGRESS = 6,
    GOST_POLICY_ROUTER = 7,
    GOST_POLICY_SD = 8,
    GOST_POLICY_RECORDER = 9,
    GOST_POLICY_LIMITER = 10,
    GOST_POLICY_CLIMITER = 11,
    GOST_POLICY_RLIMITER = 12,
    GOST_POLICY_QUOTA = 13,
    GOST_POLICY_OBSERVER = 14,
    GOST_POLICY_LOGGER = 15,
    GOST_POLICY_CACHE = 16,
    GOST_POLICY_REWRITER = 17,
    GOST_POLICY_SELECTOR = 18
};

/* One line of policy data with its place, for messages. Borrowed during build(). */
struct gost_line {
    struct gost_bytes text;
    const char *file;
    uint32_t line;
    uint32_t reserved;
};

/*
 * INDEX: build() makes an immutable object off the loop [any]; query() is synchronous, allocates
 * nothing, never blocks [any, concurrently]; destroy() frees it after its last reader.
 * The component's name is the configuration section in the singular: "bypass", "auther". Inline
 * data ("matchers", "auths") are options of the component; lines from sources follow them. Lines
 * are raw: comments and blanks around are the index's to drop. A line that cannot be read is
 * skipped; build() then leaves a sentence in `error` (which starts empty) and is still GOST_OK.
 * A closed kind (auther, admission) whose sources have never delivered denies: that is the host's
 * doing, not the index's.
 */
struct gost_index_ops {
    uint32_t size;
    uint32_t policy; /* enum gost_policy_kind */
    int (*build)(void **ret_index, const void *conf, const struct gost_line *lines, uint32_t n,
                 char *error, size_t error_size);
    int (*query)(const void *index, const void *question, void *answer);
    void (*destroy)(void *index);
};

/* Questions and answers, by policy kind. All start with their size. */
struct gost_q_auth {
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes user, secret;
    const struct gost_addr *client;
    struct gost_bytes service; /* whose client it is */
};

struct gost_a_auth {
    uint32_t size;
    uint32_t ok;
    char id[256]; /* client id; zero-terminated */
};

struct gost_q_target { /* BYPASS: the target. ADMISSION: the client */
    uint32_t size;
    uint32_t network; /* enum gost_network */
    const struct gost_addr *addr;
    const struct gost_addr *client;
    struct gost_bytes user;
};

struct gost_a_verdict {
    uint32_t size;
    uint32_t match; /* BYPASS: 1 refuse or skip. ADMISSION: 1 admitted */
    uint32_t flags; /* GOST_VERDICT_* */
    uint32_t reserved;
};

#define GOST_VERDICT_WHITELIST 1u /* the object is a white list: how groups combine, spec of GOST */
#define GOST_VERDICT_EMPTY     2u /* the question concerns this object, but it has no pattern */

struct gost_q_name { /* HOSTS, RESOLVER: name -> addresses. INGRESS: name -> value */
    uint32_t size;
    uint32_t family; /* of addresses: 4, 6, or 0 for any */
    struct gost_bytes name;
};

struct gost_a_value { /* INGRESS: what the name leads to */
    uint32_t size;
    uint32_t n; /* bytes of text; 0: no rule */
    char text[256];
};

#define GOST_ADDRS_MAX 8

struct gost_a_addrs {
    uint32_t size;
    uint32_t n; /* filled */
    struct gost_addr addr[GOST_ADDRS_MAX];
    uint64_t ttl_ns; /* RESOLVER: how long they hold */
};

struct gost_q_rate { /* LIMITER, RLIMITER, CLIMITER: who */
    uint32_t size;
    uint32_t reserved;
    const struct gost_addr *client; /* family NONE: not known */
    struct gost_bytes user, service;
};

enum gost_per { /* who shares what a rule gives */
                GOST_PER_ALL = 0,
                GOST_PER_CLIENT = 1, /* all connections of one IP address */
                GOST_PER_CONNECTION = 2
};

/* One rule. LIMITER: in (from the client) and out in bytes per second, burst in bytes; 0: the rate.
 * RLIMITER: in is requests per 1000 s. CLIMITER: in is a count. 0: no limit. */
struct gost_rate {
    uint64_t key; /* of the rule, the same after a reload */
    uint32_t per; /* enum gost_per */
    uint32_t reserved;
    uint64_t in, out, burst;
};

#define GOST_RATES_MAX    4
#define GOST_RATE_KEY_ALL 1 /* the key of the one rule for everybody together */

struct gost_a_rate { /* all of them hold together */
    uint32_t size;
    uint32_t n;
    struct gost_rate rule[GOST_RATES_MAX];
};

struct gost_q_record { /* RECORDER: the bytes of one record. There is no answer */
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes data;
};

/*
 * SOURCE: a step machine with DIAL, UPGRADE, FILE. One instance fetches once: when it has the whole
 * data it calls gost_source_data(io, bytes) and returns GOST_OK. The host splits lines, builds the
 * index off the loop and swaps it, and starts another instance at the next period. A failed fetch
 * is gost_fail(): the host keeps the last good data and says so once. The host gives the deadline.
 * Port 0 leads nowhere: the ports it dials are 1 and above. The component's name is the key of the
 * configuration: "file", "redis", "http"; the keys below it are its options.
 */
struct gost_source_ops {
    uint32_t size;
    uint32_t flags;
    int (*step)(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
    void (*destroy)(void *state);
};

/*
 * REMOTE: the question is gost_question(io) during the whole life of the instance; answer with
 * gost_answer(io, answer), then return GOST_OK. Port 0 leads nowhere. The host gives a deadline,
 * single flight and a bounded cache.
 */
struct gost_remote_ops {
    uint32_t size;
    uint32_t policy;
    int (*step)(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
    void (*destroy)(void *state);
};

#ifdef __cplusplus
}
#endif
#endif
