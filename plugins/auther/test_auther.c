/* test_auther.c - the table of users. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "auther.h"

static int check(const struct auther_table *t, const char *user, const char *password)
{
    return auther_check(t, gost_bytes_str(user), gost_bytes_str(password));
}

int main(void)
{
    static const char *const lines[] = {"bob secret", "alice old",       " # note", "",
                                        "open",       "alice  new one ", "\tz\tq"};
    struct auther_table *t = auther_new(7), *empty = auther_new(0);
    size_t i;

    for (i = 0; i < 7; i++)
        if (auther_add(t, gost_bytes_str(lines[i])) != GOST_OK)
            test_failed++;
    auther_sort(t);
    auther_sort(empty);
    ok(check(t, "bob", "secret"), "the right password");
    ok(!check(t, "bob", "secre"), "a shorter one");
    ok(!check(t, "bob", "secret2"), "a longer one");
    ok(!check(t, "Bob", "secret"), "names are case-sensitive");
    ok(!check(t, "", ""), "no name");
    ok(!check(t, "alice", "old"), "an earlier line does not count");
    ok(check(t, "alice", "new one"), "a later line wins, blanks inside stay");
    ok(check(t, "open", "anything"), "an empty password accepts any");
    ok(check(t, "z", "q"), "tabs separate too");
    ok(!check(t, "#", "note"), "comments are no users");
    ok(!check(empty, "bob", "secret"), "an empty table rejects everybody");
    auther_free(t);
    auther_free(empty);
    return test_end();
}
