/* test_otls.c - two otls layers on the engine, against each other and against recordings. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "otls.h"

#define CAPTURES "plugins/otls/captures/"

static struct record heard, wanted, spoken;

static void test_data(void)
{
    static const size_t splits[] = {1, 2, 3, 7, 13, 251, 1021, 4099};
    size_t i;
    int good = 1;

    ok(run_exchange(NONE, NONE, 65521, 8 << 20, 16001, 0), "8 MB both ways");
    ok(run_exchange(NONE, NONE, 65521, 1 << 20, 60000, 0), "1 MB both ways in big steps");
    for (i = 0; i < sizeof splits / sizeof splits[0]; i++)
        good &= run_exchange(NONE, NONE, splits[i], 40000, 997 * i + 1, 0);
    ok(good, "split at odd sizes");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 1), "the client ends first, the rest comes");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 2), "the server ends first, the rest comes");
    ok(stays_bounded(NONE, NONE), "a reader that stops stops the writer");
}

/* ---- pure parts ---- */

static void test_hello(void)
{
    struct otls_random r;
    uint8_t buf[600], id[OTLS_ID];
    struct gost_bytes payload;
    const char *why;
    size_t n, id_n, cut;
    int good = 1;

    memset(&r, 0, sizeof r);
    n = otls_hello_begin(buf, &r, 7, gost_bytes_str("example.com"));
    memcpy(buf + n, "PAYLOAD", 7);
    n += 7;
    n += otls_hello_end(buf + n, gost_bytes_str("example.com"));
    ok(n == 235 && otls_record_parse(buf).length == 230, "the size of a hello");
    ok(otls_hello_parse(gost_bytes(buf + 5, n - 5), &payload, id, &id_n, &why) == GOST_OK &&
           gost_bytes_eq(payload, gost_bytes_str("PAYLOAD")) && id_n == 32,
       "what is written is read again");
    for (cut = 0; cut < n - 5; cut++)
        good &=
            otls_hello_parse(gost_bytes(buf + 5, cut), &payload, id, &id_n, &why) == GOST_EPROTO;
    ok(good, "a hello that is cut off anywhere is none");
}

/* ---- recordings ---- */

/* The recorded client's hello: its random numbers, and what it hides. */
static struct gost_bytes replay_hello(const struct record *r)
{
    uint8_t id[OTLS_ID];
    struct gost_bytes payload = {NULL, 0};
    const char *why;
    size_t n;

    if (otls_hello_parse(gost_bytes(r->p + 5, r->n - 5), &payload, id, &n, &why) != GOST_OK) {
        printf("Bail out! %s\n", why);
        exit(1);
    }
    layer_date = (uint64_t)gost_get32(r->p + 11) * GOST_S;
    layer_chance_set(r->p + 11, 32);
    layer_chance_set(id, sizeof id);
    return payload;
}

/* The bodies of records behind the first `skip` ones. */
static void bodies(const struct record *r, int skip, struct record *ret)
{
    size_t at = 0, n;

    for (ret->n = 0; at + 5 <= r->n; at += 5 + n, skip--) {
        n = otls_record_parse(r->p + at).length;
        n = n < r->n - at - 5 ? n : r->n - at - 5;
        if (skip > 0)
            continue;
        memcpy(ret->p + ret->n, r->p + at + 5, n);
        ret->n += n;
    }
}

static int client_is(const char *name, const char *const *words, int records)
{
    static struct record data;
    struct link l = {.split = 0};
    struct gost_bytes payload;
    char path[128];
    int good = 1, i;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    link_open(&l, words, NULL);
    for (i = 0; i < records && good; i++) {
        load_record(&wanted, path, '>', i);
        if (i == 0) {
            payload = replay_hello(&wanted);
            say(&l.client, payload.p, payload.n);
        } else {
            bodies(&wanted, 0, &data);
            say_record(&l.client, &data);
        }
        settle(&l);
        good = hears(&l.server, wanted.p, wanted.n);
        load_record(&spoken, path, '<', i);
        say_record(&l.server, &spoken);
        settle(&l);
        bodies(&spoken, i == 0 ? 2 : 0, &data);
        good &= data.n > 0 && hears(&l.client, data.p, data.n) && is_up(&l);
    }
    link_close(&l);
    return good;
}

static int server_is(const char *name, size_t split, int records)
{
    static struct record data;
    struct link l = {.split = split};
    struct gost_bytes payload;
    char path[128];
    int good = 1, i;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    link_open(&l, NULL, NONE);
    for (i = 0; i < records && good; i++) {
        load_record(&spoken, path, '>', i);
        if (i == 0) {
            payload = replay_hello(&spoken);
            layer_chance_n = layer_chance_at = 0;
        }
        say_record(&l.client, &spoken);
        settle(&l);
        bodies(&spoken, 0, &data);
        good = i == 0 ? hears(&l.server, payload.p, payload.n) : hears(&l.server, data.p, data.n);
        load_record(&wanted, path, '<', i);
        if (i == 0) {
            layer_date = (uint64_t)gost_get32(wanted.p + 11) * GOST_S;
            layer_chance_set(wanted.p + 11, 32);
            layer_chance_set(wanted.p + 44, 32);
        }
        bodies(&wanted, i == 0 ? 2 : 0, &data);
        say_record(&l.server, &data);
        settle(&l);
        good &= hears(&l.client, wanted.p, wanted.n) && is_up(&l);
    }
    link_close(&l);
    return good;
}

