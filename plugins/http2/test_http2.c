/* test_http2.c - requests through the handler and CONNECT of the connector, with ends in memory. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_tap.h"
#include "../../sdk/testkit/test_task.h"
#include "http2.h"

static struct {
    struct ge_worker *worker;
    struct ge_flow *flow;
    struct ge_task *task;
    struct ge_conf *conf;
    struct ge_stack *near, *client; /* both ends of port 0 */
    struct ge_stack *taken;         /* what a connector left behind */
    int ended, status;
    const char *file, *path; /* what FILE gives and was asked for */
} t;

/* ---- the embedder ---- */

static void act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
    const struct gost_act_file *file = (const struct gost_act_file *)a;
    struct gost_result_file f = {.size = sizeof f};
    static char path[64];

    if (a->kind != GOST_ACT_FILE || !t.file) {
        act_task(ctx, task, a);
        return;
    }
    snprintf(path, sizeof path, "%.*s", (int)file->path.n, (const char *)file->path.p);
    t.path = path;
    f.data = gost_bytes_str(t.file);
    ge_result(task, a->kind, a->tag, GOST_OK, NULL, &f, sizeof f);
}

static void run(void)
{
    run_worker(t.worker);
}

static void task_done(struct ge_task *task, void *ctx, int status)
{
    t.ended++;
    t.status = status;
    t.task = NULL;
    if (status == 0 && ge_task_spec(task)->component->kind == GOST_KIND_CONNECTOR)
        t.taken = ge_task_take(task, 0);
}

/* ---- one run ---- */

static void begin(uint32_t kind, const char *words)
{
    const struct gost_component *c = component_of(kind, gost_bytes_str("http2"));
    uint32_t role = kind == GOST_KIND_HANDLER ? GOST_SERVER : GOST_CLIENT;
    struct ge_task_spec spec = {.component = c, .done = task_done, .verb = GE_CONNECT};
    struct gost_target target = {.size = sizeof target, .network = GOST_NET_TCP};
    struct ge_worker *w = t.worker;

    memset(&t, 0, sizeof t);
    memset(&asked, 0, sizeof asked);
    t.worker = w;
    t.flow = ge_flow_new(w);
    t.conf = conf_of(c, role, words);
    spec.conf = ge_conf_data(t.conf);
    spec.flow = t.flow;
    (void)gost_addr_parse(&target.addr, "target.example:443", 18, 0);
    spec.target = &target;
    ge_stack_pair(t.flow, GOST_EXCHANGE, &t.near, &t.client);
    t.task = ge_task_new(&spec, t.near);
    run();
}

static void end(void)
{
    struct ge_stack *stacks[] = {t.client, asked.target, t.taken};
    size_t i;

    if (t.task)
        ge_task_cancel(t.task, 0);
    for (i = 0; i < 3; i++)
        if (stacks[i])
            ge_stack_free(stacks[i], 0);
    run();
    ge_flow_unref(t.flow);
    ge_conf_free(t.conf);
    ok(nothing_left(t.worker), "nothing leaks");
}

static void say(struct ge_stack *s, const char *text)
{
    gost_send(top(s), text, strlen(text));
    run();
}

/* Fields "name: value", NULL at the end. */
static void ask(const char *method, const char *authority, const char *path, uint32_t flags,
                const char *const *fields)
{
    struct gost_field f[16];
    struct gost_head h = {.size = sizeof h, .flags = flags, .fields = f};

    h.method = gost_bytes_str(method);
    h.authority = gost_bytes_str(authority);
    h.path = gost_bytes_str(path);
    h.scheme = gost_bytes_str(path ? "http" : NULL);
    for (; fields && *fields; fields++, h.n_fields++) {
        size_t n = strcspn(*fields, ":");

        f[h.n_fields].name = gost_bytes(*fields, n);
        f[h.n_fields].value = gost_bytes_str(*fields + n + 2);
    }
    gost_head_send(top(t.client), &h);
    if (flags & GOST_HEAD_NO_BODY)
        gost_shut(top(t.client));
    run();
}

