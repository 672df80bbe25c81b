/* test_ss_stream.c - what a server does with strangers, replays, old and damaged headers, users. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_flow.h"
#include "ss.h"
#include "test_methods.h"

#define FOLDER "plugins/ss/transcripts/"
#define KEY    "AAECAwQFBgcICQoLDA0ODw=="
#define ALICE  "EBESExQVFhcYGRobHB0eHw=="
#define LIMIT  (15 * GOST_S)

static struct ss_conf conf;

static int prepare(const char *method, const char *password, const struct gost_pair *users,
                   uint32_t n_users)
{
    char error[256];
    struct gost_prepare p = {sizeof p, GOST_SERVER, "test", error, sizeof error};
    int r;

    ss_release(&conf);
    memset(&conf, 0, sizeof conf);
    conf.timeout = LIMIT;
    conf.method = method_index(method);
    conf.password = gost_bytes_str(password);
    conf.users.v = users;
    conf.users.n = n_users;
    r = ss_prepare(&conf, &p);
    if (r != GOST_OK)
        printf("# %s\n", error);
    return r;
}

/* The new configuration is made before the old one goes. */
static void reload(const char *method, const char *password)
{
    struct ss_conf old = conf;

    memset(&conf, 0, sizeof conf);
    (void)prepare(method, password, NULL, 0);
    flow_close();
    ss_release(&old);
}

static void open_at(uint64_t unix_s)
{
    flow_open(component("ss", GOST_KIND_HANDLER), &conf, NULL, 0);
    if (unix_s)
        t.now = unix_s * GOST_S;
}

/* Nothing was said, nothing dialed, and it goes on. */
static int silent(void)
{
    return !t.ended && t.n_ends == 1 && t.end[0].n == 0 && !t.end[0].fin && !t.end[0].reset;
}

/* As above, then the time is over: an end without a word, whatever was wrong. */
static int silent_to_the_end(void)
{
    if (!silent())
        return 0;
    flow_pass(LIMIT);
    return t.ended && t.status < 0 && t.n_ends == 1 && t.end[0].n == 0 && t.end[0].fin &&
           !t.end[0].reset;
}

static int accepted(const char *first)
{
    return t.n_ends == 2 && got(1, first) && t.end[0].n == 0;
}

/* ---- strangers ---- */

static void stranger(const char *method, const char *password, size_t n)
{
    uint8_t bytes[4096];
    char name[128];
    size_t i;
    int open, late;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 89 + i / 7);
    snprintf(name, sizeof name, "%s: %zu foreign bytes end in silence", method, n);
    if (prepare(method, password, NULL, 0) != GOST_OK) {
        ok(0, name);
        return;
    }
    open_at(0);
    feed(0, bytes, n);
    open = silent();
    flow_pass(LIMIT - GOST_S);
    late = silent();
    feed(0, bytes, 100); /* what comes later is read and changes nothing */
    late = late && silent();
    flow_pass(GOST_S);
    ok(open && late && t.ended && t.end[0].n == 0 && t.end[0].fin && !t.end[0].reset &&
           t.n_ends == 1,
       name);
    open_at(0);
    feed(0, bytes, n);
    end_input(0, 0);
    snprintf(name, sizeof name, "%s: %zu foreign bytes and an end", method, n);
    ok(t.ended && t.status < 0 && t.end[0].n == 0 && !t.end[0].reset && t.n_ends == 1, name);
}

