/* test_grpc.c - messages, paths, and the layer on an exchange whose other end the test plays. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../sdk/testkit/test_plugin.h"
#include "../../sdk/testkit/test_tap.h"
#include "grpc.h"

static struct ge_worker *worker;

/* ---- messages ---- */

/* The stream's bytes in `in`, fed `step` bytes at a time: their number, or the error. */
static int decode(const void *in, size_t n, size_t step, uint8_t *to, struct grpc_reader *r)
{
    const uint8_t *p = in;
    size_t at = 0, k, out = 0;
    int used;

    while (at < n) {
        k = n - at < step ? n - at : step;
        if (grpc_data(r)) {
            k = k < grpc_data(r) ? k : grpc_data(r);
            memcpy(to + out, p + at, k);
            out += k;
            grpc_pass(r, (uint32_t)k);
            at += k;
            continue;
        }
        used = grpc_feed(r, gost_bytes(p + at, k));
        if (used < 0)
            return used;
        at += (size_t)used;
    }
    return (int)out;
}

static void message(const char *name, const void *in, size_t n, const char *want)
{
    uint8_t out[256];
    size_t step;
    int good = 1, r;

    for (step = 1; step <= n; step++) {
        struct grpc_reader reader = {0};

        r = decode(in, n, step, out, &reader);
        good &=
            r == (int)strlen(want) && memcmp(out, want, strlen(want)) == 0 && grpc_between(&reader);
    }
    ok(good, name);
}

static void refused(const char *name, const void *in, size_t n, int code)
{
    struct grpc_reader reader = {0};
    uint8_t out[256];
    int r = decode(in, n, 1, out, &reader);

    if (r != code)
        printf("# %d\n", r);
    ok(r == code, name);
}

#define M(text) text, sizeof text - 1

static void test_messages(void)
{
    message("a message", M("\0\0\0\0\4\12\2hi"), "hi");
    message("two messages and an empty one", M("\0\0\0\0\4\12\2hi\0\0\0\0\0\0\0\0\0\3\12\1!"),
            "hi!");
    message("a field without data", M("\0\0\0\0\2\12\0\0\0\0\0\3\12\1x"), "x");
    message("a length in more bytes than it needs", M("\0\0\0\0\6\12\202\200\0hi"), "hi");
    message("fields of others before and after",
            M("\0\0\0\0\36\20\226\1\31abcdefgh\42\3xyz\12\2hi\55abcd\50\1\62\0"), "hi");
    refused("compressed", M("\1\0\0\0\4"), GOST_EUNSUPPORTED);
    refused("longer than 4 MiB", M("\0\0\100\0\1"), GOST_ETOOBIG);
    refused("data that leaves the message", M("\0\0\0\0\4\12\3hi"), GOST_EPROTO);
    refused("data twice", M("\0\0\0\0\6\12\1a\12\1b"), GOST_EPROTO);
    refused("a group", M("\0\0\0\0\2\13\0"), GOST_EPROTO);
    refused("field 0", M("\0\0\0\0\2\2\0"), GOST_EPROTO);
    refused("a number without end", M("\0\0\0\0\14\12\377\377\377\377\377\377"), GOST_EPROTO);
    refused("a message that ends in a number", M("\0\0\0\0\2\12\200"), GOST_EPROTO);
    refused("a message that ends behind a tag", M("\0\0\0\0\1\12"), GOST_EPROTO);
}

static void test_prefix(void)
{
    uint8_t b[GRPC_PREFIX_MAX];

    /* As GOST wrote them: see the recorded calls of its relay. */
    ok(grpc_prefix(b, 25) == 7 && memcmp(b, "\0\0\0\0\33\12\31", 7) == 0, "25 bytes");
    ok(grpc_prefix(b, 32768) == 9 && memcmp(b, "\0\0\0\200\4\12\200\200\2", 9) == 0, "32768 bytes");
    ok(grpc_prefix(b, 7232) == 8 && memcmp(b, "\0\0\0\34\103\12\300\70", 8) == 0, "7232 bytes");
}

static void path(const char *in, const char *want)
{
    char out[64], name[100];

    snprintf(name, sizeof name, "path \"%s\" is %s", in, want);
    ok(grpc_method(out, sizeof out, in) == strlen(want) && strcmp(out, want) == 0, name);
}

static void test_paths(void)
{
    char out[16];

    path("", "/GostTunel/Tunnel");
    path("//", "/GostTunel/Tunnel");
    path("a", "/a/Tunnel");
    path("/a/", "/a/Tunnel");
    path("/a/b", "/a/b");
    path("/a/b/c/d", "/a/b-c-d");
    path("/GunService/Tun", "/GunService/Tun");
    ok(grpc_method(out, sizeof out, "/much/too/long/for/it") == 0, "a path that is too long");
}

