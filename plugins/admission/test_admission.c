/* test_admission.c - patterns of clients. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "admission.h"

static int resolve(const char *name, struct gost_addr *ret_addr)
{
    static const uint8_t ip[4] = {203, 0, 113, 9};

    if (strcmp(name, "office.example") != 0)
        return -1;
    gost_addr_set_ip(ret_addr, ip, 4, 0);
    return 0;
}

static const struct {
    const char *patterns, *addr;
    int match;
} rows[] = {
    {"192.0.2.7", "192.0.2.7:99", 1},
    {"192.0.2.7", "192.0.2.8:99", 0},
    {"192.0.2.7", "[::ffff:192.0.2.7]:99", 1},
    {"::ffff:192.0.2.7", "192.0.2.7:99", 1},
    {"10.9.9.9/8", "10.1.2.3:1", 1},
    {"10.0.0.0/9", "10.128.0.0:1", 0},
    {"2001:db8::/33", "[2001:db8:7fff::1]:1", 1},
    {"2001:db8::/33", "[2001:db8:8000::1]:1", 0},
    {"0.0.0.0/0", "198.51.100.1:1", 1},
    {"0.0.0.0/0", "[2001:db8::1]:1", 0},
    {"office.example # ours", "203.0.113.9:1", 1},
    {"10.0.0.0/24 \n 10.0.0.128/25\n10.0.1.5", "10.0.1.5:1", 1},
    {"10.0.0.0/24\n10.0.0.128/25\n10.0.1.5", "10.0.1.4:1", 0},
    {"# 192.0.2.7", "192.0.2.7:1", 0},
    {"", "192.0.2.7:1", 0},
};

static int run(const char *patterns, const char *addr)
{
    struct admission_set *s = admission_new();
    struct gost_addr a;
    int m;

    while (*patterns) {
        size_t n = strcspn(patterns, "\n");

        if (admission_add(s, gost_bytes(patterns, n), resolve) != GOST_OK)
            test_failed++;
        patterns += n + (patterns[n] == '\n');
    }
    admission_sort(s);
    if (gost_addr_parse(&a, addr, strlen(addr), 0) != GOST_OK)
        test_failed++;
    m = admission_match(s, &a);
    admission_free(s);
    return m;
}

int main(void)
{
    struct admission_set *s = admission_new();
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(run(rows[i].patterns, rows[i].addr) == rows[i].match, rows[i].addr);
    ok(admission_add(s, gost_bytes_str("10.0.0.0/33"), resolve) == GOST_EPROTO, "a long CIDR");
    ok(admission_add(s, gost_bytes_str("10.0.0.0/"), resolve) == GOST_EPROTO, "a CIDR of nothing");
    ok(admission_add(s, gost_bytes_str("10.0.0.0/8x"), resolve) == GOST_EPROTO, "no number");
    ok(admission_add(s, gost_bytes_str("a.example/8"), resolve) == GOST_EPROTO, "a name's network");
    ok(admission_add(s, gost_bytes_str("x.example"), resolve) == GOST_ERESOLVE, "an unknown name");
    admission_free(s);
    return test_end();
}
