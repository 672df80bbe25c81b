/* ssh_auth_server.c - who may come in: users with a password, owners of authorized keys. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"

#define ATTEMPTS 6u /* as GOST's */

int ssh_auth_start(struct ssh_state *s)
{
    struct ssh_out m = {0};

    s->phase = SSH_PH_AUTH;
    if (s->server) {
        gost_phase(s->io, "the client's user name");
        return GOST_OK;
    }
    ssh_put_u8(&m, SSH_SERVICE_REQUEST);
    ssh_put_text(&m, "ssh-userauth");
    gost_phase(s->io, "the server's service");
    return ssh_send(s, &m);
}

static int is_open(const struct ssh_conf *c)
{
    return c->user.n == 0 && c->password.n == 0 && c->authorized.n == 0 && !c->authorized_file;
}

static int let_in(struct ssh_state *s)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_AUTH_SUCCESS);
    s->phase = SSH_PH_OPEN;
    return ssh_send(s, &m);
}

static int turn_away(struct ssh_state *s, int counts)
{
    const struct ssh_conf *c = s->conf;
    struct ssh_out m = {0};
    int pass = c->user.n || c->password.n, keys = c->authorized_file != NULL;

    s->attempts += counts ? 1 : 0;
    if (s->attempts >= ATTEMPTS)
        return ssh_fail(s, GOST_EAUTH, 2, "too many wrong passwords or keys");
    ssh_put_u8(&m, SSH_AUTH_FAILURE);
    ssh_put_text(&m, pass && keys ? "publickey,password" : keys ? "publickey" : "password");
    ssh_put_u8(&m, 0);
    return ssh_send(s, &m);
}

/* A user without a password may have any, as with GOST. */
static int on_password(struct ssh_state *s, struct gost_bytes user, struct ssh_in *in)
{
    const struct ssh_conf *c = s->conf;
    uint8_t change = ssh_get_u8(in);
    struct gost_bytes given = ssh_get_string(in);
    int good;

    if (in->bad)
        return ssh_fail(s, GOST_EPROTO, 2, "a password that is cut off");
    good = (c->user.n || c->password.n) & gost_equal_ct(user, c->user);
    if (c->password.n)
        good &= gost_equal_ct(given, c->password);
    return good && !change ? let_in(s) : turn_away(s, 1);
}

static int signature_good(struct ssh_state *s, struct gost_bytes user, const char *alg,
                          struct gost_bytes blob, struct gost_bytes sig)
{
    const struct ssh_algorithm *a = ssh_algorithm(gost_bytes_str(alg));
    EVP_PKEY *key = ssh_get_public(blob);
    struct ssh_out o = {0};
    int r = GOST_EAUTH;

    ssh_put_string(&o, gost_bytes(s->session_id, s->session_id_n));
    ssh_put_auth(&o, user, "publickey");
    ssh_put_u8(&o, 1);
    ssh_put_text(&o, alg);
    ssh_put_string(&o, blob);
    if (a && key && !o.bad)
        r = ssh_verify(key, a, sig, ssh_out_bytes(&o));
    ssh_out_free(&o);
    EVP_PKEY_free(key);
    return r == GOST_OK;
}

static int on_key(struct ssh_state *s, struct gost_bytes user, struct ssh_in *in)
{
    uint8_t is_signed = ssh_get_u8(in);
    struct gost_bytes name = ssh_get_string(in), blob = ssh_get_string(in);
    const struct ssh_algorithm *a = ssh_algorithm(name);
    struct gost_bytes sig = is_signed ? ssh_get_string(in) : gost_bytes(NULL, 0);
    struct ssh_out m = {0};

    if (in->bad)
        return ssh_fail(s, GOST_EPROTO, 2, "a public key that is cut off");
    if (!a || !ssh_blob_is(blob, a) ||
        !ssh_is_authorized(ssh_out_bytes(&s->conf->authorized), blob))
        return turn_away(s, 1);
    if (is_signed)
        return signature_good(s, user, a->name, blob, sig) ? let_in(s) : turn_away(s, 1);
    ssh_put_u8(&m, SSH_AUTH_PK_OK);
    ssh_put_string(&m, name);
    ssh_put_string(&m, blob);
    return ssh_send(s, &m);
}

static int on_service(struct ssh_state *s, struct ssh_in *in)
{
    struct ssh_out m = {0};

    if (!ssh_is(ssh_get_string(in), "ssh-userauth"))
        return ssh_fail(s, GOST_EPROTO, 7, "the client asks for a service that we do not have");
    s->service_ok = 1;
    ssh_put_u8(&m, SSH_SERVICE_ACCEPT);
    ssh_put_text(&m, "ssh-userauth");
    return ssh_send(s, &m);
}

int ssh_auth_request(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_in in = ssh_in(payload);
    struct gost_bytes user, service, method;
    uint8_t type = ssh_get_u8(&in);

    if (type == SSH_SERVICE_REQUEST)
        return on_service(s, &in);
    if (type != SSH_AUTH_REQUEST || !s->service_ok)
        return ssh_fail(s, GOST_EPROTO, 2, "message %u before the user is let in", type);
    user = ssh_get_string(&in);
    service = ssh_get_string(&in);
    method = ssh_get_string(&in);
    if (in.bad || !ssh_is(service, "ssh-connection"))
        return ssh_fail(s, GOST_EPROTO, 7, "the client asks for a service that we do not have");
    if (is_open(s->conf))
        return let_in(s);
    if (ssh_is(method, "password") && (s->conf->user.n || s->conf->password.n))
        return on_password(s, user, &in);
    if (ssh_is(method, "publickey") && s->conf->authorized_file)
        return on_key(s, user, &in);
    s->tried++;
    return turn_away(s, !ssh_is(method, "none") || s->tried > 1);
}
