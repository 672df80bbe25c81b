/* test_ss_crypto.c - keys, boxes, windows and memories, with the vectors of their descriptions. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "ss_blake3.h"
#include "ss_header.h"
#include "ss_keys.h"
#include "test_methods.h"

#include <gost/host.h>

const struct gost_host *gost_host_;

static const struct ss_method *method(const char *name)
{
    return ss_method_at(method_index(name));
}

static int is(const void *p, size_t n, const char *hex)
{
    struct record r = {.n = 0};

    record_hex(&r, hex);
    return record_is(&r, p, n);
}

static void count_up(uint8_t *p, size_t n, uint8_t from)
{
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i);
}

static void test_2017(void)
{
    const struct ss_method *m = method("aes-128-gcm"), *big = method("aes-256-gcm");
    const uint8_t address[] = "\x03\x0b"
                              "example.com\x01\xbb";
    uint8_t key[32], salt[16], subkey[32], out[128], back[64], nonce[SS_NONCE] = {0};
    struct ss_box b, c;

    ok(m && big && !method("rc4-md5"), "methods by their place");
    ok(ss_password_key(m, gost_bytes_str("password"), key) == GOST_OK &&
           is(key, 16, "5f4dcc3b5aa765d61d8327deb882cf99") &&
           ss_password_key(big, gost_bytes_str("password"), key) == GOST_OK &&
           is(key, 32, "5f4dcc3b5aa765d61d8327deb882cf992b95990a9151374abd8ff8c5a7a0fe08"),
       "keys of a password");
    count_up(salt, 16, 0);
    ok(ss_subkey(m, key, gost_bytes(salt, 16), subkey) == GOST_OK &&
           is(subkey, 16, "ed2a618d9490d1701de885d82aa80616"),
       "a subkey by HKDF");
    (void)ss_box_init(&b, m, subkey, 1);
    (void)ss_box_seal(&b, out, gost_bytes("\0\x0f", 2));
    (void)ss_box_seal(&b, out + 18, gost_bytes(address, 15));
    ok(is(out, 49,
          "5c21e5188ce46ebad51558e9c4d808a3ba03ff1a7ea18456ee41050a92f7f43411b3056fa41b6f"
          "469987ba4d1e253e51ab"),
       "two boxes of one stream");
    (void)ss_box_init(&c, m, subkey, 0);
    ok(ss_box_open(&c, back, gost_bytes(out, 18)) == GOST_OK && is(back, 2, "000f") &&
           ss_box_open(&c, back, gost_bytes(out + 18, 31)) == GOST_OK &&
           is(back, 15, "030b6578616d706c652e636f6d01bb"),
       "opened again");
    ss_box_free(&b);
    ss_box_free(&c);
    (void)ss_box_init(&c, m, subkey, 0);
    out[17] ^= 1;
    ok(ss_box_open(&c, back, gost_bytes(out, 18)) == GOST_EAUTH, "a changed tag is noticed");
    ss_box_free(&c);
    (void)ss_seal_once(m, subkey, nonce, out,
                       gost_bytes("\x01\x08\x08\x08\x08\x00\x35"
                                  "abcd",
                                  11));
    ok(is(out, 27, "5d26e37c08796b27d85fb0ba3e52c9d93b56c6ddc6348746e957dd"), "a packet");
}

static void test_2022(void)
{
    const struct ss_method *m = method("2022-blake3-aes-128-gcm");
    const struct ss_method *big = method("2022-blake3-aes-256-gcm");
    uint8_t psk[32], salt[32], key[32], block[16], user[16];

    count_up(psk, 32, 0);
    count_up(salt, 32, 0x10);
    ok(ss_subkey(m, psk, gost_bytes(salt, 16), key) == GOST_OK &&
           is(key, 16, "bc32fb8d5205f7b84f9691dfb9f04ff3"),
       "a session subkey of 16 bytes");
    count_up(salt, 32, 0x20);
    ok(ss_subkey(big, psk, gost_bytes(salt, 32), key) == GOST_OK &&
           is(key, 32, "374fca03e4dae7f998fd7e59c1edfcc8e3197f4db1c19ca1671be3b66a92ddda"),
       "a session subkey of 32 bytes");
    ss_identity_hash(m, psk, block);
    ok(is(block, 16, "a6a492965517a830cb75fdb713465aa4"), "the hash that names a user");
    count_up(user, 16, 0x40);
    count_up(salt, 16, 0x10);
    ss_identity_key(m, user, salt, key);
    ok(is(key, 16, "1f0d20cea2f002f5d87670819e497971") &&
           ss_block(m, key, block, block, 1) == GOST_OK &&
           is(block, 16, "613941b25519b5d9036ce9d601c5ed3e"),
       "an identity header");
}

/* draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1. */
static void test_xchacha(void)
{
    uint8_t key[32], xnonce[24], inner[32], nonce[12], out[64];
    struct record r = {.n = 0};
    const struct ss_method *m = method("2022-blake3-chacha20-poly1305");

    count_up(key, 32, 0);
    record_hex(&r, "000000090000004a0000000031415927");
    memcpy(xnonce, r.p, 16);
    memset(xnonce + 16, 0x55, 8);
    ok(ss_xchacha(key, xnonce, inner, nonce) == GOST_OK &&
           is(inner, 32, "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc") &&
           is(nonce, 12, "000000005555555555555555"),
       "HChaCha20");
    ok(ss_seal_once(m, inner, nonce, out, gost_bytes("abc", 3)) == GOST_OK &&
           ss_open_once(m, inner, nonce, out, gost_bytes(out, 19)) == GOST_OK &&
           is(out, 3, "616263"),
       "and a box with what it gives");
}

