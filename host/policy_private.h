/* policy_private.h - what the policy*.c files share. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_POLICY_PRIVATE_H
#define GH_POLICY_PRIVATE_H

#include <stdatomic.h>

#include "limits.h"
#include "policy.h"

struct gh_errand_spec;
struct gh_refresh;
struct gh_resolver;

/*
 * One object of a section. Counted: each set it is in holds a reference, and its refresh while it
 * runs. An object that a reload leaves as it was goes into the new set too, with its data.
 */
struct gh_policy {
    _Atomic uint32_t refs;
    struct gh_conf *conf; /* counted: names and texts are of it; NULL: somebody else's */
    const struct gh_value *object;
    const char *name;
    uint32_t kind; /* enum gost_policy_kind */
    const struct gost_component *component;
    struct gh_confset *set;
    const void *options;          /* of the component, from the set */
    void *_Atomic index;          /* read by all workers; replaced by gh_policy_swap() */
    _Atomic bool complete;        /* every source has delivered; true without sources */
    struct gh_refresh *refresh;   /* NULL: all data is in the configuration */
    struct gh_resolver *resolver; /* of a RESOLVER; NULL else */
    struct gh_limits *limits;     /* of a limiter: its balances; NULL else. Counted */
    uint64_t timeout_ns;          /* of a recorder; 0: the usual one */
    struct gh_service *service;   /* of its errands; NULL until gh_policies_bind() */
};

/* All of a configuration. Immutable once it is published, counted. */
struct gh_policies {
    _Atomic uint32_t refs;
    bool compat_gost;
    struct gh_policy **v;
    unsigned n, room;
};

/* A section that has an index (or name servers): how its inline data and sources are read. */
struct gh_policy_section {
    const char *section, *component;
    uint32_t kind;
    const char *lines, *line_name, *line_value, *line_more; /* objects; NULL: none */
    const char *redis_type, *redis_types; /* the default; all, each followed by a blank */
    bool remote; /* this object's decisions are asked for elsewhere, whatever its kind */
};

/* ---- policy.c ---- */

struct gh_policy *gh_policy_ref(struct gh_policy *p);
void gh_policy_unref(struct gh_policy *p); /* [any] */

/* A policy without options and data yet; the caller fills `set`. `object` names it in messages,
 * `at` is what it was read from. NULL: reported. [main] */
struct gh_policy *gh_policy_new(const struct gh_policy_section *s, const char *name,
                                const char *object, const struct gh_value *at,
                                struct gh_conf_errors *errs);

/* Whether it is asked by an errand. */
bool gh_policy_is_remote(const struct gh_policy *p);

/* The current set, valid until the next call on this worker. NULL: none is published. [any] */
const struct gh_policies *gh_policies_now(void);
struct gh_policy *gh_policy_find(const struct gh_policies *all, uint32_t kind, const char *name);

/* ---- policy_index.c ---- */

/* Data of one source, as it came. Counted. */
struct gh_lines {
    _Atomic uint32_t refs;
    size_t n;
    char text[];
};
struct gh_lines *gh_lines_new(struct gost_bytes text); /* NULL: no memory */
void gh_lines_unref(struct gh_lines *lines);

enum { GH_FEEDS = 3 };

/* One building of an index off the loop. */
struct gh_index_job {
    struct gh_policy *policy;         /* counted */
    struct gh_worker *worker;         /* is told with gh_refresh_built() */
    struct gh_lines *lines[GH_FEEDS]; /* counted; NULL: none */
    const char *place[GH_FEEDS];      /* where from; *borrowed* from the policy */
    bool complete;                    /* nothing lacks */
    void *index;
    char text[512]; /* why not, or a warning */
    int status;
};

/* Builds the index of inline data, at once. [main] */
bool gh_policy_build_inline(struct gh_policy *p, struct gh_conf_errors *errs);

/* Builds, publishes, then tells the worker. Takes the job over. [worker] */
void gh_index_build(struct gh_index_job *job);

/* Frees what is retired; no worker runs. [main] */
void gh_index_retired_free(void);

/* ---- policy_target.c ---- */

/* `what` names it in messages. NULL: reported. [main] */
struct gh_policy *gh_recorder_build(struct gh_conf *conf, const struct gh_policy_section *s,
                                    const struct gh_value *object, const char *what,
                                    struct gh_conf_errors *errs);
struct gh_policy *gh_observer_build(struct gh_conf *conf, const struct gh_policy_section *s,
                                    const struct gh_value *object, const char *what,
                                    struct gh_conf_errors *errs);

/* An object with plugin.type http: `component` asks a web server. */
struct gh_policy *gh_web_build(struct gh_conf *conf, const struct gh_policy_section *s,
                               const struct gh_value *object, const char *what,
                               const char *component, struct gh_conf_errors *errs);

/* What carries a record to a recorder or observer, but for the question and who is told. `usual_ns`
 * is its time where the configuration gives none. [worker] */
void gh_policy_errand(const struct gh_policy *p, uint64_t usual_ns, struct gh_errand_spec *spec);

/* ---- policy_source.c ---- */

/* Reads "file", "redis", "http" and "reload" of the object. False: reported. [main] */
bool gh_refresh_new(struct gh_policy *p, const struct gh_policy_section *s,
                    struct gh_conf_errors *errs);
void gh_refresh_free(struct gh_refresh *r); /* it does not run */
void gh_refresh_start(struct gh_policy *p); /* or fetches again now. [main] */
void gh_refresh_stop(struct gh_policy *p);  /* for good; releases its reference. [main] */
void gh_refresh_built(struct gh_policy *p, int status); /* its job is finished. [worker] */

#endif
