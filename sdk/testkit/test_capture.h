/* test_capture.h - for tests: records of capture files. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <gost/base.h>
#include <stdlib.h>

#include "test_tap.h"

struct record {
    uint8_t p[24000];
    size_t n;
};

static inline void record_hex(struct record *r, const char *hex)
{
    unsigned v;

    for (; r->n < sizeof r->p && sscanf(hex, "%2x", &v) == 1 && hex[0] > ' '; hex += 2)
        r->p[r->n++] = (uint8_t)v;
}

/* Record number `index` of one direction ('>' or '<') of a capture. Ends the test without it. */
static inline void load_record(struct record *r, const char *path, char direction, int index)
{
    const char *top = getenv("TOP_SRCDIR");
    char line[512], name[512];
    unsigned n, v;
    int on = 0;
    FILE *f;

    snprintf(name, sizeof name, "%s/%s", top ? top : ".", path);
    f = fopen(name, "r");
    if (!f) {
        printf("Bail out! cannot read %s: set TOP_SRCDIR to the source tree\n", name);
        exit(1);
    }
    r->n = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '>' || line[0] == '<')
            on = line[0] == direction && index-- == 0;
        if (on && (line[0] == direction || line[0] == '+'))
            record_hex(r, line + 2);
        if (on && sscanf(line, "* %u %x", &n, &v) == 2)
            while (n-- > 0 && r->n < sizeof r->p)
                r->p[r->n++] = (uint8_t)v;
    }
    fclose(f);
}

static inline int record_is(const struct record *r, const void *p, size_t n)
{
    if (r->n == n && memcmp(r->p, p, n) == 0)
        return 1;
    printf("# wanted %zu bytes:\n# %.*s\n# got %zu bytes:\n# %.*s\n", r->n, (int)r->n,
           (const char *)r->p, n, (int)n, (const char *)p);
    return 0;
}

#endif
