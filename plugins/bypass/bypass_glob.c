/* bypass_glob.c - wildcard patterns of host names. */
/* SPDX-License-Identifier: MIT */
#include "bypass.h"

#define STEPS_MAX 100000 /* a pattern with many stars must not cost more than this */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static struct gost_bytes rest(struct gost_bytes b, size_t n)
{
    return gost_bytes(b.p + n, b.n - n);
}

/* "[...]" at p: length of the set, and whether c is in it. 0: no closing bracket. */
static size_t set_match(struct gost_bytes p, uint8_t c, int *ret_in)
{
    size_t i = 1;
    int negate = 0, in = 0;

    if (i < p.n && (p.p[i] == '!' || p.p[i] == '^')) {
        negate = 1;
        i++;
    }
    for (; i < p.n && p.p[i] != ']'; i++) {
        uint8_t lo = lower(p.p[i]), hi = lo;

        if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
            hi = lower(p.p[i + 2]);
            i += 2;
        }
        in |= c >= lo && c <= hi;
    }
    *ret_in = in != negate;
    return i < p.n ? i + 1 : 0;
}

static int match(struct gost_bytes p, struct gost_bytes t, int *steps);

/* "{a,b}tail": try each alternative with the tail behind it. */
static int braces(struct gost_bytes p, struct gost_bytes t, int *steps)
{
    uint8_t joined[512];
    size_t end = 1, from = 1, i;
    const uint8_t *close = memchr(p.p, '}', p.n);

    if (!close)
        return 0;
    end = (size_t)(close - p.p);
    for (i = 1; i <= end; i++) {
        size_t n = i - from, tail = p.n - end - 1;

        if (i < end && p.p[i] != ',')
            continue;
        if (n + tail > sizeof joined)
            return 0;
        memcpy(joined, p.p + from, n);
        memcpy(joined + n, p.p + end + 1, tail);
        if (match(gost_bytes(joined, n + tail), t, steps))
            return 1;
        from = i + 1;
    }
    return 0;
}

static int match(struct gost_bytes p, struct gost_bytes t, int *steps)
{
    int in;
    size_t n;

    while (p.n) {
        if (++*steps > STEPS_MAX)
            return 0;
        switch (p.p[0]) {
        case '*':
            while (p.n && p.p[0] == '*')
                p = rest(p, 1);
            for (;;) {
                if (match(p, t, steps))
                    return 1;
                if (!t.n || *steps > STEPS_MAX)
                    return 0;
                t = rest(t, 1);
            }
        case '{':
            return braces(p, t, steps);
        case '[':
            if (!t.n || !(n = set_match(p, lower(t.p[0]), &in)) || !in)
                return 0;
            p = rest(p, n);
            t = rest(t, 1);
            continue;
        case '\\':
            if (p.n > 1)
                p = rest(p, 1);
            break;
        case '?':
            if (!t.n)
                return 0;
            p = rest(p, 1);
            t = rest(t, 1);
            continue;
        default:
            break;
        }
        if (!t.n || lower(p.p[0]) != lower(t.p[0]))
            return 0;
        p = rest(p, 1);
        t = rest(t, 1);
    }
    return t.n == 0;
}

int bypass_glob(struct gost_bytes pattern, struct gost_bytes text)
{
    int steps = 0;

    return match(pattern, text, &steps);
}
