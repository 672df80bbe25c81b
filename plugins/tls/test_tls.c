/* test_tls.c - names, pins, ALPN and record headers; certificates from files and generated ones. */
/* SPDX-License-Identifier: MIT */
#include "test_certs.h"
#include "tls.h"

static void test_versions(void)
{
    ok(tls_version_parse("VersionTLS10") == 0x0301 && tls_version_parse("versiontls11") == 0x0302 &&
           tls_version_parse("VERSIONTLS12") == 0x0303 &&
           tls_version_parse("VersionTLS13") == 0x0304,
       "versions by Go's names, in any case");
    ok(tls_version_parse("TLSv1.2") == 0x0303 && tls_version_parse("1.3") == 0x0304,
       "versions in short");
    ok(!tls_version_parse("") && !tls_version_parse("VersionTLS14") &&
           !tls_version_parse("TLS2.0") && !tls_version_parse("VersionSSL30") &&
           !tls_version_parse("1.") && !tls_version_parse("VersionTLS120") &&
           !tls_version_parse("1"),
       "what is no version");
}

static void test_suites(void)
{
    const char *name = tls_suite_name("tls_ecdhe_rsa_with_aes_128_gcm_sha256");

    ok(name && strcmp(name, "ECDHE-RSA-AES128-GCM-SHA256") == 0, "a suite, in any case");
    name = tls_suite_name("TLS_AES_128_GCM_SHA256");
    ok(name && *name == 0, "a suite of TLS 1.3 is known and needs no switching on");
    ok(!tls_suite_name("ECDHE-RSA-AES128-GCM-SHA256") && !tls_suite_name(""), "unknown suites");
}

/* Every name of the table that OpenSSL has must be the one with the same standard name. */
static void test_suite_table(void)
{
    static const char *const names[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                                        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                                        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                                        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                                        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                                        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                                        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                                        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
                                        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
                                        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                                        "TLS_RSA_WITH_AES_128_GCM_SHA256",
                                        "TLS_RSA_WITH_AES_256_GCM_SHA384",
                                        "TLS_RSA_WITH_AES_128_CBC_SHA256",
                                        "TLS_RSA_WITH_AES_128_CBC_SHA",
                                        "TLS_RSA_WITH_AES_256_CBC_SHA"};
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    int bad = 0, i;
    size_t k;

    SSL_CTX_set_security_level(ctx, 0);
    for (k = 0; k < sizeof names / sizeof names[0]; k++) {
        const char *name = tls_suite_name(names[k]);
        STACK_OF(SSL_CIPHER) * all;
        int found = 0;

        bad += !name || SSL_CTX_set_cipher_list(ctx, name) != 1;
        all = SSL_CTX_get_ciphers(ctx);
        for (i = 0; i < sk_SSL_CIPHER_num(all); i++)
            found |= strcmp(SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(all, i)), names[k]) == 0;
        bad += !found;
    }
    SSL_CTX_free(ctx);
    ok(bad == 0, "each suite's name is OpenSSL's for the same standard name");
}

static void test_server_names(void)
{
    ok(tls_name_match("example.com", "EXAMPLE.com") &&
           tls_name_match("example.com.", "example.com") &&
           tls_name_match("example.com", "example.com."),
       "the same name, in any case, with or without a final dot");
    ok(!tls_name_match("example.com", "www.example.com") &&
           !tls_name_match("example.com", "xample.com") && !tls_name_match("", "") &&
           !tls_name_match("example.com", ""),
       "another name");
    ok(tls_name_match("*.example.com", "www.Example.com") &&
           !tls_name_match("*.example.com", "example.com") &&
           !tls_name_match("*.example.com", "a.b.example.com") &&
           !tls_name_match("*.example.com", ".example.com") && !tls_name_match("*.", "a.") &&
           !tls_name_match("w*.example.com", "www.example.com"),
       "a wildcard stands for one label");
}

