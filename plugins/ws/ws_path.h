/* ws_path.h - request paths as pure functions over text. */
/* SPDX-License-Identifier: MIT */
#ifndef WS_PATH_H
#define WS_PATH_H

#include <gost/base.h>

#define WS_PATH_MAX 2048 /* longest path of a configuration, and of a request that is looked at */

/* The path and the query of a request's target: "/ws?x", or "http://host/ws?x". Both point into
 * target; query is without its '?', .p NULL when there is none. */
void ws_target_split(struct gost_bytes target, struct gost_bytes *ret_path,
                     struct gost_bytes *ret_query);

/* Write `path` without double slashes, "." and "..", as text of at most path.n + 1 bytes; a final
 * slash stays. Returns its length. `to` has room for path.n + 2 bytes. */
size_t ws_path_clean(char *to, struct gost_bytes path);

/* 1: the path of a request, escaped as it came, is `own`; or is below it when own ends in '/'. */
int ws_path_is(const char *own, struct gost_bytes path);

/* Write `own` as a request's target: what a path may not hold is escaped. Returns the length, 0
 * when size is too small. */
size_t ws_path_escape(char *to, size_t size, const char *own);

#endif
