/* http1_fields.h - header fields and credentials of configurations in heads (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_FIELDS_H
#define GOST_HTTP1_FIELDS_H

#include <gost/http1.h>
#include <gost/options.h>

/* Everything here is [any] and pure. */

#define GOST_HTTP1_LIST_MAX 64
#define GOST_HTTP1_MAP_MAX  (GOST_HTTP1_LIST_MAX - 8) /* fields of a configuration */

/* Fields sorted by name, as GOST writes them. Texts are *borrowed*. */
struct gost_http1_list {
    uint32_t n;
    struct gost_pair v[GOST_HTTP1_LIST_MAX];
};

/* A later field of the same name goes behind the earlier one; what does not fit is left out. */
void gost_http1_list_add(struct gost_http1_list *list, const char *name, const char *value);

/* 1: a field of that name (any case) is there. */
int gost_http1_list_has(const struct gost_http1_list *list, const char *name);

/* The fields of a map, but for Host and User-Agent: a request begins with them. */
void gost_http1_list_add_rest(struct gost_http1_list *list, const struct gost_map *map);

/* "x-a-b" as "X-A-B". */
void gost_http1_put_name(struct gost_http1_out *out, const char *name);

/* Every field as a line; no empty line behind them. */
void gost_http1_put_list(struct gost_http1_out *out, const struct gost_http1_list *list);

/* The value of a name (any case), or NULL. */
const char *gost_http1_map_get(const struct gost_map *map, const char *name);

/* Bytes the fields take when written. */
size_t gost_http1_map_size(const struct gost_map *map);

/* NULL, or what is wrong with the map of the option `header`. */
const char *gost_http1_map_check(const struct gost_map *map);

/* NULL, or why auth.username (may be NULL) and auth.password do not fit basic authentication. */
const char *gost_http1_basic_check(const char *user, struct gost_bytes secret);

/* What a proxy's answer other than 2xx to CONNECT means: an enum gost_error. */
int gost_http1_error(uint32_t status);

#endif
