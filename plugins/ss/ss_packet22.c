/* ss_packet22.c - packets of 2022: sessions, numbers, separate headers. */
/* SPDX-License-Identifier: MIT */
#include "ss_packet.h"

#define HEAD 16u /* session and number of a packet */
#define TIME 9u  /* type and time */

/* The clear header, its key, and what is sealed behind it. */
struct opened {
    uint8_t head[HEAD];
    const struct ss_key *key;
    struct gost_bytes body;
    uint8_t reversed;
};

/* GOST 3.3.0 and before derive the key from the session id back to front. */
static int session_key(const struct ss_method *m, const struct ss_key *key, const uint8_t *session,
                       int reversed, uint8_t ret_key[SS_KEY_MAX])
{
    uint8_t id[SS_SESSION_ID];
    unsigned i;

    for (i = 0; i < SS_SESSION_ID; i++)
        id[i] = session[reversed ? SS_SESSION_ID - 1 - i : i];
    return ss_subkey(m, key->psk, gost_bytes(id, sizeof id), ret_key);
}

/* A server with users: the identity header says whose key goes on. */
static int identify(const struct ss_keys *k, const uint8_t *sealed, struct opened *o)
{
    uint8_t hash[SS_BLOCK];
    size_t i;

    if (ss_block(k->method, k->key[0].psk, sealed, hash, 0) != GOST_OK)
        return GOST_ENOMEM;
    for (i = 0; i < SS_BLOCK; i++)
        hash[i] = (uint8_t)(hash[i] ^ o->head[i]);
    o->key = ss_keys_user(k, hash);
    return o->key ? GOST_OK : GOST_EAUTH;
}

static int open_body(const struct ss_method *m, struct opened *o, struct gost_bytes sealed,
                     uint8_t *buf, int reversed)
{
    uint8_t key[SS_KEY_MAX];
    int r = session_key(m, o->key, o->head, reversed, key);

    if (r == GOST_OK)
        r = ss_open_once(m, key, o->head + 4, buf, sealed);
    gost_wipe(key, sizeof key);
    o->reversed = reversed != 0;
    return r;
}

static int open_aes(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                    struct opened *o)
{
    const struct ss_keys *k = s->arg.keys;
    const struct ss_method *m = k->method;
    size_t before = HEAD + (server && k->n_users ? SS_BLOCK : 0);
    struct gost_bytes sealed;
    int r;

    if (in.n < before + m->tag)
        return GOST_EPROTO;
    o->key = server ? &k->key[0] : ss_keys_own(k);
    r = ss_block(m, o->key->psk, in.p, o->head, 0);
    if (r == GOST_OK && before > HEAD)
        r = identify(k, in.p + HEAD, o);
    if (r != GOST_OK)
        return r;
    sealed = gost_bytes(in.p + before, in.n - before);
    r = open_body(m, o, sealed, buf, 0);
    if (r == GOST_EAUTH && server)
        r = open_body(m, o, sealed, buf, 1);
    o->body = gost_bytes(buf, sealed.n - m->tag);
    return r;
}

static int open_chacha(struct ss_packet *s, struct gost_bytes in, uint8_t *buf, struct opened *o)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t key[SS_KEY_MAX], nonce[SS_NONCE];
    int r;

    if (in.n < SS_XNONCE + HEAD + m->tag)
        return GOST_EPROTO;
    o->key = ss_keys_own(s->arg.keys);
    o->reversed = 0;
    r = ss_xchacha(o->key->psk, in.p, key, nonce);
    if (r == GOST_OK)
        r = ss_open_once(m, key, nonce, buf, gost_bytes(in.p + SS_XNONCE, in.n - SS_XNONCE));
    gost_wipe(key, sizeof key);
    if (r != GOST_OK)
        return r;
    memcpy(o->head, buf, HEAD);
    o->body = gost_bytes(buf + HEAD, in.n - SS_XNONCE - HEAD - m->tag);
    return GOST_OK;
}

