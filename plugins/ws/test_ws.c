/* test_ws.c - the pure parts: frame heads, masks, Close payloads, paths, keys, extensions. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "ws.h"

/* ---- frames ---- */

static int parses(const char *hex, const struct ws_rules *rules, struct ws_head *ret_head)
{
    struct record r = {.n = 0};
    const char *why;

    record_hex(&r, hex);
    return ws_head_parse(ret_head, gost_bytes(r.p, r.n), rules, NULL, &why);
}

static int is_wrong(const char *hex, struct ws_rules rules, const char *want)
{
    struct record r = {.n = 0};
    struct ws_head head;
    const char *why = "nothing";

    record_hex(&r, hex);
    if (ws_head_parse(&head, gost_bytes(r.p, r.n), &rules, NULL, &why) == GOST_EPROTO &&
        strcmp(why, want) == 0)
        return 1;
    printf("# %s: %s\n", hex, why);
    return 0;
}

static void test_heads(void)
{
    static const uint64_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 1ull << 40};
    struct ws_rules client = {0, 0, 0}, server = {1, 0, 0};
    struct ws_head in, out;
    uint8_t buf[WS_HEAD_MAX];
    const char *why;
    size_t n, k, need;
    uint32_t i, masked;
    int good = 1, splits = 1;

    ok(parses("8205", &client, &in) == GOST_OK && in.fin && in.opcode == WS_BINARY &&
           in.length == 5 && in.size == 2 && !in.masked,
       "a short head");
    ok(parses("02fe100001020304", &server, &in) == GOST_OK && !in.fin && in.length == 4096 &&
           in.size == 8 && in.key[3] == 4,
       "a masked head with two bytes of length");
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (masked = 0; masked < 2; masked++) {
            struct ws_rules rules = {masked, 0, 0};

            memset(&in, 0, sizeof in);
            in.fin = i & 1;
            in.opcode = WS_TEXT;
            in.length = sizes[i];
            in.masked = (uint8_t)masked;
            memcpy(in.key, masked ? "abcd" : "\0\0\0", 4);
            n = ws_head_put(buf, &in);
            for (k = 0; k < n; k++)
                splits &=
                    ws_head_parse(&out, gost_bytes(buf, k), &rules, &need, &why) == GOST_AGAIN &&
                    need > k && need <= n;
            good &= ws_head_parse(&out, gost_bytes(buf, n), &rules, &need, &why) == GOST_OK &&
                    out.size == n && out.length == in.length && out.fin == in.fin &&
                    memcmp(out.key, in.key, 4) == 0;
        }
    ok(good, "what is written is read again");
    ok(splits, "every split asks for more, and never for too much");
}

static void test_bad_heads(void)
{
    struct ws_rules client = {0, 0, 0}, server = {1, 0, 0}, within = {0, 0, 1}, packed = {0, 1, 0};

    ok(is_wrong("8205", server, "bad MASK"), "an unmasked frame of a client");
    ok(is_wrong("828501020304", client, "bad MASK"), "a masked frame of a server");
    ok(is_wrong("c205", client, "RSV1 set"), "RSV1 without an extension");
    ok(is_wrong("a205", client, "RSV2 set") && is_wrong("9205", client, "RSV3 set"),
       "RSV2 and RSV3");
    ok(is_wrong("c905", packed, "RSV1 set"), "RSV1 on a control frame");
    ok(is_wrong("8305", client, "bad opcode") && is_wrong("8b00", client, "bad opcode"),
       "unknown opcodes");
    ok(is_wrong("0905", client, "FIN not set on control"), "a control frame in pieces");
    ok(is_wrong("897e0080", client, "len > 125 for control"), "a control frame that is too long");
    ok(is_wrong("8005", client, "continuation after FIN"), "a continuation of nothing");
    ok(is_wrong("8205", within, "data before FIN"), "a message within a message");
    ok(is_wrong("827f8000000000000000", client, "length with its highest bit set"),
       "a length of 64 bits");
}

static void test_mask(void)
{
    static const uint8_t key[4] = {1, 2, 4, 8};
    uint8_t in[64], out[64];
    size_t at, n, i;
    int good = 1;

    for (at = 0; at < 8; at++)
        for (n = 0; n <= sizeof in; n++) {
            for (i = 0; i < sizeof in; i++)
                in[i] = (uint8_t)(i * 7 + n);
            memset(out, 0xee, sizeof out);
            ws_mask(out, in, n, key, at);
            for (i = 0; i < sizeof in; i++)
                good &= out[i] == (i < n ? in[i] ^ key[(at + i) & 3] : 0xee);
        }
    ok(good, "masks at every place and of every size");
}

