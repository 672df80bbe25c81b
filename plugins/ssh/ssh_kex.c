/* ssh_kex.c - key exchange: what both ends offer, what they choose, new keys. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <openssl/err.h>

#include "ssh_kex.h"

#define KEX_NAMES    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256"
#define EXTRA_CLIENT ",ext-info-c,kex-strict-c-v00@openssh.com"
#define EXTRA_SERVER ",kex-strict-s-v00@openssh.com"
#define LISTS        10

/* ---- KEXINIT ---- */

static void put_host_keys(const struct ssh_state *s, struct ssh_out *o)
{
    struct ssh_out names = {0};
    size_t i;

    if (s->server)
        ssh_put_key_names(&names, s->conf->key);
    for (i = 0; !s->server && i < ssh_n_algorithms; i++) {
        ssh_put(&names, ",", i ? 1 : 0);
        ssh_put(&names, ssh_algorithms[i].name, strlen(ssh_algorithms[i].name));
    }
    o->bad |= names.bad;
    ssh_put_string(o, ssh_out_bytes(&names));
    ssh_out_free(&names);
}

static void put_kexinit(const struct ssh_state *s, struct ssh_out *o)
{
    uint8_t cookie[16];

    gost_random(cookie, sizeof cookie);
    ssh_put_u8(o, SSH_KEXINIT);
    ssh_put(o, cookie, sizeof cookie);
    ssh_put_text(o, s->server ? KEX_NAMES EXTRA_SERVER : KEX_NAMES EXTRA_CLIENT);
    put_host_keys(s, o);
    ssh_put_text(o, ssh_cipher_names);
    ssh_put_text(o, ssh_cipher_names);
    ssh_put_text(o, ssh_mac_names);
    ssh_put_text(o, ssh_mac_names);
    ssh_put_text(o, "none");
    ssh_put_text(o, "none");
    ssh_put_text(o, "");
    ssh_put_text(o, "");
    ssh_put_u8(o, 0);
    ssh_put_u32(o, 0);
}

int ssh_kex_start(struct ssh_state *s)
{
    struct ssh_out copy = {0};
    int r;

    if (!s->kex && !(s->kex = calloc(1, sizeof *s->kex)))
        return gost_fail(s->io, GOST_ENOMEM, "out of memory");
    put_kexinit(s, &s->kex->mine);
    ssh_put(&copy, s->kex->mine.p, s->kex->mine.n);
    copy.bad |= s->kex->mine.bad;
    r = ssh_send(s, &copy);
    s->kex->sent = s->sending_held = 1;
    return r;
}

void ssh_kex_free(struct ssh_state *s)
{
    struct ssh_kex *k = s->kex;

    if (!k)
        return;
    ssh_out_free(&k->mine);
    ssh_out_free(&k->theirs);
    ssh_out_free(&k->public);
    EVP_PKEY_free(k->pair);
    gost_wipe(k, sizeof *k);
    free(k);
    s->kex = NULL;
}

/* ---- the choice ---- */

struct lists {
    struct gost_bytes v[LISTS];
    uint8_t follows;
    int bad;
};

static struct lists read_lists(const struct ssh_out *kexinit)
{
    struct ssh_in in = ssh_in(ssh_out_bytes(kexinit));
    struct lists l;
    int i;

    (void)ssh_get_bytes(&in, 17);
    for (i = 0; i < LISTS; i++)
        l.v[i] = ssh_get_string(&in);
    l.follows = ssh_get_u8(&in);
    (void)ssh_get_u32(&in);
    l.bad = in.bad;
    return l;
}

static struct gost_bytes first_of(struct gost_bytes list)
{
    const uint8_t *comma = list.n ? memchr(list.p, ',', list.n) : NULL;

    return gost_bytes(list.p, comma ? (size_t)(comma - list.p) : list.n);
}

/* The client's first that the server has. Empty: none. */
static struct gost_bytes choose(struct gost_bytes client, struct gost_bytes server)
{
    while (client.n) {
        struct gost_bytes word = first_of(client);
        char name[64];

        if (word.n && word.n < sizeof name) {
            memcpy(name, word.p, word.n);
            name[word.n] = 0;
            if (!memchr(name, 0, word.n) && ssh_has_name(server, name))
                return word;
        }
        client.p += word.n;
        client.n -= word.n;
        if (client.n) {
            client.p++;
            client.n--;
        }
    }
    return gost_bytes(NULL, 0);
}

static int is_gcm(struct gost_bytes cipher)
{
    return ssh_is(cipher, "aes128-gcm@openssh.com") || ssh_is(cipher, "aes256-gcm@openssh.com");
}

