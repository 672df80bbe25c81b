/* test_ohttp.c - two ohttp layers on the engine, against each other and against recordings. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_layer.h"
#include "ohttp.h"

#define CAPTURES "plugins/ohttp/captures/"

static struct record heard, wanted, spoken;

static void test_data(void)
{
    static const size_t splits[] = {1, 2, 3, 7, 13, 251, 1021, 4099};
    size_t i;
    int good = 1;

    ok(run_exchange(NONE, NONE, 65521, 8 << 20, 16001, 0), "8 MB both ways");
    for (i = 0; i < sizeof splits / sizeof splits[0]; i++)
        good &= run_exchange(NONE, NONE, splits[i], 40000, 997 * i + 1, 0);
    ok(good, "split at odd sizes");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 1), "the client ends first, the rest comes");
    ok(run_exchange(NONE, NONE, 1021, 300000, 5000, 2), "the server ends first, the rest comes");
    ok(stays_bounded(NONE, NONE), "a reader that stops stops the writer");
}

/* ---- recordings ---- */

/* The 16 bytes that the recorded client drew by lot. */
static void replay_key(const struct record *request)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = memmem(request->p, request->n, "Sec-Websocket-Key: ", 19);
    uint8_t raw[18];
    uint32_t v;
    int i, k;

    for (i = 0, p += 19; i < 6; i++) {
        for (k = 0, v = 0; k < 4; k++, p++)
            v = v << 6 | (uint32_t)(*p == '=' ? 0 : strchr(abc, *p) - abc);
        raw[3 * i] = (uint8_t)(v >> 16);
        raw[3 * i + 1] = (uint8_t)(v >> 8);
        raw[3 * i + 2] = (uint8_t)v;
    }
    layer_chance_set(raw, 16);
}

/* What is behind a head. */
static struct gost_bytes behind(const struct record *r)
{
    const uint8_t *p = memmem(r->p, r->n, "\r\n\r\n", 4);

    p = p ? p + 4 : r->p + r->n;
    return gost_bytes(p, (size_t)(r->p + r->n - p));
}

/* An answer with today's Date in the place of the recorded one. */
static int same_answer(struct lend *e, struct record *want)
{
    const uint8_t *a, *b;

    hear(e, &heard);
    a = memmem(want->p, want->n, "\r\nDate: ", 8);
    b = memmem(heard.p, heard.n, "\r\nDate: ", 8);
    if (a && b && a - want->p == b - heard.p)
        memcpy(heard.p + (b - heard.p), a, 8 + 29);
    return record_is(want, heard.p, heard.n);
}

static int client_is(const char *name, const char *const *words)
{
    struct link l = {.split = 0};
    struct gost_bytes data;
    char path[128];
    int good;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    load_record(&wanted, path, '>', 0);
    replay_key(&wanted);
    link_open(&l, words, NULL);
    settle(&l);
    good = hears(&l.server, "", 0);
    data = behind(&wanted);
    say(&l.client, data.p, data.n);
    settle(&l);
    good &= hears(&l.server, wanted.p, wanted.n);
    load_record(&spoken, path, '<', 0);
    say_record(&l.server, &spoken);
    settle(&l);
    data = behind(&spoken);
    good &= data.n > 0 && hears(&l.client, data.p, data.n) && is_up(&l);
    link_close(&l);
    return good;
}

static int server_is(const char *name, size_t split)
{
    struct link l = {.split = split};
    struct gost_bytes data;
    char path[128];
    int good;

    snprintf(path, sizeof path, CAPTURES "%s.txt", name);
    link_open(&l, NULL, NONE);
    load_record(&spoken, path, '>', 0);
    say_record(&l.client, &spoken);
    settle(&l);
    data = behind(&spoken);
    good = data.n > 0 && hears(&l.server, data.p, data.n) && hears(&l.client, "", 0);
    load_record(&wanted, path, '<', 0);
    data = behind(&wanted);
    say(&l.server, data.p, data.n);
    settle(&l);
    good &= same_answer(&l.client, &wanted) && is_up(&l);
    link_close(&l);
    return good;
}

/* No data with the request: the answer comes at once. */
static void test_answers(void)
{
    static const char *const words[] = {"ohttp-raw-no-payload", "ohttp-raw-get"};
    struct link l = {.split = 0};
    char path[128];
    int i, good;
    size_t split;

    for (i = 0; i < 2; i++) {
        for (split = 1, good = 1; split < 60; split += 7) {
            l.split = split;
            snprintf(path, sizeof path, CAPTURES "%s.txt", words[i]);
            link_open(&l, NULL, NONE);
            load_record(&spoken, path, '>', 0);
            say_record(&l.client, &spoken);
            settle(&l);
            load_record(&wanted, path, '<', 0);
            good &= same_answer(&l.client, &wanted) && (l.server.flow->status != 0) == (i == 1);
            link_close(&l);
        }
        ok(good, i ? "server as recorded: a request for something else"
                   : "server as recorded: a request alone");
    }
}

