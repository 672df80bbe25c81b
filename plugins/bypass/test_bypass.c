/* test_bypass.c - address patterns. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "bypass.h"

/* Patterns separated by blanks, an address, the expected verdict. */
static const struct row {
    const char *patterns, *addr;
    int match;
} rows[] = {
    {"10.0.0.0/8", "10.1.2.3:80", 1},
    {"10.0.0.0/8", "11.0.0.0:80", 0},
    {"10.9.9.9/8", "10.1.2.3:80", 1},
    {"0.0.0.0/0", "255.255.255.255:1", 1},
    {"0.0.0.0/0", "[2001:db8::1]:1", 0},
    {"2001:db8::/32", "[2001:db8:1::1]:443", 1},
    {"2001:db8::/32", "[2001:db9::]:443", 0},
    {"10.0.0.0/8", "[::ffff:10.0.0.1]:443", 1},
    {"10.0.0.0/8", "host.example:80", 0},
    {"192.0.2.7", "192.0.2.7:1", 1},
    {"192.0.2.7", "192.0.2.8:1", 0},
    {"192.0.2.7:80", "192.0.2.7:80", 1},
    {"192.0.2.7:80", "192.0.2.7:81", 0},
    {"192.0.2.7-192.0.2.9", "192.0.2.9:5", 1},
    {"192.0.2.7-192.0.2.9", "192.0.2.10:5", 0},
    {"192.0.2.1-192.0.2.3 192.0.2.2-192.0.2.9 192.0.2.200", "192.0.2.8:5", 1},
    {"example.com", "EXAMPLE.com:443", 1},
    {"Example.Com", "example.com:443", 1},
    {"example.com", "a.example.com:443", 0},
    {".example.com", "a.b.example.com:443", 1},
    {".example.com", "example.com:443", 1},
    {".example.com", "xexample.com:443", 0},
    {"example.com:80", "example.com:443", 0},
    {"example.com:80 example.com:400-500", "example.com:443", 1},
    {"*.example.com", "a.b.example.com:443", 1},
    {"*.example.com", "example.com:443", 0},
    {"*.example.com:80", "a.example.com:443", 0},
    {"a?c.example", "abc.example:1", 1},
    {"a[0-9]*.x", "a7.x:1", 1},
    {"a[!0-9]*.x", "a7.x:1", 0},
    {"{a,b*}.x", "bcd.x:1", 1},
    {"*{a,b}.x", "cb.x:1", 1},
    {"*", "anything:1", 1},
    {"# comment", "comment:1", 0},
};

static int run(const struct row *r)
{
    struct bypass_set *s = bypass_new();
    const char *p = r->patterns;
    struct gost_addr a;
    int m;

    while (*p) {
        size_t n = *r->patterns == '#' ? strlen(p) : strcspn(p, " ");

        if (bypass_add(s, gost_bytes(p, n)) != GOST_OK)
            printf("# %s is refused\n", p);
        p += n;
        p += strspn(p, " ");
    }
    (void)bypass_sort(s);
    if (gost_addr_parse(&a, r->addr, strlen(r->addr), 0) != GOST_OK)
        printf("# cannot read %s\n", r->addr);
    m = bypass_match(s, &a);
    bypass_free(s);
    return m;
}

int main(void)
{
    char name[200];
    struct bypass_set *s = bypass_new();
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s against %s", rows[i].addr, rows[i].patterns);
        ok(run(&rows[i]) == rows[i].match, name);
    }
    ok(bypass_add(s, gost_bytes_str("10.0.0.0/33")) == GOST_EPROTO,
       "a CIDR that is too long is refused");
    ok(bypass_empty(s), "and leaves nothing");
    bypass_free(s);
    ok(!bypass_glob(gost_bytes_str("*a*a*a*a*a*a*a*a*a*a*a*b"),
                    gost_bytes_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
       "a glob with many stars ends");
    return test_end();
}
