/* kit.h - tests plugins without a host: transcripts, the grader, the fuzz driver. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_KIT_H
#define GOST_KIT_H

#include <stdio.h>

#include <gost/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The kit runs components on the same engine as the host. Only what is outside is fake: sockets,
 * clock, randomness, the answers to actions. Link with libgost-testkit, libgost-engine and
 * libgost-helpers. One thread, one kit at a time.
 */
struct gost_kit;

/* Take a plugin, linked in or loaded: `&gost_plugin_v1`. NULL: why is filled. */
struct gost_kit *gost_kit_new(const struct gost_plugin *object, char *why, size_t n);
void gost_kit_free(struct gost_kit *kit);

/*
 * A transcript, in the form of sdk/testkit/README.md. Owned by the caller. NULL: why is filled.
 */
struct gost_script;
struct gost_script *gost_script_read(const char *path, char *why, size_t n);
struct gost_script *gost_script_parse(const char *text, const char *name, char *why, size_t n);
void gost_script_free(struct gost_script *s);

/* How a transcript is played. Zeros: as it is written. */
struct gost_how {
    size_t split;      /* feed at most so many bytes at once; 0: whole records */
    size_t stop_after; /* destroy everything after so many feeds; 0: never */
    size_t end_after;  /* end the input after so many bytes - 1; 0: as written */
    size_t drain;      /* take at most so many bytes of output at once; 0: all */
    size_t silence_ms; /* before the end nothing comes for so long */
    size_t deny_alloc; /* this gost_alloc() fails; 0: none */
    uint8_t tail;      /* what stands behind the received bytes in memory */
    uint8_t old;       /* what consumed memory is overwritten with */
};

struct gost_outcome {
    char why[512]; /* empty: as it should be */
    unsigned line; /* of the transcript */
    size_t feeds, bytes, steps, allocs;
    int ended;      /* the component ended by itself ... */
    int status;     /* ... with this */
    uint64_t trace; /* equal for equal behaviour */
};

/* GOST_OK, or GOST_EPROTO with ret_outcome->why filled. */
int gost_kit_play(struct gost_kit *kit, const struct gost_script *script,
                  const struct gost_how *how, struct gost_outcome *ret_outcome);

/* Is this transcript for a component that the kit can run? "" or why not. */
const char *gost_kit_unable(struct gost_kit *kit, const struct gost_script *script);

/* For fuzz targets: the component is fed with data in pieces that the data itself determines, its
 * actions get answers that the data determines. Aborts when a rule is broken. options: "key=value
 * key=value", may be NULL. Returns 0. */
int gost_kit_fuzz(struct gost_kit *kit, enum gost_kind kind, const char *name, const char *options,
                  const uint8_t *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif
