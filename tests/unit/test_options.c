/* test_options - values of a configuration into typed fields: conversions, limits, messages. */
/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../sdk/engine/engine.h"
#include "../../sdk/testkit/test_tap.h"

struct conf {
    const char *name, *path;
    uint32_t flag, mode;
    int64_t count;
    uint64_t room, wait;
    double share;
    struct gost_list list;
    struct gost_map map;
    struct gost_addr addr;
    struct gost_bytes secret;
};

static int prepared, released, prepare_result, prepare_says;

static int prepare(void *conf, struct gost_prepare *p)
{
    prepared++;
    if (prepare_result || prepare_says)
        snprintf(p->error, p->error_size, "count and wait exclude each other");
    return prepare_result;
}

static void release(void *conf)
{
    released++;
}

static const struct gost_opt options[] = {
    GOST_OPT_STRING(struct conf, name, "name oldName", "anon", 0, "a name"),
    GOST_OPT_BOOL(struct conf, flag, "flag", "true", 0, "a flag"),
    GOST_OPT_INT(struct conf, count, "count", "7", -3, 100, NULL, 0, "a count"),
    GOST_OPT_SIZE(struct conf, room, "room", "4KB", 1, 1048576, 0, "room"),
    GOST_OPT_DURATION(struct conf, wait, "wait readTimeout", "15s", 1, 3600000, 0, "a time"),
    GOST_OPT_FLOAT(struct conf, share, "share", "0.5", 0, "a share"),
    GOST_OPT_ENUM(struct conf, mode, "mode", "udp", "tcp udp both", 0, "a mode"),
    GOST_OPT_LIST(struct conf, list, "list", "a, b", 0, "a list"),
    GOST_OPT_MAP(struct conf, map, "map", 0, "a map"),
    GOST_OPT_ADDRESS(struct conf, addr, "addr", "127.0.0.1:80", 0, "an address"),
    GOST_OPT_SECRET(struct conf, secret, "auth.password", 8, 0, "a secret"),
    GOST_OPT_FILE(struct conf, path, "file", 0, "a file"),
    GOST_OPT_LAST,
};

static const struct gost_opt role_options[] = {
    GOST_OPT_STRING(struct conf, name, "name", NULL, GOST_OPT_SERVER | GOST_OPT_REQUIRED, "a name"),
    GOST_OPT_INT(struct conf, count, "count", NULL, 0, 0, NULL, GOST_OPT_OLD, "use name instead"),
    GOST_OPT_LAST,
};

static const struct gost_component component = {
    GOST_KIND_HANDLER,   0, "probe", NULL,    "for this test", NULL, options,
    sizeof(struct conf), 0, prepare, release,
};

static const struct gost_component role_component = {
    GOST_KIND_HANDLER,   0, "role", NULL, "for this test", NULL, role_options,
    sizeof(struct conf), 0, NULL,   NULL,
};

/* ---- TAP ---- */

static char said[4096];
static unsigned reports, warned;

static void report(void *arg, int status, const char *text)
{
    size_t n = strlen(said);

    snprintf(said + n, sizeof said - n, "%s\n", text);
    reports++;
    warned += status == GOST_OK;
}

static struct ge_conf *made;
static const struct conf *got;

static int make(const struct gost_component *c, uint32_t role, struct ge_kv *kv, uint32_t n)
{
    int r;

    ge_conf_free(made);
    made = NULL;
    said[0] = 0;
    reports = warned = 0;
    r = ge_conf_new(&made, c, role, "service s, handler probe", kv, n, report, NULL);
    got = made ? ge_conf_data(made) : NULL;
    return r;
}

static int give(const char *key, const char *text)
{
    struct ge_kv kv = {key, text, NULL, 0, NULL, 0, "gost.yml:12", 0};

    return make(&component, GOST_SERVER, &kv, 1);
}

/* The value is refused; the message holds the place, the key and all `parts` ('|' between). */
static void refused(const char *key, const char *text, const char *parts)
{
    char name[200], part[100];
    int good = give(key, text) < 0 && reports == 1 && strstr(said, "gost.yml:12: service s") &&
               strstr(said, key);
    const char *p = parts;

    while (good && *p) {
        size_t n = strcspn(p, "|");

        snprintf(part, sizeof part, "%.*s", (int)n, p);
        good = strstr(said, part) != NULL;
        p += n + (p[n] != 0);
    }
    snprintf(name, sizeof name, "%s: %s is refused", key, text);
    ok(good, name);
    if (!good)
        printf("# said: %s", said);
}

