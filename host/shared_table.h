/* shared_table.h - tables that all workers share: bounded, with an age, values of one size. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SHARED_TABLE_H
#define GH_SHARED_TABLE_H

#include <gost/base.h>

/* gost_table_get() and gost_table_put() of host.h; `now` is gost_now(). [any] */
int gh_table_get(const char *table, struct gost_bytes key, uint64_t now, void *ret_value,
                 size_t value_size);
int gh_table_put(const char *table, struct gost_bytes key, const void *value, size_t value_size,
                 uint64_t now, uint64_t ttl_ns, int only_new);

/* Of struct gost_host: the same with the time of the calling worker. [worker] */
int gh_host_table_get(const char *table, struct gost_bytes key, void *ret_value, size_t value_size);
int gh_host_table_put(const char *table, struct gost_bytes key, const void *value,
                      size_t value_size, uint64_t ttl_ns, int only_new);

/* Frees all tables: nobody uses them any more. [main] */
void gh_tables_free(void);

#endif
