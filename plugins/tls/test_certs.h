/* test_certs.h - for tests: certificates in files: an authority and what it signs. */
/* SPDX-License-Identifier: MIT */
#ifndef TLS_TEST_CERTS_H
#define TLS_TEST_CERTS_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../../sdk/testkit/test_tap.h"

/* ---- files of a directory that is removed at the end ---- */

static char test_dir[64];
static char test_files[64][128];
static int n_test_files;

static void remove_test_dir(void)
{
    while (n_test_files > 0)
        unlink(test_files[--n_test_files]);
    rmdir(test_dir);
}

static void make_test_dir(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(test_dir, sizeof test_dir, "%.40s/tls.XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(test_dir)) {
        perror("mkdtemp");
        exit(1);
    }
    atexit(remove_test_dir);
}

/* Its path: valid until the end. */
static const char *test_path(const char *name)
{
    char *path;
    int i;

    for (i = 0; i < n_test_files; i++)
        if (strcmp(strrchr(test_files[i], '/') + 1, name) == 0)
            return test_files[i];
    if (n_test_files == 64)
        abort();
    path = test_files[n_test_files++];
    snprintf(path, sizeof test_files[0], "%s/%.60s", test_dir, name);
    return path;
}

/* ---- certificates ---- */

struct test_cert {
    X509 *x;
    EVP_PKEY *key;
};

static void add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX v3;

    X509V3_set_ctx(&v3, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
    if (!e || !X509_add_ext(x, e, -1))
        abort();
    X509_EXTENSION_free(e);
}

/* "name.pem" and "name.key" are written. ca NULL: it is an authority and signs itself. san: as
 * OpenSSL writes it. days: how long from a day ago. */
static struct test_cert make_cert(const char *name, const char *san, const struct test_cert *ca,
                                  int days, int rsa)
{
    struct test_cert c = {X509_new(), rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")};
    char file[80];
    FILE *f;
    static int serial = 1000;

    X509_set_version(c.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c.x), serial++);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(c.x), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c.x, X509_get_subject_name(ca ? ca->x : c.x));
    X509_time_adj_ex(X509_getm_notBefore(c.x), -1, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(c.x), days - 1, 0, NULL);
    X509_set_pubkey(c.x, c.key);
    add_ext(c.x, ca ? ca->x : c.x, NID_basic_constraints, ca ? "CA:FALSE" : "critical,CA:TRUE");
    if (san)
        add_ext(c.x, ca ? ca->x : c.x, NID_subject_alt_name, san);
    X509_sign(c.x, ca ? ca->key : c.key, EVP_sha256());
    snprintf(file, sizeof file, "%s.pem", name);
    f = fopen(test_path(file), "w");
    if (!f || PEM_write_X509(f, c.x) != 1 || fclose(f) != 0)
        abort();
    snprintf(file, sizeof file, "%s.key", name);
    f = fopen(test_path(file), "w");
    if (!f || PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL) != 1 || fclose(f) != 0)
        abort();
    return c;
}

static void free_cert(struct test_cert *c)
{
    X509_free(c->x);
    EVP_PKEY_free(c->key);
}

#endif
