/* test_masque.c - paths, and the connector against the handler over a session in memory. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_mux.h"
#include "../../sdk/testkit/test_tap.h"
#include "../../sdk/testkit/test_task.h"
#include "masque.h"

enum { SERVER = 0, CLIENT = 1 };

static struct {
    struct ge_worker *worker;
    struct ge_flow *flow[2];
    struct ge_stack *session[2];
    struct ge_task *task[2];
    struct ge_conf *conf[2];
    struct ge_stack *accepted; /* a request without a handler yet */
    struct ge_stack *taken;    /* what the connector made */
    int status[2], ended[2];
} t;

static void run(void)
{
    run_worker(t.worker);
}

static void task_done(struct ge_task *task, void *ctx, int status)
{
    int who = ge_task_spec(task)->component->kind == GOST_KIND_CONNECTOR ? CLIENT : SERVER;

    t.ended[who] = 1;
    t.status[who] = status;
    if (status == 0 && who == CLIENT) {
        t.taken = ge_task_take(task, ge_task_result_port(task));
        return;
    }
    t.task[who] = NULL;
}

static void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    t.accepted = stream;
}

static struct ge_task *start(int who, struct ge_stack *port0, const struct gost_target *target)
{
    uint32_t kind = who == CLIENT ? GOST_KIND_CONNECTOR : GOST_KIND_HANDLER;
    const struct gost_component *c = component_of(kind, gost_bytes_str("masque"));
    struct ge_task_spec spec = {.component = c,
                                .flow = t.flow[who],
                                .target = target,
                                .verb = who == CLIENT ? GE_CONNECT : 0,
                                .done = task_done};
    struct ge_task *task;

    t.conf[who] = conf_of(c, who == CLIENT ? GOST_CLIENT : GOST_SERVER, "");
    spec.conf = ge_conf_data(t.conf[who]);
    task = t.task[who] = ge_task_new(&spec, port0);
    run();
    return task;
}

static void begin(void)
{
    static struct mux_conf mux = {65536, 0, 0, 0};
    struct ge_layer_spec spec = {.component = &mux_component, .conf = &mux};
    int i;

    memset(&t, 0, sizeof t);
    memset(&asked, 0, sizeof asked);
    t.worker = task_worker(act_task);
    for (i = 0; i < 2; i++)
        t.flow[i] = ge_flow_new(t.worker);
    ge_stack_pair(t.flow[SERVER], GOST_STREAM, &t.session[SERVER], &t.session[CLIENT]);
    ge_stack_set_flow(t.session[CLIENT], t.flow[CLIENT]);
    for (i = 0; i < 2; i++) {
        spec.role = i == SERVER ? GOST_SERVER : GOST_CLIENT;
        if (ge_stack_push(t.session[i], &spec) != GOST_OK)
            abort();
        ge_session_on_stream(t.session[i], on_stream, NULL);
    }
    run();
}

static void end(void)
{
    struct ge_stack *rest[] = {asked.target, t.taken, t.accepted};
    size_t i;

    for (i = 0; i < 2; i++)
        if (t.task[i] && !t.ended[i])
            ge_task_cancel(t.task[i], 0);
    for (i = 0; i < 3; i++)
        if (rest[i])
            ge_stack_free(rest[i], 0);
    run();
    for (i = 0; i < 2; i++) {
        ge_stack_free(t.session[i], 0);
        run();
        ge_flow_unref(t.flow[i]);
        ge_conf_free(t.conf[i]);
    }
    run();
    ok(nothing_left(t.worker) && mux_streams_open == 0, "nothing is left");
    ge_worker_free(t.worker);
}

/* ---- paths ---- */