/* ---- tests ---- */

static void test_defaults(void)
{
    ok(make(&component, GOST_SERVER, NULL, 0) == GOST_OK && reports == 0,
       "defaults alone are fine");
    if (!got)
        return;
    ok(strcmp(got->name, "anon") == 0 && got->flag == 1 && got->count == 7 && got->room == 4096,
       "text, bool, int and size defaults");
    ok(got->wait == 15 * GOST_S && got->share > 0.49 && got->share < 0.51 && got->mode == 1,
       "duration, number and choice defaults");
    ok(got->list.n == 2 && strcmp(got->list.v[1], "b") == 0 && got->map.n == 0,
       "list and map defaults");
    ok(got->addr.family == GOST_AF_IP4 && got->addr.port == 80, "address default");
    ok(got->secret.n == 0 && got->path == NULL, "no secret, no file");
    ok(prepared == 1 && released == 0, "prepare ran once");
    ge_conf_free(made);
    made = NULL;
    ok(released == 1, "release ran once");
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {
        {"30", 30 * GOST_S},
        {"0", 0},
        {"0s", 0},
        {"10ms", 10 * GOST_MS},
        {"1h2m3.5s", 3723500 * GOST_MS},
        {"1.5h", 5400 * GOST_S},
        {"100us", 100000},
        {"100\xc2\xb5s", 100000},
        {"7ns", 7},
        {"+2m", 120 * GOST_S},
        {".5s", 500 * GOST_MS},
        {"1.s", GOST_S},
    };
    static const char *const bad[] = {"",
                                      "10x",
                                      "s",
                                      "-5s",
                                      "-5",
                                      "1.5",
                                      "10 s",
                                      "1h2",
                                      "10S",
                                      "1.",
                                      ".",
                                      "1e3s",
                                      "99999999999h",
                                      "99999999999999999999",
                                      "9223372036854775808ns"};
    uint64_t ns;
    unsigned i, wrong = 0;

    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        ns = 99;
        if (ge_parse_duration(good[i].text, &ns) != GOST_OK || ns != good[i].ns) {
            printf("# %s gave %" PRIu64 "\n", good[i].text, ns);
            wrong++;
        }
    }
    ok(wrong == 0, "durations as Go writes them, bare numbers are seconds");
    for (i = wrong = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ns = 99;
        if (ge_parse_duration(bad[i], &ns) >= 0 || ns != 99) {
            printf("# %s was taken\n", bad[i]);
            wrong++;
        }
    }
    ok(wrong == 0, "what is no duration is refused and leaves the result alone");
}

static void test_sizes(void)
{
    uint64_t v = 0;

    ok(ge_parse_size("100", &v) == GOST_OK && v == 100, "a bare size is bytes");
    ok(ge_parse_size("1.5MB", &v) == GOST_OK && v == 1572864, "1.5MB");
    ok(ge_parse_size("1GB500MB", &v) == GOST_OK && v == 1598029824, "1GB500MB");
    ok(ge_parse_size("64KiB", &v) == GOST_OK && v == 65536, "64KiB");
    ok(ge_parse_size("3b", &v) == GOST_OK && v == 3, "3b");
    ok(ge_parse_size("1XB", &v) < 0 && ge_parse_size("", &v) < 0 && ge_parse_size("-1", &v) < 0 &&
           ge_parse_size("9EB", &v) < 0 && v == 3,
       "wrong sizes are refused");
}

static void test_bools(void)
{
    ok(give("flag", "F") == GOST_OK && got->flag == 0, "F is false");
    ok(give("flag", "TRUE") == GOST_OK && got->flag == 1, "TRUE is true");
    ok(give("flag", "0") == GOST_OK && got->flag == 0, "0 is false");
    ok(give("flag", "5") == GOST_OK && got->flag == 1, "5 is true");
    refused("flag", "yes", "\"yes\"|true or false");
    refused("flag", "tRuE", "\"tRuE\"");
    refused("flag", "", "empty|leave the key out");
}