static int closes(const char *hex, int want, uint32_t want_code)
{
    struct record r = {.n = 0};
    uint32_t code = 0;
    const char *why;

    record_hex(&r, hex);
    return ws_close_parse(&code, gost_bytes(r.p, r.n), &why) == want && code == want_code;
}

static void test_close(void)
{
    ok(closes("", GOST_OK, WS_CLOSE_NONE), "a Close without a code");
    ok(closes("03e8", GOST_OK, 1000) && closes("0fa0676f", GOST_OK, 4000), "Close codes");
    ok(closes("03", GOST_EPROTO, 0), "half a code");
    ok(closes("03ed", GOST_EPROTO, 0) && closes("03ee", GOST_EPROTO, 0) &&
           closes("0000", GOST_EPROTO, 0) && closes("07d0", GOST_EPROTO, 0),
       "codes that are never sent");
    ok(closes("03e8c3a4f09f9880", GOST_OK, 1000), "a reason in UTF-8");
    ok(closes("03e8c0af", GOST_EPROTO, 0) && closes("03e8eda080", GOST_EPROTO, 0) &&
           closes("03e8c3", GOST_EPROTO, 0) && closes("03e8f4908080", GOST_EPROTO, 0) &&
           closes("03e880", GOST_EPROTO, 0),
       "reasons that are not UTF-8");
}

/* ---- paths ---- */

static int cleans(const char *path, const char *want)
{
    char buf[256];
    size_t n = ws_path_clean(buf, gost_bytes_str(path));

    if (n == strlen(want) && strcmp(buf, want) == 0)
        return 1;
    printf("# %s gives %s\n", path, buf);
    return 0;
}

static int splits(const char *target, const char *want_path, const char *want_query)
{
    struct gost_bytes path, query;

    ws_target_split(gost_bytes_str(target), &path, &query);
    return gost_bytes_eq(path, gost_bytes_str(want_path)) &&
           (want_query ? gost_bytes_eq(query, gost_bytes_str(want_query)) : !query.p);
}

static int is_path(const char *own, const char *path)
{
    return ws_path_is(own, gost_bytes_str(path));
}

static int escapes(const char *own, const char *want)
{
    char buf[64];

    return ws_path_escape(buf, sizeof buf, own) == strlen(want) && strcmp(buf, want) == 0;
}

static void test_paths(void)
{
    char small[8];

    ok(cleans("/ws", "/ws") && cleans("//ws", "/ws") && cleans("/x/../ws", "/ws") &&
           cleans("/./a//b/", "/a/b/") && cleans("", "/") && cleans("/", "/") &&
           cleans("/../..", "/") && cleans("/a/..", "/") && cleans("/a/../", "/") &&
           cleans("ws", "/ws") && cleans("/...", "/..."),
       "clean paths");
    ok(splits("/ws", "/ws", NULL) && splits("/ws?a=b?c", "/ws", "a=b?c") &&
           splits("http://h:1/ws?x", "/ws", "x") && splits("http://h", "/", NULL) &&
           splits("http://h?x", "/", "x") && splits("*", "*", NULL) && splits("/?", "/", "") &&
           splits("/x?http://h/", "/x", "http://h/"),
       "targets");
    ok(is_path("/ws", "/ws") && !is_path("/ws", "/%77%53") && is_path("/ws", "/%77s") &&
           !is_path("/ws", "/ws/") && !is_path("/ws", "/w") && !is_path("/ws", "/ws%0") &&
           !is_path("/ws", "/wsx") && is_path("/a?b", "/a%3Fb") && is_path("/\xc3\xa4", "/%C3%a4"),
       "one path");
    ok(is_path("/a/", "/a/") && is_path("/a/", "/a/b/c") && !is_path("/a/", "/a") &&
           !is_path("/a/", "/ab") && is_path("/", "/anything"),
       "a path with all below it");
    ok(escapes("/ws", "/ws") && escapes("/a?b c", "/a%3Fb%20c") &&
           escapes("/\xc3\xa4", "/%C3%A4") && escapes("/$&+,/:;=@-_.~", "/$&+,/:;=@-_.~") &&
           escapes("/(1)!", "/%281%29%21"),
       "escaped paths");
    ok(ws_path_escape(small, sizeof small, "/123456789") == 0, "a path that does not fit");
}

