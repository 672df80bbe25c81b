/* limiter_number.c - sizes and numbers as GOST writes them. */
/* SPDX-License-Identifier: MIT */
#include "limiter_number.h"
#include "limiter.h"

/* Digits with a fraction. Returns the bytes used, 0: there is no number. */
static size_t read_decimal(struct gost_bytes t, double *ret_value)
{
    double v = 0, scale = 1;
    size_t i = 0, digits = 0;

    for (; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++, digits++)
        v = v * 10 + (t.p[i] - '0');
    if (i < t.n && t.p[i] == '.')
        for (i++; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++, digits++)
            v += (t.p[i] - '0') * (scale /= 10);
    *ret_value = v;
    return digits ? i : 0;
}

/* "B", "KB", "KiB" and so on. Returns the bytes used, 0: none. */
static size_t read_unit(struct gost_bytes t, double *ret_unit)
{
    static const char letters[] = "KMGTPE";
    const char *at;
    size_t n = 1;
    double unit = 1;

    if (t.n && t.p[0] == 'B') {
        *ret_unit = 1;
        return 1;
    }
    at = t.n && t.p[0] ? strchr(letters, t.p[0]) : NULL;
    if (!at)
        return 0;
    for (; at >= letters; at--)
        unit *= 1024;
    if (n < t.n && t.p[n] == 'i')
        n++;
    if (n == t.n || t.p[n] != 'B')
        return 0;
    *ret_unit = unit;
    return n + 1;
}

int limiter_bytes_parse(struct gost_bytes t, uint64_t *ret_bytes)
{
    double sum = 0, v, unit;
    size_t n;

    if (t.n == 1 && t.p[0] == '0') {
        *ret_bytes = 0;
        return GOST_OK;
    }
    if (!t.n)
        return GOST_EPROTO;
    while (t.n) {
        n = read_decimal(t, &v);
        if (!n)
            return GOST_EPROTO;
        t = gost_bytes(t.p + n, t.n - n);
        n = read_unit(t, &unit);
        if (!n)
            return GOST_EPROTO;
        t = gost_bytes(t.p + n, t.n - n);
        sum += v * unit;
        if (sum > 9.0e18)
            return GOST_EPROTO;
    }
    *ret_bytes = (uint64_t)(sum + 0.5);
    return GOST_OK;
}

int limiter_number_parse(struct gost_bytes t, double *ret_number)
{
    int negative = t.n && t.p[0] == '-';
    double v;

    if (negative)
        t = gost_bytes(t.p + 1, t.n - 1);
    if (!t.n || read_decimal(t, &v) != t.n || v > 1e12)
        return GOST_EPROTO;
    *ret_number = negative ? -v : v;
    return GOST_OK;
}
