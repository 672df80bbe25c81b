/* confset.h - the options of one configured object, bound to the components that read them. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONFSET_H
#define GH_CONFSET_H

#include <stdbool.h>

#include "component.h"
#include "conf_errors.h"
#include "conf_tree.h"
#include "engine.h"

/*
 * A handler, listener, connector or dialer of the configuration: what was written in its auth, tls
 * and metadata, as key and value. Each component that serves it (the transport and layers of its
 * stack, a layer it upgrades to, a handler it hands off to) gets its conf object from here, made
 * once and kept until the set is freed. Strings are *borrowed* from the tree.
 */
struct gh_confset;

/* What a named stack says about its options; both may be NULL. */
struct gh_words {
    const char *renames, *defaults;
};

/* `object` names it in messages: "service web, handler http". NULL: no memory. [main] */
struct gh_confset *gh_confset_new(uint32_t role, const char *object);
void gh_confset_free(struct gh_confset *set);
const char *gh_confset_object(const struct gh_confset *set);

/* Add an object with fixed keys as "prefix.key", and free-form metadata. 0 or -ENOMEM. [main] */
int gh_confset_add(struct gh_confset *set, const char *prefix, const struct gh_value *map);
int gh_confset_add_metadata(struct gh_confset *set, const struct gh_value *map);

/* Adds a list of objects as lines: {username: u, password: p} is "u p". `list_key`: a list of more
 * values, NULL: none. 0 or -ENOMEM. [main] */
int gh_confset_add_lines(struct gh_confset *set, const char *key, const struct gh_value *list,
                         const char *name_key, const char *value_key, const char *list_key);

/* Adds the server's certificate of the whole configuration, and what `own` says besides. */
int gh_confset_add_certificate(struct gh_confset *set, const struct gh_value *global,
                               const struct gh_value *own);

/* Adds one value under a key of its own. 0 or -ENOMEM. [main] */
int gh_confset_add_value(struct gh_confset *set, const char *key, const struct gh_value *value);

/* Adds a text of the host's own: it is copied. 0 or -ENOMEM. [main] */
int gh_confset_add_text(struct gh_confset *set, const char *key, const char *text);

/* Whether a key was given. */
bool gh_confset_has(const struct gh_confset *set, const char *key);

/* Whether a key, under the name that `words` gives it, was given as true. It counts as read. */
bool gh_confset_true(struct gh_confset *set, const struct gh_words *words, const char *key);

/* The layer that an option with GOST_OPT_LAYER puts in this one's place; `c` itself when none does.
 * [any] */
const struct gost_component *gh_confset_layer(const struct gh_confset *set,
                                              const struct gost_component *c);

/* The conf object of a component in a role (0: the set's own), made at the first call. `errs` (may
 * be NULL) gets every problem; `why` the last one. 0 or negative. [any] */
int gh_confset_get(struct gh_confset *set, const struct gost_component *c, uint32_t role,
                   const struct gh_words *words, struct gh_conf_errors *errs, const void **ret_conf,
                   char *why, size_t why_size);

/* Makes the conf objects of the components that `c` hands connections over to, too: their options
 * are the object's. False: `errs` says which is wrong or missing. [main] */
bool gh_confset_add_used(struct gh_confset *set, const struct gost_component *c,
                         struct gh_conf_errors *errs);

/* After all components of the object were made: a key the host itself reads. [main] */
void gh_confset_claim(struct gh_confset *set, const char *keys);

/* Reports metadata keys that no component knows. `same_url`: sets that got the same keys, NULL at
 * the end; what one of them knows is known. [main] */
void gh_confset_check(struct gh_confset *set, struct gh_confset *const *same_url,
                      enum gh_severity severity, struct gh_conf_errors *errs);

#endif
