/* test_methods.h - for tests: methods by their names. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_TEST_METHODS_H
#define SS_TEST_METHODS_H

#include <string.h>

#include "ss_crypto.h"

/* Place of a method; behind the last one: there is none. */
static inline uint32_t method_index(const char *name)
{
    uint32_t i;

    for (i = 0; ss_method_at(i); i++)
        if (strcmp(ss_method_at(i)->name, name) == 0)
            break;
    return i;
}

#endif
