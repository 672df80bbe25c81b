/* ssh_conf.c - options, and what is made of them: keys, and lists of keys. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ssh.h"

#define FILE_MAX 1048576u
#define CONF     struct ssh_conf

const struct gost_opt ssh_options[] = {
    GOST_OPT_SECRET(CONF, user, "auth.username", 255, 0, "user name"),
    GOST_OPT_SECRET(CONF, password, "auth.password", 1024, 0,
                    "its password; a server's user without one may give any"),
    GOST_OPT_STRING(CONF, key_file, "privateKeyFile", NULL, 0,
                    "private key, of the user or of the host; ~ is the home directory. A server's "
                    "default: tls.keyFile, else one made for this process"),
    GOST_OPT_SECRET(CONF, passphrase, "passphrase", 1024, 0, "passphrase of privateKeyFile"),
    GOST_OPT_BOOL(CONF, keyring, "passphraseFromKeyring", "false", 0,
                  "not available here: give the passphrase"),
    GOST_OPT_FILE(CONF, authorized_file, "authorizedKeys", GOST_OPT_SERVER | GOST_OPT_WATCH,
                  "public keys that may come in, as in OpenSSH's authorized_keys; their options "
                  "and the user name are not looked at"),
    GOST_OPT_FILE(CONF, cert_file, "tls.certFile", GOST_OPT_SERVER,
                  "without effect: only its key serves, as the host key"),
    GOST_OPT_FILE(CONF, tls_key_file, "tls.keyFile", GOST_OPT_SERVER | GOST_OPT_WATCH,
                  "host key when there is no privateKeyFile"),
    GOST_OPT_STRING(CONF, auther, "auther", NULL, GOST_OPT_SERVER,
                    "not available here: give auth or authorizedKeys"),
    GOST_OPT_LIST(CONF, authers, "authers", NULL, GOST_OPT_SERVER,
                  "not available here: give auth or authorizedKeys"),
    GOST_OPT_STRING(CONF, host_key, "ssh.hostKey", NULL, GOST_OPT_CLIENT,
                    "fingerprint that the server's host key must have, as SHA256:...; else any "
                    "key is taken, as with GOST"),
    GOST_OPT_DURATION(CONF, handshake_ns, "handshakeTimeout", "0", 0, 86400000, GOST_OPT_CLIENT,
                      "longest time for the handshake; 0: the router's"),
    GOST_OPT_BOOL(CONF, keepalive, "ssh.keepalive", "false", GOST_OPT_CLIENT,
                  "ask the server for signs of life; the dialers call it keepalive"),
    GOST_OPT_DURATION(CONF, interval_ns, "ttl ssh.keepalive.interval", "30s", 0, 86400000,
                      GOST_OPT_CLIENT, "time between them; the dialers call it keepalive.interval"),
    GOST_OPT_DURATION(CONF, timeout_ns, "keepalive.timeout ssh.keepalive.timeout", "15s", 0,
                      86400000, GOST_OPT_CLIENT, "how long an answer may take"),
    GOST_OPT_INT(CONF, retries, "keepalive.retries ssh.keepalive.retries", "1", 0, 1000, NULL,
                 GOST_OPT_CLIENT, "answers that may be missing, one after the other"),
    GOST_OPT_LAST,
};

static int refuse(struct gost_prepare *p, int code, const char *fmt, ...) GOST_PRINTF(3, 4);
static int refuse(struct gost_prepare *p, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->error, p->error_size, fmt, ap);
    va_end(ap);
    return code;
}

/* ---- files ---- */

static int read_file(const char *path, struct ssh_out *ret_text, struct gost_prepare *p)
{
    FILE *f = fopen(path, "rbe");
    uint8_t buf[4096];
    int error = errno;
    size_t n;

    if (!f)
        return refuse(p, GOST_EUNSUPPORTED, "cannot read %s: %s", path, strerror(error));
    while ((n = fread(buf, 1, sizeof buf, f)) > 0 && ret_text->n <= FILE_MAX)
        ssh_put(ret_text, buf, n);
    gost_wipe(buf, sizeof buf);
    error = ferror(f);
    fclose(f);
    if (error || ret_text->bad)
        return refuse(p, GOST_EUNSUPPORTED, "%s cannot be read whole", path);
    if (ret_text->n > FILE_MAX)
        return refuse(p, GOST_ETOOBIG, "%s has more than a megabyte: it is no file of keys", path);
    return GOST_OK;
}