static void test_numbers(void)
{
    ok(give("count", "-3") == GOST_OK && got->count == -3, "lowest int");
    ok(give("count", "0100") == GOST_OK && got->count == 100,
       "highest int, decimal despite the zero");
    ok(give("COUNT", "true") == GOST_OK && got->count == 1, "keys know no case, true is 1");
    refused("count", "-4", "\"-4\"|from -3 to 100");
    refused("count", "101", "from -3 to 100");
    refused("count", "1.0", "whole decimal number");
    refused("count", "0x10", "whole decimal number");
    refused("count", "99999999999999999999", "from -3 to 100");
    refused("count", "", "empty");
    refused("room", "2MB", "\"2MB\"|from 1 to 1048576");
    refused("room", "0", "from 1 to 1048576");
    refused("wait", "0", "from 1ms to 1h");
    refused("wait", "3600001ms", "from 1ms to 1h");
    refused("wait", "1h1ns", "from 1ms to 1h");
    ok(give("wait", "1h") == GOST_OK && got->wait == 3600 * GOST_S, "highest duration");
    ok(give("share", "1e3") == GOST_OK && got->share > 999 && got->share < 1001, "1e3 is a number");
    refused("share", "nan", "a number");
    refused("share", "0x1p3", "a number");
}

static void test_words(void)
{
    ok(give("mode", "BOTH") == GOST_OK && got->mode == 2, "choices know no case");
    refused("mode", "icmp", "\"icmp\"|one of: tcp udp both");
    refused("mode", "bot", "one of");
    ok(give("addr", "[::1]:53") == GOST_OK && got->addr.family == GOST_AF_IP6 &&
           got->addr.port == 53,
       "an address");
    refused("addr", "a:b:99999", "an address");
    refused("file", "/nonexistent/file", "/nonexistent/file|cannot be read|correct the path");
    refused("file", "/", "cannot be read");
    ok(give("file", "/dev/null") == GOST_OK && strcmp(got->path, "/dev/null") == 0,
       "a readable file");
    ok(give("file", "") == GOST_OK && got->path == NULL, "an empty path is no file");
    refused("auth.password", "ninechars", "9 bytes|from 0 to 8");
    ok(!strstr(said, "ninechars"), "a refused secret is not shown");
    ok(give("auth.password", "pw") == GOST_OK && gost_bytes_eq(got->secret, gost_bytes("pw", 2)),
       "a secret");
    ok(give("list", " x ,,y,") == GOST_OK && got->list.n == 2 && strcmp(got->list.v[0], "x") == 0 &&
           strcmp(got->list.v[1], "y") == 0,
       "text is split into a list");
    ok(give("map", "a=1, b=2=3") == GOST_OK && got->map.n == 2 &&
           strcmp(got->map.v[1].value, "2=3") == 0,
       "text is split into a map");
    refused("map", "a=1,b", "key=value");
}

static void test_shapes(void)
{
    static const char *const words[] = {"one", "two,three"};
    static const struct gost_pair pairs[] = {{"k", "v"}};
    struct ge_kv list = {"list", NULL, words, 2, NULL, 0, "gost.yml:3", 0};
    struct ge_kv map = {"map", NULL, NULL, 0, pairs, 1, "gost.yml:4", 0};
    struct ge_kv null = {"count", NULL, NULL, 0, NULL, 0, "gost.yml:5", 0};

    ok(make(&component, 0, &list, 1) == GOST_OK && got->list.n == 2 &&
           strcmp(got->list.v[1], "two,three") == 0,
       "a list stays as it is");
    ok(make(&component, 0, &map, 1) == GOST_OK && got->map.n == 1 &&
           strcmp(got->map.v[0].key, "k") == 0,
       "a map stays as it is");
    list.key = "count";
    ok(make(&component, 0, &list, 1) < 0 && strstr(said, "is a list"),
       "a list where an int belongs");
    list.key = "map";
    ok(make(&component, 0, &list, 1) < 0 && strstr(said, "is a list"),
       "a list where a map belongs");
    map.key = "name";
    ok(make(&component, 0, &map, 1) < 0 && strstr(said, "is a map"), "a map where a text belongs");
    ok(make(&component, 0, &null, 1) < 0 && strstr(said, "empty"), "nothing where an int belongs");
    null.list = words;
    null.key = "list";
    ok(make(&component, 0, &null, 1) == GOST_OK && got->list.n == 0,
       "an empty list replaces the default");
}

