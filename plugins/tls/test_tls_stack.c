/* test_tls_stack.c - two tls layers on the engine: data, ends, trust, names, failures. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"

#include "test_certs.h"
#include "tls_names.h"

/* "key=" and the path of a test's file. Valid until 64 calls later. */
static const char *file(const char *key, const char *name)
{
    static char text[64][256];
    static int at;
    char *p = text[at++ % 64];

    snprintf(p, sizeof text[0], "%s=%s", key, test_path(name));
    return p;
}

/* ---- moving data ---- */

/* Both ends are past the handshake. */
static int both_ready(const struct link *l)
{
    if (l->client.ready && l->server.ready && !l->client.ready_status && !l->server.ready_status)
        return 1;
    printf("# client %d %s, server %d %s\n", l->client.ready, error_of(&l->client), l->server.ready,
           error_of(&l->server));
    return 0;
}

/* A client that means this target. "": nobody. */
static void open_to(struct link *l, const char *const *client, const char *const *server,
                    const char *target)
{
    l->target = target;
    link_open(l, client, server);
}

static int exchange_with(const char *version, size_t split, size_t bytes, size_t step, int first,
                         int paired)
{
    struct link l = {.split = split, .paired = paired, .timeless = 1};
    char max[64];
    int good;

    snprintf(max, sizeof max, "tls.options.maxVersion=%s", version);
    open_to(&l, W(max), NONE, "server.test:443");
    good = exchange(&l, bytes, bytes + 3, step, first) && both_ready(&l) &&
           strstr(layer_log, version) != NULL;
    link_close(&l);
    return good;
}

static void test_data(void)
{
    static const size_t splits[] = {1, 2, 3, 7, 13, 251, 1021, 4099};
    size_t i;
    int good = 1;

    ok(exchange_with("TLSv1.3", 65521, 8 << 20, 16001, 0, 0), "TLS 1.3, 8 MB both ways");
    ok(exchange_with("TLSv1.2", 65521, 8 << 20, 16001, 0, 0), "TLS 1.2, 8 MB both ways");
    ok(exchange_with("TLSv1.3", 0, 8 << 20, 16384, 0, 1), "TLS 1.3, 8 MB both ways over a pair");
    for (i = 0; i < sizeof splits / sizeof splits[0]; i++)
        good &= exchange_with("TLSv1.3", splits[i], 40000, 997 * i + 1, 0, 0) &
                exchange_with("TLSv1.2", splits[i], 40000, 997 * i + 1, 0, 0);
    ok(good, "both versions, split at odd sizes");
    ok(exchange_with("TLSv1.3", 1021, 300000, 5000, 1, 0),
       "TLS 1.3: the client ends first, the rest comes");
    ok(exchange_with("TLSv1.3", 1021, 300000, 5000, 2, 0),
       "TLS 1.3: the server ends first, the rest comes");
    ok(exchange_with("TLSv1.2", 1021, 300000, 5000, 1, 0),
       "TLS 1.2: the client ends first, the rest comes");
    ok(exchange_with("TLSv1.2", 1021, 300000, 5000, 2, 0),
       "TLS 1.2: the server ends first, the rest comes");
    ok(exchange_with("TLSv1.3", 0, 0, 1, 1, 0), "no data at all");
}

/* ---- ends ---- */

