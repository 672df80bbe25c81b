/* test_redis.c - commands and replies of redis. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/testkit/test_tap.h"
#include "redis.h"

static const struct {
    const char *name, *replies, *data;
    uint32_t type;
    unsigned left;
    int result;
} rows[] = {
    {"a set", "*2\r\n$3\r\na b\r\n$1\r\nc\r\n", "a b\nc\n", REDIS_SET, 1, GOST_OK},
    {"a list", "*1\r\n$1\r\nx\r\n", "x\n", REDIS_LIST, 1, GOST_OK},
    {"a hash", "*4\r\n$1\r\nu\r\n$2\r\npw\r\n$1\r\nv\r\n$0\r\n\r\n", "u pw\nv \n", REDIS_HASH, 1,
     GOST_OK},
    {"a string", "$5\r\nhello\r\n", "hello", REDIS_STRING, 1, GOST_OK},
    {"no string", "$-1\r\n", "", REDIS_STRING, 1, GOST_OK},
    {"after AUTH and SELECT", "+OK\r\n+OK\r\n*1\r\n$1\r\nx\r\n", "x\n", REDIS_SET, 3, GOST_OK},
    {"an empty set", "*0\r\n", "", REDIS_SET, 1, GOST_OK},
    {"a wrong password", "-WRONGPASS no\r\n*0\r\n", "", REDIS_SET, 2, GOST_EPEER},
    {"an array too long to be true", "*44444442\r\n$1\r\na\r\n", "", REDIS_SET, 1, GOST_EPROTO},
    {"another type", ":7\r\n", "", REDIS_SET, 1, GOST_EPROTO},
    {"no redis", "HTTP/1.1 400\r\n\r\n", "", REDIS_SET, 1, GOST_EPROTO},
    {"a cut reply", "*2\r\n$3\r\na b\r\n$1\r\n", "", REDIS_SET, 1, GOST_AGAIN},
    {"an item of two lines", "*2\r\n$3\r\na\nb\r\n$1\r\nc\r\n", "c\n", REDIS_SET, 1, GOST_OK},
};

static int run(size_t i, size_t step)
{
    struct gost_bytes in = gost_bytes_str(rows[i].replies);
    struct redis_answer a;
    int r = GOST_AGAIN, good;
    size_t at;

    memset(&a, 0, sizeof a);
    a.left = rows[i].left;
    for (at = 0; at < in.n && r == GOST_AGAIN; at += step)
        r = redis_feed(&a, rows[i].type,
                       gost_bytes(in.p + at, in.n - at < step ? in.n - at : step));
    good = r == rows[i].result &&
           gost_bytes_eq(gost_bytes(a.data, a.n), gost_bytes_str(rows[i].data)) &&
           (r >= 0) == (a.error[0] == 0);
    redis_answer_free(&a);
    return good;
}

int main(void)
{
    static const char all[] = "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$2\r\npw\r\n"
                              "*2\r\n$6\r\nSELECT\r\n$1\r\n4\r\n"
                              "*4\r\n$6\r\nLRANGE\r\n$1\r\nk\r\n$1\r\n0\r\n$2\r\n-1\r\n";
    static const char counted[] = "*4\r\n$7\r\nZINCRBY\r\n$1\r\nk\r\n$1\r\n1\r\n$3\r\na\0b\r\n";
    struct redis_conf cf;
    char *text = NULL;
    unsigned replies = 0;
    size_t i, n = 0, step;

    memset(&cf, 0, sizeof cf);
    cf.db = 4;
    cf.username = "bob";
    cf.password = gost_bytes_str("pw");
    cf.key = "k";
    cf.type = REDIS_LIST;
    ok(redis_commands(&cf, &text, &n, &replies) == GOST_OK && replies == 3 &&
           gost_bytes_eq(gost_bytes(text, n), gost_bytes(all, sizeof all - 1)),
       "commands with login and database");
    free(text);
    memset(&cf, 0, sizeof cf);
    cf.key = "k";
    cf.type = REDIS_COUNT;
    ok(redis_record_commands(&cf, gost_bytes("a\0b", 3), &text, &n, &replies) == GOST_OK &&
           replies == 1 && n == sizeof counted - 1 && memcmp(text, counted, n) == 0,
       "a record counted");
    free(text);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int good = 1;

        for (step = 1; step <= 40; step++)
            good = good && run(i, step);
        ok(good, rows[i].name);
    }
    return test_end();
}