static int has(const struct gost_head *h, const char *name, const char *value)
{
    return gost_bytes_eq(gost_head_get(h, name), gost_bytes_str(value));
}

static int answered(uint32_t status)
{
    struct gost_head h;

    if (gost_head_recv(top(t.client), &h) != GOST_OK)
        return 0;
    if (h.status != status)
        printf("# status %u\n", (unsigned)h.status);
    return h.status == status;
}

/* ---- the handler ---- */

static void test_connect(void)
{
    struct gost_head h;

    begin(GOST_KIND_HANDLER, "header=X-Way:out");
    ask("CONNECT", "a.b:443", NULL, 0, NULL);
    ok(asked.dials == 1 && asked.addr.port == 443 && strcmp(asked.addr.name, "a.b") == 0,
       "CONNECT dials");
    ok(gost_head_recv(top(t.client), &h) == GOST_OK && h.status == 200 && has(&h, "x-way", "out"),
       "and is answered with the configured fields");
    say(t.client, "ping");
    ok(got(asked.target, "ping"), "bytes go up");
    say(asked.target, "pong");
    gost_shut(top(t.client));
    run();
    ok(got(t.client, "pong") && gost_rx_eof(top(asked.target)), "bytes come down, the end goes up");
    say(asked.target, "bye");
    gost_shut(top(asked.target));
    run();
    ok(got(t.client, "bye") && gost_rx_eof(top(t.client)) && t.ended && t.status == 0,
       "the tunnel ends when both directions have");
    end();
}

static void refusal(int dial_status, const char *authority, const char *path, uint32_t status,
                    const char *name)
{
    begin(GOST_KIND_HANDLER, "");
    asked.dial_status = dial_status;
    ask(path ? "GET" : "CONNECT", authority, path, 0, NULL);
    ok(answered(status) && gost_rx_eof(top(t.client)) && t.ended && t.status != 0, name);
    end();
}

static void test_refusals(void)
{
    refusal(GOST_EREFUSED, "a.b:1", NULL, 503, "a target that refuses is 503");
    refusal(GOST_EDENIED, "a.b:1", NULL, 403, "a forbidden target is 403");
    refusal(0, "", NULL, 400, "no target is 400");
    refusal(0, "a b:1", NULL, 400, "a target with a blank is 400");
    refusal(0, "user@a.b:1", NULL, 400, "a target with a user is 400");
    refusal(0, "a.b", "/x y", 400, "a path with a blank is 400");
}

static void test_login(void)
{
    const char *good[] = {"proxy-authorization: Basic dXNlcjpwYXNz", NULL};
    struct gost_head h;

    begin(GOST_KIND_HANDLER, "authBasicRealm=home");
    asked.login = "user:pass";
    ask("CONNECT", "a.b:443", NULL, 0, NULL);
    ok(gost_head_recv(top(t.client), &h) == GOST_OK && h.status == 407 &&
           has(&h, "proxy-authenticate", "Basic realm=\"home\"") && t.status == GOST_EAUTH &&
           asked.dials == 0,
       "without a login it is 407");
    end();
    begin(GOST_KIND_HANDLER, "");
    asked.login = "user:pass";
    ask("CONNECT", "a.b:443", NULL, 0, good);
    ok(answered(200) && asked.dials == 1, "with the right one it is not");
    end();
}