static void test_strangers(void)
{
    static const struct {
        const char *method, *password;
    } all[] = {{"aes-128-gcm", "secret"},
               {"aes-256-gcm", "secret"},
               {"chacha20-ietf-poly1305", "secret"},
               {"2022-blake3-aes-128-gcm", KEY},
               {"2022-blake3-aes-256-gcm", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
               {"2022-blake3-chacha20-poly1305", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}};
    static const size_t sizes[] = {1, 16, 33, 50, 221, 4096};
    size_t i, k;

    (void)prepare("aes-256-gcm", "secret", NULL, 0);
    open_at(0);
    say(0, "GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88.1\r\n\r\n");
    ok(silent_to_the_end(), "a browser learns nothing");
    for (i = 0; i < sizeof all / sizeof *all; i++)
        for (k = 0; k < sizeof sizes / sizeof *sizes; k++)
            stranger(all[i].method, all[i].password, sizes[k]);
}

/* ---- replays, clocks, damage: of a real client ---- */

static void test_2017(void)
{
    struct record r;
    size_t i;
    int good = 1;

    load_record(&r, FOLDER "handler-sip004-tcp-aes-128-gcm.txt", '>', 0);
    (void)prepare("aes-128-gcm", "secret", NULL, 0);
    open_at(0);
    feed(0, r.p, r.n);
    ok(accepted("ping-client"), "2017: a client is served");
    open_at(0);
    feed(0, r.p, r.n);
    ok(silent_to_the_end(), "2017: its replay is not");
    open_at(0);
    feed(0, r.p, 20);
    ok(silent_to_the_end(), "2017: nor a part of it");
    reload("aes-128-gcm", "secret");
    open_at(0);
    feed(0, r.p, r.n);
    ok(silent_to_the_end(), "2017: nor after a reload");
    (void)prepare("aes-128-gcm", "secret", NULL, 0);
    for (i = 0; i < 16 + 18 + 7 + 16; i++) { /* salt, length, address */
        r.p[i] ^= 0x40;
        open_at(0);
        feed(0, r.p, r.n);
        good &= silent_to_the_end();
        r.p[i] ^= 0x40;
    }
    ok(good, "2017: one changed byte anywhere in the header ends in silence");
    (void)prepare("aes-128-gcm", "secret", NULL, 0);
    open_at(0);
    r.p[r.n - 1] ^= 1;
    feed(0, r.p, r.n);
    ok(t.ended && t.status < 0 && t.end[1].n == 0,
       "2017: a changed chunk never reaches the target");
}

static int at(const struct record *r, uint64_t unix_s)
{
    (void)prepare("2022-blake3-aes-128-gcm", KEY, NULL, 0);
    open_at(unix_s);
    feed(0, r->p, r->n);
    return t.n_ends == 2;
}

static void test_2022(void)
{
    const uint64_t stamp = 0x6b03efba;
    struct record r;
    size_t i;
    int good = 1;

    load_record(&r, FOLDER "handler-sip022-tcp-aes-128.txt", '>', 0);
    ok(at(&r, stamp) && accepted("ping-client"), "2022: a client is served, without its padding");
    open_at(stamp + 20);
    feed(0, r.p, r.n);
    ok(silent_to_the_end(), "2022: its replay is not");
    ok(at(&r, stamp + 30) && at(&r, stamp - 30), "2022: clocks may be 30 seconds apart");
    ok(!at(&r, stamp + 31) && silent_to_the_end(), "2022: 31 seconds late ends in silence");
    ok(!at(&r, stamp - 31) && silent_to_the_end(), "2022: 31 seconds early, too");
    for (i = 0; i < 16 + 27 + 805 + 16; i++) { /* salt, fixed and variable header */
        r.p[i] ^= 0x40;
        good &= !at(&r, stamp) && silent_to_the_end();
        r.p[i] ^= 0x40;
    }
    ok(good, "2022: one changed byte anywhere in the headers ends in silence");
}

static void test_users(void)
{
    static const struct gost_pair users[] = {{"alice", ALICE}, {"bob", "ICEiIyQlJicoKSorLC0uLw=="}};
    const uint64_t stamp = 0x6b03efc1;
    struct record r, plain;

    load_record(&r, FOLDER "whole-connector-sip022-tcp-aes-128-user.txt", '>', 0);
    load_record(&plain, FOLDER "handler-sip022-tcp-aes-128.txt", '>', 0);
    ok(prepare("2022-blake3-aes-128-gcm", KEY, users, 2) == GOST_OK, "users are read");
    open_at(stamp);
    feed(0, r.p, r.n);
    ok(t.n_ends == 2, "a user is served");
    open_at(0x6b03efba);
    feed(0, plain.p, plain.n);
    ok(silent_to_the_end(), "with users, the server's key alone ends in silence");
    (void)prepare("2022-blake3-aes-128-gcm", KEY, users + 1, 1);
    open_at(stamp);
    feed(0, r.p, r.n);
    ok(silent_to_the_end(), "a user who is not listed ends in silence");
}

/* ---- configuration ---- */

static int refused(uint32_t role, const char *method, const char *password, const char *say)
{
    char error[256] = "";
    struct gost_prepare p = {sizeof p, role, "test", error, sizeof error};
    struct ss_conf c = {.method = method_index(method), .password = gost_bytes_str(password)};
    int r = ss_prepare(&c, &p);

    ss_release(&c);
    if (r >= 0 || !strstr(error, say))
        printf("# %s\n", error);
    return r < 0 && strstr(error, say) != NULL;
}

static void test_prepare(void)
{
    ok(refused(GOST_SERVER, "aes-128-gcm", "", "auth.password is missing"), "no password");
    ok(refused(GOST_SERVER, "2022-blake3-aes-256-gcm", KEY, "has 16 bytes instead of 32"),
       "a key that is too short");
    ok(refused(GOST_SERVER, "2022-blake3-aes-128-gcm", "secret!", "not base64"), "no base64");
    ok(refused(GOST_SERVER, "2022-blake3-aes-128-gcm", KEY ":" ALICE, "a server has one key"),
       "two keys in a server");
    ok(refused(GOST_CLIENT, "2022-blake3-chacha20-poly1305",
               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:"
               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
               "no identity headers"),
       "identity headers without AES");
}

int main(void)
{
    test_strangers();
    test_2017();
    test_2022();
    test_users();
    test_prepare();
    flow_close();
    ss_release(&conf);
    return test_end();
}
