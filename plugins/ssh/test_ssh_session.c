/* test_ssh_session.c - sessions in memory: users, channels, windows, new keys, bad peers. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "test_world.h"

static char words[2][512];

/* "option=file rest", where the file is one of those beside the tests. */
static const char *with_key(unsigned i, const char *option, const char *name, const char *rest)
{
    snprintf(words[i], sizeof words[i], "%s=%s/" KEYS "%s%s%s", option, top_dir(), name,
             *rest ? " " : "", rest);
    return words[i];
}

/* ---- users ---- */

/* 0: let in. Else what the client fails with. */
static int let_in(const char *client_words, const char *server_words)
{
    struct side client, server;
    int r;

    sides_open(&client, &server, 0, client_words, server_words);
    r = client.ready ? client.ready_status : 1;
    if (r == 0 && !(server.ready && server.ready_status == 0))
        r = 2;
    side_close(&client);
    side_close(&server);
    return r;
}

static void test_users(void)
{
    const char *server = "auth.username=u auth.password=pw";
    const char *keys;

    ok(let_in("auth.username=u auth.password=pw", server) == 0, "the right password");
    ok(let_in("auth.username=u auth.password=pW", server) == GOST_EAUTH, "a wrong password");
    ok(let_in("auth.username=v auth.password=pw", server) == GOST_EAUTH, "a wrong user");
    ok(let_in("auth.username=u", server) == GOST_EAUTH, "no password");
    ok(let_in("", "") == 0, "a server that asks for nothing");
    ok(let_in("auth.username=u auth.password=any", "auth.username=u") == 0,
       "a user without a password may have any");
    keys = with_key(0, "authorizedKeys", "authorized.pub", "");
    ok(let_in(with_key(1, "privateKeyFile", "ed25519", "auth.username=x"), keys) == 0,
       "an authorized key, Ed25519");
    ok(let_in(with_key(1, "privateKeyFile", "rsa_locked", "passphrase=secret"), keys) == 0,
       "an authorized key, RSA");
    ok(let_in(with_key(1, "privateKeyFile", "ecdsa", ""), keys) == 0, "an authorized key, ECDSA");
    ok(let_in(with_key(1, "privateKeyFile", "rsa", ""), keys) == GOST_EAUTH, "another key");
    ok(let_in("auth.username=u auth.password=pw", keys) == GOST_EAUTH,
       "a password where keys are asked for");
    ok(let_in("", keys) == GOST_EAUTH, "nothing where keys are asked for");
}

static void test_host_keys(void)
{
    static const char *const names[] = {"ed25519", "rsa", "ecdsa", "rsa_pkcs8"};
    char print[256] = "", path[300];
    FILE *f;
    size_t i;

    for (i = 0; i < 4; i++)
        ok(let_in("", with_key(0, "privateKeyFile", names[i], "")) == 0, names[i]);
    snprintf(path, sizeof path, "%s/" KEYS "ed25519.fingerprint", top_dir());
    f = fopen(path, "r");
    snprintf(words[1], sizeof words[1], "ssh.hostKey=%s",
             f && fscanf(f, "%200s", print) == 1 ? print : "?");
    if (f)
        fclose(f);
    ok(let_in(words[1], with_key(0, "privateKeyFile", "ed25519", "")) == 0,
       "the host key it must be");
    ok(let_in(words[1], with_key(0, "privateKeyFile", "ecdsa", "")) == GOST_EAUTH,
       "another host key");
}

static int refused(uint32_t role, const char *given, const char *part)
{
    struct ge_conf *conf = make_conf(0, role, given);

    if (conf)
        ge_conf_free(conf);
    return !conf && strstr(conf_error, part) != NULL;
}

static void test_options(void)
{
    ok(refused(GOST_SERVER, "auther=a", "authorizedKeys"), "an auther is refused, not passed over");
    ok(refused(GOST_SERVER, "authers=a", "authorizedKeys"), "so are authers");
    ok(refused(GOST_CLIENT, "passphraseFromKeyring=true", "keyring"), "so is a keyring");
    ok(refused(GOST_CLIENT, "ssh.hostKey=abc", "SHA256:"), "so is what is no fingerprint");
    ok(refused(GOST_CLIENT, with_key(0, "privateKeyFile", "ed25519.pub", ""), "no private key"),
       "so is a public key");
    ok(refused(GOST_CLIENT, with_key(0, "privateKeyFile", "rsa_locked", ""), "passphrase"),
       "so is an encrypted key");
    ok(refused(GOST_CLIENT, "privateKeyFile=/nonexistent/id", "/nonexistent/id"),
       "so is a file that is not there");
}

/* ---- channels ---- */