static void test_wire_ends(void)
{
    struct link l = {.split = 0};

    open_to(&l, NONE, NONE, "server.test:443");
    settle(&l);
    say_text(&l.client, "hello");
    settle(&l);
    ok(both_ready(&l) && hears_text(&l.server, "hello"), "a greeting");
    l.cut_from_client = l.client.sent;
    ge_rx_end(l.server.stack, 0);
    settle(&l);
    ok(gost_rx_eof(ge_stack_io(l.server.stack)) && !l.server.flow->status &&
           strstr(layer_log, "without a close_notify"),
       "an end without close_notify is an end, and is noted");
    say_text(&l.server, "still here");
    settle(&l);
    ok(hears_text(&l.client, "still here"), "and the other direction goes on");
    link_close(&l);

    open_to(&l, NONE, NONE, "server.test:443");
    settle(&l);
    l.cut_from_client = l.client.sent + 20;
    say_text(&l.client, "hello, this is cut off in the middle");
    settle(&l);
    ok(l.server.flow->status == GOST_ECLOSED && says(&l.server, "in the middle of a TLS record"),
       "an end within a record is none");
    link_close(&l);

    open_to(&l, NONE, NONE, "server.test:443");
    l.cut_from_client = 40;
    settle(&l);
    ok(l.server.ready && l.server.ready_status == GOST_ECLOSED &&
           says(&l.server, "closed the connection"),
       "an end in the handshake");
    link_close(&l);
}

/* ---- trust ---- */

/* 1: the handshake succeeds and a word comes through. */
static int connects(struct link *l, const char *const *client, const char *const *server,
                    const char *target)
{
    open_to(l, client, server, target);
    say_text(&l->client, "word");
    settle(l);
    return l->server.stack && !l->client.flow->status && !l->server.flow->status && both_ready(l) &&
           hears_text(&l->server, "word");
}

static void test_trust(void)
{
    const char *cert = file("tls.certFile", "server.pem"), *key = file("tls.keyFile", "server.key");
    struct link l = {.split = 100};

    ok(connects(&l, W(file("tls.caFile", "ca.pem"), "tls.secure=true"), W(cert, key),
                "server.test:443"),
       "secure with the right authority and name");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "other.pem"), "tls.secure=true"), W(cert, key),
                 "server.test:443") &&
           l.client.flow->status == GOST_ETLS &&
           says(&l.client, "certificate of server.test is not trusted") &&
           says(&l.client, "tls.caFile is not the authority"),
       "secure with another authority");
    ok(l.server.flow->status == GOST_ETLS && says(&l.server, "the client ended the TLS"),
       "and the server got the alert");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "other.pem")), W(cert, key), "server.test:443") &&
           says(&l.client, "not trusted"),
       "caFile without secure verifies the chain");
    link_close(&l);
    ok(connects(&l, W(file("tls.caFile", "ca.pem")), W(cert, key), "another.test:443"),
       "caFile without secure does not look at the name");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "ca.pem"), "tls.secure=true"), W(cert, key),
                 "another.test:443") &&
           says(&l.client, "certificate of another.test is for server.test, 192.0.2.7"),
       "secure with another name");
    link_close(&l);
    ok(connects(&l,
                W(file("tls.caFile", "ca.pem"), "tls.secure=true", "tls.serverName=server.test"),
                W(cert, key), "another.test:443"),
       "secure with serverName");
    link_close(&l);
    ok(connects(&l, W(file("tls.caFile", "ca.pem"), "tls.secure=true"), W(cert, key),
                "192.0.2.7:443") &&
           strcmp(l.server.flow->server_name ? l.server.flow->server_name : "", "") == 0,
       "secure with an IP address in the certificate, and no SNI for it");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "ca.pem"), "tls.secure=true"), W(cert, key),
                 "192.0.2.8:443") &&
           says(&l.client, "is for server.test, 192.0.2.7"),
       "secure with another IP address");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "ca.pem"), "tls.secure=true"), W(cert, key), "") &&
           says(&l.client, "tls.serverName"),
       "secure without any name");
    link_close(&l);
    ok(!connects(&l, W("tls.secure=true"), NONE, "gost.run:443") &&
           says(&l.client, "self-signed") && says(&l.client, "secure=false"),
       "secure against a generated certificate says what to do");
    link_close(&l);
    ok(!connects(&l, W(file("tls.caFile", "ca.pem")),
                 W(file("tls.certFile", "old.pem"), file("tls.keyFile", "old.key")),
                 "old.test:443") &&
           says(&l.client, "has expired on"),
       "an expired certificate");
    link_close(&l);
    ok(connects(&l, NONE, W(file("tls.certFile", "old.pem"), file("tls.keyFile", "old.key")),
                "old.test:443"),
       "which nobody minds without secure and caFile");
    link_close(&l);
}

