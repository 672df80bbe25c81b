/* test_conf - the configuration front, piece by piece. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/cli.h"
#include "../../host/conf_emit.h"
#include "../../host/conf_emit_internal.h"
#include "../../host/conf_load.h"
#include "../../host/conf_meta.h"
#include "../../host/conf_number.h"
#include "../../host/conf_parse.h"
#include "../../host/conf_schema.h"
#include "../../host/conf_text.h"
#include "../../host/conf_url.h"
#include "../../host/supervise.h"
#include "../../sdk/testkit/test_tap.h"

static void same(const char *got, const char *want, const char *name)
{
    bool good = got != NULL && strcmp(got, want) == 0;
    ok(good, name);
    if (!good)
        printf("# got  <%s>\n# want <%s>\n", got != NULL ? got : "(null)", want);
}

/* ---- helpers ---- */

static struct gh_conf_errors errs;

/* All findings as one text, in a static buffer. */
static const char *findings(void)
{
    static char buf[4096];
    size_t at = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < errs.count && at < sizeof(buf); i++)
        at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s: %s\n",
                               errs.items[i].severity == GH_WARNING ? "W " : "",
                               errs.items[i].position, errs.items[i].message);
    return buf;
}

static struct gh_value *parse(const char *text, bool json)
{
    struct gh_source *source = gh_source_new("f");
    gh_errors_free(&errs);
    struct gh_value *value = json ? gh_json_parse(text, strlen(text), source, &errs)
                                  : gh_yaml_parse(text, strlen(text), source, &errs);
    gh_source_unref(source);
    return value;
}

/* Parses, normalises and prints; the text is owned. "" when there were errors. */
static char *round_trip(const char *text, bool json, enum gh_rules rules, bool out_json)
{
    struct gh_value *raw = parse(text, json);
    struct gh_normalise how = {.rules = rules, .errs = &errs};
    struct gh_value *conf = raw != NULL ? gh_conf_normalise(gh_schema_root(), raw, &how) : NULL;
    struct gh_text out = {0};
    if (conf != NULL && out_json)
        gh_emit_json(&out, gh_schema_root(), conf, 0);
    else if (conf != NULL)
        gh_emit_yaml(&out, gh_schema_root(), conf);
    gh_value_free(raw);
    gh_value_free(conf);
    return gh_text_take(&out);
}

static void yaml_becomes(const char *text, const char *want, const char *name)
{
    char *got = round_trip(text, false, GH_RULES_FILE, false);
    same(got, want, name);
    free(got);
}

/* The text must be refused, and a finding must contain `want`. */
static void refused(const char *text, bool json, enum gh_rules rules, const char *want,
                    const char *name)
{
    char *got = round_trip(text, json, rules, false);
    bool good = *got == '\0' && strstr(findings(), want) != NULL;
    ok(good, name);
    if (!good)
        printf("# got <%s>\n# %s", got, findings());
    free(got);
}

static int known(void *ctx, enum gh_kind kind, const char *name)
{
    (void)ctx;
    return (kind == GH_KIND_LAYER &&
            (strcmp(name, "smux") == 0 || strcmp(name, "ws") == 0 || strcmp(name, "tls") == 0)) ||
           (kind == GH_KIND_HANDLER && strcmp(name, "vless") == 0);
}

/* Loads a command line given as words; -O yaml is added. The printed text, owned; "" on errors. */
static char *load_with(bool emit, const char *const *words, const struct gh_conf_hooks *hooks)
{
    char *argv[24] = {0};
    static char program[] = "gost-host", flag[] = "-O", yaml[] = "yaml";
    int argc = 0;
    argv[argc++] = program;
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    if (emit) {
        argv[argc++] = flag;
        argv[argc++] = yaml;
    }
    struct gh_cli cli;
    struct gh_conf *conf = NULL;
    struct gh_text out = {0};
    gh_errors_free(&errs);
    if (gh_cli_parse(argc, argv, &cli, stdout) == GH_CLI_OK &&
        gh_conf_load(&cli, hooks, &conf, &errs) == 0)
        gh_emit_yaml(&out, gh_schema_root(), gh_conf_root(conf));
    gh_conf_unref(conf);
    gh_cli_free(&cli);
    return gh_text_take(&out);
}

