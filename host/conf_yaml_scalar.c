/* conf_yaml_scalar.c - what unquoted YAML scalars mean. */
/* SPDX-License-Identifier: MIT */
#include "conf_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conf_number.h"

enum { SCALAR_MAX = 128 }; /* longer text is always a string */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool among(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Null, truth values and the special floats. NULL and *ret_found false: another kind of text. */
static struct gh_value *resolve_word(const char *text, bool *ret_found)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    static const char *const nan_words[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const inf_words[] = {".inf",  ".Inf",  ".INF", "+.inf",
                                            "+.Inf", "+.INF", NULL};
    static const char *const negative_inf_words[] = {"-.inf", "-.Inf", "-.INF", NULL};
    *ret_found = true;
    if (among(text, nulls))
        return gh_null();
    if (among(text, yes))
        return gh_bool_new(true);
    if (among(text, no))
        return gh_bool_new(false);
    if (among(text, nan_words))
        return gh_double_new((double)NAN);
    if (among(text, inf_words))
        return gh_double_new((double)INFINITY);
    if (among(text, negative_inf_words))
        return gh_double_new(-(double)INFINITY);
    *ret_found = false;
    return NULL;
}

/* Reads one or two digits in a range; NULL: not there. */
static const char *two_digits(const char *p, int min, int max, int *ret)
{
    if (!digit(*p))
        return NULL;
    int n = *p++ - '0';
    if (digit(*p))
        n = n * 10 + (*p++ - '0');
    *ret = n;
    return n >= min && n <= max ? p : NULL;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "Z" or "+01:00"; copies it behind `out`. */
static bool read_zone(const char *p, char *out, size_t size)
{
    int h, m;
    if (strcmp(p, "Z") == 0) {
        snprintf(out, size, "Z");
        return true;
    }
    if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':')
        return false;
    if (two_digits(p + 1, 0, 24, &h) != p + 3 || two_digits(p + 4, 0, 59, &m) != p + 6)
        return false;
    if (h == 0 && m == 0)
        snprintf(out, size, "Z");
    else
        snprintf(out, size, "%.6s", p);
    return true;
}

/* The time of day behind a date: "T15:04:05.5Z", or " 15:04:05" without a zone. */
static bool read_clock(const char *p, char *out, size_t size)
{
    int h, m, s;
    bool blank = *p == ' ';
    if ((*p != 'T' && *p != 't' && !blank) || (p = two_digits(p + 1, 0, 23, &h)) == NULL ||
        *p != ':' || (p = two_digits(p + 1, 0, 59, &m)) == NULL || *p != ':' ||
        (p = two_digits(p + 1, 0, 59, &s)) == NULL)
        return false;
    char fraction[16] = "";
    if (*p == '.' && digit(p[1])) {
        size_t len = strspn(p + 1, "0123456789");
        size_t keep = len < 9 ? len : 9;
        while (keep > 0 && p[keep] == '0')
            keep--;
        if (keep > 0)
            snprintf(fraction, sizeof(fraction), ".%.*s", (int)keep, p + 1);
        p += 1 + len;
    }
    char zone[8] = "Z";
    if (blank ? *p != '\0' : !read_zone(p, zone, sizeof(zone)))
        return false;
    snprintf(out, size, "T%02d:%02d:%02d%s%s", h, m, s, fraction, zone);
    return true;
}

/* A date or time, as a string in the form of RFC 3339. */
static struct gh_value *resolve_time(const char *text, bool *ret_found)
{
    *ret_found = false;
    for (int i = 0; i < 4; i++)
        if (!digit(text[i]))
            return NULL;
    int year =
        (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    int month, day;
    const char *p = text + 4;
    if (*p != '-' || (p = two_digits(p + 1, 1, 12, &month)) == NULL || *p != '-' ||
        (p = two_digits(p + 1, 1, 31, &day)) == NULL || day > month_days(year, month))
        return NULL;
    char clock[48] = "T00:00:00Z";
    if (*p != '\0' && !read_clock(p, clock, sizeof(clock)))
        return NULL;
    *ret_found = true;
    char full[80];
    snprintf(full, sizeof(full), "%04d-%02d-%02d%s", year, month, day, clock);
    struct gh_value *value = gh_string_new(full);
    if (value != NULL)
        value->flags |= GH_VALUE_TIMESTAMP;
    return value;
}

/* Integers in all of YAML's spellings, and floats. `text` starts with a digit, a sign or a dot. */
static struct gh_value *resolve_number(const char *text, bool *ret_found)
{
    char plain[SCALAR_MAX + 1];
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++)
        if (*p != '_' || *text == '.')
            plain[n++] = *p;
    plain[n] = '\0';
    int64_t i;
    double d;
    *ret_found = true;
    if (*text != '.' && gh_parse_int(plain, 0, &i))
        return gh_int_new(i);
    if (gh_parse_double(plain, &d))
        return gh_double_new(d);
    *ret_found = false;
    return NULL;
}

/* NULL and *ret_found false: it is a string. */
static struct gh_value *resolve_other(const char *text, size_t len, bool *ret_found)
{
    *ret_found = false;
    if (len > SCALAR_MAX || strlen(text) != len)
        return NULL;
    struct gh_value *value = resolve_word(text, ret_found);
    if (*ret_found)
        return value;
    char first = *text;
    if (digit(first)) {
        value = resolve_time(text, ret_found);
        if (*ret_found)
            return value;
    }
    if (digit(first) || first == '+' || first == '-' || first == '.')
        return resolve_number(text, ret_found);
    return NULL;
}

struct gh_value *gh_yaml_resolve(const char *text, size_t len)
{
    bool found;
    struct gh_value *value = resolve_other(text, len, &found);
    return found ? value : gh_string_new_len(text, len);
}

/* "190:20:30" was a number in YAML 1.1. */
static bool is_base60(const char *p)
{
    if (*p == '+' || *p == '-')
        p++;
    if (!digit(*p))
        return false;
    p += strspn(p, "0123456789_");
    if (*p != ':')
        return false;
    while (*p == ':') {
        p++;
        if (!digit(*p))
            return false;
        if (digit(p[1])) {
            if (*p > '5')
                return false;
            p++;
        }
        p++;
    }
    if (*p == '.')
        p += 1 + strspn(p + 1, "0123456789_");
    return *p == '\0';
}

bool gh_yaml_plain_is_string(const char *text, size_t len)
{
    static const char *const old_bools[] = {"y", "Y",  "yes", "Yes", "YES", "on",  "On",  "ON", "n",
                                            "N", "no", "No",  "NO",  "off", "Off", "OFF", NULL};
    bool found;
    if (strlen(text) != len)
        return true;
    struct gh_value *value = resolve_other(text, len, &found);
    gh_value_free(value);
    return !found && !is_base60(text) && !among(text, old_bools);
}
