/* conf_meta.c - reading free-form metadata with GOST's conversions. */
/* SPDX-License-Identifier: MIT */
#include "conf_meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_number.h"

/* The alias that is present, copied into `key`. */
static const struct gh_value *present(const struct gh_value *metadata, const char *keys,
                                      char key[64])
{
    while (*keys != '\0') {
        size_t len = strcspn(keys, ",");
        if (len < 64) {
            memcpy(key, keys, len);
            key[len] = '\0';
            const struct gh_value *value = gh_get(metadata, key);
            if (value != NULL)
                return value;
        }
        keys += len + (keys[len] == ',');
    }
    return NULL;
}

const struct gh_value *gh_meta_get(const struct gh_value *metadata, const char *keys)
{
    char key[64];
    return present(metadata, keys, key);
}

bool gh_meta_bool(const struct gh_value *metadata, const char *keys, bool otherwise)
{
    char key[64];
    return present(metadata, keys, key) != NULL ? gh_bool(metadata, key, otherwise) : otherwise;
}

int64_t gh_meta_int(const struct gh_value *metadata, const char *keys, int64_t otherwise)
{
    char key[64];
    return present(metadata, keys, key) != NULL ? gh_int(metadata, key, otherwise) : otherwise;
}

int64_t gh_meta_duration_ns(const struct gh_value *metadata, const char *keys, int64_t otherwise)
{
    const struct gh_value *value = gh_meta_get(metadata, keys);
    const int64_t second = 1000000000;
    int64_t parsed;
    if (value == NULL)
        return otherwise;
    if (value->type == GH_INT && value->u.i <= INT64_MAX / second &&
        value->u.i >= INT64_MIN / second)
        return value->u.i * second;
    if (value->type == GH_DOUBLE && value->u.d > -9e9 && value->u.d < 9e9)
        return (int64_t)(value->u.d * (double)second);
    if (value->type == GH_STRING && gh_parse_duration_or_seconds(value->u.s.text, &parsed))
        return parsed;
    return otherwise;
}

const char *gh_meta_str(const struct gh_value *metadata, const char *keys, const char *otherwise)
{
    const char *text = gh_text_of(gh_meta_get(metadata, keys));
    return text != NULL && *text != '\0' ? text : otherwise;
}

char *gh_value_text(const struct gh_value *value)
{
    char buf[GH_NUMBER_MAX];
    if (value == NULL)
        return NULL;
    switch (value->type) {
    case GH_STRING:
        return strdup(value->u.s.text);
    case GH_BOOL:
        return strdup(value->u.b ? "true" : "false");
    case GH_INT:
        snprintf(buf, sizeof(buf), "%" PRId64, value->u.i);
        return strdup(buf);
    case GH_DOUBLE:
        return strdup(gh_format_double(value->u.d, GH_FLOAT_F, buf));
    default:
        return NULL;
    }
}
