/* test_ss_packet.c - recorded datagrams in both roles, replays, and sizes at the limit. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "ss_packet.h"
#include "test_methods.h"

#define FOLDER "plugins/ss/transcripts/"
#define KEY    "AAECAwQFBgcICQoLDA0ODw=="
#define ALICE  "EBESExQVFhcYGRobHB0eHw=="

static struct record chance;
static size_t chance_at;
static uint64_t unix_s;

static void host_random(void *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        ((uint8_t *)p)[i] = chance_at < chance.n ? chance.p[chance_at++] : (uint8_t)(i + n);
}

static uint64_t now_s = 5;

static uint64_t host_now(void)
{
    return now_s * GOST_S;
}

static uint64_t host_unix(void)
{
    return unix_s * GOST_S;
}

static const volatile int32_t level = GOST_LOG_FATAL;
static const struct gost_host host = {
    .size = sizeof host,
    .log_level = &level,
    .now = host_now,
    .unix_time = host_unix,
    .random = host_random,
};
const struct gost_host *gost_host_ = &host;

static struct ss_conf conf[2]; /* by role */
static uint8_t buf[SS_PACKET_MAX + SS_VARIABLE_MAX], copy[SS_PACKET_MAX];

static void prepare(uint32_t role, const char *method, const char *password,
                    const struct gost_pair *user)
{
    struct ss_conf *c = &conf[role == GOST_SERVER];
    char error[256];
    struct gost_prepare p = {sizeof p, role, "test", error, sizeof error};

    ss_release(c);
    memset(c, 0, sizeof *c);
    c->method = method_index(method);
    c->password = gost_bytes_str(password);
    c->users.v = user;
    c->users.n = user ? 1 : 0;
    if (ss_prepare(c, &p) != GOST_OK)
        printf("Bail out! %s\n", error);
}

static void start(struct ss_packet *s, int server)
{
    memset(s, 0, sizeof *s);
    s->arg.keys = conf[server].made;
    s->key = ss_keys_own(s->arg.keys);
    if (!server && s->arg.keys->method->family == SS_2022)
        gost_random(s->session, sizeof s->session);
}

static int opens(struct ss_packet *s, int server, struct gost_bytes in, const char *text)
{
    struct gost_addr addr;
    struct gost_bytes data;
    const char *why = "?";

    if (ss_packet_open(s, server, in, buf, &addr, &data, &why) != GOST_OK) {
        if (text)
            printf("# %s\n", why);
        return text == NULL;
    }
    return text && gost_bytes_eq(data, gost_bytes_str(text)) && addr.port == 18080;
}

static struct gost_bytes seals(struct ss_packet *s, int server, const char *text)
{
    struct gost_bytes out = {NULL, 0};
    struct gost_addr addr;

    gost_addr_parse(&addr, "127.0.0.1:18080", 15, 0);
    (void)ss_packet_seal(s, server, &addr, gost_bytes_str(text), buf, &out);
    return out;
}

/* A recorded conversation of two datagrams each way, seen by the server: its ids and salts are what
 * the recorded one had. */
static void conversation(const char *file, const char *method, const char *password,
                         const struct gost_pair *user, const char *random, uint64_t time)
{
    static const char *const asks[] = {"ping-client", "ping-client-2"};
    struct ss_packet s;
    struct record r;
    char name[200];
    int i, good = 1;

    unix_s = time;
    chance.n = chance_at = 0;
    record_hex(&chance, random);
    prepare(GOST_SERVER, method, password, user);
    start(&s, 1);
    for (i = 0; i < 2; i++) {
        struct gost_bytes out;

        load_record(&r, file, '>', i);
        good &= opens(&s, 1, gost_bytes(r.p, r.n), asks[i]);
        good &= opens(&s, 1, gost_bytes(r.p, r.n), NULL); /* a replay */
        load_record(&r, file, '<', i);
        out = seals(&s, 1, "pong-server");
        good &= record_is(&r, out.p, out.n);
    }
    snprintf(name, sizeof name, "the server's side of %s", file + sizeof FOLDER - 1);
    ok(good, name);
}

static void test_recorded(void)
{
    static const struct gost_pair alice = {"alice", ALICE};

    conversation(FOLDER "connector-sip004-udp-aes-128-gcm.txt", "aes-128-gcm", "secret", NULL,
                 "8aefc3cc7f9269d395c348f74bcc6470f82881fec5621db574f33ec48023af68", 1);
    conversation(FOLDER "connector-sip022-udp-aes-128.txt", "2022-blake3-aes-128-gcm", KEY, NULL,
                 "66a28e429cda4380", 0x6b03efba);
    conversation(FOLDER "connector-sip022-udp-aes-256.txt", "2022-blake3-aes-256-gcm",
                 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", NULL, "3584f27917b0c058",
                 0x6b03efbd);
    conversation(FOLDER "connector-sip022-udp-aes-128-user.txt", "2022-blake3-aes-128-gcm", KEY,
                 &alice, "0c8ecd63276a2f33", 0x6b03efc1);
}

/* A client that reverses the session id for its keys is answered likewise. */
static void test_reversed(void)
{
    const struct ss_method *m;
    struct ss_packet s;
    struct record r;
    struct gost_bytes out;
    uint8_t id[SS_SESSION_ID], key[SS_KEY_MAX], head[16];
    int i, good;

    unix_s = 1795417957;
    chance.n = chance_at = 0;
    prepare(GOST_SERVER, "2022-blake3-aes-128-gcm", KEY, NULL);
    start(&s, 1);
    m = s.arg.keys->method;
    load_record(&r, FOLDER "handler-udp-2022-blake3-aes-128-gcm.txt", '>', 0);
    good = opens(&s, 1, gost_bytes(r.p, r.n), "ping-client");
    out = seals(&s, 1, "pong-server");
    good &= ss_block(m, s.key->psk, out.p, head, 0) == GOST_OK;
    for (i = 0; i < SS_SESSION_ID; i++)
        id[i] = head[SS_SESSION_ID - 1 - i];
    good &= ss_subkey(m, s.key->psk, gost_bytes(id, sizeof id), key) == GOST_OK &&
            ss_open_once(m, key, head + 4, copy, gost_bytes(out.p + 16, out.n - 16)) == GOST_OK;
    ok(good, "an older GOST, which reverses the session id, is answered likewise");
}