static void test_recorded(void)
{
    ok(client_is("otls-relay", NONE, 1), "client as recorded: relay above");
    ok(client_is("otls-http", NONE, 2), "client as recorded: http above");
    ok(client_is("otls-host", W("host=front.test"), 2), "client as recorded: host, big records");
    ok(server_is("otls-relay", 1, 1) && server_is("otls-relay", 0, 1),
       "server as recorded: relay above");
    ok(server_is("otls-http", 11, 2), "server as recorded: http above");
    ok(server_is("otls-host", 4096, 3), "server as recorded: big records");
}

/* ---- what GOST was not recorded doing ---- */

/* A hello fits into one packet; the rest follows in records of data. */
static void test_big_first(void)
{
    static uint8_t big[18000];
    static struct record all;
    struct link l = {.split = 0};
    size_t at = 0, n = 0, data = 0;
    int good = 1;

    link_open(&l, NONE, NULL);
    say(&l.client, big, sizeof big);
    settle(&l);
    hear(&l.server, &all);
    for (; at + 5 <= all.n; at += 5 + n) {
        n = otls_record_parse(all.p + at).length;
        good &= n > 0 && n <= OTLS_RECORD_MAX &&
                otls_record_parse(all.p + at).type == (at ? OTLS_DATA : OTLS_HANDSHAKE);
        data += n;
    }
    ok(good && at == all.n && otls_record_parse(all.p).length == OTLS_FIRST_MAX + 212 + 15 &&
           data == sizeof big + 212 + 15,
       "a big first piece");
    link_close(&l);
}

static void test_server_first(void)
{
    struct link l = {.split = 0};

    link_open(&l, NONE, NONE);
    settle(&l);
    pass(&l, 90 * GOST_MS);
    ok(!l.server.ready, "a client that says nothing");
    pass(&l, 30 * GOST_MS);
    say_text(&l.server, "banner");
    settle(&l);
    ok(hears_text(&l.client, "banner") && is_up(&l), "hears a server that speaks first");
    link_close(&l);
}

static int client_says(const char *hex, const char *why)
{
    struct record r = {.n = 0};
    struct link l = {.split = 0};
    int good;

    record_hex(&r, hex);
    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    say_record(&l.server, &r);
    settle(&l);
    good = l.client.flow->status < 0 && says(&l.client, why);
    link_close(&l);
    return good;
}

static int server_says(const char *hex, const char *why)
{
    struct record r = {.n = 0};
    struct link l = {.split = 0};
    int good;

    record_hex(&r, hex);
    link_open(&l, NULL, NONE);
    say_record(&l.client, &r);
    settle(&l);
    good = l.server.ready_status < 0 && says(&l.server, why);
    link_close(&l);
    return good;
}

static void test_wrong(void)
{
    struct link l = {.split = 0};

    ok(client_says("1503010002022f", "a real TLS server"), "an alert");
    ok(client_says("485454502f312e31", "does not speak otls"), "HTTP");
    ok(client_says("160301000401000000", "does not speak otls"), "a hello of a client");
    ok(server_says("474554202f", "first byte is 71"), "HTTP to a server");
    ok(server_says("1603010004020000001", "no ClientHello"), "a hello of a server");
    ok(server_says("160301ffff", "65535 bytes"), "a record without bounds");
    ok(server_says("160301000401000001", "does not fill"), "a length that is wrong");

    load_record(&spoken, CAPTURES "otls-relay.txt", '<', 0);
    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    say(&l.server, spoken.p, spoken.n - 1);
    hang_up(&l.server);
    settle(&l);
    ok(l.client.flow->status == GOST_ECLOSED && says(&l.client, "in the middle of a record"),
       "an end within a record");
    link_close(&l);
    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    say_record(&l.server, &spoken);
    say(&l.server, "\x17\3\3\0\0\x17\3\3\0\1y\x15\3\3\0\1\0", 17);
    settle(&l);
    hear(&l.client, &heard);
    ok(heard.n == 16 && heard.p[15] == 'y' && l.client.flow->status == GOST_EPEER,
       "an empty record is nothing, an alert ends");
    link_close(&l);
}

int main(void)
{
    layer_begin();
    test_hello();
    test_data();
    test_recorded();
    test_big_first();
    test_server_first();
    test_wrong();
    return layer_finish();
}