static char *load(bool emit, const char *const *words)
{
    struct gh_conf_hooks hooks = {.known = known};
    return load_with(emit, words, &hooks);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void loads(const char *const *words, const char *want, const char *name)
{
    char *got = load(true, words);
    bool good = strstr(got, want) != NULL;
    ok(good, name);
    if (!good)
        printf("# got <%s>\n# %s", got, findings());
    free(got);
}

/* The command line must be refused, without -O, and a finding must contain `want`. */
static void load_refused(const char *const *words, const char *want, const char *name)
{
    char *got = load(false, words);
    bool good = *got == '\0' && strstr(findings(), want) != NULL;
    ok(good, name);
    if (!good)
        printf("# got <%s>\n# %s", got, findings());
    free(got);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        abort();
    fputs(text, f);
    fclose(f);
}

/* ---- tests ---- */

static void test_numbers(void)
{
    char buf[GH_NUMBER_MAX];
    static const struct {
        const char *text;
        bool good;
        int64_t ns;
    } durations[] = {{"1h2m3.5s", true, INT64_C(3723500000000)},
                     {"30s", true, INT64_C(30000000000)},
                     {"-1.5ms", true, -1500000},
                     {"0", true, 0},
                     {"1us", true, 1000},
                     {"\xc2\xb5s", false, 0},
                     {"30", false, 0},
                     {"", false, 0},
                     {"s", false, 0},
                     {"1x", false, 0},
                     {"3000000h", false, 0}};
    bool good = true;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        int64_t ns = 0;
        bool parsed = gh_parse_duration(durations[i].text, &ns);
        good = good && parsed == durations[i].good && (!parsed || ns == durations[i].ns);
    }
    ok(good, "durations are read as Go reads them");
    same(gh_format_duration(INT64_C(31536000000000000), buf), "8760h0m0s", "8760h0m0s");
    same(gh_format_duration(INT64_C(90000000000), buf), "1m30s", "1m30s");
    same(gh_format_duration(10, buf), "10ns", "10ns");
    same(gh_format_duration(1500000, buf), "1.5ms", "1.5ms");
    same(gh_format_duration(0, buf), "0s", "0s");
    same(gh_format_double(1.5, GH_FLOAT_G, buf), "1.5", "1.5");
    same(gh_format_double(12345678901.0, GH_FLOAT_G, buf), "1.2345678901e+10", "exponent in YAML");
    same(gh_format_double(1000, GH_FLOAT_G, buf), "1000", "1000");
    same(gh_format_double(1e21, GH_FLOAT_JSON, buf), "1e+21", "1e+21 in JSON");
    same(gh_format_double(1e-7, GH_FLOAT_JSON, buf), "1e-7", "1e-7 in JSON");
    same(gh_format_double(0.1, GH_FLOAT_F, buf), "0.1", "0.1");
    same(gh_format_double(123456789012.0, GH_FLOAT_JSON, buf), "123456789012",
         "no exponent in JSON");
    int64_t i;
    ok(gh_parse_int("0x1F", 0, &i) && i == 31 && gh_parse_int("0755", 0, &i) && i == 493 &&
           gh_parse_int("-0b11", 0, &i) && i == -3 && gh_parse_int("1_000", 0, &i) && i == 1000 &&
           !gh_parse_int("08", 0, &i) && !gh_parse_int("0x", 0, &i) &&
           !gh_parse_int("0x10", 10, &i) && !gh_parse_int("9223372036854775808", 10, &i) &&
           gh_parse_int("-9223372036854775808", 10, &i) && i == INT64_MIN,
       "integers");
}

