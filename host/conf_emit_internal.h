/* conf_emit_internal.h - what the YAML and JSON writers share. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_EMIT_INTERNAL_H
#define GH_CONF_EMIT_INTERNAL_H

#include "conf_emit.h"

/* Whether a field is left out unless it is always printed. */
bool gh_emit_is_empty(const struct gh_field *field, const struct gh_value *value);

/* The members of a map in an order: free() the array. NULL: no memory, noted in `to`. */
const struct gh_member **gh_emit_sorted(struct gh_text *to, const struct gh_value *map,
                                        int (*compare)(const void *, const void *));

/* Appends a string as a YAML scalar that stands after "key: " or "- " at `indent` blanks. `key`: it
 * is a key itself. */
void gh_yaml_string(struct gh_text *to, const char *text, size_t len, size_t indent, bool key);

/* Compares two keys in the order of YAML output. */
int gh_yaml_key_order(const char *a, const char *b);

#endif
