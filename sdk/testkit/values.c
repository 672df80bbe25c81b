/* values.c - the shared tables of a played component: they live as long as its world. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "world.h"

struct kit_value {
    struct kit_value *next;
    char table[64];
    uint8_t key[256], value[256];
    size_t key_n, value_n;
};

static struct kit_value **place(const char *table, struct gost_bytes key)
{
    struct kit_value **at = &kit_now->values;

    while (*at && (strcmp((*at)->table, table) != 0 ||
                   !gost_bytes_eq(gost_bytes((*at)->key, (*at)->key_n), key)))
        at = &(*at)->next;
    return at;
}

int kit_table_get(const char *table, struct gost_bytes key, void *ret_value, size_t value_size)
{
    const struct kit_value *v = *place(table, key);

    if (!v)
        return GOST_END;
    if (v->value_n != value_size)
        return GOST_EINTERNAL;
    memcpy(ret_value, v->value, value_size);
    return GOST_OK;
}

static int change(struct kit_value **at, const void *value, size_t value_size)
{
    struct kit_value *v = *at;

    if (!value) {
        *at = v->next;
        free(v);
        return GOST_OK;
    }
    if (v->value_n != value_size)
        return GOST_EINTERNAL;
    memcpy(v->value, value, value_size);
    return GOST_OK;
}

int kit_table_put(const char *table, struct gost_bytes key, const void *value, size_t value_size,
                  uint64_t ttl_ns, int only_new)
{
    struct kit_value **at = place(table, key), *v = *at;

    if (v)
        return only_new ? GOST_EINUSE : change(at, value, value_size);
    if (!value)
        return GOST_OK;
    if (strlen(table) >= sizeof v->table || key.n > sizeof v->key || value_size > sizeof v->value)
        return GOST_ETOOBIG;
    v = calloc(1, sizeof *v);
    if (!v)
        return GOST_ENOMEM;
    strcpy(v->table, table);
    memcpy(v->key, key.p, key.n);
    v->key_n = key.n;
    memcpy(v->value, value, value_size);
    v->value_n = value_size;
    *at = v;
    return GOST_OK;
}

void kit_values_free(struct kit_world *w)
{
    struct kit_value *v;

    while ((v = w->values) != NULL) {
        w->values = v->next;
        free(v);
    }
}