static void test_tree(void)
{
    struct gh_value *map =
        parse("{\"A\": {\"b\": [1, 2, null, \"x\"]}, \"c\": \"1m\", \"d\": 1.5}", true);
    struct gh_value *copy = gh_value_copy(map);
    char pos[GH_POS_MAX];
    size_t at = 0, count = 0;
    ok(gh_count(gh_path(map, "a.B")) == 4, "paths ignore case");
    while (gh_next(gh_path(map, "a.b"), &at) != NULL)
        count++;
    ok(count == 3, "iteration skips nulls");
    ok(gh_duration_ms(map, "c", 5) == 60000 && gh_duration_ms(map, "none", 5) == 5, "durations");
    ok(gh_int(map, "d", 0) == 1 && gh_int(map, "a", 7) == 7, "ints");
    same(gh_str(map, "c", ""), "1m", "strings");
    same(gh_pos_text(gh_get(map, "c"), pos), "f:1:38", "positions");
    ok(gh_value_equal(map, copy), "a copy is equal");
    struct gh_value *inner = gh_get_mutable(copy, "a");
    gh_list_delete(gh_get_mutable(inner, "b"), 0);
    ok(!gh_value_equal(map, copy), "a changed copy is not");
    struct gh_value *x = parse("{\"p\": 1, \"q\": 2}", true),
                    *y = parse("{\"q\": 2, \"p\": 1}", true);
    ok(gh_value_equal(x, y), "the order of members does not matter");
    ok(gh_map_set(x, "p", NULL) != 0 && gh_count(x) == 2, "no memory is reported");
    ok(gh_map_delete(x, "p") && !gh_map_delete(x, "p") && gh_count(x) == 1, "delete");
    gh_value_free(x);
    gh_value_free(y);
    gh_value_free(map);
    gh_value_free(copy);
    struct gh_value *meta =
        parse("{\"ttl\": 30, \"max_fails\": \"3\", \"on\": \"yes\", \"t\": \"15\"}", true);
    ok(gh_meta_duration_ns(meta, "ttl", 0) == INT64_C(30000000000) &&
           gh_meta_duration_ns(meta, "t", 0) == INT64_C(15000000000) &&
           gh_meta_int(meta, "maxFails,max_fails", 0) == 3 && !gh_meta_bool(meta, "on", false),
       "metadata conversions");
    gh_value_free(meta);
}

/* How one string is printed as a YAML value. */
static void quoted(const char *text, const char *want)
{
    struct gh_text out = {0};
    gh_yaml_string(&out, text, strlen(text), 2, false);
    char name[64];
    snprintf(name, sizeof(name), "quoted: %.40s", want);
    for (char *p = name; *p != '\0'; p++)
        if (*p == '\n' || *p == '#')
            *p = '_';
    same(out.data, want, name);
    gh_text_free(&out);
}