static int negotiate(struct ssh_state *s)
{
    struct lists mine = read_lists(&s->kex->mine), theirs = read_lists(&s->kex->theirs);
    const struct lists *c = s->server ? &theirs : &mine, *v = s->server ? &mine : &theirs;
    static const char *const what[] = {
        "key exchanges", "kinds of host key", "ciphers",     "ciphers", "MACs",
        "MACs",          "compressions",      "compressions"};
    struct ssh_choice *h = &s->kex->choice;
    struct gost_bytes got[8];
    int i;

    if (theirs.bad)
        return ssh_fail(s, GOST_EPROTO, 2, "the peer's KEXINIT is cut off");
    for (i = 0; i < 8; i++) {
        got[i] = choose(c->v[i], v->v[i]);
        if (got[i].n == 0 && !((i == 4 || i == 5) && is_gcm(got[i - 2])))
            return ssh_fail(s, GOST_EPROTO, 3, "the peer has none of our %s; it offers %.*s",
                            what[i], (int)(theirs.v[i].n < 150 ? theirs.v[i].n : 150),
                            theirs.v[i].n ? (const char *)theirs.v[i].p : "");
    }
    h->kex = got[0];
    h->host_key = got[1];
    h->cipher_in = got[s->server ? 2 : 3];
    h->cipher_out = got[s->server ? 3 : 2];
    h->mac_in = got[s->server ? 4 : 5];
    h->mac_out = got[s->server ? 5 : 4];
    s->kex->skip_guess =
        theirs.follows && (!gost_bytes_eq(first_of(theirs.v[0]), first_of(mine.v[0])) ||
                           !gost_bytes_eq(first_of(theirs.v[1]), first_of(mine.v[1])));
    if (!s->keyed)
        s->strict = ssh_has_name(theirs.v[0], s->server ? "kex-strict-c-v00@openssh.com"
                                                        : "kex-strict-s-v00@openssh.com") != 0;
    return GOST_OK;
}

/* The names of a choice must be its own: words like "ext-info-c" are no key exchange. */
static int sensible(const struct ssh_choice *h)
{
    return ssh_is(h->kex, "curve25519-sha256") || ssh_is(h->kex, "ecdh-sha2-nistp256") ||
           ssh_is(h->kex, "curve25519-sha256@libssh.org");
}

static int on_kexinit(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_out m = {0};
    int r = GOST_OK;

    if (s->kex && s->kex->got)
        return ssh_fail(s, GOST_EPROTO, 2, "the peer begins a key exchange within another");
    if (!s->kex || !s->kex->sent)
        r = ssh_kex_start(s);
    if (r != GOST_OK)
        return r;
    s->kex->got = s->kex_got = 1;
    ssh_put(&s->kex->theirs, payload.p, payload.n);
    r = s->kex->theirs.bad ? gost_fail(s->io, GOST_ENOMEM, "out of memory") : negotiate(s);
    if (r != GOST_OK)
        return r;
    if (!sensible(&s->kex->choice))
        return ssh_fail(s, GOST_EPROTO, 3, "the peer offers no key exchange of ours");
    if (s->strict && !s->keyed && s->in.seq != 1)
        return ssh_fail(s, GOST_EPROTO, 2, "the peer's first message is not its KEXINIT");
    if (ssh_kex_pair(s->kex) != GOST_OK)
        return gost_fail(s->io, GOST_ENOMEM, "out of memory");
    if (s->server)
        return GOST_OK;
    ssh_put_u8(&m, SSH_ECDH_INIT);
    ssh_put_string(&m, ssh_out_bytes(&s->kex->public));
    return ssh_send(s, &m);
}

/* ---- the exchange ---- */

/* RFC 8308: without it clients do not sign with RSA and SHA-2. */
static int send_ext_info(struct ssh_state *s)
{
    struct ssh_out m = {0}, names = {0};
    size_t i;

    for (i = 0; i < ssh_n_algorithms; i++) {
        ssh_put(&names, ",", i ? 1 : 0);
        ssh_put(&names, ssh_algorithms[i].name, strlen(ssh_algorithms[i].name));
    }
    ssh_put_u8(&m, SSH_EXT_INFO);
    ssh_put_u32(&m, 1);
    ssh_put_text(&m, "server-sig-algs");
    ssh_put_string(&m, ssh_out_bytes(&names));
    ssh_out_free(&names);
    return ssh_send(s, &m);
}

/* Our NEWKEYS; from here on our direction has the new keys. */
static int switch_out(struct ssh_state *s, const struct ssh_derived *d)
{
    struct ssh_kex *k = s->kex;
    struct lists theirs = read_lists(&k->theirs);
    struct ssh_out m = {0};
    int r;

    ssh_put_u8(&m, SSH_NEWKEYS);
    r = ssh_send(s, &m);
    if (r != GOST_OK)
        return r;
    if (ssh_dir_set(&s->out, k->choice.cipher_out, k->choice.mac_out, &d->out, 1) != GOST_OK)
        return gost_fail(s->io, GOST_ENOMEM, "the cipher could not be set up");
    if (s->strict)
        s->out.seq = 0;
    k->in = d->in;
    k->replied = 1;
    s->sending_held = 0;
    if (s->server && !s->keyed && ssh_has_name(theirs.v[0], "ext-info-c"))
        r = send_ext_info(s);
    return r == GOST_OK ? ssh_send_held(s) : r;
}

