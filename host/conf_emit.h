/* conf_emit.h - printing configurations as YAML and JSON, byte for byte as GOST does. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_EMIT_H
#define GH_CONF_EMIT_H

#include "conf_schema.h"
#include "conf_text.h"
#include "conf_tree.h"

/* Appends a normalised object as block YAML with a final newline. `object` NULL: free-form, map
 * members sorted as in metadata. Problems stick in `to->failed`. */
void gh_emit_yaml(struct gh_text *to, const struct gh_object *object, const struct gh_value *value);

enum {
    GH_JSON_INDENT = 1, /* two blanks a level and a final newline; otherwise one line without */
};

/* Appends JSON; arguments as above. */
void gh_emit_json(struct gh_text *to, const struct gh_object *object, const struct gh_value *value,
                  unsigned flags);

#endif