static void test_scalars(void)
{
    static const char *const plain[] = {":8080",  "a:b",  "?a",         "a\"b",    "a\\b",
                                        "~a.com", "$ 10", "_1_0",       "1.2.3",   "-a",
                                        "a#b",    "::1",  "1.2.3.4:80", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        quoted(plain[i], plain[i]);
    static const char *const doubled[] = {
        "null",       "~",     "true",     "y",       "No",  "10", "0x1f",
        "0o17",       "0b1",   "0755",     "1_000",   "1e3", ".5", ".inf",
        "2020-01-01", "10:30", "12:30:45", "8080:50", "08",  "-1", "+1.5"};
    for (size_t i = 0; i < sizeof(doubled) / sizeof(doubled[0]); i++) {
        char want[64];
        snprintf(want, sizeof(want), "\"%s\"", doubled[i]);
        quoted(doubled[i], want);
    }
    quoted("", "\"\"");
    quoted("[::1]:8080", "'[::1]:8080'");
    quoted("$ 100KB ", "'$ 100KB '");
    quoted("*a", "'*a'");
    quoted("a:", "'a:'");
    quoted("- a", "'- a'");
    quoted("it's: x", "'it''s: x'");
    quoted("a #b", "'a #b'");
    quoted("---a", "'---a'");
    quoted("a\tb", "\"a\\tb\"");
    quoted("\a", "\"\\a\"");
    quoted("a\nb", "|-\n  a\n  b\n");
    quoted("a\nb\n", "|\n  a\n  b\n");
    quoted("a\n\n", "|+\n  a\n\n");
    quoted("\xf0\x9f\x98\x80", "\"\\U0001F600\"");
    quoted("\xff\xfe", "!!binary //4=");
    ok(gh_yaml_key_order("Foo", "dns") < 0 && gh_yaml_key_order("a2", "a10") < 0 &&
           gh_yaml_key_order("a", "ab") < 0 && gh_yaml_key_order("a.b", "ab") < 0 &&
           gh_yaml_key_order("a1b", "a1.") < 0 && gh_yaml_key_order("a-b", "a.b") < 0,
       "order of keys");
}

static void test_yaml(void)
{
    yaml_becomes(
        "log.level: debug\nservices:\n- {name: s, ADDR: ':1', metadata: {Observer.Period: 5s, "
        "n: 010, o: 0o17, t: 2020-01-02, u: 1_000, x: ~, e: {}, l: [], f: 1e3}}\n",
        "services:\n  - name: s\n    addr: :1\n    metadata:\n      e: {}\n      f: 1000\n"
        "      l: []\n      \"n\": 8\n      o: 15\n      observer.period: 5s\n"
        "      t: 2020-01-02T00:00:00Z\n      u: 1000\n      x: null\nlog:\n  level: debug\n",
        "keys, scalars and free-form maps");
    yaml_becomes("x-a: &a {type: http, retries: 2}\nservices:\n- name: a\n  handler:\n    <<: *a\n"
                 "    type: socks5\n",
                 "services:\n  - name: a\n    handler:\n      type: socks5\n      retries: 2\n",
                 "anchors and merging");
    yaml_becomes("profiling: {}\napi:\nmetrics: {addr: ''}\n",
                 "services: []\nmetrics:\n  addr: \"\"\n", "empty objects at the top are absent");
    yaml_becomes("chains: [{name: c, hops: [{name: h, nodes: [null]}]}]\n",
                 "services: []\nchains:\n  - name: c\n    hops:\n      - name: h\n        nodes:\n"
                 "          - null\n",
                 "null items stay");
    yaml_becomes(
        "services: [{name: 1, addr: true, handler: {type: http, auth: {}, retries: '0x10'}}]\n"
        "bypasses: [{name: b, matchers: 10.0.0.0/8, whitelist: 1, reload: 10s}]\n",
        "services:\n  - name: \"1\"\n    addr: \"1\"\n    handler:\n      type: http\n"
        "      retries: 16\n      auth: {}\nbypasses:\n  - name: b\n    whitelist: true\n"
        "    matchers:\n      - 10.0.0.0/8\n    reload: 10s\n",
        "weak typing");
    yaml_becomes(
        "services:\n- name: s\n  forwarder: {nodes: [{matcher: {rule: x, bodySize: 5}, "
        "probe: {type: http, interval: 1m}}]}\n  handler: {chainGroup: {chains: [a, b]}}\n",
        "services:\n  - name: s\n    handler:\n      type: \"\"\n      chainGroup:\n        "
        "chains:\n"
        "          - chain: a\n          - chain: b\n    forwarder:\n      nodes:\n"
        "        - matcher:\n            rule: x\n            bodysize: 5\n          probe:\n"
        "            type: http\n            addr: \"\"\n            interval: 1m0s\n"
        "            timeout: 0s\n",
        "always-printed keys and YAML spellings");
    refused("a: 1\na: 2\n", false, GH_RULES_FILE, "f:2:4: the key \"a\" appears twice",
            "duplicate keys");
    refused("a:\n\tb: 1\n", false, GH_RULES_FILE, "f:2:1", "tabs for indentation");
    refused("a: *b\n", false, GH_RULES_FILE, "f:1:4: no anchor", "unknown alias");
    refused("a: &a [*a]\n", false, GH_RULES_FILE, "cannot contain itself", "recursive alias");
    refused("a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
            "g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
            false, GH_RULES_FILE, "too large", "aliases that multiply");
    refused("services: [{name: s, handler: {retries: many}}]\n", false, GH_RULES_FILE,
            "services[0].handler.retries: \"many\" does not fit", "a word for a number");
    refused("limiters: [{reload: 30}, {reload: '30'}]\n", false, GH_RULES_FILE,
            "limiters[1].reload: \"30\" does not fit; write a duration with its unit",
            "missing unit");
    ok(strstr(findings(),
              "W f:1:21: limiters[0].reload: a duration without a unit is nanoseconds") != NULL,
       "nanoseconds by accident are a warning");
    refused("bypasses: [{whitelist: yes}]\nservices: 5\n", false, GH_RULES_FILE,
            "write true or false", "yes is no truth value");
    ok(strstr(findings(), "services") != NULL, "all errors are reported");
    refused("authers: [{auths: [{password: [hunter2]}]}]\n", false, GH_RULES_FILE, "write a text",
            "wrong type of a password");
    ok(strstr(findings(), "hunter2") == NULL, "secrets are not shown");
    char *got =
        round_trip("services: [{name: s, handlr: {type: http}}]\n", false, GH_RULES_FILE, false);
    ok(*got != '\0' &&
           strstr(findings(), "W f:1:30: services[0]: unknown key \"handlr\" (did you mean "
                              "\"handler\"?)") != NULL,
       "unknown keys are warnings with a suggestion");
    free(got);
}

static void test_json(void)
{
    char *got =
        round_trip("{\"services\":[{\"NAME\":\"s\",\"metadata\":{\"Keep\":1,\"big\":12345678901,"
                   "\"u\":\"\\u00e9\\ud83d\\ude00<\"}}],\"authers\":[{\"name\":\"a\","
                   "\"reload\":10000000000}]}",
                   true, GH_RULES_JSON, true);
    same(got,
         "{\"services\":[{\"name\":\"s\",\"metadata\":{\"Keep\":1,\"big\":12345678901,"
         "\"u\":\"\xc3\xa9\xf0\x9f\x98\x80\\u003c\"}}],\"authers\":[{\"name\":\"a\","
         "\"reload\":10000000000}]}",
         "inline JSON keeps the case of free keys");
    free(got);
    got =
        round_trip("{\"services\":null,\"chains\":[{\"name\":\"c\"}]}", true, GH_RULES_JSON, true);
    same(got, "{\"services\":null,\"chains\":[{\"name\":\"c\",\"hops\":null}]}", "nil lists");
    free(got);
    got = round_trip("{\"services\":[{\"name\":\"s\",\"metadata\":{\"big\":12345678901}}]}", true,
                     GH_RULES_JSON, false);
    ok(strstr(got, "big: 1.2345678901e+10\n") != NULL, "numbers of JSON are floats in YAML");
    free(got);
    refused("{\"a\": 1,\n \"b\": tru}", true, GH_RULES_JSON, "f:2:7", "place of an error");
    refused("{\"a\": 01}", true, GH_RULES_JSON, "a value must begin here", "leading zero");
    refused("{\"a\": 1} x", true, GH_RULES_JSON, "something follows", "trailing text");
    refused("{\"authers\":[{\"reload\":\"10s\"}]}", true, GH_RULES_JSON, "number of nanoseconds",
            "no duration text in inline JSON");
    refused("{\"services\":[{\"name\":5}]}", true, GH_RULES_JSON, "write a text in double quotes",
            "no weak typing in inline JSON");
    char deep[256];
    memset(deep, '[', 200);
    deep[200] = '\0';
    refused(deep, true, GH_RULES_JSON, "too many levels", "depth");
}

static void test_urls(void)
{
    loads(WORDS("-L", "socks5+tls+ws+smux://:1"),
          "type: socks5\n    listener:\n      type: tls+ws+smux\n",
          "a stack of layers behind a handler");
    loads(WORDS("-L", "tls+ws+smux://:1"), "type: auto\n    listener:\n      type: tls+ws+smux\n",
          "a stack of layers alone");
    loads(WORDS("-L", ":1", "-F", "socks5+tls+ws+smux://h:2"),
          "dialer:\n              type: tls+ws+smux\n", "a stack in a dialer");
    loads(WORDS("-L", "vless+tls://:1"), "type: vless\n    listener:\n      type: tls\n",
          "a handler of a plugin");
    loads(WORDS("-L", "tls+mws://:1"), "type: auto\n    listener:\n      type: mws\n",
          "a name of another role gives the default");
    ok(strstr(findings(), "W -L #1: \"tls\" does not do the part") != NULL, "and a warning");
    load_refused(WORDS("-L", "sokcs5://:1"),
                 "-L #1: \"sokcs5\" is no handler and no listener that is "
                 "installed (did you mean \"socks5\"?)",
                 "an unknown scheme");
    load_refused(WORDS("-L", ":1", "-F", "socks5+tsl+ws://h:1"), "(did you mean \"tls\"?)",
                 "an unknown layer");
    loads(WORDS("-L", "tcp://:8000/host:80,host2:80-81"),
          "- name: target-2\n          addr: host2:81\n", "targets with port ranges");
    loads(WORDS("-L", "tcp://:1-3/a:1-2"),
          "  - name: service-2\n    addr: :3\n    handler:\n      type: tcp\n"
          "    listener:\n      type: tcp\n",
          "surplus services have no forwarder");
    load_refused(WORDS("-L", "http://:http"), "\"http\" is no port", "a word for a port");
    loads(WORDS("--compat=gost", "-L", "http://:http"), "addr: :0\n", "which gost takes for 0");
    load_refused(WORDS("-L", "tcp://:1/a:smtp"), "no port of the target",
                 "a word for a target's port");
    load_refused(WORDS("-L", "http://:80-70"), "is no port", "a reversed range");
    load_refused(WORDS("-L", "http://:1?retries=x&so_mark=y"), "so_mark=y does not fit",
                 "words for numbers");
    load_refused(WORDS("-L", ":1", "-F", "tls://h:1?secure=yes"), "write true or false",
                 "a word for a truth value");
    load_refused(WORDS("-L", ":1", "-F", "http://u:secret@h:x"),
                 "\"http://***@h:x\" is no URL of a hop", "messages hide passwords");
    load_refused(WORDS("-L", ":1", "-F", "http://"), "a hop needs an address",
                 "a hop without address");
    loads(WORDS("-L", ":1?Interface=eth0"),
          "    metadata:\n      Interface: eth0\n      interface: eth0\n",
          "look-up without case, removal with");
    loads(WORDS("-L", "ss://:1?limiter.out=3MB"), "- $ 0 3MB\n", "a missing rate");
    loads(WORDS("-L", ":1", "-F", "relay+wss://a.com:1,b.com:2"), "serverName: a.com:1,b.com\n",
          "the server name of several addresses");
    loads(WORDS("-L", "unix:///run/a:b.sock"), "addr: /run/a:b.sock\n", "a colon in a path");
    loads(WORDS("-L", "tcp://:1/a%20b:1?x"), "addr: a%20b:1\n", "escapes of a path stay");
    loads(WORDS("-L", "http://a b:1"), "addr: a b:1\n", "the listen address is taken as it is");
    loads(WORDS("-L", "http://u:p@ss@:1"), "password: p@ss\n", "the last @ counts");
    loads(
        WORDS("-L", "ssu+tls+ws://:1", "-api", "http://u:p@:18080?pathPrefix=/api&accesslog=true"),
        "api:\n  addr: :18080\n  pathPrefix: /api\n  accesslog: true\n  auth:\n    username: u\n"
        "    password: p\n",
        "the API's address");
    loads(WORDS("-L", ":1", "-api", "unix:///x.sock"), "api:\n  addr: unix:///x.sock\n",
          "the API on a unix socket");
    char *shown = gh_url_redacted("ss://YWJj@h:1?auth=abc&x=1&cipherKey=k");
    same(shown, "ss://***@h:1?auth=***&x=1&cipherKey=***", "secrets in parameters are hidden");
    free(shown);
}

static const char *confdir_env(void *ctx, const char *name)
{
    return strcmp(name, "HOME") == 0 ? ctx : NULL;
}

static void test_sources(void)
{
    char *cwd = getcwd(NULL, 0);
    mkdir("d", 0700);
    mkdir("home", 0700);
    write_file("d/20-b.yml", "services: [{name: b}]\nlog: {level: debug}\n");
    write_file("d/10-a.json",
               "{\"services\": [{\"name\": \"a\"}], \"log\": {\"format\": \"text\"}}");
    write_file("d/README", "no configuration");
    write_file("x.toml", "");
    write_file("bad.yml", "services:\n- name: s\n  handler: {auther: none}\n- addr: ':1'\n");
    loads(WORDS("--confdir", "d", "-C", "{\"services\":[{\"name\":\"c\"}]}", "-L", ":1"),
          "services:\n  - name: a\n  - name: b\n  - name: c\n  - name: service-0\n",
          "conf.d, then -C, then -L");
    loads(WORDS("--confdir", "d"), "log:\n  level: debug\n", "objects are replaced whole");
    load_refused(WORDS("-C", "x.toml"), "use .yaml, .yml or .json", "TOML");
    load_refused(WORDS("-C", "https://u:p@example.com/x"), "http client component", "a URL");
    load_refused(WORDS("-C", "none.yml"), "none.yml: cannot be opened", "a missing file");
    load_refused(WORDS("-C", "bad.yml"),
                 "bad.yml:3:21: auther: there is no \"none\" among the authers",
                 "a reference that leads nowhere");
    ok(strstr(findings(), "bad.yml:4:3: services: an object without a name") != NULL,
       "a nameless service");
    loads(WORDS("-C", "bad.yml"), "auther: none", "-O prints before validation");
    char *got = load(false, WORDS("--compat=gost", "-C", "bad.yml"));
    ok(*got != '\0' && strstr(findings(), "W bad.yml:3:21") != NULL,
       "--compat=gost makes them warnings");
    free(got);
    load_refused(WORDS("--strict", "-C", "{\"servces\":[]}"), "did you mean \"services\"?",
                 "--strict");
    load_refused(WORDS("-C", "{\"services\":[{\"name\":\"a\"},{\"name\":\"a\"}]}"), "is used twice",
                 "names are unique");

    struct gh_conf_hooks hooks = {.default_confdir = "d", .getenv = confdir_env, .ctx = cwd};
    got = load_with(true, WORDS("-D"), &hooks);
    ok(strstr(got, "- name: a\n") != NULL, "the default conf.d");
    free(got);
    write_file("gost.yml", "services: [{name: g}]\n");
    got = load_with(true, WORDS("-D"), &hooks);
    ok(strstr(got, "- name: g\n") != NULL && strstr(got, "- name: a\n") == NULL &&
           strstr(findings(), "W d: is not read") != NULL,
       "gost's own file comes first, and says so");
    free(got);
    unlink("gost.yml");
    hooks.default_confdir = NULL;
    got = load_with(true, WORDS("-D"), &hooks);
    ok(*got == '\0' && strstr(findings(), "nothing to do") != NULL, "nothing to do is an error");
    free(got);
    unlink("d/20-b.yml");
    unlink("d/10-a.json");
    unlink("d/README");
    unlink("x.toml");
    unlink("bad.yml");
    rmdir("d");
    rmdir("home");
    free(cwd);
}

static int parse_words(struct gh_cli *cli, const char *const *words)
{
    char *argv[16] = {0};
    static char program[] = "gost-host";
    int argc = 0;
    argv[argc++] = program;
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    FILE *null = fopen("/dev/null", "w");
    int rc = gh_cli_parse(argc, argv, cli, null);
    fclose(null);
    return rc;
}

static void test_cli(void)
{
    struct gh_cli cli;
    ok(parse_words(&cli, WORDS("-L=a", "--L", "b", "-D=false", "-workers", "3", "--drain=5s", "-R",
                               "1m", "--plugin-dir", "p", "-plugin-dir=q")) == 0 &&
           cli.services.count == 2 && !cli.debug && cli.workers == 3 &&
           cli.drain_ns == INT64_C(5000000000) && cli.reload_ns == INT64_C(60000000000) &&
           cli.plugin_dirs.count == 2 && cli.mode == GH_CLI_RUN,
       "one or two dashes, = or the next argument");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("--describe", "socks5")) == 0 && cli.mode == GH_CLI_DESCRIBE &&
           strcmp(cli.describe, "socks5") == 0,
       "optional argument given");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("--describe", "--json")) == 0 && cli.describe == NULL && cli.json,
       "optional argument absent");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("-L", "a", "x", "-L", "b")) == 0 && cli.services.count == 1,
       "parsing ends at the first argument that is no flag");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("-D=yes")) == GH_CLI_USAGE, "a switch with a bad value");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("--workers", "0")) == GH_CLI_USAGE, "no workers");
    gh_cli_free(&cli);
    ok(parse_words(&cli, WORDS("--compat=other")) == GH_CLI_USAGE, "an unknown compatibility");
    gh_cli_free(&cli);
}

