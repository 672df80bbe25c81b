/* test_kit - the test kit itself: transcripts of a connector, a layer and a relaying handler. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/testkit/kit.h"

/* ---- the plugin: everything is told by one byte ---- */

/* Connector "knock": sends 'C', the host and a zero byte, waits for 'y'. */
static int knock_connect(void *state, const void *conf, struct gost_io *io,
                         const struct gost_event *ev)
{
    char host[GOST_ADDR_TEXT];
    const uint8_t *b;

    if (ev->type == GOST_EV_START) {
        size_t n = gost_addr_host(&gost_target(io)->addr, host, sizeof host);

        gost_send(io, "C", 1);
        gost_send(io, host, n + 1);
    }
    b = gost_take(io, 1);
    if (!b)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "no answer") : GOST_AGAIN;
    return b[0] == 'y' ? GOST_OK : gost_fail(io, GOST_EREFUSED, "the answer was %02x", b[0]);
}

/* Layer "flip": turns bit 5 of every byte. */
static int flip(struct gost_io *from, struct gost_io *to)
{
    struct gost_bytes b;
    size_t i;

    while ((b = gost_rx(from)).n) {
        for (i = 0; i < b.n; i++) {
            uint8_t c = b.p[i] ^ 0x20;

            gost_send(to, &c, 1);
        }
        gost_consume(from, b.n);
    }
    return GOST_AGAIN;
}

static int flip_decode(void *state, const void *conf, struct gost_io *io)
{
    (void)flip(io, gost_app(io));
    if (!gost_rx_eof(io))
        return GOST_AGAIN;
    gost_shut(gost_app(io));
    return GOST_END;
}

static int flip_encode(void *state, const void *conf, struct gost_io *io)
{
    return flip(gost_app(io), io);
}

/* Handler "pass": dials example.com:80 and relays. */
static int pass_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct gost_addr addr;

    if (ev->type == GOST_EV_START) {
        if (gost_addr_parse(&addr, "example.com:80", 14, 0) != GOST_OK)
            return gost_fail(io, GOST_EINTERNAL, "no address");
        return gost_dial(io, 1, 1, GOST_NET_TCP, &addr) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
    }
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status)
        return gost_fail(io, ev->status, "not reached: %s", ev->text);
    gost_send(io, "!", 1);
    return gost_relay(io, 0, 1, 0) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

/* Layer "lanes": a session. A lane's number, a length, so many bytes; length 0 ends the lane. */
static int lanes_decode(void *state, const void *conf, struct gost_io *io)
{
    const uint8_t *b;
    struct gost_io *s;

    while ((b = gost_peek(io, 2)) && (b = gost_peek(io, 2u + b[1]))) {
        if (b[0] == 0)
            return gost_fail(io, GOST_EPROTO, "lanes are counted from 1");
        s = gost_stream_port(io, b[0]);
        if (!s && !(s = gost_stream_new(io, b[0], 0)))
            return gost_fail(io, GOST_ELIMIT, "too many lanes");
        if (b[1])
            gost_send(s, b + 2, b[1]);
        else
            gost_shut(s);
        gost_consume(io, 2u + b[1]);
    }
    return gost_rx_eof(io) ? GOST_END : GOST_AGAIN;
}

static int lanes_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_io *s;

    while (gost_tx_room(io) && (s = gost_stream_next(io))) {
        struct gost_bytes b = gost_rx(s);
        uint8_t head[2] = {(uint8_t)gost_stream_id(s), (uint8_t)(b.n < 9 ? b.n : 9)};

        if (b.n || gost_rx_eof(s))
            gost_send(io, head, 2);
        if (b.n)
            gost_send(io, b.p, head[1]);
        gost_consume(s, head[1]);
    }
    return GOST_AGAIN;
}

static int lanes_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                      uint32_t flags, uint64_t *ret_id)
{
    uint8_t *last = state;

    if (*last >= 200)
        return GOST_FULL;
    *ret_id = *last += 100;
    return GOST_OK;
}

static int lanes_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                       uint64_t code)
{
    uint8_t frame[3] = {0, 1, (uint8_t)code};

    return gost_send(io, frame, 3);
}

static const struct gost_session_ops lanes_session = {
    .size = sizeof(struct gost_session_ops),
    .open = lanes_open,
    .reset = lanes_reset,
};