static void test_paths(void)
{
    static const struct {
        const char *path, *want; /* NULL: it is refused */
    } v[] = {
        {"/.well-known/masque/udp/a.example/53/", "a.example:53"},
        {"/.well-known/masque/udp/a.example/53", "a.example:53"},
        {"/.well-known/masque/udp/192.0.2.1/65535/", "192.0.2.1:65535"},
        {"/.well-known/masque/udp/%5B2001:db8::1%5D/443/", "[2001:db8::1]:443"},
        {"/.well-known/masque/udp/2001%3Adb8%3A%3A42/443/", "[2001:db8::42]:443"},
        {"/.well-known/masque/udp/a.example/0/", NULL},
        {"/.well-known/masque/udp/a.example/65536/", NULL},
        {"/.well-known/masque/udp/a.example/5x/", NULL},
        {"/.well-known/masque/udp/a.example//", NULL},
        {"/.well-known/masque/udp//53/", NULL},
        {"/.well-known/masque/udp/a/53/more/", NULL},
        {"/.well-known/masque/udp/a%2/53/", NULL},
        {"/.well-known/masque/udp/a%zz/53/", NULL},
        {"/.well-known/masque/udp/a%00b/53/", NULL},
        {"/.well-known/masque/udp/a%2Fb/53/", NULL},
        {"/.well-known/masque/udp/a:1/53/", NULL},
        {"/.well-known/masque/udp/%5Ba%5D/53/", NULL},
        {"/.well-known/masque/udp/", NULL},
        {"/.well-known/masque/tcp/a/53/", NULL},
        {"", NULL},
    };
    char text[GOST_ADDR_TEXT], path[MASQUE_PATH_MAX];
    struct gost_addr a, b;
    size_t i;
    int r;

    for (i = 0; i < sizeof v / sizeof v[0]; i++) {
        r = masque_path_parse(gost_bytes_str(v[i].path), &a);
        text[0] = 0;
        if (r == GOST_OK)
            gost_addr_format(&a, text, sizeof text);
        ok(v[i].want ? r == GOST_OK && strcmp(text, v[i].want) == 0 : r != GOST_OK,
           v[i].path[0] ? v[i].path : "no path at all");
        if (!v[i].want || r != GOST_OK)
            continue;
        ok(masque_path_put(path, sizeof path, &a) > 0 &&
               masque_path_parse(gost_bytes_str(path), &b) == GOST_OK &&
               memcmp(&a, &b, sizeof a) == 0,
           path);
    }
    (void)gost_addr_parse(&a, "[2001:db8::1]:443", 17, 0);
    (void)masque_path_put(path, sizeof path, &a);
    ok(strcmp(path, "/.well-known/masque/udp/%5B2001%3Adb8%3A%3A1%5D/443/") == 0,
       "IPv6 is written in brackets");
}

/* ---- both ends ---- */

static int ask(uint32_t network, const char *addr)
{
    struct gost_target target = {.size = sizeof target, .network = network};
    struct ge_stack *s;

    (void)gost_addr_parse(&target.addr, addr, strlen(addr), 0);
    if (ge_session_open(t.session[CLIENT], t.flow[CLIENT], GOST_STREAM_EXCHANGE, &s) != GOST_OK)
        return 0;
    start(CLIENT, s, &target);
    return t.accepted != NULL;
}

/* mux carries the status and the flags of a head only: requests are given to the handler here. */
static struct ge_stack *hand_over(const struct gost_head *head)
{
    struct ge_stack *near, *far;

    ge_stack_pair(t.flow[SERVER], GOST_EXCHANGE, &near, &far);
    gost_head_send(top(far), head);
    start(SERVER, near, NULL);
    return far;
}

static uint32_t answer_to(const struct gost_head *head)
{
    struct gost_head h = {.status = 0};
    struct ge_stack *client = hand_over(head);
    uint32_t status = gost_head_recv(top(client), &h) == GOST_OK ? h.status : 0;

    ge_stack_free(client, 0);
    run();
    return status;
}

static struct gost_head request(const char *method, const char *authority, const char *protocol,
                                const char *path)
{
    struct gost_head h = {.size = sizeof h};

    h.method = gost_bytes_str(method);
    h.authority = gost_bytes_str(authority);
    h.protocol = gost_bytes_str(protocol);
    h.path = gost_bytes_str(path);
    return h;
}

static void refusal(const struct gost_head *h, int dial_status, const char *login, uint32_t want,
                    const char *name)
{
    begin();
    asked.dial_status = dial_status;
    asked.login = login;
    ok(answer_to(h) == want, name);
    ok(t.ended[SERVER] && t.status[SERVER] != 0, "and the flow fails");
    end();
}

static void test_refusals(void)
{
    static const char path[] = "/.well-known/masque/udp/a/53/";
    const struct gost_field capsules = {gost_bytes_str("capsule-protocol"), gost_bytes_str("?1")};
    struct gost_head get = request("GET", "a", NULL, "/"),
                     tcp = request("CONNECT", "a:1", NULL, NULL),
                     ip = request("CONNECT", "a", "connect-ip", "/"),
                     plain = request("CONNECT", "a", "connect-udp", path), udp = plain, bad = plain,
                     user = request("CONNECT", "u@a:1", NULL, NULL);

    udp.fields = bad.fields = &capsules;
    udp.n_fields = bad.n_fields = 1;
    bad.path = gost_bytes_str("/udp/a/53/");
    refusal(&get, 0, NULL, 405, "a method that is not CONNECT is 405");
    refusal(&ip, 0, NULL, 400, "another protocol is 400");
    refusal(&tcp, 0, "someone", 407, "no login is 407");
    refusal(&tcp, GOST_EREFUSED, NULL, 503, "a target that refuses is 503");
    refusal(&tcp, GOST_EDENIED, NULL, 403, "a forbidden one is 403");
    refusal(&user, 0, NULL, 400, "a target with a user is 400");
    refusal(&plain, 0, NULL, 400, "no capsule-protocol is 400");
    refusal(&bad, 0, NULL, 400, "a path that is none is 400");
    refusal(&udp, GOST_EREFUSED, NULL, 503, "a target of UDP that refuses is 503");
    refusal(&udp, 0, NULL, 400, "a listener without datagrams is 400");
}

