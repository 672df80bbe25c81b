/* options.h - the option table: the one place where a key, its type, default and limits stand. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_OPTIONS_H
#define GOST_OPTIONS_H

#include <gost/addr.h>
#include <gost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Types, and the C type of the field each is stored in. */
enum gost_opt_type {
    GOST_OPT_END = 0,      /* ends a table */
    GOST_OPT_T_STRING = 1, /* const char *, NULL when absent and without a default */
    GOST_OPT_T_BOOL,       /* uint32_t, 0 or 1 */
    GOST_OPT_T_INT,        /* int64_t */
    GOST_OPT_T_SIZE,       /* uint64_t bytes; text may carry B, KB, MB, GB (powers of 1024) */
    GOST_OPT_T_DURATION, /* uint64_t nanoseconds; text as Go writes it; a bare number is seconds */
    GOST_OPT_T_FLOAT,    /* double */
    GOST_OPT_T_ENUM,     /* uint32_t, index into choices */
    GOST_OPT_T_LIST,     /* struct gost_list; a comma-separated string is split */
    GOST_OPT_T_MAP,      /* struct gost_map */
    GOST_OPT_T_ADDRESS,  /* struct gost_addr */
    GOST_OPT_T_SECRET,   /* struct gost_bytes; wiped when freed, never printed */
    GOST_OPT_T_FILE      /* const char *, a path; checked to be readable when the conf is read */
};

struct gost_list {
    const char *const *v;
    uint32_t n;
};

struct gost_pair {
    const char *key, *value;
};

struct gost_map {
    const struct gost_pair *v;
    uint32_t n;
};

/* Flags of an option. */
#define GOST_OPT_REQUIRED 0x0001u /* absent is an error */
#define GOST_OPT_WATCH    0x0002u /* FILE: a change on disk makes a new generation, like a reload */
#define GOST_OPT_SERVER   0x0010u /* only in the server role (listener, handler) */
#define GOST_OPT_CLIENT   0x0020u /* only in the client role (dialer, connector) */
#define GOST_OPT_OLD      0x0100u /* accepted, with a warning that names the summary */
/* HANDLER: an address, a list of them, or of objects with `addr`: the host listens there, too, over
 * TCP. What arrives is served by the same handler with the same options, and gost_arg() is the
 * option's name, then for an object a line "key=value" for each of its other texts. The option
 * NAME.proxyProtocol (above 0) puts that layer below. */
#define GOST_OPT_LISTEN 0x0200u
/* LAYER, ENUM: the words are layers; the one that the user gives stands in this one's place, with
 * the same options. */
#define GOST_OPT_LAYER 0x0400u

/*
 * One option. `names` is the canonical key, then its aliases, separated by blanks: the first one
 * present in the configuration wins. Keys are compared without regard to case. Keys with a fixed
 * place in the configuration file are reached by path: "auth.username", "auth.password",
 * "auth.file", "tls.certFile", "tls.keyFile", "tls.caFile", "tls.secure", "tls.serverName",
 * "tls.options.minVersion", ...; all others live in `metadata`.
 */
struct gost_opt {
    uint32_t type;       /* enum gost_opt_type */
    uint32_t flags;      /* GOST_OPT_* */
    uint32_t offset;     /* of the field in the conf struct */
    uint32_t width;      /* sizeof that field, checked when the plugin is loaded */
    const char *names;   /* "udp.bufferSize udpBufferSize" */
    const char *def;     /* default as text, NULL for none (zero) */
    const char *choices; /* ENUM: the words, separated by blanks */
    int64_t min, max; /* INT, SIZE, DURATION (ms), STRING and SECRET (length); both 0: no limit */
    const char *unit; /* for people: "bytes", "ms"; NULL for none */
    const char *summary; /* one line */
};

/* A field of the wrong C type is a compile error (C++) or warning (C). */
#define GOST_FIELD(S, f, T) \
    (uint32_t)(offsetof(S, f) + 0 * sizeof(&((S *)0)->f == (T *)0)), (uint32_t)sizeof(((S *)0)->f)