/* A client takes packets of the server's session and of the one before it, and a new session once a
 * minute: else replays of many old sessions would push the known ones out. */
static int remote_fresh(struct ss_packet *s, const uint8_t *session, uint64_t id)
{
    struct ss_remote *r = s->remote;
    int i;

    for (i = 0; i < 2; i++)
        if (r[i].known && memcmp(r[i].id, session, SS_SESSION_ID) == 0)
            return ss_window_fresh(&r[i].window, id);
    if (r[1].known && gost_now() - s->changed_ns < SS_SESSION_IDLE_S * GOST_S)
        return 0;
    s->changed_ns = gost_now();
    r[1] = r[0];
    memset(&r[0], 0, sizeof r[0]);
    memcpy(r[0].id, session, SS_SESSION_ID);
    r[0].known = 1;
    return ss_window_fresh(&r[0].window, id);
}

static int fresh(struct ss_packet *s, int server, const struct opened *o)
{
    uint64_t id = gost_get64(o->head + SS_SESSION_ID);

    if (!server)
        return remote_fresh(s, o->head, id);
    return ss_sessions_fresh(s->arg.keys->memory->sessions, o->key->hash, o->head, id, gost_now());
}

/* Everything behind the sealing; the window moves only when all is well. */
static int check(struct ss_packet *s, int server, const struct opened *o, struct ss_body *ret_body,
                 const char **ret_why)
{
    enum ss_type type = server ? SS_FROM_CLIENT : SS_FROM_SERVER;

    *ret_why = "a malformed datagram of a peer with the right key";
    if (o->body.n < TIME)
        return GOST_EPROTO;
    if (ss_stamp_check(o->body.p, type, gost_unix_time() / GOST_S, ret_why) != GOST_OK ||
        ss_body_parse(ret_body, type, gost_bytes(o->body.p + TIME, o->body.n - TIME)) != GOST_OK)
        return GOST_EPROTO;
    *ret_why = "a datagram that answers another session";
    if (!server && memcmp(ret_body->session, s->session, SS_SESSION_ID) != 0)
        return GOST_EPROTO;
    *ret_why = "a datagram that was here before, or too late, or one session too many";
    return fresh(s, server, o) ? GOST_OK : GOST_EAUTH;
}

int ss_packet22_open(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                     struct gost_addr *ret_addr, struct gost_bytes *ret_data, const char **ret_why)
{
    const struct ss_method *m = s->arg.keys->method;
    struct opened o;
    struct ss_body body;
    int r;

    *ret_why = "a datagram that does not authenticate";
    if (in.n > SS_PACKET_MAX)
        return GOST_ETOOBIG;
    r = m->block ? open_aes(s, server, in, buf, &o) : open_chacha(s, in, buf, &o);
    if (r == GOST_OK)
        r = check(s, server, &o, &body, ret_why);
    if (r != GOST_OK)
        return r;
    if (server) {
        s->key = o.key;
        s->reversed = o.reversed;
        memcpy(s->session, o.head, SS_SESSION_ID);
    }
    *ret_addr = body.addr;
    *ret_data = body.payload;
    return GOST_OK;
}

/* Session and number of the next packet. */
static int next_head(struct ss_packet *s, int server, uint8_t head[HEAD])
{
    uint64_t id;
    int r;

    if (server) {
        r = ss_sessions_next(s->arg.keys->memory->sessions, s->key->hash, s->session, gost_now(),
                             head, &id);
        if (r != GOST_OK)
            return r;
    } else {
        memcpy(head, s->session, SS_SESSION_ID);
        id = s->sent++;
    }
    gost_put64(head + SS_SESSION_ID, id);
    return GOST_OK;
}

/* Short messages of DNS are told apart by their lengths: they get padding. */
static size_t padding_of(const struct gost_addr *addr, size_t n)
{
    uint8_t v[2];

    if (addr->port != 53 || n >= SS_PADDING_MAX)
        return 0;
    gost_random(v, sizeof v);
    return 1 + gost_get16(v) % (SS_PADDING_MAX - n);
}

