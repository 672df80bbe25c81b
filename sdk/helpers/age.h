/* age.h - what a bounded table holds, by last use: a list inside its entries (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_AGE_H
#define GOST_AGE_H

#include <stddef.h>

/* First member of an entry, so that a pointer to one is a pointer to the other. */
struct gost_age {
    struct gost_age *older, *newer;
};

/* Zeroed: empty. Whoever shares it between threads locks it. */
struct gost_ages {
    struct gost_age *oldest, *newest;
};

static inline void gost_age_add(struct gost_ages *ages, struct gost_age *a)
{
    a->newer = NULL;
    a->older = ages->newest;
    if (ages->newest)
        ages->newest->newer = a;
    else
        ages->oldest = a;
    ages->newest = a;
}

static inline void gost_age_remove(struct gost_ages *ages, struct gost_age *a)
{
    if (a->newer)
        a->newer->older = a->older;
    else
        ages->newest = a->older;
    if (a->older)
        a->older->newer = a->newer;
    else
        ages->oldest = a->newer;
}

#endif