/* ---- the layer ---- */

static struct call {
    struct ge_flow *flow;
    struct ge_stack *ours, *wire; /* the layer's; the other end of its exchange */
    struct ge_conf *conf;
    int ready, status;
} call;

static void on_ready(struct ge_stack *s, void *arg, int status)
{
    call.ready = 1;
    call.status = status;
}

static void run(void)
{
    run_worker(worker);
}

static void begin(uint32_t role, const char *key, const char *value)
{
    struct ge_kv kv = {.key = key, .text = value, .place = "test"};
    struct ge_layer_spec spec = {.component = &gost_plugin_v1.components[0], .role = role};

    memset(&call, 0, sizeof call);
    if (ge_conf_new(&call.conf, spec.component, role, "test", &kv, key != NULL, NULL, NULL) !=
        GOST_OK)
        abort();
    spec.conf = ge_conf_data(call.conf);
    spec.target.size = sizeof spec.target;
    (void)gost_addr_parse(&spec.target.addr, "server.example:8443", 19, 0);
    call.flow = ge_flow_new(worker);
    ge_stack_pair(call.flow, GOST_EXCHANGE, &call.ours, &call.wire);
    if (ge_stack_push(call.ours, &spec) != GOST_OK)
        abort();
    ge_stack_on_ready(call.ours, on_ready, NULL);
    run();
}

static int end(void)
{
    ge_stack_free(call.ours, 0);
    ge_stack_free(call.wire, 0);
    run();
    ge_flow_unref(call.flow);
    ge_conf_free(call.conf);
    return nothing_left(worker);
}

static struct gost_io *wire(void)
{
    return ge_stack_io(call.wire);
}

static struct gost_io *user(void)
{
    return ge_stack_io(call.ours);
}

static int got_bytes(struct gost_io *io, const void *want, size_t n)
{
    const uint8_t *p = gost_rx_len(io) == n && n ? gost_peek(io, n) : NULL;
    int good = gost_rx_len(io) == n && (n == 0 || (p && memcmp(p, want, n) == 0));

    gost_consume(io, gost_rx_len(io));
    return good;
}

static int has(const struct gost_head *h, uint32_t i, const char *name, const char *value)
{
    return i < h->n_fields && gost_bytes_eq(h->fields[i].name, gost_bytes_str(name)) &&
           gost_bytes_eq(h->fields[i].value, gost_bytes_str(value));
}

static void send_head(uint32_t status, uint32_t flags, const char *grpc_status, const char *type)
{
    struct gost_field f[2];
    struct gost_head h = {.size = sizeof h, .status = status, .flags = flags, .fields = f};

    if (type) {
        f[h.n_fields].name = gost_bytes_str("content-type");
        f[h.n_fields++].value = gost_bytes_str(type);
    }
    if (grpc_status) {
        f[h.n_fields].name = gost_bytes_str("grpc-status");
        f[h.n_fields++].value = gost_bytes_str(grpc_status);
    }
    gost_head_send(wire(), &h);
}

static void test_client(void)
{
    struct gost_head h;

    begin(GOST_CLIENT, NULL, NULL);
    ok(call.ready && !call.status, "a client does not wait for the answer");
    ok(gost_head_recv(wire(), &h) == GOST_OK && gost_bytes_eq(h.method, gost_bytes_str("POST")) &&
           gost_bytes_eq(h.path, gost_bytes_str("/GostTunel/Tunnel")) &&
           gost_bytes_eq(h.scheme, gost_bytes_str("http")) &&
           gost_bytes_eq(h.authority, gost_bytes_str("server.example")) && h.n_fields == 3 &&
           has(&h, 0, "content-type", "application/grpc") &&
           has(&h, 1, "user-agent", "grpc-go/1.82.1") && has(&h, 2, "te", "trailers"),
       "the call's head is that of grpc-go");
    gost_send(user(), "hi", 2);
    run();
    ok(got_bytes(wire(), M("\0\0\0\0\4\12\2hi")), "bytes go in a message");
    send_head(200, 0, NULL, "application/grpc");
    gost_send(wire(), M("\0\0\0\0\5\12\3you"));
    run();
    ok(got_bytes(user(), "you", 3), "and come out of one");
    gost_shut(user());
    run();
    ok(gost_rx_eof(wire()), "our end is the end of the messages");
    send_head(0, GOST_HEAD_TRAILERS, "0", NULL);
    gost_shut(wire());
    run();
    ok(gost_rx_eof(user()) && !call.flow->status, "status 0 ends the answer in peace");
    ok(end(), "nothing leaks");

    begin(GOST_CLIENT, NULL, NULL);
    send_head(200, GOST_HEAD_NO_BODY, "12", "application/grpc");
    gost_shut(wire());
    run();
    ok(call.flow->status == GOST_EPEER && strstr(call.flow->error, "same at both ends"),
       "an unknown method is explained");
    ok(end(), "nothing leaks");

    begin(GOST_CLIENT, NULL, NULL);
    send_head(404, 0, NULL, "text/html");
    run();
    ok(call.flow->status == GOST_EPEER, "a server of something else is not believed");
    ok(end(), "nothing leaks");

    begin(GOST_CLIENT, NULL, NULL);
    send_head(200, 0, NULL, "application/grpc");
    gost_send(wire(), M("\0\0\0\0\5\12\3yo"));
    gost_shut(wire());
    run();
    ok(call.flow->status == GOST_ECLOSED, "an end in the middle of a message is no end");
    ok(end(), "nothing leaks");
}

