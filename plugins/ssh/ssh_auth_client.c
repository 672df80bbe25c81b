/* ssh_auth_client.c - what we say to a server about who we are: none, password, public key. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"

enum { NONE = 1, PASSWORD = 2, PUBLICKEY = 4 };

void ssh_put_auth(struct ssh_out *o, struct gost_bytes user, const char *method)
{
    ssh_put_u8(o, SSH_AUTH_REQUEST);
    ssh_put_string(o, user);
    ssh_put_text(o, "ssh-connection");
    ssh_put_text(o, method);
}

static int try_none(struct ssh_state *s)
{
    struct ssh_out m = {0};

    s->tried |= NONE;
    ssh_put_auth(&m, s->conf->user, "none");
    gost_phase(s->io, "the server's answer to the user name");
    return ssh_send(s, &m);
}

static int try_password(struct ssh_state *s)
{
    struct ssh_out m = {0};

    s->tried |= PASSWORD;
    ssh_put_auth(&m, s->conf->user, "password");
    ssh_put_u8(&m, 0);
    ssh_put_string(&m, s->conf->password);
    gost_phase(s->io, "the server's answer to the password");
    return ssh_send(s, &m);
}

static int try_key(struct ssh_state *s)
{
    const struct ssh_algorithm *a = ssh_key_algorithm(s->conf->key, ssh_out_bytes(&s->sig_algs));
    struct ssh_out m = {0}, blob = {0}, signed_ = {0};
    int r;

    s->tried |= PUBLICKEY;
    if (!a || ssh_put_public(&blob, s->conf->key) != GOST_OK) {
        ssh_out_free(&blob);
        return ssh_fail(s, GOST_EAUTH, 14,
                        "the server takes no signatures of the kind of privateKeyFile");
    }
    ssh_put_auth(&m, s->conf->user, "publickey");
    ssh_put_u8(&m, 1);
    ssh_put_text(&m, a->name);
    ssh_put_string(&m, ssh_out_bytes(&blob));
    ssh_put_string(&signed_, gost_bytes(s->session_id, s->session_id_n));
    ssh_put(&signed_, m.p, m.n);
    r = signed_.bad ? GOST_ENOMEM : ssh_sign(&m, s->conf->key, a, ssh_out_bytes(&signed_));
    ssh_out_free(&signed_);
    ssh_out_free(&blob);
    if (r != GOST_OK) {
        ssh_out_free(&m);
        return gost_fail(s->io, r, "privateKeyFile does not sign");
    }
    gost_phase(s->io, "the server's answer to the public key");
    return ssh_send(s, &m);
}

static int on_failure(struct ssh_state *s, struct ssh_in *in)
{
    struct gost_bytes methods = ssh_get_string(in);

    if (s->conf->password.n && !(s->tried & PASSWORD) && ssh_has_name(methods, "password"))
        return try_password(s);
    if (s->conf->key && !(s->tried & PUBLICKEY) && ssh_has_name(methods, "publickey"))
        return try_key(s);
    return ssh_fail(s, GOST_EAUTH, 14, "the server does not let the user in with %s; it takes %.*s",
                    s->tried & PUBLICKEY  ? "that key or password"
                    : s->tried & PASSWORD ? "that password"
                                          : "what the dialer was given",
                    (int)(methods.n < 100 ? methods.n : 100),
                    methods.n ? (const char *)methods.p : "nothing");
}

static int on_success(struct ssh_state *s)
{
    s->phase = SSH_PH_OPEN;
    return GOST_OK;
}

int ssh_auth_reply(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_in in = ssh_in(payload);

    switch (ssh_get_u8(&in)) {
    case SSH_SERVICE_ACCEPT:
        return s->tried ? GOST_OK : try_none(s);
    case SSH_AUTH_BANNER:
        return GOST_OK;
    case SSH_AUTH_FAILURE:
    case SSH_AUTH_PK_OK: /* or a wish for a new password: nobody is here to choose one */
        return on_failure(s, &in);
    case SSH_AUTH_SUCCESS:
        if (s->tried)
            return on_success(s);
        break;
    default:
        break;
    }
    return ssh_fail(s, GOST_EPROTO, 2, "message %u before the user is let in", payload.p[0]);
}
