/* conf_number.c - numbers, words and durations as Go reads and writes them. */
/* SPDX-License-Identifier: MIT */
#include "conf_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 255;
}

/* The base that a prefix announces; moves *text behind it. */
static int base_of_prefix(const char **text, bool *ret_underscore)
{
    const char *p = *text;
    *ret_underscore = false;
    if (p[0] != '0' || p[1] == '\0')
        return 10;
    *ret_underscore = true;
    char c = (char)(p[1] | 0x20);
    int base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
    *text += base != 0 ? 2 : 1;
    return base != 0 ? base : 8;
}

bool gh_parse_int(const char *text, int base, int64_t *ret)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    bool underscore = false; /* Go allows "_" only behind a prefix or between digits */
    bool grouped = base == 0;
    if (base == 0)
        base = base_of_prefix(&text, &underscore);
    uint64_t value = 0;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    bool digits = false;
    for (; *text != '\0'; text++) {
        if (*text == '_' && grouped && underscore && text[1] != '\0' && text[1] != '_') {
            underscore = false;
            continue;
        }
        int d = digit_value(*text);
        if (d >= base || value > (limit - (uint64_t)d) / (uint64_t)base)
            return false;
        value = value * (uint64_t)base + (uint64_t)d;
        digits = true;
        underscore = true;
    }
    if (!digits)
        return false;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool gh_parse_double(const char *text, double *ret)
{
    const char *p = text;
    if (*p == '-' || *p == '+')
        p++;
    /* strtod() also knows hexadecimal, "inf" and leading blanks: only digits may come here. */
    size_t digits = strspn(p, "0123456789");
    p += digits;
    if (*p == '.') {
        size_t more = strspn(++p, "0123456789");
        p += more;
        digits += more;
    }
    if (digits == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+')
            p++;
        size_t exponent = strspn(p, "0123456789");
        if (exponent == 0)
            return false;
        p += exponent;
    }
    if (*p != '\0')
        return false;
    double d = strtod(text, NULL);
    if (!isfinite(d))
        return false;
    *ret = d;
    return true;
}

bool gh_parse_bool(const char *text, bool *ret)
{
    static const char *const yes[] = {"1", "t", "T", "true", "True", "TRUE"};
    static const char *const no[] = {"0", "f", "F", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *ret = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Reads a unit of time; NULL: none. */
static const char *duration_unit(const char *p, uint64_t *ret_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* micro sign */
        {"\xce\xbcs", 1000},                                         /* Greek mu */
        {"ms", 1000000},     {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(units[i].name);
        if (strncmp(p, units[i].name, len) == 0) {
            *ret_ns = units[i].ns;
            return p + len;
        }
    }
    return NULL;
}

/* Reads "12.5h" and adds it up; NULL: malformed or too big. */
static const char *duration_part(const char *p, uint64_t *total)
{
    const uint64_t limit = (uint64_t)INT64_MAX + 1;
    uint64_t whole = 0;
    const char *start = p;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (whole > (limit - (uint64_t)(*p - '0')) / 10)
            return NULL;
        whole = whole * 10 + (uint64_t)(*p - '0');
    }
    bool digits = p != start;
    double fraction = 0;
    double scale = 1;
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++) {
            digits = true;
            if (scale < 1e18) {
                scale *= 10;
                fraction = fraction * 10 + (*p - '0');
            }
        }
    }
    uint64_t unit;
    if (!digits || (p = duration_unit(p, &unit)) == NULL || whole > limit / unit)
        return NULL;
    uint64_t ns = whole * unit + (uint64_t)(fraction * ((double)unit / scale));
    if (ns > limit || *total > limit - ns)
        return NULL;
    *total += ns;
    return p;
}

