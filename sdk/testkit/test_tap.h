/* test_tap.h - for tests: TAP lines and the plan. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdio.h>

static int test_count, test_failed;

/* One line. It is out at once: a crash later shows how far the test came. */
static inline void ok(int good, const char *name)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++test_count, name);
    fflush(stdout);
    test_failed += !good;
}

/* The plan. Returns what main() returns. */
static inline int test_end(void)
{
    printf("1..%d\n", test_count);
    return test_failed ? 1 : 0;
}

#endif