/* ---- the handshake's words ---- */

static void test_keys(void)
{
    char accept[WS_ACCEPT_SIZE];

    ws_key_accept(accept, gost_bytes_str("dGhlIHNhbXBsZSBub25jZQ=="));
    ok(memcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof accept) == 0,
       "the example of RFC 6455");
    ok(ws_key_valid(gost_bytes_str("dGhlIHNhbXBsZSBub25jZQ==")), "a key of 16 bytes");
    ok(!ws_key_valid(gost_bytes_str("")) && !ws_key_valid(gost_bytes_str("dGhlIHNhbXBsZQ==")) &&
           !ws_key_valid(gost_bytes_str("dGhlIHNhbXBsZSBub25jZSEh")) &&
           !ws_key_valid(gost_bytes_str("dGhlIHNhbXBsZSBub25jZSE=")) &&
           !ws_key_valid(gost_bytes_str("dGhlIHNhbXBsZSBub25jZR==")) &&
           !ws_key_valid(gost_bytes_str("dGhl!HNhbXBsZSBub25jZQ==")) &&
           !ws_key_valid(gost_bytes_str(" dGhlIHNhbXBsZSBub25jZQ=")),
       "others");
}

static int offer(const char *value, int answer, int offered, int *ret_deflate)
{
    static char text[512];
    struct gost_http1_head head;
    const char *why;

    snprintf(text, sizeof text, "HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: %s\r\n\r\n", value);
    if (gost_http1_parse_response(&head, gost_bytes_str(text), &why) != GOST_OK)
        return -1;
    return answer ? ws_offer_check(&head, offered, ret_deflate) : ws_offer_accepts(&head);
}

static void test_offers(void)
{
    int deflate = -1;

    ok(offer(ws_deflate_offer, 0, 0, NULL) && offer("permessage-deflate", 0, 0, NULL) &&
           offer("permessage-deflate; client_max_window_bits", 0, 0, NULL) &&
           offer("x-a; b=\"c,d;\", Permessage-Deflate;client_max_window_bits=\"10\"", 0, 0, NULL) &&
           offer("permessage-deflate; server_max_window_bits=10, permessage-deflate", 0, 0, NULL) &&
           offer("permessage-deflate; server_max_window_bits=15", 0, 0, NULL),
       "offers that can be met");
    ok(!offer("x-webkit-deflate-frame", 0, 0, NULL) && !offer("", 0, 0, NULL) &&
           !offer("permessage-deflate; server_max_window_bits=10", 0, 0, NULL) &&
           !offer("permessage-deflate; server_max_window_bits", 0, 0, NULL) &&
           !offer("permessage-deflate; server_max_window_bits=16", 0, 0, NULL) &&
           !offer("permessage-deflate; client_max_window_bits=7", 0, 0, NULL) &&
           !offer("permessage-deflate; mystery", 0, 0, NULL) &&
           !offer("permessage-deflate; server_no_context_takeover; server_no_context_takeover", 0,
                  0, NULL) &&
           !offer("permessage-deflate; server_no_context_takeover=1", 0, 0, NULL),
       "offers that cannot");
    ok(offer(ws_deflate_offer, 1, 1, &deflate) == GOST_OK && deflate == 1, "our offer taken");
    ok(offer(",", 1, 1, &deflate) == GOST_OK && deflate == 0, "our offer passed over");
    ok(offer(ws_deflate_offer, 1, 0, &deflate) == GOST_EPROTO, "compression we did not offer");
    ok(offer("permessage-deflate; server_no_context_takeover", 1, 1, &deflate) == GOST_EPROTO &&
           offer("x-other", 1, 1, &deflate) == GOST_EPROTO &&
           offer("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                 "client_max_window_bits=10",
                 1, 1, &deflate) == GOST_EPROTO,
       "answers to another question");
    ok(offer("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
             "server_max_window_bits=10",
             1, 1, &deflate) == GOST_OK,
       "a server with a smaller window");
}

int main(void)
{
    test_heads();
    test_bad_heads();
    test_mask();
    test_close();
    test_paths();
    test_keys();
    test_offers();
    return test_end();
}
