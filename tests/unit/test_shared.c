/* test_shared.c - tables that workers share: ages, bounds, and what their locks cost. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../host/hash.h"
#include "../../host/shared_table.h"
#include "../../sdk/testkit/test_tap.h"

enum { OPS = 300000, THREADS = 2 };

static struct gost_bytes key(uint32_t *k)
{
    return gost_bytes(k, sizeof *k);
}

static void test_values(void)
{
    uint32_t k = 1, other = 2, v = 7;

    ok(gh_table_get("a", key(&k), 0, &v, sizeof v) == GOST_END, "a table that is not there");
    ok(gh_table_put("a", key(&k), &v, sizeof v, 0, 0, 0) == GOST_OK, "a value is put");
    v = 0;
    ok(gh_table_get("a", key(&k), 99, &v, sizeof v) == GOST_OK && v == 7, "and got");
    ok(gh_table_get("a", key(&other), 0, &v, sizeof v) == GOST_END, "another key has none");
    ok(gh_table_get("b", key(&k), 0, &v, sizeof v) == GOST_END, "nor another table");
    v = 8;
    ok(gh_table_put("a", key(&k), &v, sizeof v, 0, 0, 1) == GOST_EINUSE, "only if it is new");
    ok(gh_table_put("a", key(&k), &v, sizeof v, 0, 0, 0) == GOST_OK &&
           gh_table_get("a", key(&k), 0, &v, sizeof v) == GOST_OK && v == 8,
       "else it is replaced");
    ok(gh_table_put("a", key(&k), &v, 2, 0, 0, 0) == GOST_EINTERNAL &&
           gh_table_get("a", key(&k), 0, &v, 2) == GOST_EINTERNAL,
       "values of one table have one size");
    ok(gh_table_put("a", key(&k), NULL, sizeof v, 0, 0, 0) == GOST_OK &&
           gh_table_get("a", key(&k), 0, &v, sizeof v) == GOST_END,
       "a key may be forgotten");
    ok(gh_table_put("a", gost_bytes("", 0), &v, sizeof v, 0, 0, 0) == GOST_ETOOBIG,
       "an empty key is none");
}

static void test_age(void)
{
    uint32_t k = 5, v = 1;

    (void)gh_table_put("a", key(&k), &v, sizeof v, 100, 50, 0);
    ok(gh_table_get("a", key(&k), 149, &v, sizeof v) == GOST_OK, "a value lives its time");
    ok(gh_table_get("a", key(&k), 150, &v, sizeof v) == GOST_END, "and not longer");
    ok(gh_table_put("a", key(&k), &v, sizeof v, 200, 50, 1) == GOST_OK, "then its key is new");
}

static void test_bound(void)
{
    uint32_t k, v, there = 0, recent = 0;

    for (k = 0; k < 200000; k++)
        (void)gh_table_put("big", key(&k), &k, sizeof k, 0, 0, 0);
    for (k = 0; k < 200000; k++) {
        int r = gh_table_get("big", key(&k), 0, &v, sizeof v);

        there += r == GOST_OK && v == k;
        recent += r == GOST_OK && k >= 200000 - 32768;
    }
    ok(there == 65536, "a table is bounded");
    ok(recent == 32768, "and keeps what was put last");
}

static void test_hash(void)
{
    uint64_t k, seen = 0;

    for (k = 0; k < 1000; k++)
        seen |= 1ull << gh_hash(gost_bytes(&k, sizeof k)) % 64;
    ok(seen == UINT64_MAX && gh_hash(gost_bytes("abc", 3)) == gh_hash(gost_bytes("abc", 3)) &&
           gh_hash(gost_bytes("abc", 3)) != gh_hash(gost_bytes("abd", 3)),
       "the hash spreads");
}

/* ---- several threads ---- */

static void *work(void *arg)
{
    uint32_t k, v, base = *(uint32_t *)arg;
    uintptr_t wrong = 0;

    for (uint32_t i = 0; i < OPS; i++) {
        k = base + i % 1000;
        if (i % 10 == 0)
            (void)gh_table_put("busy", key(&k), &k, sizeof k, i, 1000000, 0);
        else if (gh_table_get("busy", key(&k), i, &v, sizeof v) == GOST_OK)
            wrong += v != k;
    }
    return (void *)wrong;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_threads(void)
{
    pthread_t t[THREADS];
    uint32_t base[THREADS] = {0, 500};
    double alone = now(), both;
    void *wrong[THREADS], *one = work(&base[0]);

    alone = now() - alone;
    both = now();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, work, &base[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], &wrong[i]);
    both = now() - both;
    ok(!one && !wrong[0] && !wrong[1], "threads read what was put, whole");
    printf("# %.0f ns for an operation of one thread alone, %.0f ns with two at the same keys\n",
           alone / OPS * 1e9, both / OPS * 1e9);
}

int main(void)
{
    test_values();
    test_age();
    test_bound();
    test_hash();
    test_threads();
    gh_tables_free();
    return test_end();
}