static const char *expand(const char *path, char *buf, size_t size)
{
    const char *home = getenv("HOME");

    if (path[0] != '~' || (path[1] && path[1] != '/') || !home)
        return path;
    snprintf(buf, size, "%s%s", home, path + 1);
    return buf;
}

static int load_key(CONF *c, const char *path, struct gost_prepare *p)
{
    struct ssh_out text = {0};
    const char *why = "";
    char pass[1025], full[1024];
    int r;

    path = expand(path, full, sizeof full);
    memcpy(pass, c->passphrase.p ? (const char *)c->passphrase.p : "", c->passphrase.n);
    pass[c->passphrase.n] = 0;
    r = read_file(path, &text, p);
    if (r == GOST_OK) {
        c->key = ssh_read_private(ssh_out_bytes(&text), c->passphrase.n ? pass : NULL, &why);
        if (!c->key)
            r = refuse(p, GOST_EAUTH, "the key file %s cannot be used: %s", path, why);
    }
    gost_wipe(pass, sizeof pass);
    ssh_out_free(&text);
    return r;
}

static int load_authorized(CONF *c, struct gost_prepare *p)
{
    struct ssh_out text = {0};
    int r = read_file(c->authorized_file, &text, p);

    if (r == GOST_OK)
        ssh_read_authorized(ssh_out_bytes(&text), &c->authorized);
    ssh_out_free(&text);
    if (r == GOST_OK && c->authorized.bad)
        return refuse(p, GOST_ENOMEM, "out of memory");
    return r;
}

/* One for all servers of this process, so that a reload changes nothing for who knows it. [main] */
static int made_key(CONF *c, struct gost_prepare *p)
{
    static EVP_PKEY *made;

    if (!made)
        made = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (!made || !EVP_PKEY_up_ref(made))
        return refuse(p, GOST_ENOMEM, "no host key could be made");
    c->key = made;
    return GOST_OK;
}

/* ---- prepare ---- */

static int prepare_server(CONF *c, struct gost_prepare *p)
{
    const char *file = c->key_file ? c->key_file : c->tls_key_file;
    int r = file ? load_key(c, file, p) : made_key(c, p);

    if (r == GOST_OK && (c->auther || c->authers.n))
        r = refuse(p, GOST_EUNSUPPORTED,
                   "auther: this listener does not ask authers. Write auth with username and "
                   "password, or authorizedKeys");
    if (r == GOST_OK && c->authorized_file)
        r = load_authorized(c, p);
    return r;
}

/* A zero is no value to GOST: its default holds. */
static int prepare_client(CONF *c, struct gost_prepare *p)
{
    if (c->interval_ns == 0)
        c->interval_ns = 30 * GOST_S;
    if (c->timeout_ns == 0)
        c->timeout_ns = 15 * GOST_S;
    if (c->retries == 0)
        c->retries = 1;
    if (c->host_key && strncmp(c->host_key, "SHA256:", 7) != 0)
        return refuse(p, GOST_EUNSUPPORTED,
                      "ssh.hostKey %.80s is no fingerprint: write SHA256:... as ssh-keygen -lf "
                      "prints it",
                      c->host_key);
    return c->key_file ? load_key(c, c->key_file, p) : GOST_OK;
}

static int prepare(CONF *c, struct gost_prepare *p)
{
    int r = GOST_OK;

    if (c->keyring)
        r = refuse(p, GOST_EUNSUPPORTED,
                   "passphraseFromKeyring: no keyring is asked here. Write passphrase, or use a "
                   "key without one");
    if (r == GOST_OK)
        r = p->role == GOST_SERVER ? prepare_server(c, p) : prepare_client(c, p);
    if (r != GOST_OK)
        ssh_release(c);
    return r;
}

int ssh_prepare_tunnel(void *conf, struct gost_prepare *p)
{
    return prepare(conf, p);
}

int ssh_prepare_forward(void *conf, struct gost_prepare *p)
{
    ((CONF *)conf)->forwards = 1;
    return prepare(conf, p);
}

void ssh_release(void *conf)
{
    CONF *c = conf;

    EVP_PKEY_free(c->key);
    c->key = NULL;
    ssh_out_free(&c->authorized);
}
