/* test_limiter.c - rules of limiters. */
/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "../../sdk/testkit/test_tap.h"
#include "limiter.h"

static const struct {
    const char *text;
    int64_t bytes; /* -1: refused */
} sizes[] = {{"0", 0},
             {"1B", 1},
             {"10KB", 10240},
             {"10KiB", 10240},
             {"1.5MB", 1572864},
             {"1MB1KB", 1049600},
             {"2GB", 2147483648},
             {"100", -1},
             {"100k", -1},
             {"100kB", -1},
             {"100mb", -1},
             {"", -1},
             {"KB", -1},
             {"-1KB", -1},
             {"9EB", -1},
             {"1KBx", -1},
             {".5KB", 512},
             {"1TB", 1099511627776}};

/* Lines parted by '|', a client, and "key:per:in/out/burst" of what holds; key 3: else. */
static const struct {
    enum limiter_kind kind;
    const char *lines, *client, *want;
} rows[] = {
    {LIMITER_BYTES, "$ 1KB 2KB 4KB", "192.0.2.1", "1:0:1024/2048/4096 "},
    {LIMITER_BYTES, "$ 1KB|$ 2KB", "192.0.2.1", "1:0:2048/0/0 "},
    {LIMITER_BYTES, "$ 1KB|$$ 0 3KB|192.0.2.1 5KB", "192.0.2.1",
     "1:0:1024/0/0 3:0:5120/0/0 2:2:0/3072/0 "},
    {LIMITER_BYTES, "192.0.2.0/24 1KB|192.0.2.0/28 2KB", "192.0.2.1", "3:1:2048/0/0 "},
    {LIMITER_BYTES, "192.0.2.0/24 1KB|192.0.2.1 2KB", "192.0.2.1", "3:0:2048/0/0 "},
    {LIMITER_BYTES, "192.0.2.0/24 1KB|192.0.2.1 2KB", "192.0.2.2", "3:1:1024/0/0 "},
    {LIMITER_BYTES, "192.0.2.0/24 1KB", "198.51.100.1", ""},
    {LIMITER_BYTES, "192.0.2.0/24 1KB", "::ffff:192.0.2.9", "3:1:1024/0/0 "},
    {LIMITER_BYTES, "2001:db8::/32 1KB # x|# y|", "2001:db8::1", "3:1:1024/0/0 "},
    {LIMITER_BYTES, "0.0.0.0/0 1KB", "2001:db8::1", ""},
    {LIMITER_BYTES, "$ 0 0", "192.0.2.1", ""},
    {LIMITER_CONNECTIONS, "$ 10|$$ 2|192.0.2.1 5", "192.0.2.1", "1:0:10/0/0 3:0:5/0/0 "},
    {LIMITER_CONNECTIONS, "$ 10|$$ 2|192.0.2.1 5", "192.0.2.2", "1:0:10/0/0 2:1:2/0/0 "},
    {LIMITER_CONNECTIONS, "$ -1|$$ 0", "192.0.2.2", ""},
    {LIMITER_REQUESTS, "$$ 0.5", "192.0.2.2", "2:1:500/0/1000 "},
    {LIMITER_REQUESTS, "$$ 0.0001", "192.0.2.2", "2:1:1/0/1000 "},
    {LIMITER_REQUESTS, "$ 10", "192.0.2.2", "1:0:10000/0/11000 "},
};

static int run(size_t i)
{
    struct limiter_rules *r = limiter_new(rows[i].kind);
    const char *p = rows[i].lines, *why = "";
    struct gost_a_rate a;
    struct gost_addr client;
    char got[300] = "";
    uint32_t k;

    while (*p) {
        size_t n = strcspn(p, "|");

        if (limiter_add(r, gost_bytes(p, n), &why) != GOST_OK)
            test_failed++;
        p += n + (p[n] == '|');
    }
    limiter_sort(r);
    (void)gost_addr_set_host(&client, rows[i].client, strlen(rows[i].client), 1);
    limiter_find(r, &client, &a);
    for (k = 0; k < a.n; k++)
        snprintf(got + strlen(got), sizeof got - strlen(got),
                 "%u:%u:%" PRIu64 "/%" PRIu64 "/%" PRIu64 " ",
                 (unsigned)(a.rule[k].key < 3 ? a.rule[k].key : 3), (unsigned)a.rule[k].per,
                 a.rule[k].in, a.rule[k].out, a.rule[k].burst);
    limiter_free(r);
    if (strcmp(got, rows[i].want) != 0)
        printf("# got %s\n", got);
    return strcmp(got, rows[i].want) == 0;
}

int main(void)
{
    static const char *const bad[] = {
        "$", "$ 100", "$$$ 1KB", "host.example 1KB", "10.0.0.0/33 1KB", "10.0.0.0/ 1KB", "$ 1KB x"};
    struct limiter_rules *r = limiter_new(LIMITER_BYTES);
    const char *why = "";
    uint64_t bytes;
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int status = limiter_bytes_parse(gost_bytes_str(sizes[i].text), &bytes);

        ok(sizes[i].bytes < 0 ? status == GOST_EPROTO
                              : status == GOST_OK && bytes == (uint64_t)sizes[i].bytes,
           *sizes[i].text ? sizes[i].text : "nothing");
    }
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(run(i), rows[i].lines);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(limiter_add(r, gost_bytes_str(bad[i]), &why) == GOST_EPROTO && *why, bad[i]);
    limiter_free(r);
    return test_end();
}