static size_t put_body(struct ss_packet *s, int server, const struct gost_addr *addr,
                       struct gost_bytes data, uint8_t *out)
{
    size_t pad = padding_of(addr, data.n), n = TIME;

    ss_stamp_put(out, server ? SS_FROM_SERVER : SS_FROM_CLIENT, gost_unix_time() / GOST_S);
    if (server) {
        memcpy(out + n, s->session, SS_SESSION_ID);
        n += SS_SESSION_ID;
    }
    gost_put16(out + n, (uint16_t)pad);
    gost_random(out + n + 2, pad);
    n += 2 + pad;
    n += gost_socks_addr_put(out + n, addr);
    if (data.n)
        memcpy(out + n, data.p, data.n);
    return n + data.n;
}

/* Identity headers of a client: for each server on the way, bound to this packet's header. */
static int put_identities(const struct ss_keys *k, const uint8_t head[HEAD], uint8_t *out)
{
    uint8_t mixed[SS_BLOCK];
    uint32_t i, at;
    int r = GOST_OK;

    for (i = 0; r == GOST_OK && i + 1 < k->n_psk; i++) {
        for (at = 0; at < SS_BLOCK; at++)
            mixed[at] = (uint8_t)(k->key[i + 1].hash[at] ^ head[at]);
        r = ss_block(k->method, k->key[i].psk, mixed, out + i * SS_BLOCK, 1);
    }
    return r;
}

static int seal_aes(struct ss_packet *s, int server, const uint8_t head[HEAD], size_t before,
                    uint8_t *buf, size_t n)
{
    const struct ss_keys *k = s->arg.keys;
    uint8_t key[SS_KEY_MAX];
    int r = session_key(k->method, s->key, head, s->reversed, key);

    if (r == GOST_OK)
        r = ss_seal_once(k->method, key, head + 4, buf + before, gost_bytes(buf + before, n));
    gost_wipe(key, sizeof key);
    if (r == GOST_OK && !server)
        r = put_identities(k, head, buf + HEAD);
    return r == GOST_OK ? ss_block(k->method, server ? s->key->psk : k->key[0].psk, head, buf, 1)
                        : r;
}

static int seal_chacha(struct ss_packet *s, const uint8_t head[HEAD], uint8_t *buf, size_t n)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t key[SS_KEY_MAX], nonce[SS_NONCE], *body = buf + SS_XNONCE;
    int r;

    gost_random(buf, SS_XNONCE);
    memcpy(body, head, HEAD);
    r = ss_xchacha(s->key->psk, buf, key, nonce);
    if (r == GOST_OK)
        r = ss_seal_once(m, key, nonce, body, gost_bytes(body, HEAD + n));
    gost_wipe(key, sizeof key);
    return r;
}

int ss_packet22_seal(struct ss_packet *s, int server, const struct gost_addr *addr,
                     struct gost_bytes data, uint8_t *buf, struct gost_bytes *ret_out)
{
    const struct ss_keys *k = s->arg.keys;
    const struct ss_method *m = k->method;
    size_t before = HEAD + (m->block ? 0 : SS_XNONCE), n;
    uint8_t head[HEAD];
    int r;

    if (m->block && !server)
        before += SS_BLOCK * (k->n_psk - 1);
    if (data.n > SS_DATAGRAM_MAX)
        return GOST_ETOOBIG;
    n = put_body(s, server, addr, data, buf + before);
    if (before + n + m->tag > SS_DATAGRAM_MAX)
        return GOST_ETOOBIG;
    r = next_head(s, server, head);
    if (r == GOST_OK)
        r = m->block ? seal_aes(s, server, head, before, buf, n) : seal_chacha(s, head, buf, n);
    *ret_out = gost_bytes(buf, before + n + m->tag);
    return r;
}