static void test_base64(void)
{
    uint8_t out[32];

    ok(ss_base64(out, 16, gost_bytes_str("AAECAwQFBgcICQoLDA0ODw==")) == 16 &&
           is(out, 16, "000102030405060708090a0b0c0d0e0f") &&
           ss_base64(out, 16, gost_bytes_str("AAECAwQFBgcICQoLDA0ODw")) == 16,
       "base64 with and without padding");
    ok(ss_base64(out, 32, gost_bytes_str("-_-_")) == 3 && is(out, 3, "fbffbf") &&
           ss_base64(out, 32, gost_bytes_str("+/+/")) == 3 && is(out, 3, "fbffbf"),
       "both alphabets");
    ok(ss_base64(out, 32, gost_bytes_str("A")) < 0 &&
           ss_base64(out, 32, gost_bytes_str("A*A=")) < 0 &&
           ss_base64(out, 2, gost_bytes_str("AAAA")) < 0 &&
           ss_base64(out, 2, gost_bytes_str("")) == 0,
       "what is none, and what is too long");
}

static void test_window(void)
{
    struct ss_window w;
    uint64_t i;
    int good = 1;

    memset(&w, 0, sizeof w);
    for (i = 0; i < 5000; i++)
        good &= ss_window_fresh(&w, i) && !ss_window_fresh(&w, i);
    ok(good, "ids in order, each once");
    ok(!ss_window_fresh(&w, 0) && !ss_window_fresh(&w, 4999 - 1984), "old ids are refused");
    memset(&w, 0, sizeof w);
    for (i = 0; i < 3000; i++)
        good &= ss_window_fresh(&w, (i ^ 31) + 100) && !ss_window_fresh(&w, (i ^ 31) + 100);
    ok(good, "ids out of order, each once");
    ok(ss_window_fresh(&w, 1ull << 40) && !ss_window_fresh(&w, 200) &&
           ss_window_fresh(&w, (1ull << 40) - 1983) && !ss_window_fresh(&w, (1ull << 40) - 1984) &&
           !ss_window_fresh(&w, 1ull << 40) && !ss_window_fresh(&w, UINT64_MAX),
       "a jump forgets what it leaves behind");
}

static int seen(struct ss_replay *r, uint32_t n, uint64_t now_s)
{
    uint8_t salt[32] = {0};

    gost_put32(salt + 4, n * 2654435761u);
    gost_put32(salt + 20, n);
    gost_put32(salt, n % 7);
    return !ss_replay_fresh(r, gost_bytes(salt, sizeof salt), now_s * GOST_S);
}

static void test_replay(void)
{
    struct ss_replay *r = ss_replay_new(4096, 0);
    uint32_t i;
    int good = 1;

    for (i = 0; i < 4096; i++)
        good &= !seen(r, i, 1) && seen(r, i, 2);
    for (i = 0; i < 4096; i++)
        good &= seen(r, i, 100000);
    ok(good, "as many salts as there is room for are known, however old");
    ok(!seen(r, 4096, 3) && !seen(r, 0, 3) && seen(r, 2, 3) && !seen(r, 1, 3),
       "one more, and the oldest is forgotten");
    ss_replay_free(r);
    r = ss_replay_new(2048, SS_SEEN_NS);
    for (i = 0, good = 1; i < 2048; i++)
        good &= !seen(r, i, 10);
    ok(good && seen(r, 9999, 11) && seen(r, 5, 11), "with a time, a full memory refuses new salts");
    ok(seen(r, 5, 71) && !seen(r, 9999, 72) && !seen(r, 5, 72), "until the old ones are useless");
    ss_replay_free(r);
}

static void test_headers(void)
{
    uint8_t b[9];
    const char *why = NULL;
    struct ss_variable v;
    struct ss_body body;

    ss_stamp_put(b, SS_FROM_CLIENT, 1700000000);
    ok(is(b, 9, "00000000006553f100") &&
           ss_stamp_check(b, SS_FROM_CLIENT, 1700000030, &why) == GOST_OK &&
           ss_stamp_check(b, SS_FROM_CLIENT, 1700000031, &why) < 0 && why &&
           ss_stamp_check(b, SS_FROM_SERVER, 1700000000, &why) < 0,
       "type and time");
    ok(ss_variable_parse(&v, gost_bytes("\1\1\2\3\4\0\x35\0\2xyGET", 14)) == GOST_OK &&
           v.addr.n == 7 && gost_bytes_eq(v.payload, gost_bytes_str("GET")),
       "padding is taken off");
    ok(ss_variable_parse(&v, gost_bytes("\1\1\2\3\4\0\x35\0\0", 9)) < 0 &&
           ss_variable_parse(&v, gost_bytes("\1\1\2\3\4\0\x35\0\3xy", 11)) < 0 &&
           ss_variable_parse(&v, gost_bytes("\1\1\2\3\4\0\x35\0", 8)) < 0,
       "neither padding nor payload; padding beyond the end");
    ok(ss_body_parse(&body, SS_FROM_SERVER, gost_bytes("12345678\0\1x\1\1\2\3\4\0\x35pong", 22)) ==
               GOST_OK &&
           memcmp(body.session, "12345678", 8) == 0 && body.addr.port == 53 &&
           gost_bytes_eq(body.payload, gost_bytes_str("pong")),
       "the body of a server's packet");
}

int main(void)
{
    test_2017();
    test_2022();
    test_xchacha();
    test_base64();
    test_window();
    test_replay();
    test_headers();
    return test_end();
}