/* ---- several processes ---- */

/* What this program does as a worker: writes what it was given, then waits or fails. */
static int worker(int argc, char **argv)
{
    char path[64];
    const char *id = getenv("_GOST_ID");
    snprintf(path, sizeof(path), "worker-%s", id != NULL ? id : "none");
    write_file(path, argc > 2 ? argv[2] : "");
    if (argc > 3 && strcmp(argv[3], "wait") == 0)
        for (;;)
            pause();
    return argc > 3 && strcmp(argv[3], "fail") == 0 ? 3 : 0;
}

static bool file_is(const char *path, const char *want)
{
    char text[64] = "";
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    unlink(path);
    return strcmp(text, want) == 0;
}

static int supervise(const char *const *words)
{
    char *argv[16] = {0};
    int argc = 0;
    static char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    argv[argc++] = self;
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    fflush(stdout);
    return gh_supervise(argc, argv);
}

static void test_supervise(void)
{
    ok(supervise(WORDS("worker", "a")) == -1, "one group needs no supervisor");
    ok(supervise(WORDS("--", "worker", "a")) == -1, "a leading -- needs none");
    ok(supervise(WORDS("worker", "a", "--")) == -1, "a trailing -- needs none");
    ok(supervise(WORDS("worker", "two  blanks", "--", "worker", "b")) == 0, "two workers");
    ok(file_is("worker-0", "two  blanks") && file_is("worker-1", "b"), "their arguments");
    ok(supervise(WORDS("worker", "a", "wait", "--", "worker", "b", "fail")) == 1,
       "when one fails the others are ended");
    unlink("worker-0");
    unlink("worker-1");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(supervise(WORDS("worker", "a", "wait", "--", "worker", "b", "wait")));
    while (access("worker-0", F_OK) != 0 || access("worker-1", F_OK) != 0)
        usleep(1000);
    int status = -1;
    kill(pid, SIGTERM);
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "SIGTERM is passed on");
    unlink("worker-0");
    unlink("worker-1");
}

int main(int argc, char **argv)
{
    char scratch[] = P_tmpdir "/test-conf.XXXXXX";
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return worker(argc, argv);
    if (mkdtemp(scratch) == NULL || chdir(scratch) != 0) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    setenv("HOME", scratch, 1);
    test_numbers();
    test_tree();
    test_scalars();
    test_yaml();
    test_json();
    test_urls();
    test_sources();
    test_cli();
    test_supervise();
    gh_errors_free(&errs);
    if (chdir("/") != 0 || rmdir(scratch) != 0)
        printf("# %s is not empty\n", scratch);
    return test_end();
}