static const struct gost_layer_ops lanes_ops = {
    .size = sizeof(struct gost_layer_ops),
    .above = GOST_SESSION,
    .decode = lanes_decode,
    .encode = lanes_encode,
    .session = &lanes_session,
};

/* Handler "greet": answers a request with its own path. */
static int greet_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_head head, answer;
    struct gost_field field = {gost_bytes_str("server"), gost_bytes_str("greet")};

    if (gost_head_recv(io, &head) != GOST_OK)
        return GOST_AGAIN;
    if (head.status || head.path.n == 0)
        return gost_fail(io, GOST_EPROTO, "no request");
    memset(&answer, 0, sizeof answer);
    answer.size = sizeof answer;
    answer.status = 200;
    answer.fields = &field;
    answer.n_fields = 1;
    gost_head_send(io, &answer);
    gost_send(io, head.path.p, head.path.n);
    return GOST_OK;
}

static const struct gost_handler_ops greet_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_EXCHANGE,
    .step = greet_step,
};

static const struct gost_connector_ops knock_ops = {
    .size = sizeof(struct gost_connector_ops),
    .connect = knock_connect,
};

static const struct gost_layer_ops flip_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .decode = flip_decode,
    .encode = flip_encode,
};

static const struct gost_handler_ops pass_ops = {
    .size = sizeof(struct gost_handler_ops),
    .step = pass_step,
};

static const struct gost_component components[] = {
    {.kind = GOST_KIND_CONNECTOR, .name = "knock", .summary = "knocks", .ops = &knock_ops},
    {.kind = GOST_KIND_LAYER, .name = "flip", .summary = "flips", .ops = &flip_ops},
    {.kind = GOST_KIND_LAYER,
     .name = "lanes",
     .summary = "many lanes",
     .ops = &lanes_ops,
     .state_size = 1},
    {.kind = GOST_KIND_HANDLER, .name = "greet", .summary = "greets", .ops = &greet_ops},
    {.kind = GOST_KIND_HANDLER, .name = "pass", .summary = "passes", .ops = &pass_ops},
};

GOST_PLUGIN("kit", "1", "MIT", "for this test", components,
            "connector:knock layer:flip layer:lanes handler:greet handler:pass");

/* ---- transcripts ---- */

