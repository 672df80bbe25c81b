/* test_ssh.c - values on the wire, keys and their files, signatures, the protection of packets. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "test_world.h"

#include "ssh_bcrypt.h"
#include "sshd.h"

static struct gost_bytes load(const char *name)
{
    static char text[16384];
    char path[256];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/" KEYS "%s", top_dir(), name);
    f = fopen(path, "rb");
    n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    return gost_bytes(text, n);
}

/* ---- values ---- */

static void test_wire(void)
{
    static const uint8_t number[] = {0, 0, 0x80, 1}, negative[] = {0, 0, 0, 1, 0x80};
    struct ssh_out o = {0};
    struct ssh_in in;
    struct gost_bytes b;

    ssh_put_text(&o, "hello");
    ssh_put_mpint(&o, gost_bytes(number, sizeof number));
    ssh_put_u32(&o, 0x01020304);
    in = ssh_in(ssh_out_bytes(&o));
    ok(ssh_is(ssh_get_string(&in), "hello"), "a string comes back");
    b = ssh_get_mpint(&in);
    ok(b.n == 2 && b.p[0] == 0x80, "a number comes back without leading zeros");
    ok(ssh_get_u32(&in) == 0x01020304 && !in.bad && in.n == 0, "nothing is left");
    ok(ssh_get_string(&in).n == 0 && in.bad, "what is missing is noticed");
    in = ssh_in(gost_bytes(negative, sizeof negative));
    ok(ssh_get_mpint(&in).n == 0 && in.bad, "negative numbers are refused");
    in = ssh_in(gost_bytes("\xff\xff\xff\xff", 4));
    ok(ssh_get_string(&in).n == 0 && in.bad, "a length beyond the end is refused");
    ssh_out_free(&o);
    ok(ssh_has_name(gost_bytes_str("a,bc,d"), "bc") && !ssh_has_name(gost_bytes_str("a,bc"), "b") &&
           !ssh_has_name(gost_bytes_str(""), ""),
       "names of a list are whole words");
}

static void test_base64(void)
{
    uint8_t b[8];
    size_t n = 0;

    ok(ssh_base64(gost_bytes_str("aGVs\nbG8="), b, sizeof b, &n) == GOST_OK && n == 5 &&
           memcmp(b, "hello", 5) == 0,
       "base64 over two lines");
    ok(ssh_base64(gost_bytes_str("aGVsbG8"), b, sizeof b, &n) == GOST_EPROTO,
       "without its padding");
    ok(ssh_base64(gost_bytes_str("aGV!bG8="), b, sizeof b, &n) == GOST_EPROTO, "a wrong letter");
    ok(ssh_base64(gost_bytes_str("aGVsbG9="), b, sizeof b, &n) == GOST_EPROTO, "bits left over");
    ok(ssh_base64(gost_bytes_str("aGVsbG9oZWxsbw=="), b, sizeof b, &n) == GOST_ETOOBIG,
       "more than there is room for");
}

/* ---- keys ---- */

static EVP_PKEY *key_of(const char *name, const char *pass, const char **why)
{
    return ssh_read_private(load(name), pass, why);
}

/* The private key's public half is what ssh-keygen wrote beside it. */
static int same_public(const char *name, EVP_PKEY *key)
{
    char pub[64];
    struct ssh_out keys = {0}, blob = {0};
    int same;

    snprintf(pub, sizeof pub, "%s.pub", name);
    ssh_read_authorized(load(pub), &keys);
    same = ssh_put_public(&blob, key) == GOST_OK && keys.n &&
           ssh_is_authorized(ssh_out_bytes(&keys), ssh_out_bytes(&blob));
    ssh_out_free(&keys);
    ssh_out_free(&blob);
    return same;
}

static int signs(EVP_PKEY *key)
{
    const struct ssh_algorithm *a = ssh_key_algorithm(key, gost_bytes(NULL, 0));
    struct gost_bytes text = gost_bytes_str("text"), sig;
    struct ssh_out o = {0}, blob = {0};
    struct ssh_in in;
    EVP_PKEY *public;
    int good;

    if (!a || ssh_sign(&o, key, a, text) != GOST_OK || ssh_put_public(&blob, key) != GOST_OK)
        return 0;
    public = ssh_get_public(ssh_out_bytes(&blob));
    in = ssh_in(ssh_out_bytes(&o));
    sig = ssh_get_string(&in);
    good = public && ssh_verify(public, a, sig, text) == GOST_OK &&
           ssh_verify(public, a, sig, gost_bytes_str("tex")) == GOST_EAUTH;
    o.p[o.n - 1] ^= 1;
    good = good && ssh_verify(public, a, sig, text) == GOST_EAUTH;
    EVP_PKEY_free(public);
    ssh_out_free(&blob);
    ssh_out_free(&o);
    return good;
}

