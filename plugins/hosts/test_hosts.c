/* test_hosts.c - the table of names. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "hosts.h"

static const char *const lines[] = {
    "192.0.2.1 a.example alias",
    "2001:db8::1\ta.example # second",
    "192.0.2.1 a.example",
    "192.0.2.2 .example",
    "192.0.2.3 .b.example",
    "# 192.0.2.9 comment",
    "192.0.2.4",
    "",
    "::ffff:192.0.2.5 mapped",
};

static const struct {
    const char *name;
    uint32_t family;
    const char *addrs;
} rows[] = {
    {"a.example", 0, "192.0.2.1 2001:db8::1"},
    {"a.example", 4, "192.0.2.1"},
    {"a.example", 6, "2001:db8::1"},
    {"A.example", 0, "192.0.2.2"}, /* case counts, as in GOST: only the domain fits */
    {"alias", 0, "192.0.2.1"},
    {"alias", 6, ""},
    {"x.a.example", 0, "192.0.2.2"},
    {"b.example", 0, "192.0.2.3"},
    {"x.y.b.example", 0, "192.0.2.3"},
    {"example", 0, "192.0.2.2"},
    {"xexample", 0, ""},
    {"comment", 0, ""},
    {"mapped", 4, "192.0.2.5"},
    {"", 0, ""},
};

static int matches(const struct hosts_table *t, const char *name, uint32_t family, const char *want)
{
    struct gost_a_addrs a = {.size = sizeof a};
    char text[600] = "", one[GOST_ADDR_TEXT];
    uint32_t i;

    hosts_find(t, gost_bytes_str(name), family, &a);
    for (i = 0; i < a.n; i++) {
        (void)gost_addr_host(&a.addr[i], one, sizeof one);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", one);
    }
    if (strcmp(text, want) != 0)
        printf("# %s: \"%s\"\n", name, text);
    return strcmp(text, want) == 0;
}

int main(void)
{
    struct hosts_table *t = hosts_new(), *all = hosts_new();
    char name[100];
    size_t i;

    for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (hosts_add(t, gost_bytes_str(lines[i])) != GOST_OK)
            test_failed++;
    ok(hosts_add(t, gost_bytes_str("name 192.0.2.1")) == GOST_EPROTO, "the address comes first");
    hosts_sort(t);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "\"%s\", family %u", rows[i].name, rows[i].family);
        ok(matches(t, rows[i].name, rows[i].family, rows[i].addrs), name);
    }
    for (i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "10.0.0.%u .", (unsigned)i);
        (void)hosts_add(all, gost_bytes_str(name));
    }
    hosts_sort(all);
    ok(matches(all, "any.thing", 4,
               "10.0.0.0 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 "
               "10.0.0.6 10.0.0.7"),
       "a dot is the default; no more addresses than fit");
    hosts_free(t);
    hosts_free(all);
    return test_end();
}
