/* conf_url_internal.h - what the parts of the URL grammar share. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_URL_INTERNAL_H
#define GH_CONF_URL_INTERNAL_H

#include "conf_gourl.h"
#include "conf_url.h"

/* Builds one configuration from all URLs of a command line. Failures stick in `errs`; functions
 * accept the NULL values that follow from them. */
struct gh_url_builder {
    const struct gh_url_rules *rules;
    struct gh_conf_errors *errs;
    struct gh_value *root;
    struct gh_source *source; /* "-L #2", while that URL is worked on */
    size_t listening;         /* services made so far */
    bool stray_login;         /* the URL has its '@' behind the authority */
};

/* A URL whose scheme has been decided. */
struct gh_url_types {
    char first[64];   /* handler or connector */
    char second[256]; /* listener or dialer; a stack of layers may stand here */
    bool is_path;     /* unix, runix or serial is in the scheme */
};

/* ---- values ---- */

/* Both take `value` over; `map` and `value` may be NULL. */
void gh_ub_put(struct gh_url_builder *b, struct gh_value *map, const char *key,
               struct gh_value *value);
void gh_ub_put_str(struct gh_url_builder *b, struct gh_value *map, const char *key,
                   const char *text);

/* Appends to a list member, making it when it is absent. Takes `value` over. */
void gh_ub_append(struct gh_url_builder *b, struct gh_value *map, const char *key,
                  struct gh_value *value);

/* New map; NULL: noted. */
struct gh_value *gh_ub_map(struct gh_url_builder *b);

void gh_ub_error(struct gh_url_builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void gh_ub_warning(struct gh_url_builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- scheme (conf_url.c) ---- */

/* Trims the text and adds "auto://" where the scheme is missing. *Owned*. */
char *gh_url_complete(const char *text);

/* Whether an '@' stands behind the authority, where a '/' in a password would put it. */
bool gh_url_stray_login(const char *full);

/* Decides the component types of a scheme. False: reported. */
bool gh_url_types(struct gh_url_builder *b, const char *scheme, bool service,
                  struct gh_url_types *ret);

/* ---- parameters (conf_url_params.c) ---- */

/* The query as a map of strings; of a repeated key the first counts. */
struct gh_value *gh_url_query(struct gh_url_builder *b, const char *query);

/* The text of the first of several aliases; "" when absent. *Borrowed*. */
const char *gh_url_param(const struct gh_value *map, const char *aliases);

/* Typed parameters; 0 or false when absent. Text that is none is an error, or 0 with --compat. */
int64_t gh_url_param_int(struct gh_url_builder *b, const struct gh_value *map, const char *aliases);
double gh_url_param_double(struct gh_url_builder *b, const struct gh_value *map,
                           const char *aliases);
bool gh_url_param_bool(struct gh_url_builder *b, const struct gh_value *map, const char *aliases);
int64_t gh_url_param_duration(struct gh_url_builder *b, const struct gh_value *map,
                              const char *aliases);

/* Removes keys of exactly this spelling; a comma list. */
void gh_url_remove(struct gh_value *map, const char *keys);

/* Moves an int above 0 to another map as a number. */
void gh_url_move_int(struct gh_url_builder *b, struct gh_value *from, struct gh_value *to,
                     const char *key);

/* Moves a text that is not empty to another map. */
void gh_url_move_str(struct gh_url_builder *b, struct gh_value *from, struct gh_value *to,
                     const char *key);

/* Copies a parameter to a key of another map if it is not empty. */
void gh_url_copy_str(struct gh_url_builder *b, const struct gh_value *from, const char *aliases,
                     struct gh_value *to, const char *key);

/* Credentials of user info or "auth"; NULL: none. The parameter is removed. */
struct gh_value *gh_url_auth(struct gh_url_builder *b, const struct gh_gourl *url,
                             struct gh_value *params);

/* The selector that parameters describe, which are then removed; NULL: none. */
struct gh_value *gh_url_selector(struct gh_url_builder *b, struct gh_value *params);

/* ---- objects made by parameters (conf_url_lift.c) ---- */

/* Each makes an object in its section of the root when the parameter is there, puts its name into
 * `owner` and removes the parameter. */
void gh_url_lift_admission(struct gh_url_builder *b, struct gh_value *params,
                           struct gh_value *owner);
void gh_url_lift_bypass(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner);
void gh_url_lift_resolver(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner,
                          bool with_prefer);
void gh_url_lift_hosts(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner);
void gh_url_lift_limiters(struct gh_url_builder *b, struct gh_value *params,
                          struct gh_value *owner);

/* ---- addresses (conf_url_ports.c) ---- */

/* The addresses that "host:MIN-MAX" stands for, as a list of strings; NULL: reported. `target`: a
 * forward target, otherwise a listen address. */
struct gh_value *gh_url_ports(struct gh_url_builder *b, const char *addr, bool target);

/* ---- the two kinds of URL ---- */

void gh_url_add_service(struct gh_url_builder *b, const char *text, bool has_chain);
void gh_url_add_node(struct gh_url_builder *b, const char *text, size_t index,
                     struct gh_value *chain);

#endif