static void test_private(void)
{
    static const struct {
        const char *name, *pass;
    } rows[] = {
        {"ed25519", NULL},
        {"ed25519_locked", "secret"},
        {"rsa_locked", "secret"},
        {"rsa", NULL},
        {"rsa_pkcs8", NULL},
        {"ecdsa", NULL},
        {"ecdsa_pem_locked", "secret"},
    };
    const char *why = "";
    char name[80];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EVP_PKEY *key = key_of(rows[i].name, rows[i].pass, &why);

        snprintf(name, sizeof name, "%s is read and signs", rows[i].name);
        ok(key && same_public(rows[i].name, key) && signs(key), name);
        EVP_PKEY_free(key);
        if (!rows[i].pass)
            continue;
        snprintf(name, sizeof name, "%s with a wrong passphrase", rows[i].name);
        ok(!key_of(rows[i].name, "Secret", &why) && strstr(why, "wrong"), name);
        snprintf(name, sizeof name, "%s without a passphrase", rows[i].name);
        ok(!key_of(rows[i].name, NULL, &why) && strstr(why, "give its passphrase"), name);
    }
    ok(!key_of("ed25519.pub", NULL, &why) && strstr(why, "no private key"),
       "a public key is no private one");
    ok(!ssh_read_private(gost_bytes(NULL, 0), NULL, &why), "an empty file holds no key");
}

static void test_bcrypt(void)
{
    uint8_t key[48];

    ok(ssh_bcrypt_pbkdf(gost_bytes_str("password"), gost_bytes_str("salt"), 4, key, 32) ==
               GOST_OK &&
           memcmp(key, "\x5b\xbf\x0c\xc2\x93\x58\x7f\x1c", 8) == 0,
       "bcrypt_pbkdf gives what OpenBSD's does");
    ok(ssh_bcrypt_pbkdf(gost_bytes_str("x"), gost_bytes_str("salt"), 1u << 30, key, 48) ==
           GOST_EUNSUPPORTED,
       "rounds without end are refused");
}

static void test_authorized(void)
{
    static const char *const in[] = {"ed25519.pub", "rsa_locked.pub", "ecdsa.pub"};
    static const char *const out[] = {"ed25519_locked.pub", "rsa.pub"};
    struct ssh_out keys = {0}, one = {0};
    size_t i;

    ssh_read_authorized(load("authorized.pub"), &keys);
    for (i = 0; i < 3; i++) {
        struct ssh_in r;

        ssh_read_authorized(load(in[i]), &one);
        r = ssh_in(ssh_out_bytes(&one));
        ok(ssh_is_authorized(ssh_out_bytes(&keys), ssh_get_string(&r)), in[i]);
        ssh_out_free(&one);
    }
    for (i = 0; i < 2; i++) {
        struct ssh_in r;

        ssh_read_authorized(load(out[i]), &one);
        r = ssh_in(ssh_out_bytes(&one));
        ok(!ssh_is_authorized(ssh_out_bytes(&keys), ssh_get_string(&r)), out[i]);
        ssh_out_free(&one);
    }
    ok(!ssh_is_authorized(ssh_out_bytes(&keys), gost_bytes(NULL, 0)), "nothing is no key");
    ssh_out_free(&keys);
}

static void test_fingerprint(void)
{
    struct ssh_out keys = {0};
    struct ssh_in in;
    char print[SSH_FINGERPRINT];
    struct gost_bytes want = load("ed25519.fingerprint");

    ssh_read_authorized(load("ed25519.pub"), &keys);
    in = ssh_in(ssh_out_bytes(&keys));
    ssh_fingerprint(ssh_get_string(&in), print);
    want = load("ed25519.fingerprint");
    ok(want.n > 50 && strncmp(print, (const char *)want.p, 50) == 0, "a fingerprint");
    ssh_out_free(&keys);
}

/* ---- packets ---- */

static size_t seal(struct ssh_dir *d, uint8_t *buf, size_t payload)
{
    size_t block = ssh_dir_block(d), apart = d->mac && !d->etm ? 0 : 4, pad, n = 0;

    pad = block - (5 + payload - apart) % block;
    pad += pad < 4 ? block : 0;
    gost_put32(buf, (uint32_t)(1 + payload + pad));
    buf[4] = (uint8_t)pad;
    memset(buf + 5, 'x', payload);
    memset(buf + 5 + payload, 0, pad);
    return ssh_dir_seal(d, buf, 5 + payload + pad, &n) == GOST_OK ? n : 0;
}

/* All but the last byte first: nothing comes of that, and nothing is forgotten. */
static int carries(struct ssh_dir *out, struct ssh_dir *in, struct ge_stack **wire, size_t payload)
{
    static uint8_t buf[SSH_PACKET_MAX + 64], plain[SSH_PACKET_MAX];
    size_t n = seal(out, buf, payload), i;
    struct gost_bytes got;
    const char *why;

    gost_send(ge_stack_io(wire[0]), buf, n - 1);
    run();
    if (ssh_dir_open(in, ge_stack_io(wire[1]), plain, &got, &why) != GOST_AGAIN)
        return 0;
    gost_send(ge_stack_io(wire[0]), buf + n - 1, 1);
    run();
    if (ssh_dir_open(in, ge_stack_io(wire[1]), plain, &got, &why) != GOST_OK || got.n != payload)
        return 0;
    for (i = 0; i < got.n; i++)
        if (got.p[i] != 'x')
            return 0;
    return 1;
}