/* Both roles of each method with each other. */
static void both(const char *method, const char *password)
{
    struct ss_packet client, server, other;
    struct gost_bytes out;
    char name[200];
    int good;

    chance.n = chance_at = 0;
    prepare(GOST_CLIENT, method, password, NULL);
    prepare(GOST_SERVER, method, password, NULL);
    start(&client, 0);
    start(&server, 1);
    out = seals(&client, 0, "there");
    memcpy(copy, out.p, out.n);
    good = opens(&server, 1, gost_bytes(copy, out.n), "there");
    copy[out.n - 1] ^= 1;
    good &= opens(&server, 1, gost_bytes(copy, out.n), NULL);
    out = seals(&server, 1, "back");
    memcpy(copy, out.p, out.n);
    good &= opens(&client, 0, gost_bytes(copy, out.n), "back");
    if (client.arg.keys->method->family == SS_2022) {
        good &= opens(&client, 0, gost_bytes(copy, out.n), NULL);
        start(&other, 0); /* another session of the same key */
        memset(other.session, 'o', sizeof other.session);
        good &= opens(&other, 0, gost_bytes(copy, out.n), NULL);
        out = seals(&client, 0, "late");
        memcpy(copy, out.p, out.n);
        unix_s += 31;
        good &= opens(&server, 1, gost_bytes(copy, out.n), NULL);
        unix_s -= 31;
        good &= opens(&server, 1, gost_bytes(copy, out.n), "late");
    }
    snprintf(name, sizeof name, "there and back, changed, repeated and late: %s", method);
    ok(good, name);
}

/* The server's session changes when it restarts: once a minute, not more often. */
static void test_restarts(void)
{
    const char *method = "2022-blake3-aes-128-gcm";
    struct ss_packet client, server;
    struct gost_bytes out;
    int i, good[4];

    chance.n = chance_at = 0;
    prepare(GOST_CLIENT, method, KEY, NULL);
    start(&client, 0);
    for (i = 0; i < 4; i++) {
        chance.n = chance_at = 0;
        record_hex(&chance, i == 0   ? "a1a1a1a1a1a1a1a1"
                            : i == 1 ? "b1b1b1b1b1b1b1b1"
                            : i == 2 ? "c1c1c1c1c1c1c1c1"
                                     : "d1d1d1d1d1d1d1d1");
        prepare(GOST_SERVER, method, KEY, NULL);
        start(&server, 1);
        out = seals(&client, 0, "there");
        memcpy(copy, out.p, out.n);
        (void)opens(&server, 1, gost_bytes(copy, out.n), "there");
        out = seals(&server, 1, "back");
        memcpy(copy, out.p, out.n);
        now_s += i == 3 ? 60 : 1;
        good[i] = opens(&client, 0, gost_bytes(copy, out.n), i == 2 ? NULL : "back");
    }
    ok(good[0] && good[1] && good[2] && good[3], "a server's new session is taken once a minute");
}

static void test_sizes(void)
{
    static uint8_t data[65536];
    struct gost_addr addr, from;
    struct gost_bytes out, got;
    struct ss_packet c, s;
    const char *why;
    size_t n;
    int good = 1;

    prepare(GOST_CLIENT, "aes-128-gcm", "secret", NULL);
    prepare(GOST_SERVER, "aes-128-gcm", "secret", NULL);
    start(&c, 0);
    start(&s, 1);
    gost_addr_parse(&addr, "127.0.0.1:53", 12, 0);
    for (n = 0; n <= SS_DATAGRAM_MAX - 16 - 7 - 16; n = n * 3 + 1) {
        chance.n = chance_at = 0;
        record_hex(&chance, "00112233445566778899aabbccdd");
        chance.p[chance.n++] = (uint8_t)(n >> 8);
        chance.p[chance.n++] = (uint8_t)n;
        good &= ss_packet_seal(&c, 0, &addr, gost_bytes(data, n), buf, &out) == GOST_OK;
        memcpy(copy, out.p, out.n);
        good &= ss_packet_open(&s, 1, gost_bytes(copy, out.n), buf, &from, &got, &why) == GOST_OK &&
                got.n == n;
    }
    ok(good, "payloads of all sizes");
    ok(ss_packet_seal(&c, 0, &addr, gost_bytes(data, SS_DATAGRAM_MAX - 16 - 7 - 16), buf, &out) ==
               GOST_OK &&
           out.n == SS_DATAGRAM_MAX,
       "the largest");
    ok(ss_packet_seal(&c, 0, &addr, gost_bytes(data, SS_DATAGRAM_MAX - 16 - 7 - 15), buf, &out) ==
           GOST_ETOOBIG,
       "and one byte more");
}

int main(void)
{
    test_recorded();
    test_reversed();
    unix_s = 1700000000;
    both("aes-128-gcm", "secret");
    both("aes-256-gcm", "secret");
    both("chacha20-ietf-poly1305", "secret");
    both("2022-blake3-aes-128-gcm", KEY);
    both("2022-blake3-aes-256-gcm", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    both("2022-blake3-chacha20-poly1305", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    test_restarts();
    test_sizes();
    ss_release(&conf[0]);
    ss_release(&conf[1]);
    return test_end();
}
