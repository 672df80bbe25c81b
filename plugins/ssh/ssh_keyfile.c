/* ssh_keyfile.c - private keys and lists of authorized keys, as files hold them. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "ssh_bcrypt.h"
#include "ssh_key.h"

#define BEGIN_OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END_OPENSSH   "-----END OPENSSH PRIVATE KEY-----"
#define FILE_MAX      65536u

/* ---- OpenSSH's own form ---- */

/* A key of numbers: all given are owned by nobody afterwards. */
static EVP_PKEY *from_builder(const char *type, OSSL_PARAM_BLD *b)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY *key = NULL;

    if (ctx && params && EVP_PKEY_fromdata_init(ctx) > 0)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *ec_private(const struct ssh_algorithm *a, struct gost_bytes point,
                            struct gost_bytes number)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    BIGNUM *d = BN_secure_new();
    EVP_PKEY *key = NULL;

    if (b && d && BN_bin2bn(number.p, (int)number.n, d) &&
        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, a->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d))
        key = from_builder("EC", b);
    OSSL_PARAM_BLD_free(b);
    BN_clear_free(d);
    return key;
}

static EVP_PKEY *rsa_private(struct gost_bytes n, struct gost_bytes e, struct gost_bytes d)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
    BIGNUM *bd = BN_secure_new();
    EVP_PKEY *key = NULL;

    if (b && bn && be && bd && BN_bin2bn(d.p, (int)d.n, bd) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_D, bd))
        key = from_builder("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn);
    BN_free(be);
    BN_clear_free(bd);
    return key;
}

/* What follows the two check numbers: a key of its type. */
static EVP_PKEY *get_private(struct ssh_in *in)
{
    struct gost_bytes type = ssh_get_string(in), a, b, c;
    const struct ssh_algorithm *alg = ssh_algorithm(type);

    if (ssh_is(type, "ssh-rsa")) {
        a = ssh_get_mpint(in); /* n, e, d */
        b = ssh_get_mpint(in);
        c = ssh_get_mpint(in);
        if (in->bad || a.n < 128 || a.n > 2048 || b.n == 0 || b.n > 8 || c.n > a.n)
            return NULL;
        return rsa_private(a, b, c);
    }
    if (!alg || !ssh_is(type, alg->key))
        return NULL;
    a = ssh_get_string(in);
    b = ssh_get_string(in);
    if (!alg->group)
        return !in->bad && a.n == 32 && b.n == 64
                   ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, b.p, 32)
                   : NULL;
    c = ssh_get_mpint(in);
    if (in->bad || !ssh_is(a, alg->curve) || c.n == 0 || c.n > alg->scalar)
        return NULL;
    return ec_private(alg, b, c);
}

/* Two equal numbers come first: they tell that the passphrase was right. */
static int open_secret(struct gost_bytes secret, EVP_PKEY **ret_key)
{
    struct ssh_in in = ssh_in(secret);
    uint32_t first = ssh_get_u32(&in);

    if (first != ssh_get_u32(&in) || in.bad)
        return GOST_EAUTH;
    *ret_key = get_private(&in);
    return *ret_key ? GOST_OK : GOST_EUNSUPPORTED;
}

static int decipher(const char *cipher, const uint8_t *key, const uint8_t *iv,
                    struct gost_bytes secret, uint8_t *out)
{
    EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, cipher, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, good;

    good = type && ctx && secret.n % 16 == 0 && EVP_DecryptInit_ex2(ctx, type, key, iv, NULL) &&
           EVP_CIPHER_CTX_set_padding(ctx, 0) &&
           EVP_DecryptUpdate(ctx, out, &n, secret.p, (int)secret.n) && (size_t)n == secret.n;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(type);
    return good;
}

/* The key and IV come out of the passphrase. */
static int open_encrypted(struct gost_bytes cipher, struct gost_bytes kdf, struct gost_bytes secret,
                          const char *pass, EVP_PKEY **ret_key)
{
    struct ssh_in in = ssh_in(kdf);
    struct gost_bytes salt = ssh_get_string(&in);
    uint32_t rounds = ssh_get_u32(&in);
    const char *name = ssh_is(cipher, "aes256-ctr")   ? "AES-256-CTR"
                       : ssh_is(cipher, "aes256-cbc") ? "AES-256-CBC"
                                                      : NULL;
    uint8_t key[48], *out;
    int r;

    if (in.bad || !name)
        return GOST_EUNSUPPORTED;
    r = ssh_bcrypt_pbkdf(gost_bytes_str(pass), salt, rounds, key, sizeof key);
    out = r == GOST_OK ? malloc(secret.n + 1) : NULL;
    if (out) {
        r = decipher(name, key, key + 32, secret, out)
                ? open_secret(gost_bytes(out, secret.n), ret_key)
                : GOST_EPROTO;
        gost_wipe(out, secret.n);
    }
    gost_wipe(key, sizeof key);
    free(out);
    return r;
}

/* GOST_OK and the key; GOST_EAUTH: it is encrypted, with another passphrase than this; else it is
 * damaged. */
