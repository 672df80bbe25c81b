/* conf_number.h - numbers, words and durations as Go reads and writes them. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_NUMBER_H
#define GH_CONF_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GH_NUMBER_MAX = 352 }; /* room for any number's text: the longest double has 309 digits */

/* Integer with sign. base 10: decimal digits only; base 0: 0x, 0o, 0b, leading-zero octal and `_`
 * between digits too. Whether the whole text was one that fits. */
bool gh_parse_int(const char *text, int base, int64_t *ret);

/* Decimal floating point number, whole text. */
bool gh_parse_double(const char *text, double *ret);

/* 1 t T true True TRUE and 0 f F false False FALSE. */
bool gh_parse_bool(const char *text, bool *ret);

/* "1h2m3.5s", "-10ms", "0". Nanoseconds. A number without a unit is refused. */
bool gh_parse_duration(const char *text, int64_t *ret_ns);

/* The duration rule of metadata: Go duration, else an integer number of seconds. */
bool gh_parse_duration_or_seconds(const char *text, int64_t *ret_ns);

/* "1m30s", "100ms", "0s". Returns `buf`. */
const char *gh_format_duration(int64_t ns, char buf[GH_NUMBER_MAX]);

enum gh_float_style {
    GH_FLOAT_G,   /* YAML: exponent below 1e-04 and from 1e+06 on */
    GH_FLOAT_F,   /* never an exponent */
    GH_FLOAT_JSON /* exponent below 1e-6 and from 1e21 on */
};

/* The shortest text that reads back as the same double. Returns `buf`. */
const char *gh_format_double(double d, enum gh_float_style style, char buf[GH_NUMBER_MAX]);

#endif