static void test_pins(void)
{
    uint8_t pin[TLS_PIN_SIZE], again[TLS_PIN_SIZE];
    char text[TLS_PIN_TEXT], hex[200] = "sha256:";
    int i;

    for (i = 0; i < TLS_PIN_SIZE; i++)
        pin[i] = (uint8_t)(i * 37 + 250);
    tls_pin_format(pin, text);
    ok(strlen(text) == 51 && tls_pin_parse(text, again) == GOST_OK && memcmp(pin, again, 32) == 0,
       "a pin in base64, there and back");
    text[50] = 0;
    ok(tls_pin_parse(text, again) == GOST_OK && memcmp(pin, again, 32) == 0, "without its '='");
    for (i = 0; i < TLS_PIN_SIZE; i++)
        snprintf(hex + strlen(hex), 4, "%s%02X", i ? ":" : "", pin[i]);
    ok(tls_pin_parse(hex, again) == GOST_OK && memcmp(pin, again, 32) == 0,
       "a pin in hex with colons");
    ok(tls_pin_parse("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", again) == GOST_OK &&
           again[0] == 0xe3 && again[1] == 0xb0 && again[31] == 0x55,
       "a known pin");
    memset(again, 7, sizeof again);
    ok(tls_pin_parse("sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", again) == GOST_EPROTO &&
           tls_pin_parse("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", again) == GOST_EPROTO &&
           tls_pin_parse("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", again) ==
               GOST_EPROTO &&
           tls_pin_parse("sha256/47DE", again) == GOST_EPROTO &&
           tls_pin_parse("sha256/", again) == GOST_EPROTO &&
           tls_pin_parse("", again) == GOST_EPROTO && again[0] == 7,
       "what is no pin leaves the result alone");
}

static void test_alpn(void)
{
    static const char *const two[] = {"h2", "http/1.1"}, *const empty[] = {"h2", ""};
    struct gost_list list = {two, 2}, bad_list = {empty, 2};
    const char *bad;
    uint8_t wire[12];
    struct gost_bytes name = {NULL, 0};
    struct gost_bytes h2 = gost_bytes("\2h2", 3), h1 = gost_bytes("\10http/1.1", 9),
                      x = gost_bytes("\1x", 2);

    ok(tls_alpn_wire(&list, wire, sizeof wire, &bad) == 12 && !bad &&
           memcmp(wire, "\2h2\10http/1.1", 12) == 0,
       "ALPN in wire form");
    ok(tls_alpn_wire(&bad_list, wire, sizeof wire, &bad) == 0 && bad && *bad == 0,
       "an empty protocol name");
    ok(tls_alpn_select(gost_bytes(wire, 12), gost_bytes("\10http/1.1\2h2", 12), &name) == GOST_OK &&
           gost_bytes_eq(name, gost_bytes_str("h2")),
       "the server's order counts");
    ok(tls_alpn_select(h2, h1, &name) == GOST_END, "HTTP/1.1 at a server of h2 goes on without");
    ok(tls_alpn_select(h2, x, &name) == GOST_EPROTO &&
           tls_alpn_select(h1, h2, &name) == GOST_EPROTO,
       "nothing in common is refused");
    ok(tls_alpn_select(h2, gost_bytes("\3h2", 3), &name) == GOST_EPROTO,
       "a malformed list has no names");
}

static void test_records(void)
{
    static const uint8_t two[] = {22, 3, 3, 0, 2, 'a', 'b', 23, 3, 3, 1, 0};
    uint8_t all[sizeof two + 256];
    size_t i, step;
    int bad = 0;

    memset(all, 23, sizeof all);
    memcpy(all, two, sizeof two);
    for (step = 1; step <= sizeof all; step++) {
        struct tls_records r = {0, 0, 0};

        for (i = 0; i < sizeof all; i += step) {
            size_t n = step < sizeof all - i ? step : sizeof all - i;

            tls_records_feed(&r, all + i, n);
            bad += tls_records_between(&r) != (i + n == 7 || i + n == sizeof all);
        }
    }
    ok(bad == 0, "the end of a record is known, however the bytes are split");
}

/* ---- certificates ---- */

static char error_text[512];
static struct gost_prepare prepare = {sizeof prepare, GOST_SERVER, "test", error_text,
                                      sizeof error_text};

static int fails_with(const char *cert, const char *key, const char *words)
{
    struct tls_pair pair = {NULL, NULL, NULL};

    error_text[0] = 0;
    if (tls_pair_load(&pair, cert ? test_path(cert) : NULL, key ? test_path(key) : NULL,
                      &prepare) == GOST_OK) {
        tls_pair_free(&pair);
        return 0;
    }
    return strstr(error_text, words) != NULL && pair.leaf == NULL && pair.key == NULL;
}