static uint8_t big[3 << 20], back[3 << 20];

static void test_stream(void)
{
    struct side client, server;
    struct ge_stack *s;
    size_t n = 0, k;

    sides_open(&client, &server, 0, "", "");
    s = open_stream(&client, NULL, 0);
    ok(s && server.n_accepted == 1, "a stream arrives");
    ok(ssh_is(gost_stream_arg(ge_stack_io(server.accepted[0])), "\0\0\0\013gost-tunnel") == 0 &&
           gost_stream_arg(ge_stack_io(server.accepted[0])).n == 15,
       "as a channel of GOST's type");
    say(s, "ping", 4);
    ok(hear(server.accepted[0], back, sizeof back) == 4 && memcmp(back, "ping", 4) == 0,
       "to there");
    for (k = 0; k < sizeof big; k++)
        big[k] = (uint8_t)(k * 7 + (k >> 13));
    say(server.accepted[0], big, sizeof big);
    say_end(server.accepted[0]);
    while ((k = hear(s, back + n, sizeof back - n)) > 0)
        n += k;
    ok(n == sizeof big && memcmp(big, back, n) == 0, "three megabytes back: the window is renewed");
    ok(heard_end(s) && !client.ended, "its end comes, the other direction goes on");
    say(s, "more", 4);
    say_end(s);
    ok(hear(server.accepted[0], back, sizeof back) == 4 && heard_end(server.accepted[0]),
       "until it ends too");
    ge_stack_free(s, 0);
    run();
    ok(ge_session_streams(client.session) == 0, "the channel is gone");
    ge_stack_free(server.accepted[0], 0);
    server.accepted[0] = NULL;
    s = open_stream(&client, NULL, 0);
    ok(s && server.n_accepted == 2, "the session serves on");
    ge_stack_free(s, 1);
    run();
    ok(heard_end(server.accepted[1]), "who lets go of a channel ends it");
    side_close(&client);
    side_close(&server);
}

/* So many bytes are sent that keys are renewed again and again, in both directions at once. */
static void test_rekey(void)
{
    struct side client, server;
    struct ge_stack *s;
    size_t n = 0, m = 0, i, k;
    int good = 1;

    sides_open(&client, &server, 0, "", "");
    s = open_stream(&client, NULL, 0);
    for (i = 0; i < 40; i++) {
        say(s, big + i * 65536, 65536);
        say(server.accepted[0], big + i * 65536, 65536);
        while ((k = hear(s, back, 65536)) > 0)
            n += k;
        while ((k = hear(server.accepted[0], back, 65536)) > 0) {
            good &= memcmp(back, big + m, k) == 0;
            m += k;
        }
    }
    ok(good && n == 40 * 65536 && m == n, "all comes through while keys change");
    ge_stack_free(s, 0);
    side_close(&client);
    side_close(&server);
}

static void test_life(void)
{
    struct side client, server;

    sides_open(&client, &server, 0, "", "");
    ok(ge_session_ping(client.session, GOST_S) == GOST_OK, "a ping is sent");
    run();
    ok(client.alive == 1, "and answered");
    side_close(&client);
    side_close(&server);
    sides_open(&client, &server, 0, "ssh.keepalive=true ttl=10s keepalive.timeout=3s", "");
    pass_time(11 * GOST_S);
    pass_time(4 * GOST_S);
    ok(!client.ended, "a peer that answers keep-alive is kept");
    ge_stack_free(server.session, 1);
    server.session = NULL;
    run();
    ok(client.ended, "a session whose wire is cut ends");
    side_close(&client);
    side_close(&server);
}

/* The wire is there, and nobody answers. */
static void test_silence(void)
{
    struct ge_stack *wire;
    struct gost_bytes m;
    struct side s;

    world_begin();
    bare_open(&s, GOST_CLIENT,
              "ssh.keepalive=true ttl=10s keepalive.timeout=3s keepalive.retries=2", &wire);
    pass_time(11 * GOST_S);
    m = take_packet(wire);
    ok(m.n == 10 && m.p[0] == SSH_GLOBAL_REQUEST && memcmp(m.p + 5, "ping", 4) == 0 && m.p[9] == 1,
       "keep-alive asks by itself");
    pass_time(4 * GOST_S);
    ok(!s.ended && take_packet(wire).n == 10, "and again when no answer comes");
    pass_time(4 * GOST_S);
    ok(s.ended && s.end_status == GOST_ETIMEDOUT, "then the session ends");
    side_close(&s);
    ge_stack_free(wire, 0);
    ok(world_end(), "nothing is left");
}

/* ---- what the peer opens with plain packets ---- */