static void test_decoys(void)
{
    struct gost_head h;

    begin(GOST_KIND_HANDLER, "probeResist=code:404 knock=knock.example,x");
    asked.login = "user:pass";
    ask("CONNECT", "a.b:443", NULL, 0, NULL);
    ok(answered(404) && t.status == GOST_EAUTH, "code: another status");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=code:404 knock=x,knock.example");
    asked.login = "user:pass";
    ask("CONNECT", "knock.example:443", NULL, 0, NULL);
    ok(answered(407), "knock: 407 all the same");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=code:none");
    asked.login = "user:pass";
    ask("CONNECT", "a.b:443", NULL, 0, NULL);
    ok(answered(407), "a code that is none: 407");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=file:/srv/index.html");
    asked.login = "user:pass";
    t.file = "<p>hello</p>";
    ask("GET", "a.b", "/", GOST_HEAD_NO_BODY, NULL);
    ok(gost_head_recv(top(t.client), &h) == GOST_OK && h.status == 200 &&
           has(&h, "content-type", "text/html") && has(&h, "content-length", "12") &&
           got(t.client, "<p>hello</p>") && strcmp(t.path, "/srv/index.html") == 0,
       "file: its text");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=file:/srv/index.html");
    asked.login = "user:pass";
    ask("GET", "a.b", "/", GOST_HEAD_NO_BODY, NULL);
    ok(answered(503), "file: 503 when it is not there");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=web:http://web.example:81/page?x");
    asked.login = "user:pass";
    ask("CONNECT", "a.b:443", NULL, 0, NULL);
    ok(asked.addr.port == 81 && (asked.flags & GOST_DIAL_DIRECT) &&
           got(asked.target,
               "GET /page?x HTTP/1.1\r\nHost: web.example:81\r\nConnection: close\r\n\r\n"),
       "web: its page is fetched");
    say(asked.target, "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 4\r\n\r\npage");
    ok(gost_head_recv(top(t.client), &h) == GOST_OK && h.status == 200 && has(&h, "server", "s") &&
           got(t.client, "page"),
       "and shown");
    end();
    begin(GOST_KIND_HANDLER, "probeResist=host:web.example");
    asked.login = "user:pass";
    ask("GET", "a.b", "/p", GOST_HEAD_NO_BODY, NULL);
    ok(asked.addr.port == 80 &&
           got(asked.target, "GET /p HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n"),
       "host: the request goes there");
    end();
    ok(conf_of(component_of(GOST_KIND_HANDLER, gost_bytes_str("http2")), GOST_SERVER,
               "probeResist=web:http:///x") == NULL,
       "an address that is none is refused at the start");
}

