/* errand.h - a source or a remote at work: a flow of the host's own, without a client. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_ERRAND_H
#define GH_ERRAND_H

#include "flow.h"

struct gh_errand;

struct gh_errand_spec {
    struct gh_service *service;             /* whose chain its dials take; counted by the flow */
    const struct gost_component *component; /* SOURCE or REMOTE */
    const void *conf;                       /* *borrowed*, outlives the errand */
    struct gh_confset *set;                 /* what layers it upgrades to are configured from */
    uint64_t timeout_ns;                    /* 0: none */
    const void *question;                   /* REMOTE; *borrowed*, outlives the errand */
    /* What it has to say: the data of a source, the answer of a remote. Inside a step. */
    void (*data)(void *arg, struct gost_bytes data);
    void (*answer)(void *arg, const void *answer);
    /* Once, never inside gh_errand_start(); the errand is gone then. `text` is *borrowed*. */
    void (*done)(void *arg, int status, const char *text);
    void *arg;
};

/* NULL: no memory; nothing is called. [worker] */
struct gh_errand *gh_errand_start(struct gh_worker *w, const struct gh_errand_spec *spec);
void gh_errand_cancel(struct gh_errand *e); /* done() is not called. NULL is fine */

/* Its flow was ended by somebody else. For flow.c. */
void gh_errand_lost(struct gh_errand *e);

/* For the engine's table: what a source or remote calls. */
void gh_errand_source_data(struct gost_io *io, struct gost_bytes data);
const void *gh_errand_question(struct gost_io *io);
void gh_errand_answer(struct gost_io *io, const void *a);

#endif