/* One bit of the last byte differs. */
static int notices(struct ssh_dir *out, struct ssh_dir *in, struct ge_stack **wire)
{
    uint8_t buf[256], plain[SSH_PACKET_MAX];
    size_t n = seal(out, buf, 40);
    struct gost_bytes got;
    const char *why;

    buf[n - 1] ^= 1;
    gost_send(ge_stack_io(wire[0]), buf, n);
    run();
    return ssh_dir_open(in, ge_stack_io(wire[1]), plain, &got, &why) == GOST_EPROTO;
}

static void one_cipher(const char *cipher, const char *mac)
{
    static const size_t sizes[] = {1, 11, 12, 32768, 100};
    struct ssh_dir out = {0}, in = {0};
    struct ge_flow *flow = ge_flow_new(worker);
    struct ge_stack *wire[2];
    struct ssh_secrets secrets;
    char name[120];
    size_t i;
    int good;

    memset(&secrets, 7, sizeof secrets);
    ge_stack_pair(flow, GOST_STREAM, &wire[0], &wire[1]);
    good = ssh_dir_set(&out, gost_bytes_str(cipher), gost_bytes_str(mac), &secrets, 1) == GOST_OK &&
           ssh_dir_set(&in, gost_bytes_str(cipher), gost_bytes_str(mac), &secrets, 0) == GOST_OK;
    for (i = 0; i < 5; i++)
        good = good && carries(&out, &in, wire, sizes[i]);
    good = good && notices(&out, &in, wire);
    snprintf(name, sizeof name, "%s %s", cipher, mac);
    ok(good, name);
    ssh_dir_free(&out);
    ssh_dir_free(&in);
    ge_stack_free(wire[0], 0);
    ge_stack_free(wire[1], 0);
    run();
    ge_flow_unref(flow);
}

static void test_ciphers(void)
{
    static const char *const gcm[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com"};
    static const char *const ctr[] = {"aes128-ctr", "aes192-ctr", "aes256-ctr"};
    static const char *const macs[] = {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-256",
                                       "hmac-sha2-512-etm@openssh.com", "hmac-sha2-512"};
    size_t i, k;

    for (i = 0; i < 2; i++)
        one_cipher(gcm[i], "");
    for (i = 0; i < 3; i++)
        for (k = 0; k < 4; k++)
            one_cipher(ctr[i], macs[k]);
}

/* ---- addresses ---- */

static struct gost_bytes bind_data(struct ssh_out *o, const char *host, uint32_t port)
{
    ssh_out_free(o);
    ssh_put_text(o, host);
    ssh_put_u32(o, port);
    return ssh_out_bytes(o);
}

static void test_addresses(void)
{
    struct ssh_out o = {0};
    struct gost_addr a;
    char text[GOST_ADDR_TEXT];

    ok(sshd_get_bind(bind_data(&o, "localhost", 80), &a) == GOST_OK && a.family == GOST_AF_IP4 &&
           a.ip[0] == 127 && a.port == 80,
       "localhost is where we listen for ourselves");
    ok(sshd_get_bind(bind_data(&o, "", 0), &a) == GOST_OK && a.family == GOST_AF_NONE,
       "no address: everywhere");
    ok(sshd_get_bind(bind_data(&o, "*", 0), &a) == GOST_OK && a.family == GOST_AF_NONE,
       "a star: everywhere");
    ok(sshd_get_bind(bind_data(&o, "a.example", 1), &a) == GOST_EUNSUPPORTED, "names: nowhere");
    ok(sshd_get_bind(bind_data(&o, "::1", 70000), &a) < 0, "ports end at 65535");
    ssh_put_text(&o, "127.0.0.1");
    ssh_put_u32(&o, 1);
    (void)bind_data(&o, "<nil>", 7);
    ssh_put_text(&o, "127.0.0.1");
    ssh_put_u32(&o, 1);
    ok(sshd_get_target(ssh_out_bytes(&o), &a) == GOST_OK && a.family == GOST_AF_NONE && a.port == 7,
       "GOST's word for nothing");
    (void)bind_data(&o, "a.example", 7);
    ok(sshd_get_target(ssh_out_bytes(&o), &a) == GOST_EPROTO, "a target that is cut off");
    ssh_put_text(&o, "10.0.0.1");
    ssh_put_u32(&o, 1);
    (void)(sshd_get_target(ssh_out_bytes(&o), &a) == GOST_OK && gost_addr_format(&a, text, 272));
    ok(strcmp(text, "a.example:7") == 0, "a target");
    ssh_out_free(&o);
}

int main(void)
{
    world_begin();
    test_wire();
    test_base64();
    test_private();
    test_bcrypt();
    test_authorized();
    test_fingerprint();
    test_ciphers();
    test_addresses();
    ok(world_end(), "nothing is left");
    return test_end();
}
