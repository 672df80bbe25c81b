/* conf_meta.h - reading free-form metadata with GOST's conversions. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_META_H
#define GH_CONF_META_H

#include "conf_tree.h"

/* In all of these `keys` is a comma list of aliases, compared without case; the first that is
 * present is used, whatever it holds. A value that does not convert gives `otherwise`. Floats are
 * accepted where GOST ignores them. */

/* The value itself; *borrowed*. */
const struct gh_value *gh_meta_get(const struct gh_value *metadata, const char *keys);

bool gh_meta_bool(const struct gh_value *metadata, const char *keys, bool otherwise);
int64_t gh_meta_int(const struct gh_value *metadata, const char *keys, int64_t otherwise);

/* Nanoseconds. A plain number is seconds. */
int64_t gh_meta_duration_ns(const struct gh_value *metadata, const char *keys, int64_t otherwise);

/* Text of strings only; *borrowed*. */
const char *gh_meta_str(const struct gh_value *metadata, const char *keys, const char *otherwise);

/* Any scalar as text: *owned*, free() it. NULL: absent, not a scalar, or no memory. */
char *gh_value_text(const struct gh_value *value);

#endif
