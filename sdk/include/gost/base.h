/* base.h - byte views, result codes and the error table: what every other header needs. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_BASE_H
#define GOST_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define GOST_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define GOST_MUST_CHECK        __attribute__((warn_unused_result))
#define GOST_PUBLIC            __attribute__((visibility("default")))
#else
#define GOST_PRINTF(fmt, args)
#define GOST_MUST_CHECK
#define GOST_PUBLIC
#endif

/*
 * Versions of this interface. A plugin loads when the major number is equal (it is part of the
 * exported name, gost_plugin_v1) and its needed minor is not above the host's. While the major is
 * GOST_ABI_STABLE == 0 the interface may still change between releases.
 *
 * Minor 1: first published form.
 * Minor 2: gost_stream_stop, gost_key_add, gost_key_remove; gost_packet.flags and .local.
 */
#define GOST_ABI_MAJOR  1
#define GOST_ABI_MINOR  2
#define GOST_ABI_STABLE 0

/* A view of bytes somebody else owns. Passed and returned by value. p may be NULL when n is 0. */
struct gost_bytes {
    const uint8_t *p;
    size_t n;
};

static inline struct gost_bytes gost_bytes(const void *p, size_t n)
{
    struct gost_bytes b;
    b.p = (const uint8_t *)p;
    b.n = n;
    return b;
}

static inline struct gost_bytes gost_bytes_str(const char *s)
{
    return gost_bytes(s, s ? strlen(s) : 0);
}

static inline int gost_bytes_eq(struct gost_bytes a, struct gost_bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/*
 * Results. Zero: done. Positive: flow, nothing is wrong. Negative: an error of the closed list
 * below. Out-parameters are named ret_x and are untouched unless the call says otherwise.
 */
enum gost_result {
    GOST_OK = 0,    /* done; for a connector: connected; for a handler: end this flow gracefully */
    GOST_AGAIN = 1, /* call me again when something happened (more input, a result, a deadline) */
    GOST_FULL = 2,  /* output is above its high mark: call me again when there is room */
    GOST_END = 3    /* this direction has ended cleanly */
};

/*
 * Errors. Closed list: a protocol maps each to its own reply with one table.
 * The text of an error never holds a secret.
 */
enum gost_error {
    GOST_EPROTO = -1001,       /* the peer broke the protocol */
    GOST_EAUTH = -1002,        /* credentials missing or wrong */
    GOST_EDENIED = -1003,      /* a policy (bypass, rule) forbids this target or command */
    GOST_EADMISSION = -1004,   /* this client may not connect at all */
    GOST_ELIMIT = -1005,       /* a rate or connection limit is reached */
    GOST_EQUOTA = -1006,       /* a volume quota is used up */
    GOST_ENOROUTE = -1007,     /* no usable node or network route */
    GOST_ERESOLVE = -1008,     /* the name has no address */
    GOST_EREFUSED = -1009,     /* the target refused */
    GOST_EUNREACHABLE = -1010, /* the target's host or network is unreachable */
    GOST_ETIMEDOUT = -1011,    /* a deadline passed */
    GOST_ETLS = -1012,         /* TLS or certificate failure */
    GOST_EPEER = -1013,        /* the peer reported a failure of its own */
    GOST_EUNSUPPORTED = -1014, /* valid, but this side does not do it */
    GOST_ETOOBIG = -1015,      /* a size limit was exceeded */
    GOST_ENOMEM = -1016,       /* out of memory or out of a memory budget */
    GOST_ECANCELLED = -1017,   /* somebody ended it on purpose */
    GOST_EINTERNAL = -1018,    /* a defect of this program or a plugin */
    GOST_ECLOSED = -1019,      /* the connection ended in the middle of something */
    GOST_EINUSE = -1020        /* the address to bind is taken */
};

/* Secrets: overwrite memory in a way the compiler cannot drop. [any] */
static inline void gost_wipe(void *p, size_t n)
{
    volatile uint8_t *v = (volatile uint8_t *)p;
    while (n--)
        *v++ = 0;
}

/* Compare without leaking where the first difference is; lengths are not secret. [any] */
static inline int gost_equal_ct(struct gost_bytes a, struct gost_bytes b)
{
    volatile uint8_t d = 0;
    size_t i;

    if (a.n != b.n)
        return 0;
    for (i = 0; i < a.n; i++)
        d = (uint8_t)(d | (a.p[i] ^ b.p[i]));
    return d == 0;
}

/* Network byte order readers and writers. The caller has checked the length. [any] */
static inline uint16_t gost_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t gost_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t gost_get64(const uint8_t *p)
{
    return (uint64_t)gost_get32(p) << 32 | gost_get32(p + 4);
}

static inline uint8_t *gost_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static inline uint8_t *gost_put32(uint8_t *p, uint32_t v)
{
    return gost_put16(gost_put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

static inline uint8_t *gost_put64(uint8_t *p, uint64_t v)
{
    return gost_put32(gost_put32(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

#ifdef __cplusplus
}
#endif
#endif
