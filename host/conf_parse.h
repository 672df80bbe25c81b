/* conf_parse.h - the text formats: YAML and JSON to value trees. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_PARSE_H
#define GH_CONF_PARSE_H

#include "conf_errors.h"
#include "conf_tree.h"

enum {
    GH_PARSE_DEPTH = 64,               /* maps and lists inside each other */
    GH_PARSE_BYTES = 32 * 1024 * 1024, /* of text */
    GH_PARSE_VALUES = 2 * 1024 * 1024, /* in all */
    GH_PARSE_EXPANDED = 256 * 1024     /* values that YAML aliases may add */
};

/* Parses the first YAML document. An empty one gives a null value. *Owned* result; NULL: `errs`
 * says what is wrong and where. */
struct gh_value *gh_yaml_parse(const char *data, size_t len, struct gh_source *source,
                               struct gh_conf_errors *errs);

/* Parses one JSON value that fills the whole text. Results as above. */
struct gh_value *gh_json_parse(const char *data, size_t len, struct gh_source *source,
                               struct gh_conf_errors *errs);

/* What an unquoted YAML scalar means: a new value without position. Strings that are times carry
 * GH_VALUE_TIMESTAMP. NULL: no memory. */
struct gh_value *gh_yaml_resolve(const char *text, size_t len);

/* Whether the unquoted text would read back as a string, here and for YAML 1.1 readers. */
bool gh_yaml_plain_is_string(const char *text, size_t len);

#endif