bool gh_parse_duration(const char *text, int64_t *ret_ns)
{
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    uint64_t total = 0;
    if (strcmp(p, "0") != 0) {
        if (*p == '\0')
            return false;
        while (*p != '\0') {
            p = duration_part(p, &total);
            if (p == NULL)
                return false;
        }
    }
    if (!negative && total > (uint64_t)INT64_MAX)
        return false;
    *ret_ns = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

bool gh_parse_duration_or_seconds(const char *text, int64_t *ret_ns)
{
    int64_t seconds;
    if (gh_parse_duration(text, ret_ns))
        return true;
    if (!gh_parse_int(text, 10, &seconds) || seconds > INT64_MAX / 1000000000 ||
        seconds < INT64_MIN / 1000000000)
        return false;
    *ret_ns = seconds * 1000000000;
    return true;
}

/* Prints value/unit with as many decimals as it needs. */
static int format_fraction(char *buf, size_t size, uint64_t value, uint64_t unit)
{
    int len = snprintf(buf, size, "%" PRIu64, value / unit);
    uint64_t rest = value % unit;
    if (rest == 0)
        return len;
    buf[len++] = '.';
    while (rest != 0) {
        unit /= 10;
        buf[len++] = (char)('0' + rest / unit);
        rest %= unit;
    }
    return len;
}

const char *gh_format_duration(int64_t ns, char buf[GH_NUMBER_MAX])
{
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    size_t at = 0;
    if (ns < 0)
        buf[at++] = '-';
    if (u < 1000000000) {
        const char *unit = u < 1000 ? "ns" : u < 1000000 ? "\xc2\xb5s" : "ms";
        uint64_t size = u < 1000 ? 1 : u < 1000000 ? 1000 : 1000000;
        if (u == 0)
            unit = "s";
        at += (size_t)format_fraction(buf + at, GH_NUMBER_MAX - at, u, size);
        snprintf(buf + at, GH_NUMBER_MAX - at, "%s", unit);
        return buf;
    }
    uint64_t minutes = u / 60000000000;
    if (minutes >= 60)
        at += (size_t)snprintf(buf + at, GH_NUMBER_MAX - at, "%" PRIu64 "h", minutes / 60);
    if (minutes > 0)
        at += (size_t)snprintf(buf + at, GH_NUMBER_MAX - at, "%" PRIu64 "m", minutes % 60);
    at += (size_t)format_fraction(buf + at, GH_NUMBER_MAX - at, u % 60000000000, 1000000000);
    snprintf(buf + at, GH_NUMBER_MAX - at, "s");
    return buf;
}

/* The shortest decimal digits that read back as `d` (finite, not 0), and the exponent of the first.
 */
static int shortest_digits(double d, char digits[32])
{
    char text[40];
    for (int precision = 0; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, d);
        if (strtod(text, NULL) == d)
            break;
    }
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return atoi(p + 1);
}

static void format_exponent(char *out, const char *digits, int exponent, bool json)
{
    *out++ = *digits++;
    if (*digits != '\0')
        *out++ = '.';
    while (*digits != '\0')
        *out++ = *digits++;
    /* Go pads the exponent to two digits, except a negative one in JSON. */
    bool pad = !(json && exponent < 0);
    sprintf(out, pad ? "e%c%02d" : "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void format_fixed(char *out, const char *digits, int exponent)
{
    int count = (int)strlen(digits);
    if (exponent < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = -1; i > exponent; i--)
            *out++ = '0';
        memcpy(out, digits, (size_t)count + 1);
        return;
    }
    for (int i = 0; i <= exponent || i < count; i++) {
        if (i == exponent + 1)
            *out++ = '.';
        *out++ = i < count ? digits[i] : '0';
    }
    *out = '\0';
}

const char *gh_format_double(double d, enum gh_float_style style, char buf[GH_NUMBER_MAX])
{
    if (isnan(d))
        return strcpy(buf, ".nan");
    if (isinf(d))
        return strcpy(buf, d < 0 ? "-.inf" : ".inf");
    char *out = buf;
    if (signbit(d))
        *out++ = '-';
    if (d == 0) {
        strcpy(out, "0");
        return buf;
    }
    char digits[32];
    int exponent = shortest_digits(fabs(d), digits);
    bool scientific = (style == GH_FLOAT_G && (exponent < -4 || exponent >= 6)) ||
                      (style == GH_FLOAT_JSON && (exponent < -6 || exponent >= 21));
    if (scientific)
        format_exponent(out, digits, exponent, style == GH_FLOAT_JSON);
    else
        format_fixed(out, digits, exponent);
    return buf;
}