static const struct {
    const char *name, *text;
    const char *why; /* NULL: it passes; else a part of the complaint */
} cases[] = {
    {"connector",
     "connector knock\ntarget example.com:443\n> \"Cexample.com\" 00\n< \"y\" \"early\"\n"
     "ok rest=\"early\"\ndown \"hi\"\n> \"hi\"\n< \"there\"\nup \"there\"\nfin server\n",
     NULL},
    {"connector refused", "connector knock\ntarget a.b:1\n> \"Ca.b\" 00\n< \"n\"\nfail refused\n",
     NULL},
    {"connector, wrong error",
     "connector knock\ntarget a.b:1\n> \"Ca.b\" 00\n< \"n\"\nfail proto\n",
     "should have failed with"},
    {"connector, wrong byte", "connector knock\ntarget a.b:1\n> \"Ca.c\" 00\n",
     "byte 3 is 62, it should be 63"},
    {"connector, any byte", "connector knock\ntarget a.b:1\n> \"Ca\" ?? \"b\" 00\n< \"y\"\nok\n",
     NULL},
    {"connector, too little", "connector knock\ntarget a.b:1\n> \"Ca.b\" 00\n", NULL},
    {"connector, output left", "connector knock\ntarget a.b:1\n> \"Ca\"\n",
     "3 more bytes were sent"},
    {"layer", "layer flip server\n> \"abc\"\nup \"ABC\"\ndown \"XYZ\"\n< \"xyz\"\nfin client\nok\n",
     NULL},
    {"layer, client", "layer flip client\n< \"q\"\nup \"Q\"\ndown \"w\"\n> \"W\"\n", NULL},
    {"handler",
     "handler pass\ndial ok expect=example.com:80\n< \"!\"\n> \"ping\"\n1> \"ping\"\n1< \"pong\"\n"
     "< \"pong\"\nfin client\n1 fin client\n1 fin server\nfin server\nok\n",
     NULL},
    {"handler, wrong target", "handler pass\ndial ok expect=example.com:81\n< \"!\"\n",
     "asked for example.com:80"},
    {"handler refused", "handler pass\ndial refused\nfail refused\n", NULL},
    {"handler, far side plays along",
     "# component: handler pass\n# relay: yes\n= open 1\n< 21\n> 61\n* 3 62\n< 63\n+ 64\n"
     "= fin client\n= fin server\n",
     NULL},
    {"session",
     "layer lanes server\n> 01 02 \"ab\" 02 01 \"c\"\nup \"ab\"\n2 up \"c\"\n2 down \"de\"\n"
     "< 02 02 \"de\"\n2 fin user\n< 02 00\n1 down \"f\"\n< 01 01 \"f\"\nok\n",
     NULL},
    {"session, opened by users",
     "layer lanes client\nopen\nopen\ndown \"x\"\n> 64 01 \"x\"\n2 down \"y\"\n> c8 01 \"y\"\n"
     "< c8 01 \"z\"\n2 up \"z\"\n1 rst user 7\n> 00 01 07\n",
     NULL},
    {"session, one stream too many", "layer lanes client\nopen\nopen\nopen\n", "cannot be opened"},
    {"session, echo",
     "layer lanes server\necho\n> 05 03 \"abc\" 05 00\nup \"abc\"\n"
     "< 05 03 \"abc\" 05 00\n",
     NULL},
    {"session, it fails", "layer lanes server\n> 00 00\nfail proto\n", NULL},
    {"session, no such user", "layer lanes server\n> 01 01 \"a\"\nup \"a\"\n2 up \"b\"\n",
     "no user number 2"},
    {"session, output left", "layer lanes server\n> 01 01 \"a\"\n",
     "1 more bytes reached user number 1"},
    {"exchange",
     "handler greet\n> \"head GET https example.com /x\\nuser-agent: kit\\n\\n\"\n"
     "< \"head 200\\nserver: greet\\n\\n/x\"\nok\n",
     NULL},
    {"exchange, no request", "handler greet\n> \"head 404\\n\\n\"\nfail proto\n", NULL},
    {"exchange, wrong head",
     "handler greet\n> \"head GET https example.com /x\\n\\n\"\n< \"head 404\"\n",
     "byte 5 is 32, it should be 34"},
    {"no component", "> 01\n", "names no component"},
    {"bad hex", "handler pass\n> 0g\n", "neither hex digits"},
    {"unknown word", "handler pass\nfrobnicate\n", "unknown word"},
    {"unknown component", "handler nothing\n> 01\n", "has no handler nothing"},
    {"unknown option is not used", "handler pass a=b\ndial refused\nfail refused\n", NULL},
};

static unsigned tests, failures;

static void ok(int good, const char *name, const char *said)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++tests, name);
    if (!good)
        printf("# said: %s\n", said);
    failures += !good;
}

static void play(struct gost_kit *kit, const char *name, const char *text, const char *want)
{
    struct gost_how how;
    struct gost_outcome o;
    char why[600] = "", label[200];
    struct gost_script *s = gost_script_parse(text, "script", why, sizeof why);
    size_t split;

    memset(&how, 0, sizeof how);
    for (split = 0; split < 3; split++) {
        how.split = split;
        if (s)
            (void)gost_kit_play(kit, s, &how, &o);
        snprintf(label, sizeof label, "%s, pieces of %zu", name, split);
        if (want)
            ok(strstr(s ? o.why : why, want) != NULL, label, s ? o.why : why);
        else
            ok(s && !o.why[0], label, s ? o.why : why);
        if (!s)
            break;
    }
    gost_script_free(s);
}

static void fuzz_a_little(struct gost_kit *kit)
{
    uint8_t data[64];
    unsigned seed, i;

    for (seed = 1; seed < 200; seed++) {
        for (i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)((seed * 2654435761u + i * 40503u) >> (i % 13));
        (void)gost_kit_fuzz(kit, GOST_KIND_HANDLER, "pass", NULL, data, 8 + seed % 57);
        (void)gost_kit_fuzz(kit, GOST_KIND_LAYER, "flip", NULL, data, 8 + seed % 57);
    }
    ok(1, "the fuzz driver finds nothing in correct components", "");
}

int main(void)
{
    char why[600] = "";
    struct gost_kit *kit = gost_kit_new(&gost_plugin_v1, why, sizeof why);
    size_t i;

    ok(kit != NULL, "a linked plugin is taken", why);
    for (i = 0; kit && i < sizeof cases / sizeof cases[0]; i++)
        play(kit, cases[i].name, cases[i].text, cases[i].why);
    if (kit)
        fuzz_a_little(kit);
    gost_kit_free(kit);
    printf("1..%u\n", tests);
    return failures != 0;
}