static int on_init(struct ssh_state *s, struct ssh_in *in)
{
    struct gost_bytes half = ssh_get_string(in);
    const struct ssh_algorithm *a = ssh_algorithm(s->kex->choice.host_key);
    struct ssh_out host = {0}, m = {0};
    struct ssh_derived d;
    int r;

    if (in->bad || !a || ssh_put_public(&host, s->conf->key) != GOST_OK ||
        ssh_kex_derive(s, ssh_out_bytes(&host), half, &d) != GOST_OK) {
        ssh_out_free(&host);
        return ssh_fail(s, GOST_EPROTO, 3, "the client's half of the key exchange is no good");
    }
    ssh_put_u8(&m, SSH_ECDH_REPLY);
    ssh_put_string(&m, ssh_out_bytes(&host));
    ssh_put_string(&m, ssh_out_bytes(&s->kex->public));
    r = ssh_sign(&m, s->conf->key, a, gost_bytes(d.hash.h, sizeof d.hash.h));
    r = r == GOST_OK ? ssh_send(s, &m) : gost_fail(s->io, r, "the host key does not sign");
    if (r == GOST_OK)
        r = switch_out(s, &d);
    gost_wipe(&d, sizeof d);
    ssh_out_free(&m);
    ssh_out_free(&host);
    return r;
}

/* GOST asks for no particular key; with hostKey the server must have that one. */
static int check_host(struct ssh_state *s, struct gost_bytes host, struct gost_bytes sig,
                      const uint8_t *hash)
{
    const struct ssh_algorithm *a = ssh_algorithm(s->kex->choice.host_key);
    EVP_PKEY *key = a && ssh_blob_is(host, a) ? ssh_get_public(host) : NULL;
    int r = key ? ssh_verify(key, a, sig, gost_bytes(hash, 32)) : GOST_EAUTH;
    char print[SSH_FINGERPRINT];

    EVP_PKEY_free(key);
    ssh_fingerprint(host, print);
    if (r != GOST_OK)
        return ssh_fail(s, GOST_EPROTO, 3, "the server does not have the host key it shows (%s)",
                        print);
    if (s->conf->host_key && strcmp(s->conf->host_key, print) != 0)
        return ssh_fail(s, GOST_EAUTH, 9,
                        "the server's host key is %s, hostKey says %s: it is another server, or "
                        "its key changed",
                        print, s->conf->host_key);
    if (!s->keyed)
        gost_log(s->io, GOST_LOG_DEBUG, "the server's host key is %s", print);
    return GOST_OK;
}

static int on_reply(struct ssh_state *s, struct ssh_in *in)
{
    struct gost_bytes host = ssh_get_string(in), half = ssh_get_string(in);
    struct gost_bytes sig = ssh_get_string(in);
    struct ssh_derived d;
    int r;

    if (in->bad || ssh_kex_derive(s, host, half, &d) != GOST_OK)
        return ssh_fail(s, GOST_EPROTO, 3, "the server's half of the key exchange is no good");
    r = check_host(s, host, sig, d.hash.h);
    if (r == GOST_OK)
        r = switch_out(s, &d);
    gost_wipe(&d, sizeof d);
    return r;
}

static int on_newkeys(struct ssh_state *s)
{
    struct ssh_kex *k = s->kex;
    int first = !s->keyed;

    if (!k || !k->replied)
        return ssh_fail(s, GOST_EPROTO, 2, "the peer has new keys without a key exchange");
    if (ssh_dir_set(&s->in, k->choice.cipher_in, k->choice.mac_in, &k->in, 0) != GOST_OK)
        return gost_fail(s->io, GOST_ENOMEM, "the cipher could not be set up");
    if (s->strict)
        s->in.seq = 0;
    s->keyed = 1;
    s->kex_got = 0;
    ssh_kex_free(s);
    return first ? ssh_auth_start(s) : GOST_OK;
}

int ssh_kex_message(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_in in = ssh_in(payload);
    uint8_t type = ssh_get_u8(&in);

    if (type == SSH_KEXINIT)
        return on_kexinit(s, payload);
    if (type == SSH_NEWKEYS)
        return on_newkeys(s);
    if (!s->kex || !s->kex->got || s->kex->replied)
        return ssh_fail(s, GOST_EPROTO, 2, "message %u outside of a key exchange", type);
    if (s->kex->skip_guess) {
        s->kex->skip_guess = 0;
        return GOST_OK;
    }
    if (type == SSH_ECDH_INIT && s->server)
        return on_init(s, &in);
    if (type == SSH_ECDH_REPLY && !s->server)
        return on_reply(s, &in);
    return ssh_fail(s, GOST_EPROTO, 2, "message %u in a key exchange", type);
}