static void put_open(struct ge_stack *wire, const char *type, uint32_t id)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_CHANNEL_OPEN);
    ssh_put_text(&m, type);
    ssh_put_u32(&m, id);
    ssh_put_u32(&m, 100000);
    ssh_put_u32(&m, 32768);
    ssh_put_text(&m, "a.example");
    ssh_put_u32(&m, 80);
    ssh_put_text(&m, "127.0.0.1");
    ssh_put_u32(&m, 1234);
    put_packet(wire, &m);
    ssh_out_free(&m);
}

static void put_data(struct ge_stack *wire, uint32_t id, size_t n)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_CHANNEL_DATA);
    ssh_put_u32(&m, id);
    ssh_put_string(&m, gost_bytes(big, n));
    put_packet(wire, &m);
    ssh_out_free(&m);
}

static void put_request(struct ge_stack *wire, const char *name, const char *host, uint32_t port)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_GLOBAL_REQUEST);
    ssh_put_text(&m, name);
    ssh_put_u8(&m, 1);
    if (host) {
        ssh_put_text(&m, host);
        ssh_put_u32(&m, port);
    }
    put_packet(wire, &m);
    ssh_out_free(&m);
}

static void test_forwarding(void)
{
    static const uint8_t listens[] = {0, 0, 0, 0x1f, 0x90}, not [] = {1, 0, 0, 0, 0};
    struct ge_stack *wire;
    struct gost_bytes m;
    struct side s;

    world_begin();
    bare_open(&s, GOST_SERVER, "", &wire);
    put_open(wire, "direct-tcpip", 5);
    m = take_packet(wire);
    ok(m.n == 17 && m.p[0] == SSH_OPEN_CONFIRMATION && gost_get32(m.p + 1) == 5 &&
           s.n_accepted == 1,
       "direct-tcpip is confirmed at once");
    put_open(wire, "session", 6);
    m = take_packet(wire);
    ok(m.n > 9 && m.p[0] == SSH_OPEN_FAILURE && gost_get32(m.p + 5) == 3, "a shell is refused");
    put_request(wire, "ping", NULL, 0);
    m = take_packet(wire);
    ok(m.n == 5 && m.p[0] == SSH_REQUEST_SUCCESS && memcmp(m.p + 1, "pong", 4) == 0, "ping, pong");
    put_request(wire, "tcpip-forward", "localhost", 0);
    put_request(wire, "tcpip-forward", "localhost", 81);
    put_request(wire, "keepalive@openssh.com", NULL, 0);
    ok(s.n_accepted == 3 && take_packet(wire).n == 0,
       "listeners are asked for, their answers awaited");
    say(s.accepted[2], not, sizeof not );
    ok(take_packet(wire).n == 0, "in the order of the requests");
    say(s.accepted[1], listens, sizeof listens);
    m = take_packet(wire);
    ok(m.n == 5 && m.p[0] == SSH_REQUEST_SUCCESS && gost_get32(m.p + 1) == 8080,
       "the port is told to who did not choose it");
    m = take_packet(wire);
    ok(m.n == 1 && m.p[0] == SSH_REQUEST_FAILURE, "the second one failed");
    m = take_packet(wire);
    ok(m.n == 1 && m.p[0] == SSH_REQUEST_FAILURE, "the third one is not known");
    put_request(wire, "tcpip-forward", "localhost", 82);
    ge_stack_free(s.accepted[3], 0);
    s.accepted[3] = NULL;
    run();
    m = take_packet(wire);
    ok(m.n == 1 && m.p[0] == SSH_REQUEST_FAILURE, "a listener that ends without a word failed");
    side_close(&s);
    ge_stack_free(wire, 0);
    ok(world_end(), "nothing is left");
}

/* Ends the session of who sends it. */
static void breaks(const char *name, const struct ssh_out *m, uint32_t channels)
{
    struct ge_stack *wire;
    struct side s;
    uint32_t i;

    world_begin();
    bare_open(&s, GOST_SERVER, "", &wire);
    for (i = 0; i < channels; i++)
        put_open(wire, "direct-tcpip", i);
    put_packet(wire, m);
    ok(s.ended && s.end_status == GOST_EPROTO, name);
    side_close(&s);
    ge_stack_free(wire, 0);
    if (!world_end())
        ok(0, "something is left");
}

static void breaks_with(const char *name, uint8_t type, uint32_t id, const char *rest, size_t n,
                        uint32_t channels)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, type);
    ssh_put_u32(&m, id);
    ssh_put(&m, rest, n);
    breaks(name, &m, channels);
    ssh_out_free(&m);
}

