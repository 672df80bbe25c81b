/* conf_types.h - the component names GOST itself registers. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_TYPES_H
#define GH_CONF_TYPES_H

#include <stdbool.h>

enum gh_kind {
    GH_KIND_HANDLER,
    GH_KIND_LISTENER,
    GH_KIND_CONNECTOR,
    GH_KIND_DIALER,
    GH_KIND_LAYER, /* a part of a stack; GOST has none of these names */
    GH_KIND_COUNT
};

/* Asks whoever knows the installed plugins whether `name` is a component of that kind. */
typedef int gh_known_fn(void *ctx, enum gh_kind kind, const char *name);

/* "handler", "listener", ... */
const char *gh_kind_name(enum gh_kind kind);

/* The names GOST registers for a kind, NULL at the end (none for layers). Static. */
const char *const *gh_gost_names(enum gh_kind kind);

/* Whether GOST registers `name` in that kind. */
bool gh_gost_knows(enum gh_kind kind, const char *name);

#endif