static void test_names(void)
{
    struct ge_kv kv[] = {
        {"oldname", "second", NULL, 0, NULL, 0, "gost.yml:1", 0},
        {"Name", "first", NULL, 0, NULL, 0, "gost.yml:2", 0},
        {"unknown", "x", NULL, 0, NULL, 0, "gost.yml:3", 0},
    };
    struct ge_kv bad[] = {
        {"count", "x", NULL, 0, NULL, 0, "gost.yml:1", 0},
        {"flag", "x", NULL, 0, NULL, 0, "gost.yml:2", 0},
    };

    ok(make(&component, 0, kv, 3) == GOST_OK && strcmp(got->name, "first") == 0,
       "the first name wins");
    ok(kv[0].used && kv[1].used && !kv[2].used, "known keys are used, the unknown one is not");
    ok(make(&component, 0, kv, 1) == GOST_OK && strcmp(got->name, "second") == 0, "an alias alone");
    prepared = 0;
    ok(make(&component, 0, bad, 2) < 0 && reports == 2 && prepared == 0 && made == NULL,
       "every problem is reported, prepare does not run, the result is untouched");
    prepare_result = GOST_EPROTO;
    released = 0;
    ok(give("count", "1") == GOST_EPROTO && strstr(said, "exclude each other") && released == 0,
       "prepare refuses");
    bad[0].text = "1";
    bad[0].place = "";
    bad[1].text = "true";
    ok(make(&component, 0, bad, 2) == GOST_EPROTO &&
           strcmp(said,
                  "gost.yml:2: service s, handler probe: count and wait exclude each other\n") == 0,
       "it is told once where, and of what");
    prepare_result = 0;
    prepare_says = 1;
    ok(give("count", "1") == GOST_OK && got->count == 1 && reports == 1 && warned == 1 &&
           strstr(said, "gost.yml:12: service s, handler probe: count and wait"),
       "or warns");
    prepare_says = 0;
}

static void test_roles(void)
{
    struct ge_kv name = {"name", "x", NULL, 0, NULL, 0, "gost.yml:1", 0};
    struct ge_kv old[] = {{"count", "3", NULL, 0, NULL, 0, "gost.yml:2", 0}, name};

    ok(make(&role_component, GOST_SERVER, NULL, 0) < 0 && strstr(said, "name is required") &&
           strstr(said, "add name"),
       "a required option is missed");
    ok(make(&role_component, GOST_CLIENT, &name, 1) == GOST_OK && !name.used && got->name == NULL,
       "an option of the other role is not used");
    ok(make(&role_component, GOST_SERVER, old, 2) == GOST_OK && got->count == 3 && reports == 1 &&
           strstr(said, "option count is old: use name instead") && warned,
       "an old option warns");
}

static void test_defects(void)
{
    struct gost_opt table[] = {
        GOST_OPT_INT(struct conf, count, "count", "200", 0, 100, NULL, 0, "a count"),
        GOST_OPT_LAST,
    };
    struct gost_component c = component;

    c.options = table;
    ok(make(&c, 0, NULL, 0) == GOST_EINTERNAL && strstr(said, "default of the plugin"),
       "a default out of range");
    table[0].def = "1";
    table[0].offset = sizeof(struct conf) - 4;
    ok(make(&c, 0, NULL, 0) == GOST_EINTERNAL && strstr(said, "defective"),
       "a field outside of the struct");
    table[0].offset = 0;
    table[0].width = 4;
    ok(make(&c, 0, NULL, 0) == GOST_EINTERNAL, "a field of the wrong width");
}

int main(void)
{
    test_defaults();
    test_durations();
    test_sizes();
    test_bools();
    test_numbers();
    test_words();
    test_shapes();
    test_names();
    test_roles();
    test_defects();
    ge_conf_free(made);
    return test_end();
}
