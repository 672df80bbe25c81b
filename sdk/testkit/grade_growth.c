/* grade_growth.c - does memory grow pass by pass? */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "kit_internal.h"

/* The caches of the allocator and of libraries settle within a dozen passes. The median of some
 * more is judged: one pass in which a cache grows or shrinks says nothing. */
#define SETTLE 12u
#define PASSES (SETTLE + KIT_JUDGED + 1)

int kit_growth_wanted(const struct kit_growth *m)
{
    return m->passes < PASSES;
}

void kit_growth_pass(struct kit_growth *m)
{
    size_t now = kit_memory_in_use();
    ptrdiff_t more = (ptrdiff_t)(now - m->last);
    unsigned i;

    if (m->passes > SETTLE) {
        for (i = m->passes - SETTLE - 1; i > 0 && m->more[i - 1] > more; i--)
            m->more[i] = m->more[i - 1];
        m->more[i] = more;
    }
    m->last = now;
    m->passes++;
}

void kit_growth_tell(struct kit_grade *g, const char *check, const struct kit_growth *m)
{
    char why[200];
    ptrdiff_t median = m->more[KIT_JUDGED / 2];

    g->begin(g, check);
    snprintf(why, sizeof why, "%td bytes more in a pass: free in destroy() what was allocated",
             median);
    g->result(g, check, median >= 16 ? why : NULL, 0);
}