#define GOST_OPT_STRING(S, f, names, def, flags, summary)                                       \
    {                                                                                           \
        GOST_OPT_T_STRING, flags, GOST_FIELD(S, f, const char *), names, def, NULL, 0, 0, NULL, \
            summary                                                                             \
    }
#define GOST_OPT_BOOL(S, f, names, def, flags, summary)                                           \
    {                                                                                             \
        GOST_OPT_T_BOOL, flags, GOST_FIELD(S, f, uint32_t), names, def, NULL, 0, 0, NULL, summary \
    }
#define GOST_OPT_INT(S, f, names, def, min, max, unit, flags, summary)                      \
    {                                                                                       \
        GOST_OPT_T_INT, flags, GOST_FIELD(S, f, int64_t), names, def, NULL, min, max, unit, \
            summary                                                                         \
    }
#define GOST_OPT_SIZE(S, f, names, def, min, max, flags, summary)                                \
    {                                                                                            \
        GOST_OPT_T_SIZE, flags, GOST_FIELD(S, f, uint64_t), names, def, NULL, min, max, "bytes", \
            summary                                                                              \
    }
#define GOST_OPT_DURATION(S, f, names, def, min_ms, max_ms, flags, summary)                       \
    {                                                                                             \
        GOST_OPT_T_DURATION, flags, GOST_FIELD(S, f, uint64_t), names, def, NULL, min_ms, max_ms, \
            "ms", summary                                                                         \
    }
#define GOST_OPT_FLOAT(S, f, names, def, flags, summary)                                         \
    {                                                                                            \
        GOST_OPT_T_FLOAT, flags, GOST_FIELD(S, f, double), names, def, NULL, 0, 0, NULL, summary \
    }
#define GOST_OPT_ENUM(S, f, names, def, choices, flags, summary)                             \
    {                                                                                        \
        GOST_OPT_T_ENUM, flags, GOST_FIELD(S, f, uint32_t), names, def, choices, 0, 0, NULL, \
            summary                                                                          \
    }
#define GOST_OPT_LIST(S, f, names, def, flags, summary)                                           \
    {                                                                                             \
        GOST_OPT_T_LIST, flags, GOST_FIELD(S, f, struct gost_list), names, def, NULL, 0, 0, NULL, \
            summary                                                                               \
    }
#define GOST_OPT_MAP(S, f, names, flags, summary)                                                \
    {                                                                                            \
        GOST_OPT_T_MAP, flags, GOST_FIELD(S, f, struct gost_map), names, NULL, NULL, 0, 0, NULL, \
            summary                                                                              \
    }
#define GOST_OPT_ADDRESS(S, f, names, def, flags, summary)                                     \
    {                                                                                          \
        GOST_OPT_T_ADDRESS, flags, GOST_FIELD(S, f, struct gost_addr), names, def, NULL, 0, 0, \
            NULL, summary                                                                      \
    }
#define GOST_OPT_SECRET(S, f, names, max, flags, summary)                                         \
    {                                                                                             \
        GOST_OPT_T_SECRET, flags, GOST_FIELD(S, f, struct gost_bytes), names, NULL, NULL, 0, max, \
            NULL, summary                                                                         \
    }
#define GOST_OPT_FILE(S, f, names, flags, summary)                                             \
    {                                                                                          \
        GOST_OPT_T_FILE, flags, GOST_FIELD(S, f, const char *), names, NULL, NULL, 0, 0, NULL, \
            summary                                                                            \
    }
#define GOST_OPT_LAST                                  \
    {                                                  \
        0, 0, 0, 0, NULL, NULL, NULL, 0, 0, NULL, NULL \
    }

/*
 * What prepare() may ask while a conf object is made. [main]
 */
struct gost_prepare {
    uint32_t size;
    uint32_t role;       /* enum gost_role */
    const char *object;  /* "service socks-in, handler socks5", for logs; borrowed */
    char *error;         /* write one sentence here, without place and object, ... */
    uint32_t error_size; /* ... at most this many bytes with the final zero. With GOST_OK it is a
                          * warning: what works and is dangerous, and the remedy */
};

#ifdef __cplusplus
}
#endif
#endif
