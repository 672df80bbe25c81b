/* options_number.c - numbers, truth values, durations and sizes, as GOST reads them. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "options.h"

/* Digits with an optional fraction, as `whole` units plus `frac`/`scale`. Returns what follows, or
 * NULL when there is no digit or the number is too large. */
static const char *scan_decimal(const char *p, uint64_t *ret_whole, double *ret_fraction)
{
    uint64_t whole = 0;
    double fraction = 0, scale = 1;
    int digits = 0;

    for (; *p >= '0' && *p <= '9'; p++, digits++) {
        uint64_t d = (uint64_t)(*p - '0');

        if (whole > (UINT64_MAX - d) / 10)
            return NULL;
        whole = whole * 10 + d;
    }
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++, digits++) {
            scale /= 10;
            fraction += scale * (*p - '0');
        }
    }
    if (!digits)
        return NULL;
    *ret_whole = whole;
    *ret_fraction = fraction;
    return p;
}

/* Adds (whole + fraction) * unit to *sum. Returns 0 when that is above INT64_MAX. */
static int add_scaled(uint64_t *sum, uint64_t whole, double fraction, uint64_t unit)
{
    uint64_t part, more;

    if (whole > (uint64_t)INT64_MAX / unit)
        return 0;
    part = whole * unit;
    more = (uint64_t)(fraction * (double)unit + 0.5);
    if (part > (uint64_t)INT64_MAX - more || *sum > (uint64_t)INT64_MAX - part - more)
        return 0;
    *sum += part + more;
    return 1;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* Longest name first where one begins with another. */
static const struct unit duration_units[] = {
    {"ns", 1},           {"us", 1000},         {"\xc2\xb5s", 1000}, /* the micro sign */
    {"\xce\xbcs", 1000},                                            /* the Greek letter */
    {"ms", 1000000},     {"s", 1000000000ull}, {"m", 60000000000ull}, {"h", 3600000000000ull},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"KIB", 1ull << 10}, {"MIB", 1ull << 20}, {"GIB", 1ull << 30}, {"TIB", 1ull << 40},
    {"PIB", 1ull << 50}, {"EIB", 1ull << 60}, {"KB", 1ull << 10},  {"MB", 1ull << 20},
    {"GB", 1ull << 30},  {"TB", 1ull << 40},  {"PB", 1ull << 50},  {"EB", 1ull << 60},
    {"K", 1ull << 10},   {"M", 1ull << 20},   {"G", 1ull << 30},   {"B", 1},
    {NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, const char *p)
{
    for (; units->name; units++) {
        if (strncasecmp(p, units->name, strlen(units->name)) == 0)
            return units;
    }
    return NULL;
}

/* A sequence of numbers, each with a unit. A number alone has the unit `bare`. */
static int parse_units(const char *text, const struct unit *units, uint64_t bare, uint64_t *ret)
{
    uint64_t sum = 0, whole;
    double fraction;
    const char *p = text;
    const struct unit *u;

    do {
        int first = p == text;

        p = scan_decimal(p, &whole, &fraction);
        if (!p)
            return GOST_EPROTO;
        if (*p == 0 && first && fraction == 0 && p[-1] != '.') {
            if (!add_scaled(&sum, whole, 0, bare))
                return GOST_ETOOBIG;
            break;
        }
        u = find_unit(units, p);
        if (!u)
            return GOST_EPROTO;
        if (!add_scaled(&sum, whole, fraction, u->factor))
            return GOST_ETOOBIG;
        p += strlen(u->name);
    } while (*p);
    *ret = sum;
    return GOST_OK;
}

/* Go writes units in lower case only. */
static int has_upper(const char *text)
{
    for (; *text; text++) {
        if (*text >= 'A' && *text <= 'Z')
            return 1;
    }
    return 0;
}

int ge_parse_duration(const char *text, uint64_t *ret_ns)
{
    if (*text == '+')
        text++;
    if (has_upper(text))
        return GOST_EPROTO;
    return parse_units(text, duration_units, 1000000000ull, ret_ns);
}

int ge_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse_units(text, size_units, 1, ret_bytes);
}

int ge_opt_bool(const char *text, uint32_t *ret)
{
    static const char yes[] = "1 t T true True TRUE", no[] = "0 f F false False FALSE";
    const char *const lists[] = {no, yes};
    size_t n = strlen(text);
    uint32_t i;

    for (i = 0; n && i < 2; i++) {
        const char *p = lists[i];

        while (*p) {
            size_t len = strcspn(p, " ");

            if (len == n && memcmp(p, text, n) == 0) {
                *ret = i;
                return GOST_OK;
            }
            p += len + (p[len] != 0);
        }
    }
    return GOST_EPROTO;
}

int ge_opt_int(const char *text, int64_t *ret)
{
    const char *p = text + (*text == '-' || *text == '+');
    char *end;
    long long v;
    uint32_t word;

    if (!isdigit((unsigned char)*p)) {
        if (isalpha((unsigned char)*text) && ge_opt_bool(text, &word) == GOST_OK) {
            *ret = word;
            return GOST_OK;
        }
        return GOST_EPROTO;
    }
    errno = 0;
    v = strtoll(text, &end, 10);
    if (*end)
        return GOST_EPROTO;
    if (errno)
        return GOST_ETOOBIG;
    *ret = v;
    return GOST_OK;
}

int ge_opt_float(const char *text, double *ret)
{
    char *end;
    double v;

    if (!*text || text[strspn(text, "0123456789+-.eE")])
        return GOST_EPROTO;
    errno = 0;
    v = strtod(text, &end);
    if (*end)
        return GOST_EPROTO;
    if (errno)
        return GOST_ETOOBIG;
    *ret = v;
    return GOST_OK;
}