static void test_recorded(void)
{
    static const char *const names[] = {"ohttp-relay", "ohttp-http"};
    char text[80];
    size_t i;

    for (i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "client as recorded: %s", names[i]);
        ok(client_is(names[i], NONE), text);
        snprintf(text, sizeof text, "server as recorded: %s", names[i]);
        ok(server_is(names[i], 4096), text);
    }
    ok(client_is("ohttp-host", W("obfs.host=front.test", "path=/x")), "client as recorded: host");
    test_answers();
}

/* ---- what GOST was not recorded doing ---- */

static void test_fields(void)
{
    static const struct gost_pair ask[] = {{"x-z", "1"}, {"Host", "own.test"}, {"a", "2"}};
    static const struct gost_pair answer[] = {{"server", "nginx"}};
    static const struct gost_map ask_map = {ask, 3}, answer_map = {answer, 1};
    struct link l = {.client_header = &ask_map};

    link_open(&l, NONE, NULL);
    say_text(&l.client, "data");
    settle(&l);
    ok(hears_text(&l.server, "GET / HTTP/1.1\r\nHost: own.test\r\nUser-Agent: "
                             "Go-http-client/1.1\r\nA: 2\r\nConnection: Upgrade\r\n"
                             "Sec-Websocket-Key: BAQEBAQEBAQEBAQEBAQEBA==\r\n"
                             "Upgrade: websocket\r\nX-Z: 1\r\n\r\ndata"),
       "fields of the request");
    link_close(&l);
    l.client_header = NULL;
    l.server_header = &answer_map;
    link_open(&l, NULL, NONE);
    say_text(&l.client, "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    settle(&l);
    hear(&l.client, &heard);
    ok(memmem(heard.p, heard.n, "\r\nServer: nginx\r\nUpgrade", 24) != NULL,
       "fields of the answer");
    link_close(&l);
}

static void test_server_first(void)
{
    struct link l = {.split = 0};

    link_open(&l, NONE, NONE);
    settle(&l);
    say_text(&l.server, "banner");
    pass(&l, 90 * GOST_MS);
    ok(hears(&l.client, "", 0), "a client that says nothing");
    pass(&l, 30 * GOST_MS);
    ok(hears_text(&l.client, "banner") && is_up(&l), "hears a server that speaks first");
    link_close(&l);
}

/* simple-obfs counts the first data as the request's body. */
static void test_length(void)
{
    struct link l = {.split = 3};

    link_open(&l, NULL, NONE);
    say_text(&l.client, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nContent-Length: "
                        "5\r\n\r\nfirst, and more");
    settle(&l);
    ok(hears_text(&l.server, "first, and more"), "a request with a length");
    link_close(&l);
}

static void test_wrong(void)
{
    struct link l = {.split = 0};

    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    say_text(&l.server, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    settle(&l);
    ok(l.client.flow->status == GOST_EPEER && says(&l.client, "\"502 Bad Gateway\" instead of 101"),
       "another answer");
    link_close(&l);
    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    say_text(&l.server, "SSH-2.0-x\r\n\r\n");
    settle(&l);
    ok(l.client.flow->status == GOST_EPROTO && says(&l.client, "not HTTP"), "no HTTP");
    link_close(&l);
    link_open(&l, NONE, NULL);
    say_text(&l.client, "x");
    settle(&l);
    hang_up(&l.server);
    settle(&l);
    ok(hears_end(&l.client) && is_up(&l), "an end without an answer is an end");
    link_close(&l);
    link_open(&l, NULL, NONE);
    say_text(&l.client, "POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    settle(&l);
    hear(&l.client, &heard);
    ok(memmem(heard.p, heard.n, " 400 Bad Request\r\n", 18) && l.server.ready_status == GOST_EPROTO,
       "a POST");
    link_close(&l);
    link_open(&l, NULL, NONE);
    say_text(&l.client, "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n");
    settle(&l);
    ok(l.server.ready_status == GOST_EPROTO, "the word is taken as it is written");
    link_close(&l);
}

int main(void)
{
    layer_begin();
    setenv("TZ", "UTC", 1);
    test_data();
    test_recorded();
    test_fields();
    test_server_first();
    test_length();
    test_wrong();
    return layer_finish();
}