static void test_client_certificates(void)
{
    const char *cert = file("tls.certFile", "server.pem"), *key = file("tls.keyFile", "server.key");
    const char *ca = file("tls.caFile", "ca.pem");
    static const char *const versions[] = {"tls.options.maxVersion=VersionTLS13",
                                           "tls.options.maxVersion=VersionTLS12"};
    struct link l = {.split = 100};
    int i, with = 1, without = 1, wrong = 1;

    for (i = 0; i < 2; i++) {
        with &= connects(
            &l,
            W(file("tls.certFile", "client.pem"), file("tls.keyFile", "client.key"), versions[i]),
            W(cert, key, ca), "server.test:443");
        link_close(&l);
        without &= !connects(&l, W(versions[i]), W(cert, key, ca), "server.test:443") &&
                   says(&l.server, "it showed no certificate, and tls.caFile asks for one") &&
                   says(&l.client, "it wants a client certificate") &&
                   l.client.flow->status == GOST_ETLS;
        link_close(&l);
        wrong &= !connects(&l,
                           W(file("tls.certFile", "other.pem"), file("tls.keyFile", "other.key"),
                             versions[i]),
                           W(cert, key, ca), "server.test:443") &&
                 says(&l.server, "certificate of the client is not trusted") &&
                 says(&l.server, "(CN=other)") && says(&l.client, "client certificate");
        link_close(&l);
    }
    ok(with, "a client certificate of the authority");
    ok(without, "none, where one is required");
    ok(wrong, "one of another authority");
}

static void test_pins(void)
{
    const char *cert = file("tls.certFile", "server.pem"), *key = file("tls.keyFile", "server.key");
    static const char wrong[] = "tls.pin=sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    char pin[TLS_PIN_TEXT], words[200];
    uint8_t digest[TLS_PIN_SIZE];
    unsigned char *der = NULL;
    struct link l = {.split = 100};
    X509 *x = NULL;
    FILE *f = fopen(test_path("server.pem"), "r");
    int n;

    if (!f || !(x = PEM_read_X509(f, NULL, NULL, NULL)) || fclose(f))
        abort();
    ok(!connects(&l, W(wrong), W(cert, key), "server.test:443") &&
           says(&l.client, "certificate of server.test is none of tls.pin") &&
           says(&l.client, "sha256/"),
       "a wrong pin");
    link_close(&l);
    n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    tls_pin_format(digest, pin);
    snprintf(words, sizeof words, "%s,%s", wrong, pin);
    ok(connects(&l, W(words), W(cert, key), "server.test:443"),
       "the right public key among two pins");
    link_close(&l);
    X509_digest(x, EVP_sha256(), digest, NULL);
    tls_pin_format(digest, pin);
    snprintf(words, sizeof words, "tls.pin=%s", pin);
    ok(connects(&l, W(words), W(cert, key), "server.test:443"), "the right certificate");
    link_close(&l);
    ok(!connects(&l, W(words, "tls.secure=true", file("tls.caFile", "other.pem")), W(cert, key),
                 "server.test:443") &&
           says(&l.client, "not trusted"),
       "a pin does not replace what secure asks for");
    link_close(&l);
    X509_free(x);
}

/* ---- names and protocols ---- */

