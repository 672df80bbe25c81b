/* ss_keys.c - keys and users from method, password and user list; prepare and release. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base64.h"
#include "ss.h"

const struct ss_key *ss_keys_own(const struct ss_keys *k)
{
    return &k->key[k->n_psk - 1];
}

const struct ss_key *ss_keys_user(const struct ss_keys *k, const uint8_t hash[SS_BLOCK])
{
    const struct ss_key *found = NULL;
    uint32_t i;

    for (i = 0; i < k->n_users; i++) /* to the end, whoever it is */
        if (gost_equal_ct(gost_bytes(hash, SS_BLOCK), gost_bytes(k->users[i].hash, SS_BLOCK)))
            found = &k->users[i];
    return found;
}

int ss_base64(uint8_t *ret_bytes, size_t max, struct gost_bytes text)
{
    uint32_t bits = 0;
    size_t n = 0, i;

    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    if (text.n % 4 == 1 || text.n / 4 * 3 + text.n % 4 * 3 / 4 > max)
        return -1;
    for (i = 0; i < text.n; i++) {
        int v = gost_base64_digit(text.p[i], "+/");

        if (v < 0) /* either alphabet */
            v = gost_base64_digit(text.p[i], "-_");
        if (v < 0)
            return -1;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4)
            ret_bytes[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    return (int)n;
}

static int say(struct gost_prepare *p, const char *text)
{
    snprintf(p->error, p->error_size, "%s", text);
    return GOST_EPROTO;
}

/* One key of 2022: base64 of exactly as many bytes as the method wants. */
static int psk_read(const struct ss_method *m, struct gost_bytes text, uint8_t *ret_psk,
                    const char *whose, struct gost_prepare *p)
{
    uint8_t bytes[2 * SS_KEY_MAX];
    int n = ss_base64(bytes, sizeof bytes, text);

    if (n == m->key)
        memcpy(ret_psk, bytes, m->key);
    gost_wipe(bytes, sizeof bytes);
    if (n == m->key)
        return GOST_OK;
    if (n < 0)
        snprintf(
            p->error, p->error_size,
            "%s: the key%s is not base64 text of %u bytes; `openssl rand -base64 %u` makes one",
            m->name, whose, m->key, m->key);
    else
        snprintf(p->error, p->error_size,
                 "%s: the key%s has %d bytes instead of %u; `openssl rand -base64 %u` makes one",
                 m->name, whose, n, m->key, m->key);
    return GOST_EPROTO;
}

static int psks_read(struct ss_keys *k, struct gost_bytes text, struct gost_prepare *p)
{
    const uint8_t *colon;
    struct gost_bytes one;
    int r;

    do {
        colon = text.n ? memchr(text.p, ':', text.n) : NULL;
        one = gost_bytes(text.p, colon ? (size_t)(colon - text.p) : text.n);
        if (k->n_psk == SS_PSK_MAX)
            return say(p, "auth.password: more than 8 keys");
        r = psk_read(k->method, one, k->key[k->n_psk].psk, " in auth.password", p);
        if (r != GOST_OK)
            return r;
        k->n_psk++;
        if (colon)
            text = gost_bytes(colon + 1, text.n - one.n - 1);
    } while (colon);
    if (k->n_psk > 1 && p->role == GOST_SERVER)
        return say(p, "auth.password: a server has one key; those of its users go to the option "
                      "users, and a relay to the next server is not supported");
    if (k->n_psk > 1 && !k->method->block)
        return say(p, "auth.password: this method has no identity headers, so only one key");
    return GOST_OK;
}

static int users_read(struct ss_keys *k, const struct gost_map *users, struct gost_prepare *p)
{
    char whose[128];
    uint32_t i;
    int r;

    if (users->n == 0 || k->method->family != SS_2022)
        return GOST_OK; /* GOST passes over users of older methods, too */
    if (!k->method->block)
        return say(p, "users: this method has no identity headers; the AES methods have");
    k->users = calloc(users->n, sizeof *k->users);
    if (!k->users)
        return say(p, "out of memory");
    for (i = 0; i < users->n; i++) {
        snprintf(whose, sizeof whose, " of user %s", users->v[i].key);
        r = psk_read(k->method, gost_bytes_str(users->v[i].value), k->users[i].psk, whose, p);
        if (r != GOST_OK)
            return r;
        ss_identity_hash(k->method, k->users[i].psk, k->users[i].hash);
        k->n_users++;
    }
    return GOST_OK;
}

static int server_read(struct ss_keys *k, const struct ss_conf *c, struct gost_prepare *p)
{
    int r = users_read(k, &c->users, p);

    if (r != GOST_OK || k->method->family == SS_PLAIN)
        return r; /* nothing is authenticated: a memory could be filled by anybody */
    k->memory = ss_memory_get(k->method, k->key[0].hash);
    return k->memory ? GOST_OK : say(p, "out of memory");
}

static int keys_read(struct ss_keys *k, const struct ss_conf *c, struct gost_prepare *p)
{
    int r = GOST_OK;
    uint32_t i;

    if (k->method->family == SS_2022) {
        r = psks_read(k, c->password, p);
    } else {
        k->n_psk = 1;
        if (k->method->key && c->password.n == 0)
            return say(p, "auth.password is missing: write ss://METHOD:PASSWORD@HOST:PORT");
        if (ss_password_key(k->method, c->password, k->key[0].psk) != GOST_OK)
            return say(p, "libcrypto refuses MD5, which this method's keys are made with; the "
                          "methods of 2022 do without");
    }
    if (r != GOST_OK)
        return r;
    for (i = 0; i < k->n_psk; i++)
        ss_identity_hash(k->method, k->key[i].psk, k->key[i].hash);
    return p->role == GOST_SERVER ? server_read(k, c, p) : GOST_OK;
}

int ss_prepare(void *conf, struct gost_prepare *p)
{
    struct ss_conf *c = conf;

    c->made = calloc(1, sizeof *c->made);
    if (!c->made)
        return say(p, "out of memory");
    c->made->method = ss_method_at(c->method);
    if (!c->made->method)
        return say(p, "auth.username: no such method");
    return keys_read(c->made, c, p);
}

void ss_release(void *conf)
{
    struct ss_conf *c = conf;
    struct ss_keys *k = c->made;

    if (!k)
        return;
    c->made = NULL;
    ss_memory_put(k->memory);
    if (k->users)
        gost_wipe(k->users, k->n_users * sizeof *k->users);
    free(k->users);
    gost_wipe(k, sizeof *k);
    free(k);
}
