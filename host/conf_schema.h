/* conf_schema.h - the objects of a configuration: their keys, types, and order of output. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_SCHEMA_H
#define GH_CONF_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "conf_errors.h"
#include "conf_tree.h"

enum gh_field_type {
    GH_FIELD_STRING,
    GH_FIELD_INT,
    GH_FIELD_BOOL,
    GH_FIELD_DURATION, /* an int, nanoseconds */
    GH_FIELD_STRINGS,  /* list of strings */
    GH_FIELD_OBJECT,   /* map, described by `sub` */
    GH_FIELD_OBJECTS,  /* list of such maps or nulls */
    GH_FIELD_TEXTMAP,  /* map of strings */
    GH_FIELD_FREE      /* metadata: map of anything */
};

enum {
    GH_ALWAYS = 1,      /* printed even when empty */
    GH_ALWAYS_YAML = 2, /* the same, in YAML only */
    GH_CHAIN_REF = 4,   /* an item may be a plain string: {chain: string} */
    GH_HOP_REF = 8      /* items with neither nodes nor plugin are references by name */
};

struct gh_object;

struct gh_field {
    const char *key;
    enum gh_field_type type;
    uint8_t flags;
    const struct gh_object *sub; /* objects and lists of objects */
    const char *ref;             /* the section whose objects it names, NULL: none */
    const char *yaml_key;        /* spelling in YAML output if another */
    const char *json_key;        /* spelling in JSON output if another */
};

/* A kind of object: its fields in the order of output, ended by a NULL key. */
struct gh_object {
    const char *name;
    const struct gh_field *fields;
};

/* The whole configuration. */
const struct gh_object *gh_schema_root(void);

/* A field by its key, upper and lower case being equal; NULL: none. */
const struct gh_field *gh_schema_field(const struct gh_object *object, const char *key);

/* How values become the types of the schema. */
enum gh_rules {
    GH_RULES_FILE, /* weak typing; keys of free-form maps in lower case; dotted keys at the top */
    GH_RULES_JSON  /* plain JSON: exact types, durations are integers, the case of keys is kept */
};

struct gh_normalise {
    enum gh_rules rules;
    bool strict;      /* unknown keys are errors */
    bool compat_gost; /* accept silently what GOST accepts silently */
    struct gh_conf_errors *errs;
};

/* Makes a tree of canonical keys and exact types out of what a parser gave, for any kind of object
 * (the root, or one service for the Web API). Takes nothing over; the result is *owned*. NULL when
 * something was an error: `errs` says what. */
struct gh_value *gh_conf_normalise(const struct gh_object *object, const struct gh_value *raw,
                                   const struct gh_normalise *how);

/* Checks what types cannot say: names present and unique in their section, references that lead
 * somewhere. What GOST only notices at the first client is an error here, a warning with
 * `compat_gost`. */
void gh_conf_check(const struct gh_value *root, bool compat_gost, struct gh_conf_errors *errs);

#endif