static void test_load(void)
{
    struct test_cert ca = make_cert("ca", NULL, NULL, 30, 0);
    struct test_cert one = make_cert("one", "DNS:one.test,IP:192.0.2.1", &ca, 30, 0);
    struct tls_pair pair = {NULL, NULL, NULL};
    char text[200];
    FILE *f;

    ok(tls_pair_load(&pair, test_path("one.pem"), test_path("one.key"), &prepare) == GOST_OK &&
           !pair.chain,
       "a certificate and its key");
    tls_cert_subject(pair.leaf, text, sizeof text);
    ok(strcmp(text, "CN=one") == 0, "its subject");
    tls_cert_names(pair.leaf, text, sizeof text);
    ok(strcmp(text, "one.test, 192.0.2.1") == 0, "its names");
    tls_pair_free(&pair);
    f = fopen(test_path("one.pem"), "a");
    if (!f || PEM_write_X509(f, ca.x) != 1 || fclose(f))
        abort();
    ok(tls_pair_load(&pair, test_path("one.pem"), test_path("one.key"), &prepare) == GOST_OK &&
           sk_X509_num(pair.chain) == 1,
       "a chain");
    tls_pair_free(&pair);
    ok(fails_with("one.pem", NULL, "tls.keyFile") && fails_with(NULL, "one.key", "tls.certFile"),
       "one without the other");
    ok(fails_with("absent.pem", "one.key", "No such file"), "a file that is not there");
    ok(fails_with("one.pem", "ca.key", "does not belong"), "a key of another certificate");
    ok(fails_with("one.key", "one.key", "no certificate"), "a key where a certificate should be");
    ok(fails_with("one.pem", "one.pem", "no private key"), "a certificate where a key should be");
    f = fopen(test_path("locked.key"), "w");
    if (!f ||
        PEM_write_PrivateKey(f, one.key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"secret") != 1 ||
        fclose(f))
        abort();
    ok(fails_with("one.pem", "locked.key", "passphrase"),
       "a key with a passphrase, without asking for it");
    free_cert(&one);
    free_cert(&ca);
}

static void test_generated(void)
{
    struct tls_conf c = {
        .common_name = "gost.run", .organization = "GOST", .validity = 8760 * 3600 * GOST_S};
    struct tls_pair a = {NULL, NULL, NULL}, b = a, d = a;
    int day = 0, second = 0;
    char text[100];

    ok(tls_pair_generated(&a, &c, &prepare) == GOST_OK &&
           tls_pair_generated(&b, &c, &prepare) == GOST_OK && a.leaf == b.leaf,
       "one generated certificate per process");
    c.common_name = "a.example,DNS:evil.example";
    ok(tls_pair_generated(&d, &c, &prepare) == GOST_OK && d.leaf != a.leaf &&
           X509_check_host(d.leaf, "evil.example", 0, 0, NULL) != 1,
       "another one for another name, which is one name");
    tls_cert_subject(a.leaf, text, sizeof text);
    ok(strcmp(text, "CN=gost.run,O=GOST") == 0 &&
           X509_check_host(a.leaf, "gost.run", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1,
       "subject and name as GOST makes them");
    ASN1_TIME_diff(&day, &second, X509_get0_notBefore(a.leaf), X509_get0_notAfter(a.leaf));
    ok(day == 365 && second == 0 && X509_get_version(a.leaf) == 2 && X509_check_ca(a.leaf) == 1 &&
           X509_get_key_usage(a.leaf) == (KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN) &&
           X509_get_extended_key_usage(a.leaf) == (XKU_SSL_CLIENT | XKU_SSL_SERVER),
       "365 days, an authority, usages as GOST makes them");
    ok(EVP_PKEY_get_bits(a.key) == 256 && X509_verify(a.leaf, a.key) == 1,
       "P-256, signed by itself");
    c.common_name =
        "a-name-that-is-longer-than-the-sixty-four-characters-which-x509-allows.example";
    ok(tls_pair_generated(&d, &c, &prepare) != GOST_OK && strstr(error_text, "tls.commonName"),
       "a name that is too long is refused by name");
    tls_pair_free(&a);
    tls_pair_free(&b);
    tls_pair_free(&d);
}

int main(void)
{
    make_test_dir();
    test_versions();
    test_suites();
    test_suite_table();
    test_server_names();
    test_pins();
    test_alpn();
    test_records();
    test_load();
    test_generated();
    return test_end();
}