static int open_openssh(struct gost_bytes blob, const char *pass, EVP_PKEY **ret_key)
{
    static const char magic[] = "openssh-key-v1";
    struct ssh_in in = ssh_in(blob);
    struct gost_bytes cipher, name, kdf, secret;

    if (!gost_bytes_eq(ssh_get_bytes(&in, sizeof magic), gost_bytes(magic, sizeof magic)))
        return GOST_EPROTO;
    cipher = ssh_get_string(&in);
    name = ssh_get_string(&in);
    kdf = ssh_get_string(&in);
    if (ssh_get_u32(&in) != 1)
        return GOST_EUNSUPPORTED;
    (void)ssh_get_string(&in); /* the public key */
    secret = ssh_get_string(&in);
    if (in.bad)
        return GOST_EPROTO;
    if (ssh_is(cipher, "none"))
        return open_secret(secret, ret_key) == GOST_OK ? GOST_OK : GOST_EUNSUPPORTED;
    if (!pass)
        return GOST_EAUTH;
    if (!ssh_is(name, "bcrypt"))
        return GOST_EUNSUPPORTED;
    return open_encrypted(cipher, kdf, secret, pass, ret_key);
}

/* The bytes between the lines that begin and end it. */
static int read_openssh(struct gost_bytes text, const char *pass, EVP_PKEY **ret_key)
{
    const uint8_t *begin = memmem(text.p, text.n, BEGIN_OPENSSH, strlen(BEGIN_OPENSSH));
    const uint8_t *end = memmem(text.p, text.n, END_OPENSSH, strlen(END_OPENSSH));
    uint8_t *blob;
    size_t n;
    int r;

    if (!begin || !end || end < begin)
        return GOST_EPROTO;
    begin += strlen(BEGIN_OPENSSH);
    if (end < begin || !(blob = malloc(text.n)))
        return GOST_EPROTO;
    r = ssh_base64(gost_bytes(begin, (size_t)(end - begin)), blob, text.n, &n);
    if (r == GOST_OK) {
        r = open_openssh(gost_bytes(blob, n), pass, ret_key);
        gost_wipe(blob, n);
    }
    free(blob);
    return r;
}

/* ---- PEM ---- */

/* OpenSSL's own callback would ask on the terminal. */
static int give_pass(char *buf, int size, int writing, void *arg)
{
    const char *pass = arg;
    size_t n = pass ? strlen(pass) : 0;

    if (!pass || n > (size_t)size)
        return -1;
    memcpy(buf, pass, n);
    return (int)n;
}

static EVP_PKEY *read_pem(struct gost_bytes text, const char *pass)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_pass, (void *)pass) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static const char *why_not(int locked, const char *pass)
{
    if (!locked)
        return "it holds no private key of a kind we know (PEM or OpenSSH; RSA of 1024 bits at "
               "least, ECDSA or Ed25519)";
    return pass ? "its passphrase is wrong" : "it is encrypted: give its passphrase";
}

EVP_PKEY *ssh_read_private(struct gost_bytes text, const char *pass, const char **ret_why)
{
    int locked = text.p && memmem(text.p, text.n, "ENCRYPTED", 9) != NULL;
    EVP_PKEY *key = NULL;
    int r = text.n && text.n <= FILE_MAX ? read_openssh(text, pass, &key) : GOST_EUNSUPPORTED;

    if (r == GOST_EPROTO)
        key = read_pem(text, pass);
    ERR_clear_error();
    if (key && !ssh_key_algorithm(key, gost_bytes(NULL, 0))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    if (!key)
        *ret_why = why_not(r == GOST_EAUTH || locked, pass);
    return key;
}

/* ---- authorized_keys ---- */

static int is_type(struct gost_bytes word)
{
    const struct ssh_algorithm *a = ssh_algorithm(word);

    return ssh_is(word, "ssh-rsa") || (a && strcmp(a->name, a->key) == 0);
}

/* The next word of a line; quotes hold blanks together, as in command="a b". */
static struct gost_bytes next_word(struct gost_bytes *line)
{
    struct gost_bytes word;
    int quoted = 0;
    size_t n;

    while (line->n && (*line->p == ' ' || *line->p == '\t')) {
        line->p++;
        line->n--;
    }
    for (n = 0; n < line->n; n++) {
        if (line->p[n] == '\\' && quoted && n + 1 < line->n)
            n++;
        else if (line->p[n] == '"')
            quoted = !quoted;
        else if (!quoted && (line->p[n] == ' ' || line->p[n] == '\t'))
            break;
    }
    word = gost_bytes(line->p, n);
    line->p = n ? line->p + n : line->p;
    line->n -= n;
    return word;
}

static void read_line(struct gost_bytes line, struct ssh_out *keys)
{
    struct gost_bytes word = next_word(&line), type;
    uint8_t blob[8192];
    struct ssh_in in;
    size_t n;

    if (word.n == 0 || word.p[0] == '#')
        return;
    if (!is_type(word)) /* options come first */
        word = next_word(&line);
    type = word;
    if (!is_type(type) || ssh_base64(next_word(&line), blob, sizeof blob, &n) != GOST_OK)
        return;
    in = ssh_in(gost_bytes(blob, n));
    if (gost_bytes_eq(ssh_get_string(&in), type))
        ssh_put_string(keys, gost_bytes(blob, n));
}

void ssh_read_authorized(struct gost_bytes text, struct ssh_out *ret_keys)
{
    size_t i, from = 0;

    for (i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '\n' && text.p[i] != '\r')
            continue;
        if (i > from)
            read_line(gost_bytes(text.p + from, i - from), ret_keys);
        from = i + 1;
    }
}

int ssh_is_authorized(struct gost_bytes keys, struct gost_bytes blob)
{
    struct ssh_in in = ssh_in(keys);

    while (in.n && !in.bad)
        if (gost_bytes_eq(ssh_get_string(&in), blob) && !in.bad)
            return 1;
    return 0;
}