static void test_bad_peers(void)
{
    struct ge_stack *wire;
    struct side s;
    unsigned i;

    breaks_with("data for a channel that never was", SSH_CHANNEL_DATA, 7, "\0\0\0\0", 4, 1);
    breaks_with("a confirmation that nobody asked for", SSH_OPEN_CONFIRMATION, 0,
                "\0\0\0\0\0\0\1\0\0\0\1\0", 12, 1);
    breaks_with("a refusal that nobody asked for", SSH_OPEN_FAILURE, 0, "\0\0\0\1\0\0\0\0\0\0\0\0",
                12, 1);
    breaks_with("a window beyond 32 bits", SSH_WINDOW_ADJUST, 0, "\377\377\377\377", 4, 1);
    breaks_with("data that is cut off", SSH_CHANNEL_DATA, 0, "\0\0\1\0abc", 7, 1);
    breaks_with("a request that is cut off", SSH_GLOBAL_REQUEST, 100, "", 0, 0);
    breaks_with("an answer without a request", SSH_REQUEST_SUCCESS, 0, "", 0, 0);
    breaks_with("new keys out of nowhere", SSH_NEWKEYS, 0, "", 0, 0);
    breaks_with("half of a key exchange out of nowhere", SSH_ECDH_INIT, 0, "", 0, 0);
    breaks_with("a KEXINIT that is cut off", SSH_KEXINIT, 0, "abc", 3, 0);
    world_begin();
    bare_open(&s, GOST_SERVER, "", &wire);
    put_open(wire, "direct-tcpip", 1);
    for (i = 0; i < SSH_WINDOW / 32768; i++)
        put_data(wire, 0, 32768);
    ok(!s.ended, "a whole window is taken");
    put_data(wire, 0, 1);
    ok(s.ended && s.end_status == GOST_EPROTO, "one byte more ends the session");
    side_close(&s);
    ge_stack_free(wire, 0);
    ok(world_end(), "nothing is left");
}

/* ---- what our user opens ---- */

static void test_opening(void)
{
    struct ssh_out what = {0}, head = {0};
    struct ge_stack *wire, *stream;
    struct gost_bytes m;
    struct side s;

    world_begin();
    bare_open(&s, GOST_CLIENT, "", &wire);
    stream = open_stream(&s, NULL, 0);
    ok(stream && take_packet(wire).n == 0, "a stream that does not say what it opens waits");
    ssh_put_text(&what, "direct-tcpip");
    ssh_put_u32(&what, 77);
    ssh_put_open(&head, ssh_out_bytes(&what));
    say(stream, head.p, 5);
    say(stream, head.p + 5, head.n - 5);
    say(stream, "early", 5);
    m = take_packet(wire);
    ok(m.n == 1 + 16 + 12 + 4 && m.p[0] == SSH_CHANNEL_OPEN && take_packet(wire).n == 0,
       "then it opens that, and waits for consent");
    what.n = 0;
    ssh_put(&what, "\133\0\0\0\0\0\0\0\011\0\0\0\003\0\0\200\0", 17);
    put_packet(wire, &what);
    ok(hear(stream, back, 100) == 1 && back[0] == 0, "which is told");
    m = take_packet(wire);
    ok(m.n == 12 && m.p[0] == SSH_CHANNEL_DATA && gost_get32(m.p + 1) == 9,
       "the window is kept to");
    ge_stack_free(stream, 1);
    run();
    m = take_packet(wire);
    ok(m.n == 5 && m.p[0] == SSH_CHANNEL_CLOSE, "who gives up closes");
    stream = open_stream(&s, NULL, 0);
    say(stream, head.p, head.n);
    (void)take_packet(wire);
    what.n = 0;
    ssh_put(&what, "\134\0\0\0\1\0\0\0\002\0\0\0\0\0\0\0\0", 17);
    put_packet(wire, &what);
    ok(hear(stream, back, 100) == 1 && back[0] == 2 && heard_end(stream), "a refusal is told");
    ge_stack_free(stream, 0);
    stream = open_stream(&s, NULL, 0);
    say(stream, "GET / HTTP/1.1\r\n\r\n", 18);
    ok(take_packet(wire).n == 0 && !s.ended, "what is no head opens nothing");
    ge_stack_free(stream, 0);
    ssh_out_free(&what);
    ssh_out_free(&head);
    side_close(&s);
    ge_stack_free(wire, 0);
    ok(world_end(), "nothing is left");
}

int main(void)
{
    world_begin();
    test_users();
    test_host_keys();
    test_options();
    test_stream();
    test_rekey();
    test_life();
    ok(world_end(), "nothing is left");
    test_silence();
    test_forwarding();
    test_bad_peers();
    test_opening();
    return test_end();
}
