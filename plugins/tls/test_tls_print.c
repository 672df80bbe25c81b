/* test_tls_print.c - the bytes of a ClientHello with the fingerprint of a browser. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tls.h"

#include "../../sdk/testkit/test_tap.h"

/* A hello, taken apart: numbers in hexadecimal. */
static struct hello {
    char suites[400], groups[200], signatures[200], alpn[100];
    char extensions[400]; /* sorted by nobody: as they come */
    size_t n;
} hello;

static char error[300];

static void add(char *text, size_t size, uint32_t v)
{
    size_t n = strlen(text);

    snprintf(text + n, size - n, "%s%04x", n ? " " : "", (unsigned)v);
}

/* A list of 16-bit numbers behind its length. */
static void numbers(char *text, size_t size, const uint8_t *p)
{
    uint16_t n = gost_get16(p), i;

    for (i = 0; i + 1 < n; i = (uint16_t)(i + 2))
        add(text, size, gost_get16(p + 2 + i));
}

static void extension(uint32_t type, const uint8_t *p, size_t n)
{
    add(hello.extensions, sizeof hello.extensions, type);
    if (type == 10)
        numbers(hello.groups, sizeof hello.groups, p);
    if (type == 13)
        numbers(hello.signatures, sizeof hello.signatures, p);
    if (type == 16)
        snprintf(hello.alpn, sizeof hello.alpn, "%.*s", (int)(n - 2), (const char *)p + 2);
}

static void take_apart(const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;

    memset(&hello, 0, sizeof hello);
    hello.n = n - 5;
    p += 5 + 4 + 2 + 32; /* record, message, version, random */
    p += 1 + p[0];
    numbers(hello.suites, sizeof hello.suites, p);
    p += 2 + gost_get16(p);
    p += 1 + p[0];
    p += 2;
    while (p + 4 <= end) {
        extension(gost_get16(p), p + 4, gost_get16(p + 2));
        p += 4 + gost_get16(p + 2);
    }
}

/* What a client with that fingerprint says first. 0: there is none. */
static int say_hello(const char *name)
{
    struct gost_prepare p = {
        .size = sizeof p, .role = GOST_CLIENT, .error = error, .error_size = sizeof error};
    const struct tls_print *print;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    BIO *out = BIO_new(BIO_s_mem()), *in = BIO_new(BIO_s_mem());
    const uint8_t *bytes;
    uint8_t alpn[32];
    const char *bad;
    char *data;
    long n;
    SSL *ssl;

    error[0] = 0;
    p.object = "test";
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    if (tls_print_find(name, &print, &p) != GOST_OK || tls_print_apply(print, ctx, &p) != GOST_OK) {
        SSL_CTX_free(ctx);
        BIO_free(in);
        BIO_free(out);
        return 0;
    }
    n = (long)tls_alpn_wire(&tls_print_alpn, alpn, sizeof alpn, &bad);
    SSL_CTX_set_alpn_protos(ctx, alpn, (unsigned)n);
    ssl = SSL_new(ctx);
    SSL_set_bio(ssl, in, out);
    SSL_set_tlsext_host_name(ssl, "a.example");
    (void)SSL_connect(ssl);
    n = BIO_get_mem_data(out, &data);
    bytes = (const uint8_t *)data;
    if (n > 50)
        take_apart(bytes, (size_t)n);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return n > 50;
}

static int same(const char *got, const char *want)
{
    if (strcmp(got, want) == 0)
        return 1;
    printf("# want %s\n# got  %s\n", want, got);
    return 0;
}

static int begins(const char *got, const char *want)
{
    if (strncmp(got, want, strlen(want)) == 0)
        return 1;
    printf("# want %s ...\n# got  %s\n", want, got);
    return 0;
}

static int has(const char *type)
{
    return strstr(hello.extensions, type) != NULL;
}

#define CHROME_SUITES \
    "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f " \
    "0035"
#define CHROME_SIGNATURES "0403 0804 0401 0503 0805 0501 0806 0601"

static void chrome(void)
{
    ok(say_hello("chrome") && begins(hello.suites, CHROME_SUITES), "chrome: suites");
    ok(same(hello.groups, "11ec 001d 0017 0018") || same(hello.groups, "001d 0017 0018"),
       "chrome: groups, with ML-KEM where OpenSSL has it");
    ok(same(hello.signatures, CHROME_SIGNATURES), "chrome: signatures");
    ok(strcmp(hello.alpn, "\x02h2\x08http/1.1") == 0, "chrome: h2 and http/1.1");
    ok(has("0000") && has("0017") && has("000a") && has("000b") && has("0023") && has("0010") &&
           has("0005") && has("000d") && has("0012") && has("0033") && has("002d") && has("002b") &&
           !has("0016"),
       "chrome: extensions");
}

static void others(void)
{
    ok(say_hello("edge") && begins(hello.suites, CHROME_SUITES) &&
           same(hello.groups, "001d 0017 0018") && same(hello.signatures, CHROME_SIGNATURES),
       "edge");
    ok(say_hello("Firefox") &&
           begins(hello.suites, "1301 1303 1302 c02b c02f cca9 cca8 c02c c030 c00a c009 c013 c014 "
                                "009c 009d 002f 0035"),
       "firefox: suites");
    ok(same(hello.groups, "001d 0017 0018 0019 0100 0101") &&
           same(hello.signatures, "0403 0503 0603 0804 0805 0806 0401 0501 0601") && has("0005") &&
           !has("0012"),
       "firefox: groups, signatures, extensions");
    ok(say_hello("ios") &&
           begins(hello.suites, "1301 1302 1303 c02c c02b cca9 c030 c02f cca8 c024 c023 c00a c009 "
                                "c028 c027 c014 c013 009d 009c 003d 003c 0035 002f"),
       "ios: suites");
    ok(same(hello.groups, "001d 0017 0018 0019") && !has("0023"), "ios: groups, no tickets");
    ok(say_hello("safari") &&
           begins(hello.suites, "1301 1302 1303 c02c c02b cca9 c030 c02f cca8 c00a c009 c014 c013 "
                                "009d 009c 0035 002f") &&
           same(hello.groups, "001d 0017 0018 0019") && !has("0023"),
       "safari");
    ok(hello.n >= 512 || has("0015"), "safari: padded");
}

int main(void)
{
    chrome();
    others();
    ok(say_hello(NULL) && say_hello("golang") && say_hello(""), "golang is our own");
    ok(!say_hello("randomized") && strstr(error, "randomized") && strstr(error, "chrome"),
       "what is not there is named");
    return test_end();
}