static void send_call(const char *method, const char *path_text, const char *type)
{
    const struct gost_field f = {gost_bytes_str("content-type"), gost_bytes_str(type)};
    struct gost_head h = {.size = sizeof h, .fields = &f, .n_fields = 1};

    h.method = gost_bytes_str(method);
    h.path = gost_bytes_str(path_text);
    gost_head_send(wire(), &h);
    run();
}

static void test_server(void)
{
    struct gost_head h;

    begin(GOST_SERVER, "path", "/a/b/c");
    ok(!call.ready, "a server waits for the call");
    send_call("POST", "/a/b-c", "application/grpc+proto");
    ok(call.ready && !call.status && gost_head_recv(wire(), &h) == GOST_AGAIN,
       "it takes one, and says nothing yet");
    gost_send(wire(), M("\0\0\0\0\4\12\2hi"));
    run();
    ok(got_bytes(user(), "hi", 2), "bytes come out of a message");
    gost_send(user(), "you", 3);
    run();
    ok(gost_head_recv(wire(), &h) == GOST_OK && h.status == 200 && h.n_fields == 1 &&
           has(&h, 0, "content-type", "application/grpc") &&
           got_bytes(wire(), M("\0\0\0\0\5\12\3you")),
       "the answer's head comes with the first message");
    gost_shut(user());
    run();
    ok(gost_head_recv(wire(), &h) == GOST_OK && (h.flags & GOST_HEAD_TRAILERS) &&
           has(&h, 0, "grpc-status", "0") && has(&h, 1, "grpc-message", "") && gost_rx_eof(wire()),
       "its end is status 0");
    ok(end(), "nothing leaks");

    begin(GOST_SERVER, NULL, NULL);
    send_call("POST", "/GostTunel/Tunnel", "application/grpc");
    gost_shut(user());
    run();
    ok(gost_head_recv(wire(), &h) == GOST_OK && h.status == 200 && (h.flags & GOST_HEAD_NO_BODY) &&
           has(&h, 0, "content-type", "application/grpc") && has(&h, 1, "grpc-status", "0") &&
           has(&h, 2, "grpc-message", ""),
       "without a message head and status are one");
    ok(end(), "nothing leaks");
}

static void refuses(const char *method, const char *path_text, const char *type, uint32_t status,
                    const char *code, const char *text)
{
    struct gost_head h;
    char name[200];

    begin(GOST_SERVER, "path", "/x");
    send_call(method, path_text, type);
    snprintf(name, sizeof name, "%s %s %s is refused", method, path_text, type);
    ok(gost_head_recv(wire(), &h) == GOST_OK && h.status == status &&
           has(&h, 1, "grpc-status", code) && has(&h, 2, "grpc-message", text),
       name);
    ok(call.ready && gost_rx_eof(user()) && gost_rx_eof(wire()), "and the call ends");
    ok(end(), "nothing leaks");
}

static void test_refusals(void)
{
    refuses("POST", "/GostTunel/Tunnel", "application/grpc", 200, "12",
            "unknown service GostTunel"); /* as recorded of GOST */
    refuses("POST", "/x/Other", "application/grpc", 200, "12",
            "unknown method Other for service x");
    refuses("POST", "nothing", "application/grpc", 200, "12",
            "malformed method name: \"/nothing\"");
    refuses("GET", "/", "text/html", 415, "3", "invalid gRPC request content-type \"text/html\"");
    refuses("GET", "/x/Tunnel", "application/grpc", 405, "13",
            "Received a HEADERS frame with :method \"GET\" which should be POST");
}

int main(void)
{
    struct ge_embed e = embedder();

    *gost_plugin_v1.host = ge_host_table();
    worker = ge_worker_new(&e, NULL);
    test_messages();
    test_prefix();
    test_paths();
    test_client();
    test_server();
    test_refusals();
    ge_worker_free(worker);
    return test_end();
}