static void test_server_names(void)
{
    const char *ca = file("tls.caFile", "ca.pem"), *secure = "tls.secure=true";
    struct link l = {.split = 1000};
    char certs[1024];
    const char *const *server;
    int good;

    snprintf(certs, sizeof certs, "certs=%s %s,%s %s,%s %s", test_path("wild.pem"),
             test_path("wild.key"), test_path("server.pem"), test_path("server.key"),
             test_path("rsa.pem"), test_path("rsa.key"));
    server = W(certs);
    good = connects(&l, W(ca, secure), server, "server.test:443");
    link_close(&l);
    good &= connects(&l, W(ca, secure), server, "any.wild.test:443");
    link_close(&l);
    good &= connects(&l, W(ca, secure), server, "exact.wild.test:443") &&
            strstr(layer_log, "TLSv1.3") != NULL;
    link_close(&l);
    ok(good, "the certificate with the name asked for, of several");
    good =
        connects(&l, W(ca, secure, "tls.options.maxVersion=1.2"), server, "exact.wild.test:443") &&
        strstr(layer_log, "ECDHE-RSA-") != NULL;
    ok(good, "an exact name before a wildcard");
    link_close(&l);
    ok(!connects(&l, W(ca, secure), server, "no.such.test:443") &&
           says(&l.client, "is for *.wild.test"),
       "the first one for an unknown name");
    link_close(&l);
    server = W("tls.rejectUnknownSNI=true", "tls.serverNames=one.test,*.two.test");
    good = connects(&l, NONE, server, "ONE.test:443");
    link_close(&l);
    good &= connects(&l, NONE, server, "a.two.test:443") &&
            strcmp(l.server.flow->server_name, "a.two.test") == 0;
    link_close(&l);
    ok(good, "rejectUnknownSNI lets listed names pass");
    ok(!connects(&l, NONE, server, "three.test:443") && says(&l.server, "\"three.test\"") &&
           says(&l.client, "it does not serve this name"),
       "and no others");
    link_close(&l);
    ok(!connects(&l, NONE, W("tls.rejectUnknownSNI=true"), "192.0.2.7:443") &&
           says(&l.server, "named no server"),
       "nor clients without a name");
    link_close(&l);
}

static void test_protocols(void)
{
    struct link l = {.split = 1000};

    ok(connects(&l, W("tls.options.alpn=http/1.1,h2"), W("tls.options.alpn=h2,http/1.1"),
                "a.test:443") &&
           strcmp(l.client.flow->alpn, "h2") == 0 && strcmp(l.server.flow->alpn, "h2") == 0,
       "ALPN by the server's order");
    link_close(&l);
    ok(connects(&l, W("tls.options.alpn=h2"), NONE, "a.test:443") && !l.client.flow->alpn,
       "a server without a list ignores ALPN");
    link_close(&l);
    ok(!connects(&l, W("tls.options.alpn=x"), W("tls.options.alpn=h2"), "a.test:443") &&
           says(&l.server, "offers no protocol") && says(&l.client, "tls.options.alpn"),
       "no protocol in common");
    link_close(&l);
    ok(connects(&l, W("tls.options.maxVersion=VersionTLS12"),
                W("tls.options.cipherSuites=tls_ecdhe_ecdsa_with_aes_256_gcm_sha384"),
                "a.test:443") &&
           strstr(layer_log, "ECDHE-ECDSA-AES256-GCM-SHA384"),
       "a named cipher suite");
    link_close(&l);
    ok(!connects(&l, W("tls.options.maxVersion=VersionTLS12"),
                 W("tls.options.minVersion=VersionTLS13"), "a.test:443") &&
           says(&l.server, "minVersion") && says(&l.client, "maxVersion"),
       "no version in common");
    link_close(&l);
    ok(connects(&l, W("tls.options.minVersion=VersionTLS10", "tls.options.maxVersion=VersionTLS11"),
                W("tls.options.minVersion=VersionTLS10"), "a.test:443") &&
           strstr(layer_log, "TLSv1.1"),
       "an old version, when both ask for it");
    link_close(&l);
}

/* ---- wrong peers and late ones ---- */