static void test_get(void)
{
    const char *fields[] = {
        "accept: */*",  "cookie: a=1", "cookie: b=2",           "proxy-authorization: Basic eDp5",
        "te: trailers", "host: other", "proxy-connection: yes", NULL};
    struct gost_head h;

    begin(GOST_KIND_HANDLER, "");
    ask("GET", "a.b:8080", "/x?y", GOST_HEAD_NO_BODY, fields);
    ok(asked.addr.port == 8080 &&
           got(asked.target, "GET /x?y HTTP/1.1\r\nHost: a.b:8080\r\naccept: */*\r\n"
                             "cookie: a=1; b=2\r\nConnection: close\r\n\r\n"),
       "GET is asked in HTTP/1, without what is the client's and ours alone");
    say(asked.target,
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
        "Connection: X-Hop\r\nX-Hop: 1\r\nX-Stay: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;ext\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
    ok(gost_head_recv(top(t.client), &h) == GOST_OK && h.status == 103 &&
           (h.flags & GOST_HEAD_INTERIM) && gost_head_recv(top(t.client), &h) == GOST_OK &&
           h.status == 200 && h.n_fields == 1 && has(&h, "x-stay", "2"),
       "heads come down in the form of HTTP/2");
    ok(got(t.client, "abcde") && gost_rx_eof(top(t.client)), "the chunks are taken apart");
    ok(t.ended && t.status == 0, "the request ends");
    end();
}

static void test_post(void)
{
    const char *sized[] = {"content-length: 5", NULL};
    const struct gost_field f = {gost_bytes_str("x-sum"), gost_bytes_str("9")};
    struct gost_head trailers = {
        .size = sizeof trailers, .flags = GOST_HEAD_TRAILERS, .fields = &f, .n_fields = 1};

    begin(GOST_KIND_HANDLER, "");
    ask("POST", "a.b", "/", 0, sized);
    say(t.client, "hello");
    gost_shut(top(t.client));
    run();
    ok(asked.addr.port == 80 &&
           got(asked.target, "POST / HTTP/1.1\r\nHost: a.b\r\ncontent-length: 5\r\n"
                             "Connection: close\r\n\r\nhello"),
       "a body with a length goes as it is");
    say(asked.target, "HTTP/1.1 204 No Content\r\n\r\n");
    ok(answered(204) && gost_rx_eof(top(t.client)), "an answer without a body ends");
    end();
    begin(GOST_KIND_HANDLER, "");
    ask("POST", "a.b", "/", 0, NULL);
    say(t.client, "hello");
    gost_head_send(top(t.client), &trailers);
    gost_shut(top(t.client));
    run();
    ok(got(asked.target, "POST / HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n"
                         "Connection: close\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 9\r\n\r\n"),
       "one without goes in chunks, with its trailers");
    say(asked.target, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
    gost_shut(top(asked.target));
    run();
    ok(answered(200) && got(t.client, "until the end") && gost_rx_eof(top(t.client)),
       "an answer until the end is complete");
    end();
    begin(GOST_KIND_HANDLER, "");
    ask("PUT", "a.b", "/", GOST_HEAD_NO_BODY, NULL);
    ok(got(asked.target, "PUT / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 0\r\n"
                         "Connection: close\r\n\r\n"),
       "no body at all is said");
    end();
}

static void bad_answer(const char *text, const char *name)
{
    begin(GOST_KIND_HANDLER, "");
    ask("GET", "a.b", "/", GOST_HEAD_NO_BODY, NULL);
    say(asked.target, text);
    gost_shut(top(asked.target));
    run();
    ok(answered(503) && gost_rx_eof(top(t.client)), name);
    end();
}

static void test_bad_answers(void)
{
    bad_answer("", "an upstream that says nothing is 503");
    bad_answer("SSH-2.0-x\r\n\r\n", "one that is no web server too");
    bad_answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
               "one that changes the protocol");
    bad_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
               "one with two framings");
    begin(GOST_KIND_HANDLER, "");
    ask("GET", "a.b", "/", GOST_HEAD_NO_BODY, NULL);
    say(asked.target, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    gost_shut(top(asked.target));
    run();
    ok(answered(200) && got(t.client, "half") && t.ended && t.status != 0,
       "an answer that breaks off does not look complete");
    end();
}

/* ---- the connector ---- */

static void answer(uint32_t status)
{
    struct gost_head h = {.size = sizeof h, .status = status};

    gost_head_send(top(t.client), &h);
    run();
}

static void test_connector(void)
{
    struct gost_head h;

    begin(GOST_KIND_CONNECTOR, "auth.username=user auth.password=pass header=X-Mark:7");
    ok(gost_head_recv(top(t.client), &h) == GOST_OK &&
           gost_bytes_eq(h.method, gost_bytes_str("CONNECT")) &&
           gost_bytes_eq(h.authority, gost_bytes_str("target.example:443")) && !h.path.n &&
           !h.scheme.n && has(&h, "proxy-authorization", "Basic dXNlcjpwYXNz") &&
           has(&h, "x-mark", "7") && has(&h, "user-agent", "Go-http-client/2.0") && h.n_fields == 4,
       "the connector asks as GOST does");
    answer(200);
    ok(t.ended && t.status == 0 && t.taken && ge_stack_top_type(t.taken) == GOST_STREAM,
       "200 makes a stream of it");
    say(t.taken, "up");
    say(t.client, "down");
    ok(got(t.client, "up") && got(t.taken, "down"), "bytes pass");
    gost_shut(top(t.client));
    run();
    ok(gost_rx_eof(top(t.taken)), "the end too");
    end();
    begin(GOST_KIND_CONNECTOR, "");
    answer(407);
    ok(t.ended && t.status == GOST_EAUTH, "407 is a matter of the login");
    end();
    begin(GOST_KIND_CONNECTOR, "");
    answer(503);
    ok(t.ended && t.status == GOST_EPEER && strstr(t.flow->error, "503"), "503 is the proxy's");
    end();
    begin(GOST_KIND_CONNECTOR, "");
    gost_shut(top(t.client));
    run();
    ok(t.ended && t.status == GOST_ECLOSED, "so is no answer at all");
    end();
}

int main(void)
{
    t.worker = task_worker(act);
    test_connect();
    test_refusals();
    test_login();
    test_decoys();
    test_get();
    test_post();
    test_bad_answers();
    test_connector();
    ge_worker_free(t.worker);
    return test_end();
}
