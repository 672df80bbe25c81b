/* conf_tree.h - the value tree every configuration source becomes. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_TREE_H
#define GH_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Ownership: a value owns everything below it; there is no sharing, so a tree is freed through its
 * root and a part is kept by copying it. gh_value_free() wipes every string, because any of them
 * may be a password. A tree that nobody changes may be read from every thread.
 *
 * Out of memory: constructors return NULL, and every function that takes a value over accepts NULL
 * and reports it as its own failure, so that calls can be nested and checked once.
 */

enum gh_type { GH_NULL, GH_BOOL, GH_INT, GH_DOUBLE, GH_STRING, GH_LIST, GH_MAP };

enum {
    GH_VALUE_JSON = 1,     /* a number written in JSON: free-form output prints it as a float */
    GH_VALUE_TIMESTAMP = 2 /* a string that YAML resolved to a time: printed without quotes */
};

/* Where values come from: "/etc/gost/gost.yml", "-L #2", "environment GOST_API". Counted, shared by
 * all values of one source. */
struct gh_source;

struct gh_value;

/* One member of a map. `key` keeps the spelling it had (lower case after a file was normalised). */
struct gh_member {
    char *key;
    struct gh_value *value;
};

struct gh_value {
    enum gh_type type;
    uint8_t flags;   /* GH_VALUE_* */
    uint32_t line;   /* from 1; 0: the source has no lines */
    uint32_t column; /* from 1; 0: unknown */
    struct gh_source *source;
    union {
        bool b;
        int64_t i; /* durations of the schema: nanoseconds */
        double d;
        struct {
            char *text; /* always followed by a NUL that `len` does not count; may hold NULs */
            size_t len;
        } s;
        struct {
            struct gh_value **items;
            size_t count;
            size_t room;
        } list;
        struct {
            struct gh_member *members; /* in the order they were written */
            size_t count;
            size_t room;
        } map;
    } u;
};

/* ---- sources ---- */

/* New source with one reference. NULL: no memory. */
struct gh_source *gh_source_new(const char *name);
struct gh_source *gh_source_ref(struct gh_source *source);
void gh_source_unref(struct gh_source *source);
const char *gh_source_name(const struct gh_source *source);

/* ---- making and freeing ---- */

/* All constructors: *owned* result, no position. Strings are copied. */
struct gh_value *gh_null(void);
struct gh_value *gh_bool_new(bool b);
struct gh_value *gh_int_new(int64_t i);
struct gh_value *gh_double_new(double d);
struct gh_value *gh_string_new(const char *text);
struct gh_value *gh_string_new_len(const char *text, size_t len);
struct gh_value *gh_list_new(void);
struct gh_value *gh_map_new(void);

/* Frees a tree; NULL is fine. */
void gh_value_free(struct gh_value *value);

/* Deep copy with positions. NULL in, NULL out; NULL also when there is no memory. */
struct gh_value *gh_value_copy(const struct gh_value *value);

/* Deep equality of types and content: positions and flags do not count, nor does the order of map
 * members. Keys are compared exactly. Two NULL pointers are equal. */
bool gh_value_equal(const struct gh_value *a, const struct gh_value *b);

/* Gives one value a position (its members keep theirs). Returns `value`, which may be NULL. */
struct gh_value *gh_value_place(struct gh_value *value, struct gh_source *source, uint32_t line,
                                uint32_t column);

/* Gives a whole tree the same source, without a line. */
void gh_value_place_all(struct gh_value *value, struct gh_source *source);

/* ---- changing ---- */

/* Sets `key` (compared exactly), replacing in place or adding at the end. Takes `value` over in
 * every case. 0, or -ENOMEM when there is no memory or `value` is NULL. */
int gh_map_set(struct gh_value *map, const char *key, struct gh_value *value);

/* Adds a member without looking for another of that key, for builders of large maps, which then
 * call gh_map_duplicate() once. Takes `value` over in every case. 0 or -ENOMEM. */
int gh_map_append(struct gh_value *map, const char *key, struct gh_value *value);

/* The index of a member whose key an earlier member has as well, or the count if all differ.
 * `fold`: upper and lower case are equal. No memory: it takes longer. */
size_t gh_map_duplicate(const struct gh_value *map, bool fold);

/* Removes `key` (compared exactly). Whether it was there. */
bool gh_map_delete(struct gh_value *map, const char *key);

/* Takes `key` (compared exactly) out of the map without freeing it. *Owned* result or NULL. */
struct gh_value *gh_map_take(struct gh_value *map, const char *key);

/* Adds at the end. Takes `value` over in every case. 0 or -ENOMEM as above. */
int gh_list_append(struct gh_value *list, struct gh_value *value);

/* Removes item `index`, if there is one. */
void gh_list_delete(struct gh_value *list, size_t index);

/* Moves all items of `from` to the end of `to`; `from` is empty afterwards. 0 or -ENOMEM. */
int gh_list_move(struct gh_value *to, struct gh_value *from);

/* ---- reading: all accept NULL and values of another type ---- */

/* The member named `key`, upper and lower case being equal; *borrowed*. NULL: absent. */
const struct gh_value *gh_get(const struct gh_value *map, const char *key);

/* As gh_get(), but for a path of keys: gh_path(service, "handler.chain"). No list indexes. */
const struct gh_value *gh_path(const struct gh_value *map, const char *path);

/* As gh_get(), for changing. */
struct gh_value *gh_get_mutable(struct gh_value *map, const char *key);

/* The text of a string member, `otherwise` if it is absent, empty or no string. *Borrowed*. */
const char *gh_str(const struct gh_value *map, const char *key, const char *otherwise);

/* The member as a number: int, float (truncated), bool, or a decimal string. */
int64_t gh_int(const struct gh_value *map, const char *key, int64_t otherwise);

/* The member as a truth value: bool, number, or one of Go's words for it. */
bool gh_bool(const struct gh_value *map, const char *key, bool otherwise);

/* A duration of the schema: an int is nanoseconds, a string is a Go duration ("1m30s"). */
int64_t gh_duration_ns(const struct gh_value *map, const char *key, int64_t otherwise);

/* The same in milliseconds, rounded up, so that nothing above 0 becomes 0. */
int64_t gh_duration_ms(const struct gh_value *map, const char *key, int64_t otherwise);

/* The text of the value itself, or NULL if it is no string. *Borrowed*. */
const char *gh_text_of(const struct gh_value *value);

bool gh_is_map(const struct gh_value *value);
bool gh_is_list(const struct gh_value *value);

/* Number of items of a list or members of a map, 0 for anything else. */
size_t gh_count(const struct gh_value *value);

/* Item `index` of a list; *borrowed*; NULL: none. */
const struct gh_value *gh_item(const struct gh_value *list, size_t index);

/* Iterates over the items of a list that are not null: start with *pos = 0, NULL ends. Lists of
 * objects may hold nulls, because GOST keeps them too. */
const struct gh_value *gh_next(const struct gh_value *list, size_t *pos);

/* Iterates over the members of a map: start with *pos = 0, NULL ends. *Borrowed*. */
const struct gh_member *gh_next_member(const struct gh_value *map, size_t *pos);

/* The item of a list of objects whose "name" is `name` (exactly). *Borrowed*. */
const struct gh_value *gh_named(const struct gh_value *list, const char *name);

/* ---- positions ---- */

enum { GH_POS_MAX = 320 };

/* "file:line:column", "file:line", "-L #2" or "" as far as it is known. Returns `buf`. */
const char *gh_pos_text(const struct gh_value *value, char buf[GH_POS_MAX]);

#endif