static void test_connect(void)
{
    struct gost_head tcp = request("CONNECT", "a.example", NULL, NULL), h;
    struct ge_stack *c;

    begin();
    c = hand_over(&tcp);
    ok(asked.network == GOST_NET_TCP && asked.addr.port == 443 &&
           strcmp(asked.addr.name, "a.example") == 0,
       "CONNECT dials, port 443 if there is none");
    ok(gost_head_recv(top(c), &h) == GOST_OK && h.status == 200, "and is answered");
    gost_send(top(c), "up", 2);
    gost_shut(top(c));
    run();
    ok(gost_rx_len(top(asked.target)) == 2, "bytes go up");
    gost_consume(top(asked.target), 2);
    ok(gost_rx_eof(top(asked.target)), "the end, too");
    gost_send(top(asked.target), "down", 4);
    gost_shut(top(asked.target));
    run();
    ok(gost_rx_len(top(c)) == 4, "bytes come down");
    gost_consume(top(c), 4);
    ok(gost_rx_eof(top(c)) && t.ended[SERVER] && t.status[SERVER] == 0, "and the end");
    ge_stack_free(c, 0);
    end();
}

/* The connector with a proxy that we play on the mux. */
static void test_connector(void)
{
    struct gost_head h = {.size = sizeof h, .status = 200};

    begin();
    ok(ask(GOST_NET_TCP, "b.example:80"), "the connector asks");
    gost_head_send(top(t.accepted), &h);
    gost_send(top(t.accepted), "hi", 2);
    run();
    ok(t.ended[CLIENT] && t.status[CLIENT] == 0 && t.taken &&
           ge_stack_top_type(t.taken) == GOST_STREAM && gost_rx_len(top(t.taken)) == 2,
       "200 makes a stream, with what came behind it");
    end();
    begin();
    (void)ask(GOST_NET_TCP, "b.example:80");
    h.status = 503;
    gost_head_send(top(t.accepted), &h);
    run();
    ok(t.ended[CLIENT] && t.status[CLIENT] != 0, "503 does not");
    end();
    begin();
    (void)ask(GOST_NET_UDP, "b.example:80");
    h.status = 200;
    gost_head_send(top(t.accepted), &h);
    run();
    ok(t.ended[CLIENT] && t.status[CLIENT] == GOST_EREFUSED,
       "200 without capsule-protocol is no tunnel for UDP");
    end();
}

/* ---- datagrams ---- */

static void test_codec(void)
{
    static uint8_t large[1600];
    struct ge_layer_spec spec = {.component =
                                     component_of(GOST_KIND_LAYER, gost_bytes_str("masque.udp")),
                                 .role = GOST_CLIENT};
    struct gost_packet p;
    struct ge_stack *a, *b;

    begin();
    ge_stack_pair(t.flow[CLIENT], GOST_DATAGRAM, &a, &b);
    (void)ge_stack_push(a, &spec);
    run();
    gost_packet_put(top(a), gost_bytes("abc", 3), NULL);
    gost_packet_put(top(a), gost_bytes(large, sizeof large), NULL);
    gost_packet_put(top(a), gost_bytes("", 0), NULL);
    run();
    ok(gost_packet_recv(top(b), &p) == GOST_OK && gost_bytes_eq(p.data, gost_bytes("\0abc", 4)),
       "a packet has context 0 before it");
    ok(gost_packet_recv(top(b), &p) == GOST_OK && p.data.n == 1 &&
           gost_packet_recv(top(b), &p) == GOST_AGAIN,
       "an empty one is one; one that is too large is dropped");
    gost_packet_put(top(b), gost_bytes("\2no", 3), NULL);
    gost_packet_put(top(b), gost_bytes("", 0), NULL);
    gost_packet_put(top(b), gost_bytes("\0yes", 4), NULL);
    run();
    ok(gost_packet_recv(top(a), &p) == GOST_OK && gost_bytes_eq(p.data, gost_bytes("yes", 3)) &&
           gost_packet_recv(top(a), &p) == GOST_AGAIN,
       "other contexts are dropped");
    ge_stack_free(a, 0);
    ge_stack_free(b, 0);
    end();
}

int main(void)
{
    test_paths();
    test_refusals();
    test_connect();
    test_connector();
    test_codec();
    return test_end();
}