static void test_wrong_peers(void)
{
    struct link l = {.split = 5};

    open_to(&l, NULL, NONE, "");
    say_text(&l.client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    settle(&l);
    ok(l.server.flow->status == GOST_ETLS && says(&l.server, "plain HTTP to a TLS port"),
       "plain HTTP at a server");
    link_close(&l);
    open_to(&l, NONE, NULL, "a.test:443");
    settle(&l);
    say_text(&l.server, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    settle(&l);
    ok(l.client.flow->status == GOST_ETLS && says(&l.client, "TLS handshake with a.test failed") &&
           says(&l.client, "is not TLS"),
       "another protocol at a client");
    link_close(&l);
    open_to(&l, W("handshakeTimeout=5s"), NULL, "a.test:443");
    settle(&l);
    pass(&l, 6 * GOST_S);
    ok(l.client.flow->status == GOST_ETIMEDOUT &&
           says(&l.client, "longer than handshakeTimeout (5000 ms)"),
       "a server that says nothing");
    link_close(&l);
    ok(connects(&l, W("handshakeTimeout=5s"), NONE, "a.test:443"),
       "handshakeTimeout and a quick server");
    pass(&l, 6 * GOST_S);
    ok(!l.client.flow->status, "and later it means nothing");
    link_close(&l);
}

/* ---- refused configurations ---- */

static int refused(uint32_t role, const char *const *words, const char *why)
{
    struct ge_conf *conf = layer_conf(role, words, NULL);

    if (!conf && strstr(layer_refused, why))
        return 1;
    printf("# %s\n", conf ? "accepted" : layer_refused);
    ge_conf_free(conf);
    return 0;
}

static void test_refused(void)
{
    const char *cert = file("tls.certFile", "server.pem"), *key = file("tls.keyFile", "server.key");

    ok(refused(GOST_SERVER, W(cert), "tls.keyFile"), "a certificate without its key");
    ok(refused(GOST_SERVER, W(file("tls.caFile", "ca.pem")), "add tls.certFile"),
       "a server's caFile alone");
    ok(refused(GOST_SERVER, W(cert, key, file("tls.caFile", "ca.key")), "no certificate authority"),
       "a caFile without a certificate");
    ok(refused(GOST_CLIENT, W(file("tls.caFile", "ca.key")), "no certificate authority"),
       "a client's likewise");
    ok(refused(GOST_SERVER, W("tls.options.minVersion=VersionTLS9"), "VersionTLS12"),
       "an unknown version");
    ok(refused(GOST_SERVER,
               W("tls.options.minVersion=VersionTLS13", "tls.options.maxVersion=VersionTLS12"),
               "is above"),
       "versions the wrong way round");
    ok(refused(GOST_SERVER, W("tls.options.cipherSuites=TLS_NO_SUCH"), "\"TLS_NO_SUCH\""),
       "an unknown suite");
    ok(refused(GOST_SERVER, W("tls.options.cipherSuites=TLS_RSA_WITH_RC4_128_SHA"), "leave it out"),
       "a suite that OpenSSL no longer has");
    ok(refused(GOST_CLIENT, W("tls.pin=sha256/abc"), "is no pin"), "a malformed pin");
    ok(refused(GOST_SERVER, W("certs=only-one.pem"), "two paths"), "a certs entry without a key");
}

int main(void)
{
    struct test_cert ca, other, all[5];
    int i;

    layer_begin();
    if (gost_plugin_v1.init() != GOST_OK)
        return 1;
    make_test_dir();
    ca = make_cert("ca", NULL, NULL, 30, 0);
    other = make_cert("other", NULL, NULL, 30, 0);
    all[0] = make_cert("server", "DNS:server.test,IP:192.0.2.7", &ca, 30, 0);
    all[1] = make_cert("client", "DNS:client.test", &ca, 30, 0);
    all[2] = make_cert("wild", "DNS:*.wild.test", &ca, 30, 0);
    all[3] = make_cert("rsa", "DNS:exact.wild.test", &ca, 30, 1);
    all[4] = make_cert("old", "DNS:old.test", &ca, 0, 0);
    test_data();
    ok(stays_bounded(NONE, NONE), "a reader that stops stops the writer");
    test_wire_ends();
    test_trust();
    test_client_certificates();
    test_pins();
    test_server_names();
    test_protocols();
    test_wrong_peers();
    test_refused();
    for (i = 0; i < 5; i++)
        free_cert(&all[i]);
    free_cert(&ca);
    free_cert(&other);
    return layer_finish();
}
